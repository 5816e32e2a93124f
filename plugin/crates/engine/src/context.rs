//! What an action may use: marks, time, earlier outputs, secrets, and the one way to wait.

use std::future::Future;
use std::time::Duration;

use reseal_journal::{BuildState, Keyring};
use reseal_machine::clock::elapsed;
use reseal_machine::communicator::{OutputSink, Progress, Stream};
use reseal_machine::{BuildId, Clock, Marks, Schedule};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::action::{ActionError, FailureClass, read};
use crate::observer::{Observer, Signal};
use crate::plan::{Plan, Step};
use crate::scrub::Scrub;

/// What one look at a thing says about a wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<T> {
    /// The wait is over.
    Done(T),
    /// Not yet; what was seen, for people.
    Waiting(String),
}

/// What an action may use while it runs.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub(crate) build: &'a BuildId,
    pub(crate) plan: &'a Plan,
    pub(crate) step: &'a Step,
    pub(crate) state: &'a BuildState,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) keyring: &'a Keyring,
    pub(crate) scrub: &'a dyn Scrub,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) cancel: &'a CancellationToken,
}

impl<'a> Context<'a> {
    /// The build.
    pub fn build(&self) -> &'a BuildId {
        self.build
    }

    /// The step.
    pub fn step(&self) -> &'a Step {
        self.step
    }

    /// What decides the image's content, as a hash; see [`Plan::content`].
    pub fn content_fingerprint(&self) -> &'a str {
        &self.plan.content
    }

    /// Time.
    pub fn clock(&self) -> &'a dyn Clock {
        self.clock
    }

    /// Cancelled when somebody asks to stop.
    pub fn cancel(&self) -> &'a CancellationToken {
        self.cancel
    }

    /// What this step's objects carry.
    pub fn marks(&self) -> Marks {
        Marks::new(self.build.clone(), self.step.id.clone())
    }

    /// The output of an earlier step, or why there is none.
    ///
    /// # Errors
    /// When the step has no output: a bug in the plan.
    pub fn output<T: DeserializeOwned>(&self, step: &str) -> Result<T, ActionError> {
        let missing = || ActionError::new(FailureClass::Internal, format!("step `{step}` has no output yet"));
        read(self.state.output(step).ok_or_else(missing)?, "output")
    }

    /// The output of an earlier step that may not have run.
    ///
    /// # Errors
    /// When there is an output of another shape.
    pub fn output_if_any<T: DeserializeOwned>(&self, step: &str) -> Result<Option<T>, ActionError> {
        self.state.output(step).map(|value| read(value, "output")).transpose()
    }

    /// A secret of this build by its name.
    ///
    /// # Errors
    /// When the keyring does not have it.
    pub fn secret(&self, name: &str) -> Result<SecretString, ActionError> {
        self.keyring
            .get(name)
            .ok_or_else(|| ActionError::new(FailureClass::Input, format!("the secret `{name}` is not at hand")))
    }

    /// Keeps a secret for later steps and for a resume.
    ///
    /// # Errors
    /// When the keyring cannot be written.
    pub fn keep_secret(&self, name: &str, secret: SecretString) -> Result<(), ActionError> {
        self.keyring.put(name, secret).map_err(|error| {
            ActionError::new(
                FailureClass::Internal,
                format!("cannot write the build's keyring: {error}"),
            )
        })
    }

    /// A guest's text as it may be kept in an output.
    pub fn scrub(&self, text: &str) -> String {
        self.scrub.scrub(text)
    }

    /// Says something about the step.
    pub fn note(&self, text: impl Into<String>) {
        self.observer.signal(&Signal::Note {
            step: self.step.id.clone(),
            text: text.into(),
        });
    }

    /// Says something that a person should look at.
    pub fn warn(&self, text: impl Into<String>) {
        self.observer.signal(&Signal::Warning {
            step: self.step.id.clone(),
            text: text.into(),
        });
    }

    /// A sink for the guest's output.
    pub fn sink(&self) -> StepSink<'a> {
        StepSink {
            observer: self.observer,
            step: &self.step.id,
        }
    }

    /// A meter for a transfer.
    pub fn meter(&self, what: impl Into<String>) -> StepMeter<'a> {
        StepMeter {
            observer: self.observer,
            step: &self.step.id,
            what: what.into(),
        }
    }

    /// Looks again and again until `look` is done, fails, somebody asks to stop, or the schedule's limit is reached.
    ///
    /// `what` is the wait's name. A failed look is a failure: what may pass by itself, `look` turns into `Waiting`.
    ///
    /// # Errors
    /// The look's own, cancellation, or the limit; the last names the wait and what was seen.
    pub async fn wait_until<T, F, Fut>(&self, what: &str, schedule: Schedule, mut look: F) -> Result<T, ActionError>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<Verdict<T>, ActionError>>,
    {
        let begun = self.clock.now();
        let mut attempt = 0;
        loop {
            let verdict = self.unless_cancelled(look()).await??;
            let seen = match verdict {
                Verdict::Done(value) => return Ok(value),
                Verdict::Waiting(seen) => seen,
            };
            let elapsed = elapsed(self.clock, begun);
            if elapsed >= schedule.limit {
                return Err(timed_out(what, schedule, &seen));
            }
            let step = self.step.id.clone();
            let limit = schedule.limit;
            self.observer.signal(&Signal::Waiting {
                step,
                what: what.into(),
                seen,
                elapsed,
                limit,
            });
            // The last look is at the limit itself, not a pause later.
            let pause = schedule.pause(attempt).min(limit.saturating_sub(elapsed));
            self.pause(pause).await?;
            attempt += 1;
        }
    }

    /// A pause of known length, cut short when somebody asks to stop.
    ///
    /// # Errors
    /// When somebody asks to stop.
    pub async fn pause(&self, length: Duration) -> Result<(), ActionError> {
        self.unless_cancelled(self.clock.sleep(length)).await
    }

    /// Does something that is left in the middle when somebody asks to stop.
    ///
    /// # Errors
    /// When somebody asks to stop.
    pub async fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T, ActionError> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(ActionError::cancelled()),
            done = work => Ok(done),
        }
    }
}

fn timed_out(what: &str, schedule: Schedule, seen: &str) -> ActionError {
    let limit = jiff::SignedDuration::try_from(schedule.limit).unwrap_or(jiff::SignedDuration::MAX);
    ActionError::new(
        FailureClass::Internal,
        format!("{what} did not come within {limit:#}; last seen: {seen}"),
    )
}

/// Hands the guest's output to the observer.
pub struct StepSink<'a> {
    observer: &'a dyn Observer,
    step: &'a str,
}

impl OutputSink for StepSink<'_> {
    fn output(&self, stream: Stream, text: &str) {
        self.observer.signal(&Signal::Output {
            step: self.step.to_owned(),
            stream,
            text: text.to_owned(),
        });
    }
}

/// Hands a transfer's progress to the observer.
pub struct StepMeter<'a> {
    observer: &'a dyn Observer,
    step: &'a str,
    what: String,
}

impl Progress for StepMeter<'_> {
    fn progress(&self, done: u64, total: u64) {
        let (step, what) = (self.step.to_owned(), self.what.clone());
        self.observer.signal(&Signal::Progress {
            step,
            what,
            done,
            total,
        });
    }
}
