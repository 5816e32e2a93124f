//! Packer's own screen, for builds that Packer runs. It puts the build's name before every line by itself.

use std::sync::{Mutex, PoisonError};

use reseal_engine::Signal;
use reseal_journal::{Entry, Event};

use super::Console;
use super::prose::{self, Pace, Said};
use super::tally::Tally;
use super::text::plural;
use super::watcher::Renderer;

/// More lines of a guest than this make a step noisy; the rest of it is in the log file only.
const NOISY: usize = 60;

/// Where Packer shows what we say; must be quick.
pub trait Screen: Send + Sync {
    /// Shows some lines.
    fn show(&self, weight: Weight, text: &str);
}

/// How loud lines are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// A step begins.
    Step,
    /// About the step in work.
    Detail,
    /// Something is wrong.
    Error,
}

/// Shows one build.
pub(super) struct Ui {
    console: Console,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    pace: Pace,
    guest_lines: usize,
}

impl Ui {
    pub(super) fn new(console: &Console) -> Self {
        Self {
            console: console.clone(),
            inner: Mutex::default(),
        }
    }

    fn show(&self, said: &Said) {
        let (weight, text) = match said {
            Said::Step(text) => (Weight::Step, text.clone()),
            Said::Detail(text) | Said::Done(text) => (Weight::Detail, format!("    {text}")),
            Said::Warning(text) => (Weight::Detail, format!("    warning: {text}")),
            Said::Error(text) => (Weight::Error, text.clone()),
            Said::Guest(text) => (Weight::Detail, format!("      {text}")),
        };
        self.console.show(weight, &text);
    }
}

impl Renderer for Ui {
    fn event(&self, entry: &Entry, tally: &Tally) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let over = matches!(
            entry.event,
            Event::StepSucceeded { .. } | Event::StepFailed { .. } | Event::StepSkipped { .. }
        );
        if over {
            let hidden = inner.guest_lines.saturating_sub(NOISY);
            if hidden > 0 {
                let more = format!("({} of the guest in build.log)", plural(hidden, "more line"));
                self.show(&Said::Detail(more));
            }
            inner.guest_lines = 0;
        }
        self.show(&prose::event(entry, tally));
    }

    fn signal(&self, signal: &Signal, _tally: &Tally) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Signal::Output { .. } = signal {
            inner.guest_lines += 1;
            if inner.guest_lines > NOISY {
                return;
            }
        }
        if inner.pace.admits(signal) {
            self.show(&prose::signal(signal));
        }
    }
}
