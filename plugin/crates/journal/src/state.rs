//! The fold from events to the state of a build.

use std::collections::BTreeMap;

use serde_json::Value;
use thiserror::Error;

use crate::event::{AfterFailure, Entry, Event, FailureRecord, Outcome, StepHead, Unwinding};

/// Where one step is.
#[derive(Debug, Clone, PartialEq)]
pub enum StepState {
    /// Not begun.
    Waiting,
    /// Begun; whether it happened is to be found out.
    Perhaps,
    /// It happened; the output.
    Done(Value),
    /// It was not needed.
    Skipped,
    /// It failed; `true` when the build goes on without it.
    Failed {
        /// The build goes on.
        continued: bool,
        /// Why.
        failure: FailureRecord,
    },
    /// Being taken back; the output, if it was known.
    Undoing(Option<Value>),
    /// Taken back.
    Undone,
}

/// An event that cannot follow what was there.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("event {seq} cannot follow: {what}")]
pub struct IllegalSequence {
    /// The event's number.
    pub seq: u64,
    /// What is wrong.
    pub what: String,
}

/// A build as its journal tells it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BuildState {
    /// The build's id.
    pub build: String,
    /// The spec's name.
    pub name: String,
    /// The plan's fingerprint.
    pub fingerprint: String,
    /// All steps, in order.
    pub heads: Vec<StepHead>,
    /// Where they are.
    pub steps: BTreeMap<String, StepState>,
    /// The commit point is passed.
    pub committed: bool,
    /// Taking back has begun.
    pub unwinding: Option<Unwinding>,
    /// It is held.
    pub held: Option<String>,
    /// It is over.
    pub closed: Option<Outcome>,
    /// Steps whose undo failed, with the reason.
    pub stuck: BTreeMap<String, FailureRecord>,
    /// The last failure that ended the build.
    pub failure: Option<(String, FailureRecord)>,
    next_seq: u64,
}

impl BuildState {
    /// Folds a whole journal.
    ///
    /// # Errors
    /// When an event cannot follow the one before.
    pub fn replay<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Result<Self, IllegalSequence> {
        let mut state = Self::default();
        for entry in entries {
            state.apply(entry)?;
        }
        Ok(state)
    }

    /// The number that the next entry must have.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Where a step is.
    pub fn step(&self, id: &str) -> &StepState {
        self.steps.get(id).unwrap_or(&StepState::Waiting)
    }

    /// The output of a finished step.
    pub fn output(&self, id: &str) -> Option<&Value> {
        match self.step(id) {
            StepState::Done(output) | StepState::Undoing(Some(output)) => Some(output),
            _ => None,
        }
    }

    /// Takes one more event in.
    ///
    /// # Errors
    /// When it cannot follow.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), IllegalSequence> {
        let illegal = |what: String| IllegalSequence { seq: entry.seq, what };
        if entry.seq != self.next_seq {
            return Err(illegal(format!("expected number {}", self.next_seq)));
        }
        if (entry.seq == 0) != matches!(entry.event, Event::BuildStarted { .. }) {
            return Err(illegal("a build starts once, with its first event".into()));
        }
        if self.closed.is_some() && !matches!(entry.event, Event::BuildResumed { .. }) {
            return Err(illegal("the build is closed".into()));
        }
        self.take(&entry.event).map_err(illegal)?;
        self.next_seq += 1;
        Ok(())
    }

    fn take(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::BuildStarted {
                build,
                name,
                fingerprint,
                steps,
                ..
            } => {
                self.build.clone_from(build);
                self.name.clone_from(name);
                self.fingerprint.clone_from(fingerprint);
                self.heads.clone_from(steps);
                self.steps = steps.iter().map(|head| (head.id.clone(), StepState::Waiting)).collect();
            }
            Event::BuildResumed { .. } => {
                self.held = None;
                self.stuck.clear();
            }
            Event::Committed => self.committed = true,
            Event::UnwindStarted { after } => self.unwinding = Some(*after),
            Event::BuildHeld { reason } => self.held = Some(reason.clone()),
            Event::BuildClosed { outcome } => self.closed = Some(*outcome),
            Event::StepStarted { step, .. }
            | Event::StepSucceeded { step, .. }
            | Event::StepSkipped { step, .. }
            | Event::StepFailed { step, .. }
            | Event::UndoStarted { step }
            | Event::UndoSucceeded { step }
            | Event::UndoFailed { step, .. } => self.take_step(step, event)?,
        }
        Ok(())
    }

    fn take_step(&mut self, step: &str, event: &Event) -> Result<(), String> {
        let now = self
            .steps
            .get(step)
            .ok_or_else(|| format!("no step `{step}` in this build"))?;
        let next = follow(now, event).ok_or_else(|| format!("step `{step}` is {now:?}"))?;
        if let Event::UndoFailed { failure, .. } = event {
            self.stuck.insert(step.to_owned(), failure.clone());
        }
        if let Event::UndoSucceeded { .. } = event {
            self.stuck.remove(step);
        }
        if let Event::StepFailed {
            failure,
            then: AfterFailure::Abort,
            ..
        } = event
        {
            self.failure = Some((step.to_owned(), failure.clone()));
        }
        self.steps.insert(step.to_owned(), next);
        Ok(())
    }
}

