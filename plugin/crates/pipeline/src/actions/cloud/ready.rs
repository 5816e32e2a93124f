//! Waits until the cloud says that a machine runs, and notes what belongs to it.

use std::time::Duration;

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context, FailureClass, Verdict};
use reseal_machine::cloud::{Observed, Server, ServerStatus};
use reseal_machine::{Schedule, ServerId, VolumeId};
use serde::{Deserialize, Serialize};

use super::server::ServerOutput;
use super::{look_again, passing};
use crate::plan::ids;
use crate::world::World;

/// Whom to wait for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReadyParams {
    /// The step that asked for the machine.
    pub server: String,
}

/// What belongs to a running machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadyOutput {
    /// The machine.
    pub server: ServerId,
    /// Its volumes; the first is the root.
    pub volumes: Vec<VolumeId>,
    /// The root volume's size, GB; 0 for an image-backed machine, and where the cloud does not show it.
    pub root_gb: u32,
    /// Its fixed addresses.
    pub fixed: Vec<String>,
}

/// The action.
pub(super) struct Wait(pub(super) World);

#[async_trait]
impl Action for Wait {
    type Params = ReadyParams;
    type Output = ReadyOutput;

    async fn run(&self, cx: &Context<'_>, params: &ReadyParams) -> Result<ReadyOutput, ActionError> {
        let server: ServerOutput = cx.output(&params.server)?;
        let schedule = Schedule::up_to(Duration::from_mins(30));
        let look = || self.look(&server.id);
        let waited = cx.wait_until("the machine's start", schedule, look).await;
        let running = waited.map_err(|error| match error.class {
            FailureClass::Verify if cx.step().id == ids::VERIFY_READY => error,
            _ => error.class(FailureClass::Cloud),
        })?;
        self.describe(cx, running).await
    }
}

impl Wait {
    async fn look(&self, id: &ServerId) -> Result<Verdict<Server>, ActionError> {
        match self.0.cloud.server(id).await {
            Ok(Observed::Present(server)) => judge(server),
            // The API may not know the machine yet: the limit of the wait decides.
            Ok(Observed::Gone) => Ok(Verdict::Waiting("not there yet".into())),
            Err(error) => passing(Err(error)),
        }
    }

    async fn describe(&self, cx: &Context<'_>, server: Server) -> Result<ReadyOutput, ActionError> {
        let attachments = self.0.cloud.attachments(&server.id).await?;
        let mut root_gb = 0;
        for (index, attached) in attachments.iter().enumerate() {
            self.0.cloud.mark_volume(&attached.volume, &cx.marks()).await?;
            if index == 0 {
                // A young volume may not be shown yet, and a size of 0 would prove nothing later.
                let look = || async { Ok(self.0.cloud.volume(&attached.volume).await?.present()) };
                root_gb = look_again(cx, look).await?.map_or(0, |volume| volume.size_gb);
            }
        }
        let fixed = server
            .addresses
            .iter()
            .filter(|address| !address.floating && address.version == 4);
        Ok(ReadyOutput {
            volumes: attachments.iter().map(|attached| attached.volume.clone()).collect(),
            root_gb,
            fixed: fixed.map(|address| address.addr.clone()).collect(),
            server: server.id,
        })
    }
}

fn judge(server: Server) -> Result<Verdict<Server>, ActionError> {
    match server.status {
        ServerStatus::Active if server.addresses.is_empty() => Ok(Verdict::Waiting("ACTIVE, no address yet".into())),
        ServerStatus::Active => Ok(Verdict::Done(server)),
        ServerStatus::Build => Ok(Verdict::Waiting(format!(
            "BUILD, {}",
            server.task_state.as_deref().unwrap_or("no task")
        ))),
        ServerStatus::Error => {
            let fault = server.fault.unwrap_or_else(|| "the cloud gives no reason".to_owned());
            Err(ActionError::new(
                FailureClass::Cloud,
                format!("the machine could not be started: {fault}"),
            ))
        }
        ServerStatus::Deleted => Err(ActionError::new(FailureClass::Cloud, "somebody deleted the machine")),
        ServerStatus::Shutoff => Err(ActionError::new(
            // Of a machine made of our image, this is the image's fault.
            FailureClass::Verify,
            "the machine turned itself off at its start",
        )),
        ServerStatus::Other(word) => Ok(Verdict::Waiting(word)),
    }
}
