//! One build's observer: keeps the tally, writes the log file, and passes on to the renderer.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use reseal_engine::{Observer, Plan, Signal};
use reseal_journal::{Entry, Event, RunDir};
use reseal_machine::BuildId;

use super::lines::Lines;
use super::log::LogFile;
use super::tally::Tally;
use super::{Console, renderer};

/// Shows one build. Events come after the tally has seen them; output comes in whole lines.
pub(super) trait Renderer: Send + Sync {
    /// Something was journalled.
    fn event(&self, entry: &Entry, tally: &Tally);
    /// Something else happened.
    fn signal(&self, signal: &Signal, tally: &Tally);
}

/// Watches one build.
pub struct Watcher {
    log: LogFile,
    show: Box<dyn Renderer>,
    inner: Mutex<Inner>,
}

struct Inner {
    tally: Tally,
    lines: Lines,
}

impl Watcher {
    /// A watcher that shows and logs the build.
    pub(super) fn new(console: &Console, plan: &Plan, runs: &Path, build: &BuildId) -> Self {
        let run = RunDir::new(runs, build.as_str());
        Self {
            log: LogFile::open(&run.log(), console.scrubber.clone()),
            show: renderer(console),
            inner: Mutex::new(Inner {
                tally: Tally::new(plan, build.as_str(), console.next_build()),
                lines: Lines::default(),
            }),
        }
    }

    /// What was seen so far.
    pub(super) fn tally(&self) -> Tally {
        self.lock().tally.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass_on(&self, signal: &Signal, tally: &Tally) {
        self.log.signal(signal);
        self.show.signal(signal, tally);
    }
}

impl Observer for Watcher {
    fn event(&self, entry: &Entry) {
        let mut inner = self.lock();
        if let Event::StepSucceeded { step, .. } | Event::StepFailed { step, .. } = &entry.event {
            for (stream, text) in inner.lines.finish(step) {
                let step = step.clone();
                self.pass_on(&Signal::Output { step, stream, text }, &inner.tally);
            }
        }
        inner.tally.event(entry);
        self.log.event(entry, &inner.tally);
        self.show.event(entry, &inner.tally);
    }

    fn signal(&self, signal: &Signal) {
        let mut inner = self.lock();
        inner.tally.signal(signal);
        let Signal::Output { step, stream, text } = signal else {
            return self.pass_on(signal, &inner.tally);
        };
        for text in inner.lines.push(step, *stream, text) {
            let (step, stream) = (step.clone(), *stream);
            self.pass_on(&Signal::Output { step, stream, text }, &inner.tally);
        }
    }
}
