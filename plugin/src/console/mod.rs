//! What a person or a CI log sees. The only place that writes to standard output and standard error.
//!
//! Every build has a [`Watcher`]; it keeps the tally that all renderers need, writes the log file, and passes on to one
//! renderer: `live` for a terminal, `plain` for everything else, `json` and `machine` for programs. Results go to
//! standard output, everything said on the way to standard error; for programs all goes to standard output.

mod ask;
mod ci;
mod closing;
mod ending;
mod face;
mod finish;
mod json;
mod lines;
mod live;
mod log;
mod machine;
mod manifest;
mod packer;
mod paint;
mod plain;
mod prose;
mod secret;
mod sink;
mod summary;
pub mod table;
mod tally;
#[cfg(test)]
mod tests;
pub mod text;
pub mod timeline;
mod watcher;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use indicatif::{MultiProgress, ProgressDrawTarget};
use jiff::Timestamp;
use reseal_diag::{Diagnostic, Look as DiagnosticLook};
use reseal_engine::{Plan, Stop};
use reseal_machine::{BuildId, Clock as _};
use serde::Serialize;
use serde_json::json;

use crate::cli::Look;
use crate::rim::clock::SystemClock;
use crate::rim::env::Env;
use crate::scrub::Scrubber;
use face::Face;
use paint::Paint;
use sink::Sink;
use watcher::Renderer;

pub use ask::Terminal;
pub use ending::Closing;
pub use json::Line;
pub use packer::{Screen, Weight};
pub use text::plural;
pub use watcher::Watcher;

/// Where everything that is said goes.
#[derive(Clone)]
pub struct Console {
    /// Knows all secrets; everything passes through it.
    pub scrubber: Scrubber,
    inner: Arc<Inner>,
}

struct Inner {
    face: Face,
    paint: Paint,
    unicode: bool,
    stamps: bool,
    sink: Sink,
    /// Packer's, when it runs us: then nothing goes to the sink.
    screen: Option<Arc<dyn Screen>>,
    live: MultiProgress,
    begun: AtomicUsize,
    many: AtomicBool,
    typed: String,
    summary: Option<PathBuf>,
    files: Mutex<()>,
}

impl Console {
    /// A console as the arguments and the environment want it. `typed` is the command as a person would repeat it.
    pub fn new(look: &Look, env: &Env, typed: String) -> Self {
        Self::over(look, env, typed, Sink::standard())
    }

    /// A console that speaks through Packer.
    pub fn on(screen: Arc<dyn Screen>, env: &Env, scrubber: Scrubber) -> Self {
        let (look, typed) = (Look::default(), "packer build".to_owned());
        let console = Self::with(Face::Packer, &look, env, typed, Sink::standard(), Some(screen));
        Self { scrubber, ..console }
    }

    fn over(look: &Look, env: &Env, typed: String, sink: Sink) -> Self {
        let face = Face::of(look, env, sink.is_terminal());
        Self::with(face, look, env, typed, sink, None)
    }

    fn with(face: Face, look: &Look, env: &Env, typed: String, sink: Sink, screen: Option<Arc<dyn Screen>>) -> Self {
        let inner = Inner {
            face,
            paint: Paint::new(face.has_colour(look, env)),
            unicode: face::unicode(env),
            stamps: look.timestamp_ui,
            sink,
            screen,
            live: MultiProgress::with_draw_target(face.draw_target()),
            begun: AtomicUsize::new(0),
            many: AtomicBool::new(false),
            typed,
            summary: env.get("GITHUB_STEP_SUMMARY").map(PathBuf::from),
            files: Mutex::new(()),
        };
        Self {
            scrubber: Scrubber::default(),
            inner: Arc::new(inner),
        }
    }

    /// A line of the result, to standard output.
    pub fn line(&self, text: &str) {
        match self.inner.face {
            Face::Machine => self.put_out(&machine::ui(self, "message", text)),
            _ => self.put_out(text),
        }
    }

    /// Something for people.
    pub fn say(&self, text: &str) {
        self.message("info", "say", text, text);
    }

    /// Something that a person should look at.
    pub fn warn(&self, text: &str) {
        let shown = format!("{} {text}", self.inner.paint.doubtful("warning:"));
        self.message("warning", "say", text, &shown);
    }

    /// An error with hints.
    pub fn error(&self, message: &str, hints: &[String]) {
        if self.inner.face == Face::Json {
            let fields = json!({ "level": "error", "text": message, "hints": hints });
            return self.put_out(&json::line("message", fields));
        }
        let shown = format!("{} {message}", self.inner.paint.bad("error:"));
        self.message("error", "error", message, &shown);
        for hint in hints {
            let shown = format!("{} {hint}", self.inner.paint.strong("hint:"));
            self.message("info", "say", &format!("hint: {hint}"), &shown);
        }
    }

    fn message(&self, level: &str, kind: &str, text: &str, shown: &str) {
        match self.inner.face {
            Face::Json => self.put_out(&json::line("message", json!({ "level": level, "text": text }))),
            Face::Machine => self.put_out(&machine::ui(self, kind, text)),
            Face::Packer => self.show(if kind == "error" { Weight::Error } else { Weight::Step }, shown),
            Face::Live | Face::Plain(_) => self.put(shown),
        }
    }

