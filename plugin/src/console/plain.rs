//! Plain lines in Packer's look, for CI logs and pipes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use reseal_engine::{Ended, Observer, Plan, Signal};
use reseal_journal::{Entry, Event, FailureRecord};
use reseal_machine::BuildId;

use super::Console;

/// Watches one build.
pub struct Watcher {
    console: Console,
    name: String,
    titles: Mutex<BTreeMap<String, String>>,
}

impl Watcher {
    /// A watcher for the build of this name.
    pub fn new(console: Console, name: &str) -> Self {
        Self {
            console,
            name: name.to_owned(),
            titles: Mutex::default(),
        }
    }

    fn title(&self, step: &str) -> String {
        let titles = self.titles.lock().unwrap_or_else(PoisonError::into_inner);
        titles.get(step).cloned().unwrap_or_else(|| step.to_owned())
    }

    fn step(&self, text: &str) {
        self.console.say(&format!("==> {}: {text}", self.name));
    }

    fn detail(&self, text: &str) {
        for line in text.lines() {
            self.console.say(&format!("    {}: {line}", self.name));
        }
    }
}

impl Observer for Watcher {
    fn event(&self, entry: &Entry) {
        match &entry.event {
            Event::BuildStarted { steps, build, .. } => {
                let mut titles = self.titles.lock().unwrap_or_else(PoisonError::into_inner);
                *titles = steps.iter().map(|head| (head.id.clone(), head.title.clone())).collect();
                drop(titles);
                self.step(&format!("build {build}"));
            }
            Event::StepStarted { step, attempt: 1 } => self.step(&self.title(step)),
            Event::StepStarted { step, attempt } => self.step(&format!("{} (attempt {attempt})", self.title(step))),
            Event::StepFailed { failure, .. } => self.detail(&format!("failed: {}", failure.message)),
            Event::StepSkipped { reason, .. } => self.detail(&format!("skipped: {reason}")),
            Event::UndoStarted { step } => self.step(&format!("undo: {}", self.title(step))),
            Event::UndoFailed { failure, .. } => self.detail(&format!("stuck: {}", failure.message)),
            _ => {}
        }
    }

    fn signal(&self, signal: &Signal) {
        match signal {
            Signal::Note { text, .. } => self.detail(text),
            Signal::Warning { text, .. } => self.detail(&format!("warning: {text}")),
            Signal::Output { text, .. } => self.detail(text),
            Signal::Waiting { .. } | Signal::Progress { .. } => {}
        }
    }
}

/// What failed, what was done about it, what to do next.
pub(super) fn ended(console: &Console, name: &str, build: &BuildId, runs: &Path, plan: &Plan, ended: &Ended) {
    match ended {
        Ended::Succeeded { stuck } => {
            console.say(&format!("{name}: the image is there"));
            leftovers(console, build, stuck);
        }
        Ended::Failed { step, failure, stuck } => {
            failed(console, name, plan, step, failure);
            console.say("done about it: everything that the build created was removed");
            leftovers(console, build, stuck);
        }
        Ended::Held { step, failure } => {
            failed(console, name, plan, step, failure);
            console.say("done about it: nothing, everything is kept");
            console.say(&format!("next: reseal resume {build}   or   reseal cleanup {build}"));
        }
        Ended::CleanedUp { stuck } => {
            console.say(&format!("{name}: cleaned up"));
            leftovers(console, build, stuck);
        }
        Ended::Died => console.say(&format!("{name}: killed; next: reseal resume {build}")),
    }
    console.say(&format!("run folder: {}", runs.join(build.as_str()).display()));
}

fn failed(console: &Console, name: &str, plan: &Plan, step: &str, failure: &FailureRecord) {
    let planned = plan.step(step);
    let title = planned.map_or(step, |step| step.title.as_str());
    console.say(&format!("error: {name}: {title}: {}", failure.message));
    if let Some(origin) = planned.and_then(|step| step.origin.as_ref()) {
        console.say(&format!("  --> {origin}"));
    }
    for cause in &failure.causes {
        console.say(&format!("  because: {cause}"));
    }
    for line in &failure.said {
        console.say(&format!("  | {line}"));
    }
    for hint in &failure.hints {
        console.say(&format!("hint: {hint}"));
    }
}

fn leftovers(console: &Console, build: &BuildId, stuck: &[(String, FailureRecord)]) {
    for (step, failure) in stuck {
        console.say(&format!("left behind by {step}: {}", failure.message));
    }
    if !stuck.is_empty() {
        console.say(&format!("next: reseal cleanup {build}"));
    }
}