/// The one place that says which event may follow which state of a step.
fn follow(now: &StepState, event: &Event) -> Option<StepState> {
    use StepState::{Done, Failed, Perhaps, Skipped, Undoing, Undone, Waiting};
    Some(match (now, event) {
        // Started again after a crash (`Perhaps`), after a failed attempt, or by a resume.
        (Waiting | Perhaps | Failed { .. }, Event::StepStarted { .. }) => Perhaps,
        // Found after a crash, or just done.
        (Perhaps, Event::StepSucceeded { output, .. }) => Done(output.clone()),
        (Waiting | Perhaps, Event::StepSkipped { .. }) => Skipped,
        (Perhaps, Event::StepFailed { failure, then, .. }) => match then {
            AfterFailure::Retry => Perhaps,
            AfterFailure::Continue => Failed {
                continued: true,
                failure: failure.clone(),
            },
            AfterFailure::Abort => Failed {
                continued: false,
                failure: failure.clone(),
            },
        },
        (Done(output), Event::UndoStarted { .. }) => Undoing(Some(output.clone())),
        (Perhaps | Failed { .. }, Event::UndoStarted { .. }) => Undoing(None),
        // Tried again after a crash or after having been stuck.
        (Undoing(output), Event::UndoStarted { .. } | Event::UndoFailed { .. }) => Undoing(output.clone()),
        (Undoing(_), Event::UndoSucceeded { .. }) => Undone,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::event::FORMAT;

    fn entry(seq: u64, event: Event) -> Entry {
        Entry {
            v: FORMAT,
            seq,
            time: Timestamp::UNIX_EPOCH,
            event,
        }
    }

    fn started() -> Event {
        let head = |id: &str| StepHead {
            id: id.into(),
            title: id.into(),
            fingerprint: String::new(),
        };
        Event::BuildStarted {
            build: "b".into(),
            name: "n".into(),
            fingerprint: "f".into(),
            tool: "0".into(),
            steps: vec![head("a"), head("b")],
        }
    }

    fn failure() -> FailureRecord {
        FailureRecord {
            class: "x".into(),
            message: "m".into(),
            causes: vec![],
            said: vec![],
            hints: vec![],
        }
    }

    fn events() -> impl Strategy<Value = Event> {
        let step = prop_oneof![Just("a".to_owned()), Just("b".to_owned())];
        (step, 0..9_u8).prop_map(|(step, kind)| match kind {
            0 => Event::StepStarted { step, attempt: 1 },
            1 => Event::StepSucceeded {
                step,
                output: Value::Null,
            },
            2 => Event::StepSkipped {
                step,
                reason: String::new(),
            },
            3 => Event::StepFailed {
                step,
                attempt: 1,
                failure: failure(),
                then: AfterFailure::Retry,
            },
            4 => Event::StepFailed {
                step,
                attempt: 1,
                failure: failure(),
                then: AfterFailure::Abort,
            },
            5 => Event::UndoStarted { step },
            6 => Event::UndoSucceeded { step },
            7 => Event::UndoFailed {
                step,
                failure: failure(),
            },
            _ => Event::BuildResumed { tool: String::new() },
        })
    }

    #[test]
    fn a_success_needs_a_start() {
        let mut state = BuildState::replay([&entry(0, started())]).unwrap();
        let success = entry(
            1,
            Event::StepSucceeded {
                step: "a".into(),
                output: Value::Null,
            },
        );
        assert!(state.apply(&success).is_err());
        state
            .apply(&entry(
                1,
                Event::StepStarted {
                    step: "a".into(),
                    attempt: 1,
                },
            ))
            .unwrap();
        assert_eq!(state.step("a"), &StepState::Perhaps);
    }

    #[test]
    fn numbers_have_no_gaps_and_steps_are_known() {
        let mut state = BuildState::replay([&entry(0, started())]).unwrap();
        assert!(state.apply(&entry(2, Event::Committed)).is_err());
        assert!(
            state
                .apply(&entry(
                    1,
                    Event::StepStarted {
                        step: "z".into(),
                        attempt: 1
                    }
                ))
                .is_err()
        );
    }

    proptest! {
        #[test]
        fn refusing_an_event_changes_nothing(list in proptest::collection::vec(events(), 0..40)) {
            let mut state = BuildState::replay([&entry(0, started())]).unwrap();
            let mut kept = vec![entry(0, started())];
            for event in list {
                let next = entry(state.next_seq(), event);
                let before = state.clone();
                if state.apply(&next).is_ok() {
                    kept.push(next);
                } else {
                    prop_assert_eq!(&state, &before);
                }
            }
            prop_assert_eq!(BuildState::replay(&kept).unwrap(), state);
        }
    }
}
