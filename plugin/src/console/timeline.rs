//! A build's steps with their times, folded from its journal: what reports, summaries and endings are made of.

use std::time::Duration;

use jiff::Timestamp;
use reseal_journal::{Entry, Event, FailureRecord, Outcome};
use schemars::JsonSchema;
use serde::Serialize;

use super::tally::between;

/// A build in time.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Timeline {
    /// The build's id.
    pub build: String,
    /// The spec's name.
    pub name: String,
    /// The version of the tool that began it.
    pub tool: String,
    /// The plan's fingerprint.
    pub fingerprint: String,
    /// The first event.
    pub began: Timestamp,
    /// The last event.
    pub ended: Timestamp,
    /// How it ended, if it is closed.
    pub outcome: Option<Outcome>,
    /// How often another process went on with it.
    pub resumed: u32,
    /// All steps, in order.
    pub steps: Vec<Row>,
    /// What was taken back, in order.
    pub undone: Vec<Row>,
}

/// One step, or its undoing.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Row {
    /// The step's id.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// What became of it.
    pub state: State,
    /// When it began.
    pub began: Option<Timestamp>,
    /// How long it took, with all attempts.
    pub seconds: f64,
    /// How often it was tried.
    pub attempts: u32,
    /// The last failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureRecord>,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not begun.
    Waiting,
    /// Begun, without a known end.
    Open,
    /// Done.
    Done,
    /// Not needed.
    Skipped,
    /// Failed.
    Failed,
}

impl Timeline {
    /// Folds a journal; `None` for an empty one.
    pub fn of(entries: &[Entry]) -> Option<Self> {
        let (first, last) = (entries.first()?, entries.last()?);
        let Event::BuildStarted {
            build,
            name,
            fingerprint,
            tool,
            steps,
        } = &first.event
        else {
            return None;
        };
        let mut timeline = Self {
            build: build.clone(),
            name: name.clone(),
            tool: tool.clone(),
            fingerprint: fingerprint.clone(),
            began: first.time,
            ended: last.time,
            outcome: None,
            resumed: 0,
            steps: steps.iter().map(|head| Row::new(&head.id, &head.title)).collect(),
            undone: vec![],
        };
        for entry in entries {
            timeline.take(entry);
        }
        Some(timeline)
    }

    /// From the first event to the last.
    pub fn duration(&self) -> Duration {
        between(self.began, self.ended)
    }

    fn take(&mut self, entry: &Entry) {
        let time = entry.time;
        match &entry.event {
            Event::BuildResumed { .. } => self.resumed += 1,
            Event::BuildClosed { outcome } => self.outcome = Some(*outcome),
            Event::StepStarted { step, .. } => self.step(step, |row| row.begin(time)),
            Event::StepSucceeded { step, .. } => self.step(step, |row| row.end(time, State::Done, None)),
            Event::StepSkipped { step, .. } => self.step(step, |row| row.end(time, State::Skipped, None)),
            Event::StepFailed { step, failure, .. } => {
                self.step(step, |row| row.end(time, State::Failed, Some(failure)));
            }
            Event::UndoStarted { step } => {
                let title = self
                    .steps
                    .iter()
                    .find(|row| row.id == *step)
                    .map(|row| row.title.clone());
                let mut row = Row::new(step, &title.unwrap_or_else(|| step.clone()));
                row.begin(time);
                self.undone.push(row);
            }
            Event::UndoSucceeded { step } => self.undo(step, |row| row.end(time, State::Done, None)),
            Event::UndoFailed { step, failure } => {
                self.undo(step, |row| row.end(time, State::Failed, Some(failure)));
            }
            Event::BuildStarted { .. } | Event::Committed | Event::UnwindStarted { .. } | Event::BuildHeld { .. } => {}
        }
    }

    fn step(&mut self, step: &str, change: impl FnOnce(&mut Row)) {
        if let Some(row) = self.steps.iter_mut().find(|row| row.id == step) {
            change(row);
        }
    }

    fn undo(&mut self, step: &str, change: impl FnOnce(&mut Row)) {
        if let Some(row) = self.undone.iter_mut().rev().find(|row| row.id == step) {
            change(row);
        }
    }
}

impl Row {
    fn new(id: &str, title: &str) -> Self {
        Self {
            id: id.to_owned(),
            title: title.to_owned(),
            state: State::Waiting,
            began: None,
            seconds: 0.0,
            attempts: 0,
            failure: None,
        }
    }

    fn begin(&mut self, time: Timestamp) {
        self.began.get_or_insert(time);
        self.attempts += 1;
        self.state = State::Open;
    }

    fn end(&mut self, time: Timestamp, state: State, failure: Option<&FailureRecord>) {
        self.seconds = between(self.began.unwrap_or(time), time).as_secs_f64();
        self.state = state;
        if failure.is_some() {
            self.failure = failure.cloned();
        }
    }
}
