//! Events and signals as sentences: what the plain, machine-readable and file renderers have in common.

use std::collections::BTreeSet;

use reseal_engine::Signal;
use reseal_journal::event::AfterFailure;
use reseal_journal::{Entry, Event, Outcome, Unwinding};

use super::tally::Tally;
use super::text::{bytes, duration, plural, tame};

/// A sentence and its weight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// Something begins.
    Step(String),
    /// About the step in work.
    Detail(String),
    /// The step in work is over and well.
    Done(String),
    /// Somebody should look.
    Warning(String),
    /// Something failed.
    Error(String),
    /// The guest's words.
    Guest(String),
}

/// An event in words.
pub(super) fn event(entry: &Entry, tally: &Tally) -> Said {
    let title = |step: &str| tally.title(step).to_owned();
    let took = tally.took().map(duration).unwrap_or_default();
    match &entry.event {
        Event::BuildStarted { build, steps, .. } => {
            Said::Step(format!("build {build}, {}", plural(steps.len(), "step")))
        }
        Event::BuildResumed { .. } => Said::Step(format!("going on with build {}", tally.build)),
        Event::StepStarted { step, attempt: 1 } => Said::Step(title(step)),
        Event::StepStarted { step, attempt } => Said::Step(format!("{} (attempt {attempt})", title(step))),
        Event::StepSucceeded { .. } => Said::Done(format!("done in {took}")),
        Event::StepSkipped { reason, .. } => Said::Done(format!("skipped: {reason}")),
        Event::StepFailed { failure, then, .. } => {
            let message = tame(&failure.message);
            match then {
                AfterFailure::Retry => Said::Warning(format!("failed after {took}, trying again: {message}")),
                AfterFailure::Continue => Said::Warning(format!("failed after {took}, going on: {message}")),
                AfterFailure::Abort => Said::Error(format!("failed after {took}: {message}")),
            }
        }
        Event::Committed => Said::Detail("the image is good: from here on the build has succeeded".to_owned()),
        Event::UnwindStarted { after } => Said::Step(unwinding(*after).to_owned()),
        Event::UndoStarted { step } => Said::Step(format!("undo: {}", title(step))),
        Event::UndoSucceeded { .. } => Said::Done(format!("undone in {took}")),
        Event::UndoFailed { failure, .. } => Said::Error(format!("stuck: {}", tame(&failure.message))),
        Event::BuildHeld { reason } => Said::Warning(format!("held: {}", tame(reason))),
        Event::BuildClosed { outcome } => Said::Detail(closed(*outcome).to_owned()),
    }
}

fn unwinding(after: Unwinding) -> &'static str {
    match after {
        Unwinding::Success => "removing what was needed for the build only",
        Unwinding::Failure => "removing everything that the build created",
        Unwinding::Cleanup => "removing everything, as asked",
    }
}

fn closed(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "closed: the image is there, and nothing else",
        Outcome::Failed => "closed: nothing is left",
        Outcome::CleanedUp => "closed: cleaned up",
    }
}

/// A signal in words. Output must come in whole lines.
pub(super) fn signal(signal: &Signal) -> Said {
    match signal {
        Signal::Note { text, .. } => Said::Detail(tame(text)),
        Signal::Warning { text, .. } => Said::Warning(tame(text)),
        Signal::Output { text, .. } => Said::Guest(tame(text)),
        Signal::Waiting {
            what,
            seen,
            elapsed,
            limit,
            ..
        } => Said::Detail(format!(
            "waiting for {what}: {} ({} of {})",
            tame(seen),
            duration(*elapsed),
            duration(*limit)
        )),
        Signal::Progress { what, done, total, .. } => {
            Said::Detail(format!("{}: {} of {}", tame(what), bytes(*done), bytes(*total)))
        }
    }
}

/// Lets through what is new about waits and transfers, so that a log does not fill with the same line.
#[derive(Debug, Default)]
pub(super) struct Pace {
    wait: Wait,
    transfer: Option<(String, u64)>,
}

/// What was said of one wait.
#[derive(Debug, Default)]
struct Wait {
    what: String,
    seen: BTreeSet<String>,
    said_at: u64,
}

impl Wait {
    fn of(what: &str) -> Self {
        Self {
            what: what.to_owned(),
            ..Self::default()
        }
    }
}

/// A wait that nothing changes about is said again after so many seconds.
const AGAIN: u64 = 120;
/// A wait that changes all the time is said so many seconds after the last time.
const CALM: u64 = 10;
/// Smaller transfers are said once, when they are through.
const LARGE: u64 = 16 * 1024 * 1024;

impl Pace {
    /// Whether this signal is worth a line.
    pub(super) fn admits(&mut self, signal: &Signal) -> bool {
        match signal {
            Signal::Waiting {
                what, seen, elapsed, ..
            } => self.wait(what, seen, elapsed.as_secs()),
            Signal::Progress { what, done, total, .. } => self.transfer(what, *done, *total),
            _ => true,
        }
    }

    fn wait(&mut self, what: &str, seen: &str, elapsed: u64) -> bool {
        if self.wait.what != what || elapsed < self.wait.said_at {
            self.wait = Wait::of(what);
        } else {
            // Two things that are seen in turns are no news either.
            let pause = if self.wait.seen.contains(seen) { AGAIN } else { CALM };
            if elapsed < self.wait.said_at + pause {
                return false;
            }
        }
        self.wait.said_at = elapsed;
        self.wait.seen.insert(seen.to_owned());
        true
    }

    /// Quarters of large transfers, ends of all.
    fn transfer(&mut self, what: &str, done: u64, total: u64) -> bool {
        let quarter = match (done, total) {
            (done, total) if done >= total => 4,
            (done, LARGE..) => done.saturating_mul(4) / total,
            _ => 0,
        };
        let known = self.transfer.as_ref().filter(|(w, q)| w == what && *q <= quarter);
        let before = known.map_or(0, |(_, q)| *q);
        self.transfer = Some((what.to_owned(), quarter));
        quarter > before
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn waits_are_said_when_something_changes_and_now_and_then() {
        let mut pace = Pace::default();
        let mut wait = |seen: &str, seconds: u64| {
            pace.admits(&Signal::Waiting {
                step: "s".into(),
                what: "w".into(),
                seen: seen.into(),
                elapsed: Duration::from_secs(seconds),
                limit: Duration::from_mins(10),
            })
        };
        assert!(wait("BUILD", 0));
        assert!(!wait("BUILD", 60));
        assert!(wait("ACTIVE", 70));
        assert!(!wait("ACTIVE", 189));
        assert!(wait("ACTIVE", 190));
        assert!(!wait("ERROR", 199), "a moment ago it was said already");
        assert!(wait("ERROR", 200));
        assert!(!wait("ACTIVE", 215), "two answers in turns are no news");
    }

    #[test]
    fn large_transfers_are_said_in_quarters() {
        let mut pace = Pace::default();
        let mut said = |done: u64, total: u64| {
            pace.admits(&Signal::Progress {
                step: "s".into(),
                what: "a.msi".into(),
                done,
                total,
            })
        };
        let total = 40 * 1024 * 1024;
        let admitted: Vec<u64> = (0..=40).filter(|mib| said(mib * 1024 * 1024, total)).collect();
        assert_eq!(admitted, [10, 20, 30, 40]);
        assert!(!said(total, total));
        assert!(!said(10, 100), "another transfer of the same name");
        assert!(said(100, 100));
    }
}
