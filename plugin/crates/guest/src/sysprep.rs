//! Reads sysprep's logs: which of the known failures is it, and what helps.
//!
//! The rule: take what follows the last banner; of its error lines the last `WinMain:Hit failure` has the code and the
//! phase, and the first one names the reason. Never trust the words of other sources, never fail on odd lines.

mod log;
mod rules;

pub use self::log::{Entry, Level, entries, last_run};
use self::rules::{Rule, by_code, by_line, by_silence};

/// Whether the machine is still good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Sysprep only looked; nothing has changed, and it may run again after the cure.
    Validation,
    /// Sysprep had begun to change the system; it cannot be repaired.
    Execution,
    /// The log does not say.
    Unknown,
}

/// What a log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The letter of the catalogue, e.g. `a`; `-` for success, `?` for what is not in it.
    pub letter: char,
    /// The class in one word, e.g. `appx_not_provisioned`.
    pub class: &'static str,
    /// The `HRESULT` that sysprep ended with.
    pub hr: Option<u32>,
    /// Whether the machine is still good.
    pub phase: Phase,
    /// The lines that decide, without date and level; at most five.
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
    let entries = last_run(entries(text));
    let errors: Vec<&Entry> = entries
        .iter()
        .filter(|entry| entry.is_sysprep() && entry.level >= Level::Error && !entry.is_harmless())
        .collect();
    let succeeded = entries
        .iter()
        .any(|entry| entry.text.contains("Successfully created tag file"));
    let end = errors
        .iter()
        .rev()
        .find_map(|entry| Some((*entry, entry.final_code()?)));
    if succeeded && end.is_none() {
        return verdict(&rules::SUCCESS, None, Phase::Execution, Vec::new());
    }
    let hr = end
        .map(|(_, hr)| hr)
        .or_else(|| errors.iter().rev().find_map(|entry| entry.return_code()));
    let rule = errors
        .iter()
        .find_map(|entry| by_line(&entry.text))
        .or_else(|| hr.and_then(by_code))
        .or_else(|| errors.is_empty().then(|| by_silence(&entries)).flatten())
        .unwrap_or(&rules::UNKNOWN);
    let phase = phase(&entries, end.map(|(entry, _)| entry), rule);
    verdict(rule, hr, phase, decisive(&errors, end.map(|(entry, _)| entry)))
}

/// `pre-validate` in the last line means that nothing has changed; so do the lines before any processing.
fn phase(entries: &[Entry], end: Option<&Entry>, rule: &Rule) -> Phase {
    if end.is_some_and(|entry| entry.text.contains("pre-validate")) {
        return Phase::Validation;
    }
    let processing = entries
        .iter()
        .any(|entry| entry.text.contains("WinMain:Processing 'generalize'"));
    if processing || end.is_some_and(|entry| entry.text.contains("while processing sysprep generalize")) {
        return Phase::Execution;
    }
    rule.phase
}

/// The first error with its two followers, and the last one.
fn decisive(errors: &[&Entry], end: Option<&Entry>) -> Vec<String> {
    let mut lines: Vec<String> = errors.iter().take(3).map(|entry| entry.text.clone()).collect();
    if let Some(end) = end
        && !lines.contains(&end.text)
    {
        lines.push(end.text.clone());
    }
    lines
}

fn verdict(rule: &Rule, hr: Option<u32>, phase: Phase, lines: Vec<String>) -> Verdict {
    let subject = lines.iter().find_map(|line| subject(line));
    Verdict {
        letter: rule.letter,
        class: rule.class,
        hr,
        phase,
        lines,
        meaning: rule.meaning,
        cure: rule.cure,
        subject,
    }
}

/// `Package X was installed` or `executing 'X'`.
fn subject(line: &str) -> Option<String> {
    let package = line
        .split_once("Package ")
        .and_then(|(_, rest)| rest.split_once(" was installed"))
        .map(|(name, _)| name);
    let module = line
        .split_once("while executing '")
        .and_then(|(_, rest)| rest.split_once('\''))
        .map(|(name, _)| name);
    package.or(module).map(str::to_owned)
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
