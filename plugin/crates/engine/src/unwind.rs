//! The way back: in reverse order, patiently, and never silently.

use reseal_journal::{Event, StepState, Unwinding};
use reseal_machine::Status;

use crate::action::ActionError;
use crate::hooks::{Point, Strike};
use crate::plan::{Leaves, Plan, Step};
use crate::run::{Engine, Halt, OnError, struck};

/// Attempts to take one step back before the build is stuck.
const PATIENCE: u32 = 8;

impl<'a> Engine<'a> {
    /// Takes steps back. `false` when somebody asked to hold before the end.
    pub(crate) async fn unwind(&mut self, after: Unwinding) -> Result<bool, Halt> {
        for step in self.to_take_back(after) {
            if self.stop.hold.is_cancelled() {
                return Ok(false);
            }
            self.undo(step).await?;
        }
        Ok(true)
    }

    /// The steps that have left, or may have left, what must not stay; the last first.
    pub(crate) fn to_take_back(&self, after: Unwinding) -> Vec<&'a Step> {
        let plan: &'a Plan = self.plan;
        let steps = plan.steps.iter().rev().filter(|step| must_go(step.leaves, after));
        steps
            .filter(|step| is_there(self.journal.state().step(&step.id)))
            .collect()
    }

    async fn undo(&mut self, step: &Step) -> Result<(), Halt> {
        if let OnError::Ask(asker) = self.on_error {
            asker.undoing(step).await;
        }
        self.append(Event::UndoStarted { step: step.id.clone() })?;
        let result = self.take_back(step).await?;
        let step = step.id.clone();
        self.append(match result {
            Ok(()) => Event::UndoSucceeded { step },
            Err(error) => Event::UndoFailed {
                step,
                failure: self.record(&error),
            },
        })
    }

    async fn take_back(&self, step: &Step) -> Result<Result<(), ActionError>, Halt> {
        match self.hooks.at(Point::UndoStarted, &step.id) {
            Strike::Die => return Err(Halt::Died),
            Strike::Fail => return Ok(Err(struck("before"))),
            Strike::Pass | Strike::Repeat => {}
        }
        let result = self.patiently(step).await;
        match (self.hooks.at(Point::Undone, &step.id), result) {
            (Strike::Die, _) => Err(Halt::Died),
            (Strike::Fail, Ok(())) => Ok(Err(struck("after"))),
            (Strike::Repeat, Ok(())) => Ok(self.patiently(step).await),
            (_, result) => Ok(result),
        }
    }

    async fn patiently(&self, step: &Step) -> Result<(), ActionError> {
        let action = self.registry.get(&step.action)?;
        let output = self.journal.state().output(&step.id);
        let mut attempt = 1;
        loop {
            // The first Ctrl-C has led here; only the second one ends an undo.
            let cx = self.context(step, &self.stop.hold);
            match action.undo(&cx, &step.params, output).await {
                Err(error) if self.is_worth_it(&error, attempt) => {
                    cx.note(format!("not yet: {error}"));
                    self.pause(attempt, &self.stop.hold).await;
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    fn is_worth_it(&self, error: &ActionError, attempt: u32) -> bool {
        error.status != Status::Permanent && attempt < PATIENCE && !self.stop.hold.is_cancelled()
    }
}

fn must_go(leaves: Leaves, after: Unwinding) -> bool {
    match leaves {
        Leaves::Temporary => true,
        Leaves::Product => after != Unwinding::Success,
        Leaves::Nothing | Leaves::Contained => false,
    }
}

/// Whether a step may have left something.
fn is_there(state: &StepState) -> bool {
    matches!(
        state,
        StepState::Done(_) | StepState::Perhaps | StepState::Failed { .. } | StepState::Undoing(_)
    )
}
