//! What a connected client keeps in the guest: the runner, receivers that wait for more, and what it learnt.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reseal_machine::CommError;
use reseal_machine::communicator::{OutputSink, Silent};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex as AsyncMutex;
use tokio_util::sync::CancellationToken;

use crate::client::Client;
use crate::error::Error;
use crate::operations::{self, Operation};
use crate::runner::{Call, Failure, Reply, Runner};
use crate::transfer::{Lane, Mode};

/// Attempts of an operation of ours that may be repeated, and the pause after the first loss.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_secs(2);

/// Everything that lives as long as a connection.
pub(crate) struct Session {
    pub(crate) client: Arc<Client>,
    runner: AsyncMutex<Option<Runner>>,
    lanes: Mutex<Vec<Lane>>,
    mode: AsyncMutex<Option<Mode>>,
}

impl Session {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client: Arc::new(client),
            runner: AsyncMutex::default(),
            lanes: Mutex::default(),
            mode: AsyncMutex::default(),
        }
    }

    /// Runs operations in the resident runner, which is started when it is not there. They are never repeated once
    /// they may have begun.
    pub(crate) async fn operate(
        &self,
        calls: &[Call<'_>],
        sink: &dyn OutputSink,
        cancel: &CancellationToken,
    ) -> Result<Vec<Reply>, Failure> {
        // Taken out for the time of the call: a call that is dropped half-way leaves no half-used runner behind.
        let mut slot = tokio::select! {
            slot = self.runner.lock() => slot,
            () = cancel.cancelled() => return Err(Failure::Cancelled),
        };
        if let Some(mut runner) = slot.take() {
            match runner.run(calls, sink, cancel).await {
                Ok(replies) => {
                    *slot = Some(runner);
                    return Ok(replies);
                }
                Err(failure) if failure.worth_a_new_runner() => {
                    tracing::debug!(?failure, "The runner is gone; starting a new one");
                }
                Err(failure) => return Err(dismiss(runner, failure).await),
            }
        }
        let mut runner = tokio::select! {
            runner = Runner::start(&self.client) => runner.map_err(not_started)?,
            () = cancel.cancelled() => return Err(Failure::Cancelled),
        };
        match runner.run(calls, sink, cancel).await {
            Ok(replies) => {
                *slot = Some(runner);
                Ok(replies)
            }
            Err(failure) => Err(dismiss(runner, failure).await),
        }
    }

    /// Runs one of the transport's operations once.
    pub(crate) async fn ask_once<T>(&self, operation: Operation, input: &impl Serialize) -> Result<T, CommError>
    where
        T: for<'de> Deserialize<'de>,
    {
        let input = json(input)?;
        let replies = self
            .operate(&[operation.call(&input)], &Silent, &CancellationToken::new())
            .await
            .map_err(|failure| failure.into_comm(operation.name))?;
        first(operations::read_all(operation.name, replies)?)
    }

    /// Runs one of the transport's operations, all of which may be repeated, through losses of the connection.
    pub(crate) async fn ask<T>(&self, operation: Operation, input: &impl Serialize) -> Result<T, CommError>
    where
        T: for<'de> Deserialize<'de>,
    {
        first(self.ask_all(operation, std::slice::from_ref(input)).await?)
    }

    /// The same for several inputs at once, which cost one Send together.
    pub(crate) async fn ask_all<T>(&self, operation: Operation, inputs: &[impl Serialize]) -> Result<Vec<T>, CommError>
    where
        T: for<'de> Deserialize<'de>,
    {
        let inputs = inputs.iter().map(json).collect::<Result<Vec<_>, _>>()?;
        let calls: Vec<Call<'_>> = inputs.iter().map(|input| operation.call(input)).collect();
        operations::read_all(operation.name, self.persist(operation.name, &calls).await?)
    }

    async fn persist(&self, name: &str, calls: &[Call<'_>]) -> Result<Vec<Reply>, CommError> {
        let mut pause = PAUSE;
        for _ in 1..ATTEMPTS {
            match self.operate(calls, &Silent, &CancellationToken::new()).await {
                Ok(replies) => return Ok(replies),
                Err(failure) if failure.is_loss() => tracing::debug!(?failure, name, "Repeating an operation"),
                Err(failure) => return Err(failure.into_comm(name)),
            }
            self.client.config.clock.sleep(pause).await;
            pause *= 2;
        }
        let last = self.operate(calls, &Silent, &CancellationToken::new()).await;
        last.map_err(|failure| failure.into_comm(name))
    }

    /// A receiver: one that waits, or a new one.
    pub(crate) async fn lane(&self) -> Result<Lane, Error> {
        let waiting = self.lanes.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match waiting {
            Some(lane) => Ok(lane),
            None => Lane::start(&self.client).await,
        }
    }

    /// Puts a receiver back that has finished its work.
    pub(crate) fn put_lane(&self, lane: Lane) {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner).push(lane);
    }

    /// How bytes reach the guest unchanged; found out once.
    pub(crate) async fn mode(&self) -> Result<Mode, Error> {
        let mut known = self.mode.lock().await;
        if let Some(mode) = *known {
            return Ok(mode);
        }
        let mut pause = PAUSE;
        for attempt in 1.. {
            match self.test_raw().await {
                Ok(raw) => {
                    let mode = if raw { Mode::Raw } else { Mode::Base64 };
                    tracing::debug!(?mode, "Tested how bytes arrive");
                    *known = Some(mode);
                    break;
                }
                Err(error) if error.is_loss() && attempt < ATTEMPTS => {
                    tracing::debug!(%error, "Repeating the self-test");
                    self.client.config.clock.sleep(pause).await;
                    pause *= 2;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(known.unwrap_or(Mode::Base64))
    }

    async fn test_raw(&self) -> Result<bool, Error> {
        let mut lane = self.lane().await?;
        let raw = lane.self_test().await?;
        if raw {
            self.put_lane(lane);
        } else {
            lane.stop().await;
        }
        Ok(raw)
    }

    /// Closes everything.
    pub(crate) async fn close(&self) {
        // A runner that is at work belongs to its call.
        let runner = self.runner.try_lock().ok().and_then(|mut slot| slot.take());
        let lanes = std::mem::take(&mut *self.lanes.lock().unwrap_or_else(PoisonError::into_inner));
        // Shells of dropped owners are deleted together, which ends early when nobody is there any more.
        drop(lanes);
        drop(runner);
        self.client.bury().await;
        self.client.hang_up();
    }
}

fn not_started(error: Error) -> Failure {
    Failure::Exchange { error, started: false }
}

/// Ends a runner that is of no more use, where somebody is there to hear it.
async fn dismiss(runner: Runner, failure: Failure) -> Failure {
    if failure.is_unreachable() {
        drop(runner);
    } else {
        runner.stop().await;
    }
    failure
}

fn json(input: &impl Serialize) -> Result<String, CommError> {
    serde_json::to_string(input).map_err(|error| CommError::Protocol(error.to_string()))
}

fn first<T>(results: Vec<T>) -> Result<T, CommError> {
    results
        .into_iter()
        .next()
        .ok_or_else(|| CommError::Protocol("an operation gave no reply".to_owned()))
}
