//! Does something with what a build left.

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::artifact::{Artifact, ArtifactService, RemoteArtifact};
use crate::broker::Broker;
use crate::config::Configs;
use crate::hcl::ObjectSpec;
use crate::msgpack::Value;
use crate::role::{Schema, stream_id};
use crate::rpc::{BoxError, Calls, Client, Service, basic_error, message};
use crate::ui::{RemoteUi, Ui};

/// A post-processor: `post-processor "name-component" { … }`.
#[async_trait]
pub trait PostProcessor: Send + Sync {
    /// The options.
    fn config_spec(&self) -> ObjectSpec;

    /// Checks the options and keeps what `process` needs. Must touch nothing.
    async fn configure(&self, configs: Configs) -> Result<(), BoxError>;

    /// Does it.
    async fn process(&self, job: Process) -> Result<Processed, BoxError>;
}

/// What a post-processor may use.
pub struct Process {
    /// Packer's output.
    pub ui: Arc<dyn Ui>,
    /// What came before.
    pub artifact: Arc<dyn Artifact>,
    /// Fires when the user cancels, and when Packer is gone.
    pub cancel: CancellationToken,
}

/// What came of it.
pub struct Processed {
    /// What the next post-processor gets; the artifact that came in will do.
    pub artifact: Option<Arc<dyn Artifact>>,
    /// Whether to keep what came in; otherwise Packer destroys it, unless the user wants it.
    pub keep: bool,
    /// Whether `keep` holds against the user's own `keep_input_artifact`.
    pub force_override: bool,
}

impl Processed {
    /// Passes on what came in and keeps it.
    pub fn kept(artifact: Arc<dyn Artifact>) -> Self {
        Self {
            artifact: Some(artifact),
            keep: true,
            force_override: true,
        }
    }
}

/// Serves `PostProcessor.*`.
pub(crate) struct PostProcessorService {
    pub(crate) post_processor: Arc<dyn PostProcessor>,
    pub(crate) schema: Schema,
    pub(crate) broker: Broker,
    pub(crate) cancel: CancellationToken,
}

impl PostProcessorService {
    async fn configure(&self, argument: &Value) -> Result<Value, BoxError> {
        self.post_processor.configure(self.schema.configs(argument)?).await?;
        Ok(Value::Nil)
    }

    /// Failure is part of the answer here.
    async fn process(&self, argument: &Value) -> Result<Value, BoxError> {
        let client = Client::new(self.broker.dial(stream_id(argument)?).await?);
        let job = Process {
            ui: Arc::new(RemoteUi::new(client.clone())),
            artifact: Arc::new(RemoteArtifact::new(client)),
            cancel: self.cancel.clone(),
        };
        let (error, processed) = match self.post_processor.process(job).await {
            Ok(processed) => (None, Some(processed)),
            Err(error) => (Some(message(error.as_ref())), None),
        };
        let flag = |flag: fn(&Processed) -> bool| Value::Bool(processed.as_ref().is_some_and(flag));
        let (keep, force) = (
            flag(|processed| processed.keep),
            flag(|processed| processed.force_override),
        );
        let artifact = processed.and_then(|processed| processed.artifact);
        let id = artifact.map_or(0, |artifact| ArtifactService::offer(artifact, &self.broker));
        Ok(Value::record([
            ("Err", basic_error(error)),
            ("Keep", keep),
            ("ForceOverride", force),
            ("StreamId", id.into()),
        ]))
    }
}

#[async_trait]
impl Service for PostProcessorService {
    async fn call(&self, method: &str, argument: &Value, _calls: &Calls) -> Option<Result<Value, String>> {
        let result = match method.strip_prefix("PostProcessor.")? {
            "ConfigSpec" => Ok(self.schema.config_spec()),
            "Configure" => self.configure(argument).await,
            "PostProcess" => self.process(argument).await,
            "Cancel" => {
                self.cancel.cancel();
                Ok(Value::Nil)
            }
            _ => return None,
        };
        Some(result.map_err(|error| message(error.as_ref())))
    }
}
