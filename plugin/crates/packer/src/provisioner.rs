//! Does something inside a machine that any builder made.

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::broker::Broker;
use crate::communicator::{Communicator, RemoteCommunicator};
use crate::config::Configs;
use crate::data::GeneratedData;
use crate::hcl::ObjectSpec;
use crate::msgpack::Value;
use crate::role::{Schema, stream_id};
use crate::rpc::{BoxError, Calls, Client, Service, message};
use crate::ui::{RemoteUi, Ui};

/// A provisioner: `provisioner "name-component" { … }`.
#[async_trait]
pub trait Provisioner: Send + Sync {
    /// The options.
    fn config_spec(&self) -> ObjectSpec;

    /// Checks the options and keeps what `provision` needs. Must touch nothing.
    async fn prepare(&self, configs: Configs) -> Result<(), BoxError>;

    /// Does it.
    async fn provision(&self, job: Provision) -> Result<(), BoxError>;
}

/// What a provisioner may use.
pub struct Provision {
    /// Packer's output.
    pub ui: Arc<dyn Ui>,
    /// The builder's communicator.
    pub communicator: Arc<dyn Communicator>,
    /// What the builder says about the machine.
    pub data: GeneratedData,
    /// Fires when the user cancels, and when Packer is gone.
    pub cancel: CancellationToken,
}

/// Serves `Provisioner.*`.
pub(crate) struct ProvisionerService {
    pub(crate) provisioner: Arc<dyn Provisioner>,
    pub(crate) schema: Schema,
    pub(crate) broker: Broker,
    pub(crate) cancel: CancellationToken,
}

impl ProvisionerService {
    async fn prepare(&self, argument: &Value) -> Result<Value, BoxError> {
        self.provisioner.prepare(self.schema.configs(argument)?).await?;
        Ok(Value::Nil)
    }

    async fn provision(&self, argument: &Value) -> Result<Value, BoxError> {
        // Spelt `StreamID` here and `StreamId` everywhere else.
        let id = stream_id(argument.field("StreamID").unwrap_or(&Value::Nil))?;
        let client = Client::new(self.broker.dial(id).await?);
        let job = Provision {
            ui: Arc::new(RemoteUi::new(client.clone())),
            communicator: Arc::new(RemoteCommunicator::new(client, self.broker.clone())),
            data: argument
                .field("GeneratedData")
                .map(GeneratedData::read)
                .unwrap_or_default(),
            cancel: self.cancel.clone(),
        };
        self.provisioner.provision(job).await?;
        Ok(Value::Nil)
    }
}

#[async_trait]
impl Service for ProvisionerService {
    async fn call(&self, method: &str, argument: &Value, _calls: &Calls) -> Option<Result<Value, String>> {
        let result = match method.strip_prefix("Provisioner.")? {
            "ConfigSpec" => Ok(self.schema.config_spec()),
            "Prepare" => self.prepare(argument).await,
            "Provision" => self.provision(argument).await,
            "Cancel" => {
                self.cancel.cancel();
                Ok(Value::Nil)
            }
            _ => return None,
        };
        Some(result.map_err(|error| message(error.as_ref())))
    }
}
