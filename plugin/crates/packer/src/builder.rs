//! Makes machines and images.

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::artifact::{Artifact, ArtifactService};
use crate::broker::Broker;
use crate::config::Configs;
use crate::hcl::ObjectSpec;
use crate::hook::{Hook, RemoteHook};
use crate::msgpack::Value;
use crate::role::{Schema, joined, stream_id};
use crate::rpc::{BoxError, Calls, Client, Service, basic_error, message};
use crate::ui::{RemoteUi, Ui};

/// A builder: `source "name-component" "x" { … }`. Packer starts a process for each.
#[async_trait]
pub trait Builder: Send + Sync {
    /// The options. Must not depend on anything; Packer asks twice.
    fn config_spec(&self) -> ObjectSpec;

    /// Checks the options and keeps what `run` needs. Must touch nothing: `packer validate` calls it.
    async fn prepare(&self, configs: Configs) -> Prepared;

    /// Builds. Must call [`Hook::run`] with [`PROVISION`](crate::PROVISION) once the machine answers; must take down
    /// what it created and come back when `build.cancel` fires, since Packer waits without limit.
    async fn run(&self, build: Build) -> Result<Option<Arc<dyn Artifact>>, BoxError>;
}

/// What came of checking options.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prepared {
    /// Names beyond the usual ones that provisioners may use as `build.NAME`.
    pub generated_vars: Vec<String>,
    /// What the user should know.
    pub warnings: Vec<String>,
    /// What prevents the build; all of it is shown.
    pub errors: Vec<String>,
}

/// What a build may use.
pub struct Build {
    /// Packer's output.
    pub ui: Arc<dyn Ui>,
    /// The template's provisioners.
    pub hook: Arc<dyn Hook>,
    /// Fires when the user cancels, and when Packer is gone.
    pub cancel: CancellationToken,
}

/// Serves `Builder.*`.
pub(crate) struct BuilderService {
    pub(crate) builder: Arc<dyn Builder>,
    pub(crate) schema: Schema,
    pub(crate) broker: Broker,
    pub(crate) cancel: CancellationToken,
}

impl BuilderService {
    async fn prepare(&self, argument: &Value) -> Value {
        let prepared = match Configs::read(argument, &self.schema) {
            Ok(configs) => self.builder.prepare(configs).await,
            Err(errors) => Prepared {
                errors,
                ..Prepared::default()
            },
        };
        let names = |names: Vec<String>| {
            if names.is_empty() {
                Value::Nil
            } else {
                Value::texts(names)
            }
        };
        Value::record([
            ("GeneratedVars", names(prepared.generated_vars)),
            ("Warnings", names(prepared.warnings)),
            ("Error", basic_error(joined(&prepared.errors))),
        ])
    }

    async fn run(&self, argument: &Value) -> Result<Value, BoxError> {
        let stream = self.broker.dial(stream_id(argument)?).await?;
        let client = Client::new(stream);
        let build = Build {
            ui: Arc::new(RemoteUi::new(client.clone())),
            hook: Arc::new(RemoteHook::new(client, self.broker.clone())),
            cancel: self.cancel.clone(),
        };
        let artifact = self.builder.run(build).await?;
        let id = artifact.map_or(0, |artifact| ArtifactService::offer(artifact, &self.broker));
        Ok(id.into())
    }
}

#[async_trait]
impl Service for BuilderService {
    async fn call(&self, method: &str, argument: &Value, _calls: &Calls) -> Option<Result<Value, String>> {
        let result = match method.strip_prefix("Builder.")? {
            "ConfigSpec" => Ok(self.schema.config_spec()),
            "Prepare" => Ok(self.prepare(argument).await),
            "Run" => self.run(argument).await,
            "Cancel" => {
                self.cancel.cancel();
                Ok(Value::Nil)
            }
            _ => return None,
        };
        Some(result.map_err(|error| message(error.as_ref())))
    }
}
