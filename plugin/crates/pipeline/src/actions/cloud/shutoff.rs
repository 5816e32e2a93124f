//! Waits until the machine has really shut itself down. Never asks for a stop: that could cut sysprep short.

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context, FailureClass, Verdict};
use reseal_machine::cloud::{Observed, ServerStatus};
use reseal_machine::{Schedule, ServerId};
use serde::{Deserialize, Serialize};

use super::passing;
use super::ready::ReadyOutput;
use crate::world::World;

/// Whom to wait for, and how long.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShutoffParams {
    /// The step that waited for the machine's start.
    pub ready: String,
    /// The limit in seconds.
    pub limit_seconds: u64,
}

/// The action.
pub(super) struct Wait(pub(super) World);

#[async_trait]
impl Action for Wait {
    type Params = ShutoffParams;
    type Output = ();

    async fn run(&self, cx: &Context<'_>, params: &ShutoffParams) -> Result<(), ActionError> {
        let ready: ReadyOutput = cx.output(&params.ready)?;
        let schedule = Schedule::up_to(std::time::Duration::from_secs(params.limit_seconds));
        let waited = cx
            .wait_until("the machine's own shutdown", schedule, || self.look(&ready.server))
            .await;
        waited.map_err(|error| error.class(FailureClass::Sysprep))
    }
}

impl Wait {
    async fn look(&self, id: &ServerId) -> Result<Verdict<()>, ActionError> {
        let server = match self.0.cloud.server(id).await {
            Ok(Observed::Present(server)) => server,
            Ok(Observed::Gone) => return Err(ActionError::new(FailureClass::Cloud, "somebody deleted the machine")),
            Err(error) => return passing(Err(error)),
        };
        let task = server.task_state.as_deref();
        match (&server.status, task) {
            (ServerStatus::Shutoff, None) => Ok(Verdict::Done(())),
            (ServerStatus::Error, _) => {
                let fault = server.fault.unwrap_or_else(|| "no reason given".to_owned());
                Err(ActionError::new(
                    FailureClass::Cloud,
                    format!("the machine is in ERROR: {fault}"),
                ))
            }
            (status, task) => Ok(Verdict::Waiting(format!("{status:?}, task {}", task.unwrap_or("none")))),
        }
    }
}
