//! Makes one answer file out of a base and the options of a spec.
//!
//! Options become a list of wants: a text at a path, an item of a list, a removal. The wants are checked
//! against the catalogue and then applied to the text of the base one after the other, each as one edit of a few
//! bytes, so that everything else in the base stays as somebody wrote it. Secrets are asked for while applying; a
//! second round with masks in their place makes the text that people may see.

mod apply;
mod check;
mod edit;
mod element;
mod json;
mod plan;
mod want;

use reseal_diag::{Diagnostic, SourceText};
use secrecy::SecretString;

use crate::finding::Finding;
use crate::lint::lint;
use crate::options::Options;
use crate::target::{Architecture, Target};

/// A compiled answer file.
#[derive(Debug)]
pub struct Compiled {
    /// The file with its secrets, UTF-8.
    pub xml: SecretString,
    /// The same file with every secret masked: for people, plans and logs.
    pub redacted: String,
    /// What a person should know, though the file was made: doubtful options, and what the linter says about the
    /// whole, the base included. An error among them means that Setup will most likely not like the base.
    pub problems: Vec<Problem>,
}

/// A complaint about options or base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The option, as a JSON pointer below `unattend` (`/oobe/protect_your_pc`); `None` when the file is meant, which
    /// the diagnostic then points into.
    pub option: Option<String>,
    /// The complaint.
    pub diagnostic: Diagnostic,
}

impl Problem {
    fn option(pointer: &str, diagnostic: Diagnostic) -> Self {
        Self {
            option: Some(pointer.to_owned()),
            diagnostic,
        }
    }

    fn file(source: &SourceText, finding: &Finding) -> Self {
        Self {
            option: None,
            diagnostic: finding.diagnostic(source),
        }
    }
}

/// A placeholder could not be revealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RevealError {
    /// Why, without the secret.
    pub message: String,
}

/// What [`compile`] asks for secrets: given a text with `${name}`, the text with the secrets in place.
pub type Reveal<'r> = dyn Fn(&str) -> Result<String, RevealError> + 'r;

/// The name under which diagnostics show the compiled file.
const COMPILED: &str = "unattend.xml";

/// Checks options without a base: everything that can be known offline.
pub fn check(options: &Options, target: &Target) -> Vec<Problem> {
    let plan = plan::plan(options);
    let mut problems = plan.problems;
    problems.extend(check::check(&plan.wants, target));
    problems
}

/// Compiles an answer file.
///
/// `base` is the text of the file to start from, already [decoded](crate::decode::decode); what stands in it and is
/// not overridden stays byte for byte. `reveal` gets every text of the options that holds a `${name}` and returns it
/// with the secrets in place.
///
/// # Errors
///
/// All errors found, with the warnings, when the base cannot be read or an option is wrong.
pub fn compile(
    base: Option<&str>,
    options: &Options,
    target: &Target,
    reveal: &Reveal<'_>,
) -> Result<Compiled, Vec<Problem>> {
    let plan = plan::plan(options);
    let mut problems = plan.problems;
    problems.extend(check::check(&plan.wants, target));
    let base = prepare(base, target, &mut problems);
    let Some(base) = base.filter(|_| !problems.iter().any(|one| one.diagnostic.is_error())) else {
        return Err(problems);
    };
    let apply = |mode: &want::Mode<'_>| apply::apply(&base.text, &plan.wants, base.architecture, mode);
    let made = apply(&want::Mode::Reveal(reveal)).and_then(|xml| Ok((xml, apply(&want::Mode::Mask)?)));
    match made {
        Ok((xml, masked)) => {
            let redacted = apply::mask_secrets(&masked);
            problems.extend(review(&redacted, target));
            Ok(Compiled {
                xml: SecretString::from(xml),
                redacted,
                problems,
            })
        }
        Err(problem) => {
            problems.push(problem);
            Err(problems)
        }
    }
}

/// What the linter says about the result. It sees the redacted text, so that no diagnostic can show a secret.
fn review(redacted: &str, target: &Target) -> Vec<Problem> {
    let source = SourceText::new(COMPILED, redacted);
    lint(&source, target)
        .iter()
        .map(|finding| Problem::file(&source, finding))
        .collect()
}

struct Base {
    text: String,
    architecture: Architecture,
}

/// The text to start from. A base must be well-formed, or nothing can be put into it.
fn prepare(base: Option<&str>, target: &Target, problems: &mut Vec<Problem>) -> Option<Base> {
    let text = base.map_or_else(apply::skeleton, apply::normalise);
    let Ok(document) = roxmltree::Document::parse(&text) else {
        problems.extend(unreadable(&text, target));
        return None;
    };
    if document.root_element().tag_name() != (crate::xml::UNATTEND, "unattend").into() {
        problems.extend(unreadable(&text, target));
        return None;
    }
    let architecture = target
        .architecture
        .or_else(|| apply::architecture(&document))
        .unwrap_or(Architecture::Amd64);
    drop(document);
    let text = apply::fill_architecture(&text, architecture);
    Some(Base { text, architecture })
}

/// The base's own faults. Its secrets are unknown while it cannot be read, so its text is not shown.
fn unreadable(text: &str, target: &Target) -> Vec<Problem> {
    let source = SourceText::new("base", text);
    let found = lint(&source, target);
    found
        .iter()
        .filter(|finding| finding.code == "U001")
        .map(|finding| {
            let place = source.location(finding.span.start);
            let message = format!(
                "line {} column {} of the base: {}",
                place.line, place.column, finding.message
            );
            let mut diagnostic = Diagnostic::error("U001", message);
            diagnostic.help.clone_from(&finding.help);
            Problem::option("/base", diagnostic)
        })
        .collect()
}