    /// Diagnostics as rustc shows them.
    pub fn diagnostics(&self, diagnostics: &[Diagnostic]) {
        for (index, diagnostic) in diagnostics.iter().enumerate() {
            match self.inner.face {
                Face::Json => self.put_out(&json::diagnostic(diagnostic)),
                Face::Machine => {
                    let text = reseal_diag::render(diagnostic, DiagnosticLook::Plain);
                    let kind = if diagnostic.is_error() { "error" } else { "say" };
                    self.put_out(&machine::ui(self, kind, text.trim_end()));
                }
                Face::Packer => {
                    let text = reseal_diag::render(diagnostic, DiagnosticLook::Plain);
                    let error = diagnostic.is_error();
                    self.show(if error { Weight::Error } else { Weight::Step }, text.trim_end());
                }
                Face::Live | Face::Plain(_) => {
                    if index > 0 {
                        self.put("");
                    }
                    self.put(reseal_diag::render(diagnostic, self.diagnostic_look()).trim_end());
                    self.annotate(diagnostic);
                }
            }
        }
    }

    fn annotate(&self, diagnostic: &Diagnostic) {
        if let Face::Plain(ci) = self.inner.face
            && let Some(line) = ci.annotation(diagnostic)
        {
            self.put_raw(&line);
        }
    }

    fn diagnostic_look(&self) -> DiagnosticLook {
        if self.inner.paint.is_on() {
            DiagnosticLook::Coloured
        } else {
            DiagnosticLook::Plain
        }
    }

    /// Whether a program reads along: results are to be given with [`Console::document`].
    pub fn is_json(&self) -> bool {
        self.inner.face == Face::Json
    }

    /// Whether Packer shows what we say.
    fn is_packers(&self) -> bool {
        self.inner.face == Face::Packer
    }

    /// A result as one JSON document on one line.
    pub fn document(&self, kind: &str, fields: impl Serialize) {
        self.put_out(&json::line(kind, fields));
    }

    /// Says that several builds will be watched: their lines carry names.
    pub fn expect_builds(&self, count: usize) {
        self.inner.many.store(count > 1, Ordering::Relaxed);
    }

    /// A watcher for one build.
    pub fn watch(&self, plan: &Plan, runs: &Path, build: &BuildId) -> Watcher {
        Watcher::new(self, plan, runs, build)
    }

    /// Somebody to ask.
    pub fn asker(&self, stop: &Stop) -> Terminal {
        Terminal::new(self.clone(), stop.clone())
    }

    /// Keeps live lines away until the guard is dropped.
    fn pause(&self) -> Pause {
        // A line that stays drawn would stand between question and answer.
        let _ = self.inner.live.clear();
        self.inner.live.set_draw_target(ProgressDrawTarget::hidden());
        Pause(self.clone())
    }

    /// Says something through Packer, where that is where we speak.
    fn show(&self, weight: Weight, text: &str) {
        if let Some(screen) = &self.inner.screen {
            screen.show(weight, &self.scrubber.text(text));
        }
    }

    /// Writes for people, to standard error.
    fn put(&self, text: &str) {
        if self.inner.face == Face::Packer {
            return self.show(Weight::Detail, text);
        }
        let clean = self.scrubber.text(text);
        let clean = if self.inner.stamps { stamped(&clean) } else { clean };
        self.inner.live.suspend(|| self.inner.sink.err(&clean));
    }

    /// Writes a line that a CI system reads: never with a time before it.
    fn put_raw(&self, text: &str) {
        self.inner.sink.err(&self.scrubber.text(text));
    }

    /// Writes to standard output.
    fn put_out(&self, text: &str) {
        if self.inner.face == Face::Packer {
            return self.show(Weight::Detail, text);
        }
        let clean = self.scrubber.text(text);
        self.inner.live.suspend(|| self.inner.sink.out(&clean));
    }

    fn live(&self) -> &MultiProgress {
        &self.inner.live
    }

    /// How wide the terminal is now; people change that while a build runs. `None` leaves lines as they are.
    fn width(&self) -> Option<usize> {
        self.inner.sink.width().filter(|_| self.inner.face == Face::Live)
    }

    fn paint(&self) -> Paint {
        self.inner.paint
    }

    fn is_unicode(&self) -> bool {
        self.inner.unicode
    }

    fn has_many_builds(&self) -> bool {
        self.inner.many.load(Ordering::Relaxed)
    }

    fn next_build(&self) -> usize {
        self.inner.begun.fetch_add(1, Ordering::Relaxed)
    }
}

/// The text with the time before every line.
fn stamped(text: &str) -> String {
    let now = now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let lines: Vec<String> = text.split('\n').map(|line| format!("{now}: {line}")).collect();
    lines.join("\n")
}

/// The wall's time; a build's own is in its journal.
fn now() -> Timestamp {
    SystemClock::new(1).now()
}

/// Live lines come back when this is dropped.
struct Pause(Console);

impl Drop for Pause {
    fn drop(&mut self) {
        self.0.inner.live.set_draw_target(self.0.inner.face.draw_target());
    }
}

fn renderer(console: &Console) -> Box<dyn Renderer> {
    match console.inner.face {
        Face::Live => Box::new(live::Live::new(console)),
        Face::Plain(ci) => Box::new(plain::Plain::new(console, ci)),
        Face::Json => Box::new(json::Json::new(console)),
        Face::Machine => Box::new(machine::Machine::new(console)),
        Face::Packer => Box::new(packer::Ui::new(console)),
    }
}
