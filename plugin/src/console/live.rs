//! The terminal: one live line for each build, one line that stays for each finished step.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use reseal_engine::Signal;
use reseal_journal::event::AfterFailure;
use reseal_journal::{Entry, Event, FailureRecord};

use super::Console;
use super::prose::{self, Said};
use super::tally::Tally;
use super::text::{cut, duration, fold, pad, tame};
use super::watcher::Renderer;

/// Where durations stand, where the terminal is wide enough.
const COLUMN: usize = 64;
/// What stands beside a step's title: the sign before it, its duration behind it.
const BESIDE: usize = 12;
/// How far in lines below a step begin.
const INDENT: usize = 6;
/// More lines of a guest than this make a step noisy: then only its newest line is shown, on the live line.
const NOISY: usize = 12;
/// The live line while a step works.
const WORKING: &str = "{spinner} {prefix}{wide_msg} {elapsed}";
/// The live line while something is waited for; the wait tells its own time.
const WAITING: &str = "{spinner} {prefix}{wide_msg}";
/// The live line while something is moved.
const MOVING: &str =
    "{spinner} {prefix}{msg} {bar:24} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec}, {eta} left";

/// Shows one build.
pub(super) struct Live {
    console: Console,
    bar: ProgressBar,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    line: Line,
    guest_lines: usize,
    /// What the step in work is called, until a line below it was shown.
    head: Option<String>,
}

/// What the live line shows.
#[derive(Default, PartialEq, Eq)]
enum Line {
    #[default]
    Working,
    Waiting,
    Moving(String),
}

/// Signs for what became of a step, and what the live line is drawn with.
#[derive(Clone, Copy)]
struct Signs {
    good: &'static str,
    bad: &'static str,
    back: &'static str,
    guest: &'static str,
    head: &'static str,
    ticks: &'static str,
    blocks: &'static str,
}

const UNICODE: Signs = Signs {
    good: "✓",
    bad: "✗",
    back: "↩",
    guest: "│",
    head: "▸",
    ticks: "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ",
    blocks: "━━─",
};

const ASCII: Signs = Signs {
    good: "+",
    bad: "x",
    back: "<",
    guest: "|",
    head: ">",
    ticks: "|/-\\ ",
    blocks: "##-",
};

impl Live {
    pub(super) fn new(console: &Console) -> Self {
        let this = Self {
            console: console.clone(),
            bar: console.live().add(ProgressBar::new_spinner()),
            inner: Mutex::default(),
        };
        this.bar.set_style(this.style(WORKING));
        this.bar.enable_steady_tick(Duration::from_millis(120));
        this
    }

    fn signs(&self) -> Signs {
        if self.console.is_unicode() { UNICODE } else { ASCII }
    }

    fn style(&self, template: &str) -> ProgressStyle {
        let signs = self.signs();
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
        style.tick_chars(signs.ticks).progress_chars(signs.blocks)
    }

    fn prefix(&self, tally: &Tally) -> String {
        if self.console.has_many_builds() {
            format!("{}: ", self.console.paint().name(tally.number, &tally.name))
        } else {
            String::new()
        }
    }

