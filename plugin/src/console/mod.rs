//! What a person or a CI log sees. The only place that writes to standard output and standard error.

mod ask;
mod plain;

use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use reseal_diag::{Diagnostic, Look as DiagnosticLook};
use reseal_engine::{Ended, Plan};
use reseal_journal::{BuildState, Entry};
use reseal_lab::{CapturedImage, Leftover};
use reseal_machine::BuildId;
use reseal_pipeline::plan::Planned;
use reseal_spec::Spec;

use crate::cli::Look;
use crate::rim::env::Env;
use crate::scrub::Scrubber;

pub use ask::Terminal;
pub use plain::Watcher;

/// Where everything that is said goes.
#[derive(Clone)]
pub struct Console {
    /// Knows all secrets; everything passes through it.
    pub scrubber: Scrubber,
    inner: Arc<Inner>,
}

struct Inner {
    look: Look,
    colour: bool,
    output: Mutex<()>,
}

impl Console {
    /// A console as the arguments and the environment want it.
    pub fn new(look: &Look, env: &Env) -> Self {
        let colour = match look.color {
            crate::cli::Colour::Always => true,
            crate::cli::Colour::Never => false,
            crate::cli::Colour::Auto => {
                env.get("NO_COLOR").is_none() && std::io::IsTerminal::is_terminal(&std::io::stderr())
            }
        };
        let inner = Inner {
            look: look.clone(),
            colour,
            output: Mutex::new(()),
        };
        Self {
            scrubber: Scrubber::default(),
            inner: Arc::new(inner),
        }
    }

    /// A result line, to standard output.
    pub fn line(&self, text: &str) {
        let _one = self.inner.output.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(std::io::stdout(), "{text}");
    }

    /// Something for people, to standard error.
    pub fn say(&self, text: &str) {
        let _one = self.inner.output.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(std::io::stderr(), "{}", self.scrubber.text(text));
    }

    /// An error with hints.
    pub fn error(&self, message: &str, hints: &[String]) {
        self.say(&format!("error: {message}"));
        for hint in hints {
            self.say(&format!("hint: {hint}"));
        }
    }

    /// Diagnostics as rustc shows them.
    pub fn diagnostics(&self, diagnostics: &[Diagnostic]) {
        if diagnostics.is_empty() {
            return;
        }
        let look = if self.inner.colour {
            DiagnosticLook::Coloured
        } else {
            DiagnosticLook::Plain
        };
        self.say(&reseal_diag::render_all(diagnostics, look));
    }

    /// A plan.
    pub fn plan(&self, planned: &Planned, spec: &Spec) {
        if self.inner.look.json {
            self.line(&serde_json::to_string(planned).unwrap_or_default());
            return;
        }
        self.line(&format!("{}: {}", spec.name, plural(planned.plan.steps.len(), "step")));
        for step in &planned.plan.steps {
            let origin = step
                .origin
                .as_ref()
                .map(|origin| format!("  ({origin})"))
                .unwrap_or_default();
            self.line(&format!("  {:<32}{}{origin}", step.id, step.title));
        }
    }

    /// What a rehearsal has left.
    pub fn rehearsed(&self, left: &[Leftover], images: &[CapturedImage], requests: usize) {
        for image in images {
            self.say(&format!(
                "rehearsed image: {} ({}), min disk {} GB",
                image.name, image.status, image.min_disk_gb
            ));
        }
        self.say(&format!(
            "rehearsed: {requests} cloud requests, {}",
            plural(left.len(), "object") + " left"
        ));
    }

    /// How a build ended.
    pub fn ended(&self, name: &str, build: &BuildId, runs: &Path, plan: &Plan, ended: &Ended) {
        plain::ended(self, name, build, runs, plan, ended);
    }

    /// A watcher for one build.
    pub fn watch(&self, name: &str, _runs: &Path, _build: &BuildId) -> Watcher {
        Watcher::new(self.clone(), name)
    }

    /// Somebody to ask.
    pub fn asker(&self) -> Terminal {
        Terminal::new(self.clone())
    }

    /// One line of `status`.
    pub fn status(&self, id: &str, state: &BuildState, _entries: &[Entry], locked: bool) {
        let what = match (&state.closed, &state.held, locked) {
            (Some(outcome), ..) => format!("closed ({outcome:?})"),
            (None, _, true) => "in work".to_owned(),
            (None, Some(reason), false) => format!("held: {reason}"),
            (None, None, false) => "open: its process is gone".to_owned(),
        };
        self.line(&format!("{id}  {}  {what}", state.name));
    }
}

/// `1 step`, `2 steps`.
pub fn plural(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}
