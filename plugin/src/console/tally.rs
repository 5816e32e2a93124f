//! What all renderers of a build would otherwise each remember: titles, the step in work, times, bytes.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use reseal_engine::{Plan, Signal};
use reseal_journal::{Entry, Event};

/// How the pipeline's note about a restart begins.
const RESTARTING: &str = "restarting Windows";

/// One build, as far as it was seen by this process.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    /// The spec's name.
    pub(super) name: String,
    /// The build's id.
    pub(super) build: String,
    /// Which of the builds of this process it is, from 0.
    pub(super) number: usize,
    titles: BTreeMap<String, String>,
    order: Vec<String>,
    begun: BTreeMap<String, Timestamp>,
    took: Option<Duration>,
    moved: BTreeMap<(String, String), u64>,
    restarts: usize,
}

impl Tally {
    pub(super) fn new(plan: &Plan, build: &str, number: usize) -> Self {
        let heads = plan.heads();
        Self {
            name: plan.name.clone(),
            build: build.to_owned(),
            number,
            titles: heads.iter().map(|head| (head.id.clone(), head.title.clone())).collect(),
            order: heads.into_iter().map(|head| head.id).collect(),
            begun: BTreeMap::new(),
            took: None,
            moved: BTreeMap::new(),
            restarts: 0,
        }
    }

    /// Takes an event in, before it is shown.
    pub(super) fn event(&mut self, entry: &Entry) {
        self.took = None;
        match &entry.event {
            Event::StepStarted { step, attempt: 1 } | Event::UndoStarted { step } => {
                self.begun.insert(step.clone(), entry.time);
            }
            Event::StepStarted { step, .. } => {
                self.begun.entry(step.clone()).or_insert(entry.time);
            }
            Event::StepSucceeded { step, .. }
            | Event::StepFailed { step, .. }
            | Event::UndoSucceeded { step }
            | Event::UndoFailed { step, .. } => {
                let begun = self.begun.get(step).copied().unwrap_or(entry.time);
                self.took = Some(between(begun, entry.time));
            }
            _ => {}
        }
    }

    /// Takes a signal in, before it is shown.
    pub(super) fn signal(&mut self, signal: &Signal) {
        match signal {
            Signal::Progress { step, what, done, .. } => {
                let moved = self.moved.entry((step.clone(), what.clone())).or_default();
                *moved = (*moved).max(*done);
            }
            Signal::Note { text, .. } if text.starts_with(RESTARTING) => self.restarts += 1,
            _ => {}
        }
    }

    /// What people call a step.
    pub(super) fn title<'a>(&'a self, step: &'a str) -> &'a str {
        self.titles.get(step).map_or(step, String::as_str)
    }

    /// How many steps there are.
    pub(super) fn steps(&self) -> usize {
        self.order.len()
    }

    /// The number of a step, from 1.
    pub(super) fn position(&self, step: &str) -> usize {
        self.order.iter().position(|id| id == step).map_or(0, |index| index + 1)
    }

    /// How long the step took that the last event ended.
    pub(super) fn took(&self) -> Option<Duration> {
        self.took
    }

    /// All bytes that were moved.
    pub(super) fn bytes(&self) -> u64 {
        self.moved.values().sum()
    }

    /// How often Windows was restarted.
    pub(super) fn restarts(&self) -> usize {
        self.restarts
    }
}

/// From one moment to a later one; never negative.
pub(super) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
