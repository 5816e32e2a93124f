//! Makes one answer file out of a base and the options of a spec.

use reseal_diag::Diagnostic;
use secrecy::SecretString;

use crate::options::Options;
use crate::target::Target;

/// A compiled answer file.
#[derive(Debug)]
pub struct Compiled {
    /// The file with its secrets, UTF-8.
    pub xml: SecretString,
    /// The same file with every secret masked: for people, plans and logs.
    pub redacted: String,
    /// What a person should know, though the file was made.
    pub problems: Vec<Problem>,
}

/// A complaint about options or base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The option, as a JSON pointer below `unattend` (`/oobe/protect_your_pc`); `None` when the base is meant, which
    /// the diagnostic then points into.
    pub option: Option<String>,
    /// The complaint.
    pub diagnostic: Diagnostic,
}

/// A placeholder could not be revealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RevealError {
    /// Why, without the secret.
    pub message: String,
}

/// Checks options without a base: everything that can be known offline.
pub fn check(options: &Options, target: &Target) -> Vec<Problem> {
    let _ = (options, target);
    vec![]
}

/// Compiles an answer file.
///
/// `base` is the text of the file to start from, already decoded; what stands in it and is not overridden stays byte
/// for byte. `reveal` gets every text of the options that holds a `${name}` and returns it with the secrets in place.
///
/// # Errors
///
/// All errors found, with the warnings, when the base cannot be read or an option is wrong.
pub fn compile(
    base: Option<&str>,
    options: &Options,
    target: &Target,
    reveal: &dyn Fn(&str) -> Result<String, RevealError>,
) -> Result<Compiled, Vec<Problem>> {
    let _ = (base, options, target, reveal);
    Err(vec![])
}
