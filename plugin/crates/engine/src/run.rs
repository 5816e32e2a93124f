//! The way forward: each step's intent on disk, then the call, then its result on disk.

use std::time::Duration;

use async_trait::async_trait;
use reseal_journal::event::AfterFailure;
use reseal_journal::{Event, FailureRecord, Journal, JournalError, Keyring, Outcome, StepState, Unwinding};
use reseal_machine::{BuildId, Clock, Status};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::action::{ActionError, FailureClass};
use crate::context::Context;
use crate::hooks::{Hooks, Point, Strike};
use crate::observer::Observer;
use crate::plan::{Leaves, Plan, Step};
use crate::registry::Registry;
use crate::scrub::{self, Scrub};

/// What to do when a step fails; Packer's words.
#[derive(Clone, Copy)]
pub enum OnError<'a> {
    /// Take everything back.
    Cleanup,
    /// Keep everything as it is; `resume` or `cleanup` goes on later.
    Abort,
    /// Ask a person.
    Ask(&'a dyn Asker),
}

/// A person who can be asked.
#[async_trait]
pub trait Asker: Send + Sync {
    /// What to do about a failed step.
    async fn ask(&self, step: &Step, failure: &FailureRecord) -> Answer;

    /// A step is done. Who wants to look around before the next one keeps the build waiting here.
    async fn done(&self, _step: &Step) {}

    /// A step is about to be taken back.
    async fn undoing(&self, _step: &Step) {}
}

/// A person's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Take everything back.
    Cleanup,
    /// Keep everything.
    Abort,
    /// Try the step once more.
    Retry,
}

/// The two ways in which a person can ask to stop.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// Leave the present wait and take everything back.
    pub cancel: CancellationToken,
    /// Leave everything as it is.
    pub hold: CancellationToken,
}

/// How a run of the engine ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The image is there. `stuck` lists temporaries that could not be removed.
    Succeeded {
        /// Step and reason.
        stuck: Vec<(String, FailureRecord)>,
    },
    /// A step failed and everything was taken back, except what is stuck.
    Failed {
        /// The step.
        step: String,
        /// Why.
        failure: FailureRecord,
        /// Step and reason.
        stuck: Vec<(String, FailureRecord)>,
    },
    /// Everything is kept; the journal is open.
    Held {
        /// The step.
        step: String,
        /// Why.
        failure: FailureRecord,
    },
    /// Taken back because a person asked, without a failed step.
    CleanedUp {
        /// Step and reason.
        stuck: Vec<(String, FailureRecord)>,
    },
    /// Killed by a hook; only tests and `--chaos` see this.
    Died,
}

/// Why the engine stopped early.
#[derive(Debug)]
pub enum Halt {
    /// The journal cannot be written: nothing may be done any more.
    Journal(JournalError),
    /// A hook killed it.
    Died,
}

impl From<JournalError> for Halt {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

/// One build in work.
pub struct Engine<'a> {
    /// The build.
    pub build: BuildId,
    /// What to do.
    pub plan: &'a Plan,
    /// What was done.
    pub journal: Journal,
    /// Who does it.
    pub registry: &'a Registry,
    /// Time.
    pub clock: &'a dyn Clock,
    /// The build's secrets.
    pub keyring: &'a Keyring,
    /// Takes them out of what is written down.
    pub scrub: &'a dyn Scrub,
    /// Who watches.
    pub observer: &'a dyn Observer,
    /// What to do when a step fails.
    pub on_error: OnError<'a>,
    /// How to stop.
    pub stop: Stop,
    /// Ways to be hurt.
    pub hooks: &'a dyn Hooks,
    /// This program's version, for the journal.
    pub tool: &'a str,
}

/// How the way forward ended.
enum Forward {
    Through,
    Failed,
    Held(String, FailureRecord),
}

