//! Plain lines in Packer's look, for CI logs and pipes: no control characters but the ones that GitLab asks for.

use std::sync::{Mutex, PoisonError};

use reseal_engine::Signal;
use reseal_journal::{Entry, Event};

use super::Console;
use super::ci::Ci;
use super::prose::{self, Pace, Said};
use super::tally::Tally;
use super::watcher::Renderer;

/// More lines of a guest than this make a step noisy; the rest of it is in the log file only.
const NOISY: usize = 60;

/// Shows one build.
pub(super) struct Plain {
    console: Console,
    ci: Ci,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    pace: Pace,
    guest_lines: usize,
    open: Option<String>,
}

impl Plain {
    pub(super) fn new(console: &Console, ci: Ci) -> Self {
        Self {
            console: console.clone(),
            ci,
            inner: Mutex::default(),
        }
    }

    fn show(&self, said: &Said, tally: &Tally) {
        let paint = self.console.paint();
        let name = paint.name(tally.number, &tally.name);
        let detail = |text: &str| self.console.put(&format!("    {name}: {text}"));
        match said {
            Said::Step(text) => self.console.put(&format!("==> {name}: {}", paint.strong(text))),
            Said::Detail(text) => detail(text),
            Said::Done(text) => detail(&paint.dim(text)),
            Said::Warning(text) => detail(&paint.doubtful(&format!("warning: {text}"))),
            Said::Error(text) => detail(&paint.bad(&format!("error: {text}"))),
            Said::Guest(text) => detail(&paint.dim(&format!("  {}", self.ci.harmless(text)))),
        }
    }

    /// Begins a foldable group; parallel builds would tear groups apart. False when the system has none.
    fn begin_group(&self, inner: &mut Inner, entry: &Entry, tally: &Tally) -> bool {
        let Event::StepStarted { step, .. } = &entry.event else {
            return false;
        };
        if self.console.has_many_builds() {
            return false;
        }
        let title = format!("{}: {}", tally.name, tally.title(step));
        let Some(line) = self.ci.begin(step, &title, entry.time) else {
            return false;
        };
        self.console.put_raw(&line);
        inner.open = Some(step.clone());
        true
    }

    fn end_group(&self, inner: &mut Inner, entry: &Entry) {
        if let Some(step) = inner.open.take() {
            self.console.put_raw(&self.ci.end(&step, entry.time));
        }
    }

    fn end_of_output(&self, inner: &mut Inner, tally: &Tally) {
        let hidden = inner.guest_lines.saturating_sub(NOISY);
        if hidden > 0 {
            let more = format!("({hidden} more lines of the guest are in build.log)");
            self.show(&Said::Detail(more), tally);
        }
        inner.guest_lines = 0;
    }
}

impl Renderer for Plain {
    fn event(&self, entry: &Entry, tally: &Tally) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let over = matches!(
            entry.event,
            Event::StepSucceeded { .. } | Event::StepFailed { .. } | Event::StepSkipped { .. }
        );
        if over {
            self.end_of_output(&mut inner, tally);
        }
        let well = matches!(entry.event, Event::StepSucceeded { .. });
        if !well {
            // A failure is shown below its group, where nobody has to unfold anything to see it.
            self.end_group(&mut inner, entry);
        }
        if !self.begin_group(&mut inner, entry, tally) {
            self.show(&prose::event(entry, tally), tally);
        }
        if well {
            self.end_group(&mut inner, entry);
        }
    }

    fn signal(&self, signal: &Signal, tally: &Tally) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Signal::Output { .. } = signal {
            inner.guest_lines += 1;
            if inner.guest_lines > NOISY {
                return;
            }
        }
        if inner.pace.admits(signal) {
            self.show(&prose::signal(signal), tally);
        }
    }
}
