//! How a run of sysprep ended: by its log, and by its status and proofs.

pub use crate::postmortem::Phase;
use crate::postmortem::{Log, examine};

/// What a log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The letter of the family, e.g. `a`; `-` for success, `?` for what is not known.
    pub letter: char,
    /// The class in one word, e.g. `appx_not_provisioned`.
    pub class: &'static str,
    /// The `HRESULT` that sysprep ended with.
    pub hr: Option<u32>,
    /// Whether the machine is still good.
    pub phase: Phase,
    /// The lines that decide, without date and level; at most eight.
    pub lines: Vec<String>,
    /// What it means.
    pub meaning: &'static str,
    /// What helps.
    pub cure: &'static str,
    /// The thing that the reason line names (a package, a DLL), where it names one.
    pub subject: Option<String>,
}

/// Reads the text of `setupact.log` or `setuperr.log`. Never fails: what is not understood is class `?`.
pub fn explain(text: &str) -> Verdict {
    let Some(report) = examine(&[Log { name: "", text }]) else {
        return Verdict {
            letter: '?',
            class: "unknown",
            hr: None,
            phase: Phase::Unknown,
            lines: Vec::new(),
            meaning: "there is no line of sysprep's in the log",
            cure: "look for setupact.log in C:\\Windows\\System32\\Sysprep\\Panther",
            subject: None,
        };
    };
    let found = report.verdict;
    Verdict {
        letter: found.cause.letter,
        class: found.cause.class,
        hr: found.code,
        phase: found.phase,
        lines: found.evidence.into_iter().map(|line| line.text).collect(),
        meaning: found.cause.meaning,
        cure: found.cause.cure,
        subject: found.subject,
    }
}

/// What the whole of what is known about a run says, when it may not have ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All four proofs are there.
    Generalized,
    /// It failed, and the machine stays on.
    Failed,
    /// The machine went off without proof: it may be good or not, so the image must not be published.
    Unknown,
}

/// Judges a run by its last status and proofs: `evidence` is the last that was seen, `off` whether the machine is off.
pub fn outcome(
    status: Option<&crate::system::Status>,
    evidence: Option<&crate::system::Evidence>,
    off: bool,
) -> Option<Outcome> {
    let proven = |evidence: &crate::system::Evidence| evidence.missing().is_empty();
    let phase = status.map(|status| status.phase.as_str());
    let by_status = matches!(phase, Some("generalized" | "cleaning" | "shutting_down"))
        && status.and_then(|status| status.evidence.as_ref()).is_some_and(proven);
    if by_status || (phase == Some("shutting_down") && evidence.is_some_and(proven)) {
        Some(Outcome::Generalized)
    } else if phase == Some("failed") {
        Some(Outcome::Failed)
    } else if off {
        Some(Outcome::Unknown)
    } else {
        None
    }
}
