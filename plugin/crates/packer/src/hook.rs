//! The provisioners of a template, as the builder starts them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::broker::Broker;
use crate::communicator::{Communicator, CommunicatorService};
use crate::data::GeneratedData;
use crate::msgpack::Value;
use crate::rpc::{CallError, Client, serve};
use crate::ui::{Ui, UiService};

/// Runs all provisioners of the build. Always to be called, also for templates that have none.
pub const PROVISION: &str = "packer_provision";
/// Runs the `error-cleanup-provisioner`, when provisioning or a later step has failed.
pub const CLEANUP_PROVISION: &str = "packer_cleanup_provision";

/// How long Packer may take to hear that its provisioners are to stop.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs provisioners.
#[async_trait]
pub trait Hook: Send + Sync {
    /// Runs [`PROVISION`] or [`CLEANUP_PROVISION`].
    ///
    /// The provisioners act through `communicator` and speak through `ui`; both serve them until the hook is over. When
    /// `cancel` fires, Packer is told to stop the provisioners and the call fails at once, without waiting for them.
    async fn run(
        &self,
        name: &str,
        data: &GeneratedData,
        ui: Arc<dyn Ui>,
        communicator: Arc<dyn Communicator>,
        cancel: &CancellationToken,
    ) -> Result<(), CallError>;
}

/// Packer's provisioners.
pub(crate) struct RemoteHook {
    client: Client,
    broker: Broker,
}

impl RemoteHook {
    pub(crate) fn new(client: Client, broker: Broker) -> Self {
        Self { client, broker }
    }
}

#[async_trait]
impl Hook for RemoteHook {
    async fn run(
        &self,
        name: &str,
        data: &GeneratedData,
        ui: Arc<dyn Ui>,
        communicator: Arc<dyn Communicator>,
        cancel: &CancellationToken,
    ) -> Result<(), CallError> {
        if cancel.is_cancelled() {
            return Err(CallError::Cancelled);
        }
        let ticket = self.broker.offer();
        let argument = Value::record([
            ("Name", name.into()),
            ("Data", data.to_value()),
            ("StreamId", ticket.id().into()),
        ]);
        let broker = self.broker.clone();
        let gone = cancel.child_token();
        let stop = gone.clone();
        let serving = tokio::spawn(async move {
            let communicator = CommunicatorService::new(communicator, broker);
            match ticket.accept().await {
                Ok(stream) => serve(stream, vec![Arc::new(communicator), Arc::new(UiService::new(ui))], gone).await,
                Err(error) => tracing::debug!(%error, "no provisioner came"),
            }
        });
        let result = tokio::select! {
            result = self.client.call("Hook.Run", &argument) => result.map(drop),
            () = cancel.cancelled() => {
                let _ = timeout(PATIENCE, self.client.call("Hook.Cancel", &Value::Nil)).await;
                Err(CallError::Cancelled)
            }
        };
        stop.cancel();
        // The stream is closed by Packer; a task that still waits for that does no harm.
        drop(serving);
        result
    }
}
