//! The way back: in reverse order, patiently, and never silently.

use reseal_journal::{Event, StepState, Unwinding};
use reseal_machine::Status;

use crate::action::ActionError;
use crate::hooks::{Point, Strike};
use crate::plan::{Leaves, Step};
use crate::run::{Engine, Halt, pause_before};

/// Attempts to take one step back before the build is stuck.
const PATIENCE: u32 = 8;

impl Engine<'_> {
    /// Takes steps back. `false` when somebody asked to hold before the end.
    pub(crate) async fn unwind(&mut self, after: Unwinding) -> Result<bool, Halt> {
        let plan = self.plan;
        for step in plan.steps.iter().rev().filter(|step| must_go(step.leaves, after)) {
            if self.stop.hold.is_cancelled() {
                return Ok(false);
            }
            if is_there(self.journal.state().step(&step.id)) {
                self.undo(step).await?;
            }
        }
        Ok(true)
    }

    async fn undo(&mut self, step: &Step) -> Result<(), Halt> {
        self.append(Event::UndoStarted { step: step.id.clone() })?;
        if self.hooks.at(Point::UndoStarted, &step.id) == Strike::Die {
            return Err(Halt::Died);
        }
        let result = self.patiently(step).await;
        match self.hooks.at(Point::Undone, &step.id) {
            Strike::Die => return Err(Halt::Died),
            Strike::Repeat if result.is_ok() => {
                if let Err(error) = self.patiently(step).await {
                    return self.append(Event::UndoFailed {
                        step: step.id.clone(),
                        failure: error.record(),
                    });
                }
            }
            _ => {}
        }
        match result {
            Ok(()) => self.append(Event::UndoSucceeded { step: step.id.clone() }),
            Err(error) => self.append(Event::UndoFailed {
                step: step.id.clone(),
                failure: error.record(),
            }),
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
                Err(error) if error.status == Status::Temporary && attempt < PATIENCE => {
                    cx.note(format!("not yet: {error}"));
                    self.clock.sleep(pause_before(attempt)).await;
                    attempt += 1;
                }
                result => return result,
            }
        }
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