    fn begin(&self, message: &str, tally: &Tally, step: &str) {
        let (position, steps) = (tally.position(step), tally.steps());
        self.bar
            .set_prefix(format!("{}[{position}/{steps}] ", self.prefix(tally)));
        self.bar.reset_elapsed();
        let mut inner = self.lock();
        (inner.guest_lines, inner.head) = (0, Some(message.to_owned()));
        self.turn(&mut inner, Line::Working);
        self.tell(message);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the live line another shape.
    fn turn(&self, inner: &mut Inner, line: Line) {
        if inner.line == line {
            return;
        }
        self.bar.set_style(self.style(match &line {
            Line::Working => WORKING,
            Line::Waiting => WAITING,
            Line::Moving(_) => MOVING,
        }));
        if let Line::Moving(_) = line {
            self.bar.set_position(0);
            self.bar.reset_eta();
        }
        inner.line = line;
    }

    /// Text for the live line.
    fn tell(&self, message: &str) {
        self.bar.set_message(self.console.scrubber.text(message));
    }

    /// A line that stays.
    fn keep(&self, sign: &str, text: &str, tally: &Tally) {
        let line = match tally.took() {
            Some(took) => {
                let took = self.console.paint().dim(&duration(took));
                let column = column(self.console.width());
                format!("{} {took}", pad(&cut(text, column), column))
            }
            None => text.to_owned(),
        };
        self.console.put(&format!("  {sign} {}{line}", self.prefix(tally)));
    }

    fn below(&self, text: &str, paint: impl Fn(&str) -> String, tally: &Tally) {
        let text = match self.console.width() {
            Some(width) => fold(text, width, INDENT),
            None => text.to_owned(),
        };
        let indent = " ".repeat(INDENT);
        self.console
            .put(&format!("{indent}{}{}", self.prefix(tally), paint(&text)));
    }

    /// A line about the step in work; the first one stands below the step's title.
    fn about(&self, inner: &mut Inner, text: &str, paint: impl Fn(&str) -> String, tally: &Tally) {
        if let Some(title) = inner.head.take() {
            let head = self.console.paint().dim(self.signs().head);
            self.console.put(&format!("  {head} {}{title}", self.prefix(tally)));
        }
        self.below(text, paint, tally);
    }

    /// The guest's line: below the step while there are few, else on the live line.
    fn guest(&self, inner: &mut Inner, text: &str, tally: &Tally) {
        let text = format!("{} {text}", self.signs().guest);
        inner.guest_lines += 1;
        if inner.guest_lines <= NOISY {
            // Cut, not folded: a guest's log is wide, and the whole of it is in the build's log.
            let text = self
                .console
                .width()
                .map_or_else(|| text.clone(), |width| cut(&text, width.saturating_sub(INDENT)));
            self.about(inner, &text, |text| self.console.paint().dim(text), tally);
        } else {
            self.turn(inner, Line::Working);
            self.tell(&text);
        }
    }

    fn transfer(&self, inner: &mut Inner, what: &str, done: u64, total: u64) {
        self.turn(inner, Line::Moving(what.to_owned()));
        self.tell(&cut(&tame(what), 40));
        self.bar.set_length(total);
        self.bar.set_position(done);
    }

    fn failed(&self, step: &str, failure: &FailureRecord, then: AfterFailure, tally: &Tally) {
        let paint = self.console.paint();
        let (sign, again) = match then {
            AfterFailure::Abort => (paint.bad(self.signs().bad), ""),
            AfterFailure::Retry => (paint.doubtful("!"), "; trying again"),
            AfterFailure::Continue => (paint.doubtful("!"), "; going on"),
        };
        self.keep(&sign, tally.title(step), tally);
        self.below(&format!("{}{again}", tame(&failure.message)), str::to_owned, tally);
    }

    fn undo(&self, event: &Event, tally: &Tally) {
        let (signs, paint) = (self.signs(), self.console.paint());
        match event {
            Event::UndoStarted { step } => self.begin(&format!("undo: {}", tally.title(step)), tally, step),
            Event::UndoSucceeded { step } => {
                let text = format!("undone: {}", tally.title(step));
                self.keep(&paint.good(signs.back), &text, tally);
            }
            Event::UndoFailed { step, failure } => {
                let text = format!("stuck: {}", tally.title(step));
                self.keep(&paint.bad(signs.bad), &text, tally);
                self.below(&tame(&failure.message), str::to_owned, tally);
            }
            _ => {}
        }
    }
}

impl Renderer for Live {
    fn event(&self, entry: &Entry, tally: &Tally) {
        let (signs, paint) = (self.signs(), self.console.paint());
        match &entry.event {
            Event::StepStarted { step, attempt: 1 } => self.begin(tally.title(step), tally, step),
            Event::StepStarted { step, attempt } => {
                self.begin(&format!("{} (attempt {attempt})", tally.title(step)), tally, step);
            }
            Event::StepSucceeded { step, .. } => self.keep(&paint.good(signs.good), tally.title(step), tally),
            Event::StepSkipped { step, reason } => {
                let text = format!("{} (skipped: {reason})", tally.title(step));
                self.keep(&paint.dim("-"), &text, tally);
            }
            Event::StepFailed {
                step, failure, then, ..
            } => self.failed(step, failure, *then, tally),
            Event::UndoStarted { .. } | Event::UndoSucceeded { .. } | Event::UndoFailed { .. } => {
                self.undo(&entry.event, tally);
            }
            Event::BuildHeld { .. } | Event::BuildClosed { .. } => self.bar.finish_and_clear(),
            Event::BuildStarted { .. } | Event::BuildResumed { .. } | Event::UnwindStarted { .. } => {
                if let Said::Step(text) = prose::event(entry, tally) {
                    let name = paint.name(tally.number, &tally.name);
                    self.console.put(&format!("{name}: {}", paint.strong(&text)));
                }
            }
            Event::Committed => {}
        }
    }

    fn signal(&self, signal: &Signal, tally: &Tally) {
        let paint = self.console.paint();
        let mut inner = self.lock();
        match (signal, prose::signal(signal)) {
            (Signal::Progress { what, done, total, .. }, _) => self.transfer(&mut inner, what, *done, *total),
            (Signal::Waiting { .. }, Said::Detail(text)) => {
                self.turn(&mut inner, Line::Waiting);
                self.tell(&text);
            }
            (Signal::Note { .. }, Said::Detail(text)) => {
                self.about(&mut inner, &text, |text| paint.dim(text), tally);
            }
            (Signal::Warning { .. }, Said::Warning(text)) => {
                let text = format!("warning: {text}");
                self.about(&mut inner, &text, |text| paint.doubtful(text), tally);
            }
            (Signal::Output { .. }, Said::Guest(text)) => self.guest(&mut inner, &text, tally),
            _ => {}
        }
    }
}

/// Where durations stand.
fn column(width: Option<usize>) -> usize {
    width.map_or(COLUMN, |width| width.saturating_sub(BESIDE).clamp(20, COLUMN))
}

impl Drop for Live {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_stay_on_a_narrow_terminal() {
        assert_eq!(column(None), 64);
        assert_eq!(column(Some(200)), 64);
        assert_eq!(column(Some(60)), 48);
        assert_eq!(column(Some(0)), 20);
    }
}