impl Engine<'_> {
    /// Runs or goes on with the build until it is closed, held or stuck.
    ///
    /// # Errors
    /// Only when the journal cannot be written.
    pub async fn run(mut self) -> Result<Ended, JournalError> {
        match self.go().await {
            Ok(ended) => Ok(ended),
            Err(Halt::Died) => Ok(Ended::Died),
            Err(Halt::Journal(error)) => Err(error),
        }
    }

    /// Takes everything back because a person asked for it: image and all, unless the build had succeeded.
    ///
    /// # Errors
    /// Only when the journal cannot be written.
    pub async fn cleanup(mut self) -> Result<Ended, JournalError> {
        match self.clean().await {
            Ok(ended) => Ok(ended),
            Err(Halt::Died) => Ok(Ended::Died),
            Err(Halt::Journal(error)) => Err(error),
        }
    }

    async fn go(&mut self) -> Result<Ended, Halt> {
        self.begin()?;
        if let Some(after) = self.journal.state().unwinding {
            return self.finish(after).await;
        }
        match self.forward().await? {
            Forward::Through => self.finish(Unwinding::Success).await,
            // What fails after the commit point does not take the image back.
            Forward::Failed if self.journal.state().committed => self.finish(Unwinding::Success).await,
            Forward::Failed => self.finish(Unwinding::Failure).await,
            Forward::Held(step, failure) => {
                self.append(Event::BuildHeld {
                    reason: failure.message.clone(),
                })?;
                Ok(Ended::Held { step, failure })
            }
        }
    }

    async fn clean(&mut self) -> Result<Ended, Halt> {
        self.begin()?;
        let after = match self.journal.state().unwinding {
            Some(after) => after,
            None if self.has_committed() => Unwinding::Success,
            None => Unwinding::Cleanup,
        };
        self.finish(after).await
    }

    fn begin(&mut self) -> Result<(), Halt> {
        let event = if self.journal.entries().is_empty() {
            Event::BuildStarted {
                build: self.build.to_string(),
                name: self.plan.name.clone(),
                fingerprint: self.plan.fingerprint.clone(),
                tool: self.tool.to_owned(),
                steps: self.plan.heads(),
            }
        } else {
            Event::BuildResumed {
                tool: self.tool.to_owned(),
            }
        };
        self.append(event)
    }

    async fn forward(&mut self) -> Result<Forward, Halt> {
        let plan = self.plan;
        for step in &plan.steps {
            if !is_over(self.journal.state().step(&step.id))
                && let Some(end) = self.step(step).await?
            {
                return Ok(end);
            }
            // Also after a crash between the step's end and this line.
            if !self.journal.state().committed && self.commits(step) {
                self.append(Event::Committed)?;
            }
        }
        Ok(Forward::Through)
    }

    /// The step is the commit point, and it is done.
    fn commits(&self, step: &Step) -> bool {
        step.commits
            && matches!(
                self.journal.state().step(&step.id),
                StepState::Done(_) | StepState::Skipped
            )
    }

    /// The commit point is passed, on record or by a crash just before the record.
    fn has_committed(&self) -> bool {
        self.journal.state().committed || self.plan.steps.iter().any(|step| self.commits(step))
    }

    /// Runs one step to its end. `None` means: go on with the next.
    async fn step(&mut self, step: &Step) -> Result<Option<Forward>, Halt> {
        let mut attempt = 1;
        let mut perhaps = *self.journal.state().step(&step.id) != StepState::Waiting;
        loop {
            self.append(Event::StepStarted {
                step: step.id.clone(),
                attempt,
            })?;
            let error = match self.attempt(step, perhaps).await? {
                Ok(output) => {
                    self.append(Event::StepSucceeded {
                        step: step.id.clone(),
                        output,
                    })?;
                    if self.hooks.at(Point::Recorded, &step.id) == Strike::Die {
                        return Err(Halt::Died);
                    }
                    if let OnError::Ask(asker) = self.on_error {
                        asker.done(step).await;
                    }
                    return Ok(None);
                }
                Err(error) => error,
            };
            let failure = self.record(&error);
            let then = self.then(step, &error, attempt);
            let event = Event::StepFailed {
                step: step.id.clone(),
                attempt,
                failure: failure.clone(),
                then,
            };
            self.append(event)?;
            match then {
                AfterFailure::Continue => return Ok(None),
                AfterFailure::Retry => self.pause(attempt, &self.stop.cancel).await,
                AfterFailure::Abort => match self.decide(step, &failure).await {
                    Answer::Retry => {}
                    Answer::Cleanup => return Ok(Some(Forward::Failed)),
                    Answer::Abort => return Ok(Some(Forward::Held(step.id.clone(), failure))),
                },
            }
            attempt += 1;
            perhaps = true;
        }
    }

    /// One attempt: looks first whether it happened already, when that is possible.
    async fn attempt(&self, step: &Step, perhaps: bool) -> Result<Result<Value, ActionError>, Halt> {
        let strike = self.hooks.at(Point::Started, &step.id);
        match strike {
            Strike::Die => return Err(Halt::Died),
            Strike::Fail => return Ok(Err(struck("before"))),
            Strike::Pass | Strike::Repeat => {}
        }
        if self.stop.cancel.is_cancelled() {
            return Ok(Err(ActionError::cancelled()));
        }
        let result = self.act(step, perhaps).await;
        match (self.hooks.at(Point::Done, &step.id), result) {
            (Strike::Die, _) => Err(Halt::Died),
            (Strike::Fail, Ok(_)) => Ok(Err(struck("after"))),
            (Strike::Repeat, Ok(_)) => Ok(self.act(step, true).await),
            (_, result) => Ok(result),
        }
    }

    async fn act(&self, step: &Step, perhaps: bool) -> Result<Value, ActionError> {
        let action = self.registry.get(&step.action)?;
        let cx = self.context(step, &self.stop.cancel);
        if perhaps && let Some(output) = action.find(&cx, &step.params).await? {
            return Ok(output);
        }
        action.run(&cx, &step.params).await
    }

    /// The pause before the next attempt; somebody who asks to stop does not wait for its end.
    pub(crate) async fn pause(&self, attempt: u32, unless: &CancellationToken) {
        tokio::select! {
            biased;
            () = unless.cancelled() => {}
            () = self.clock.sleep(pause_before(attempt)) => {}
        }
    }

    /// What follows a failed attempt, before a person is asked.
    fn then(&self, step: &Step, error: &ActionError, attempt: u32) -> AfterFailure {
        let stopped = error.class == FailureClass::Cancelled || self.stop.cancel.is_cancelled();
        let worth_it = error.status == Status::Temporary || step.leaves == Leaves::Contained;
        if !stopped && worth_it && attempt <= step.policy.retries {
            AfterFailure::Retry
        } else if !stopped && step.policy.continue_on_failure {
            AfterFailure::Continue
        } else {
            AfterFailure::Abort
        }
    }

    async fn decide(&self, step: &Step, failure: &FailureRecord) -> Answer {
        if self.stop.hold.is_cancelled() {
            return Answer::Abort;
        }
        if self.stop.cancel.is_cancelled() {
            return Answer::Cleanup;
        }
        match self.on_error {
            OnError::Cleanup => Answer::Cleanup,
            OnError::Abort => Answer::Abort,
            OnError::Ask(asker) => asker.ask(step, failure).await,
        }
    }

    /// Takes back what must not stay, and closes the build if nothing is stuck.
    async fn finish(&mut self, after: Unwinding) -> Result<Ended, Halt> {
        if self.journal.state().unwinding != Some(after) {
            self.append(Event::UnwindStarted { after })?;
        }
        let finished = self.unwind(after).await?;
        let stuck = self.remaining(after);
        let failed = self.journal.state().failure.clone();
        if !finished || !stuck.is_empty() {
            let reason = if finished {
                "some things could not be removed"
            } else {
                "interrupted while removing"
            };
            self.append(Event::BuildHeld { reason: reason.into() })?;
        } else {
            let outcome = match after {
                Unwinding::Success => Outcome::Succeeded,
                Unwinding::Failure => Outcome::Failed,
                Unwinding::Cleanup => Outcome::CleanedUp,
            };
            self.append(Event::BuildClosed { outcome })?;
        }
        Ok(match (after, failed) {
            (Unwinding::Success, _) => Ended::Succeeded { stuck },
            (Unwinding::Failure, Some((step, failure))) => Ended::Failed { step, failure, stuck },
            _ => Ended::CleanedUp { stuck },
        })
    }

    /// What should be gone and is not: what could not be taken back, and what nobody has come to.
    fn remaining(&self, after: Unwinding) -> Vec<(String, FailureRecord)> {
        let mut stuck = self.journal.state().stuck.clone();
        for step in self.to_take_back(after) {
            stuck.entry(step.id.clone()).or_insert_with(not_reached);
        }
        stuck.into_iter().collect()
    }

    /// A failure as it may be written down.
    pub(crate) fn record(&self, error: &ActionError) -> FailureRecord {
        scrub::failure(self.scrub, error.record())
    }

    pub(crate) fn context<'c>(&'c self, step: &'c Step, cancel: &'c CancellationToken) -> Context<'c> {
        Context {
            build: &self.build,
            plan: self.plan,
            step,
            state: self.journal.state(),
            clock: self.clock,
            keyring: self.keyring,
            scrub: self.scrub,
            observer: self.observer,
            cancel,
        }
    }

    pub(crate) fn append(&mut self, event: Event) -> Result<(), Halt> {
        let entry = self.journal.append(self.clock.now(), event)?;
        self.observer.event(&entry);
        Ok(())
    }
}

fn is_over(state: &StepState) -> bool {
    matches!(
        state,
        StepState::Done(_) | StepState::Skipped | StepState::Failed { continued: true, .. }
    )
}

pub(crate) fn struck(when: &str) -> ActionError {
    ActionError::new(FailureClass::Cloud, format!("injected failure {when} the call"))
}

/// Why something is left that nobody has tried to remove.
fn not_reached() -> FailureRecord {
    ActionError::new(FailureClass::Cancelled, "interrupted before it was removed").record()
}

/// Two seconds, doubling, at most a minute.
fn pause_before(attempt: u32) -> Duration {
    Duration::from_secs(2_u64.saturating_pow(attempt.min(6)).min(60))
}
