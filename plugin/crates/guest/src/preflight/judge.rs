//! From facts to findings.

use crate::preflight::Facts;
use crate::system::Fixes;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Sysprep may still succeed.
    Warning,
    /// Not now, but waiting helps.
    Wait,
    /// Sysprep would fail.
    Error,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A stable code, e.g. `P012`.
    pub code: &'static str,
    /// How bad.
    pub severity: Severity,
    /// What was found.
    pub message: String,
    /// What to do.
    pub cure: String,
    /// The fix of `preflight_fix` that cures it.
    pub fixable: Option<Fixes>,
}

/// What the spec allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// A domain member may be generalized (it leaves the domain).
    pub allow_domain: bool,
    /// The answer file has `SkipRearm` = 1.
    pub skip_rearm: bool,
    /// The runner's clock, seconds since 1970, to compare the guest's with.
    pub now_epoch: Option<i64>,
    /// Codes that the spec accepts as they are.
    pub accept: Vec<String>,
}

/// All findings, the worst first.
pub fn judge(_facts: &Facts, _options: &Options) -> Vec<Finding> {
    Vec::new()
}
