//! An artifact of another plugin, as a post-processor gets it.

use async_trait::async_trait;

use super::Artifact;
use crate::msgpack::Value;
use crate::rpc::{BoxError, Client};

/// Asks Packer.
#[derive(Clone)]
pub(crate) struct RemoteArtifact {
    client: Client,
}

impl RemoteArtifact {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// An answer, or the zero value where there is none: Go's side cannot fail here either.
    async fn ask(&self, method: &str, argument: &Value) -> Value {
        let answer = self.client.call(method, argument).await;
        answer.unwrap_or_else(|error| {
            tracing::debug!(%error, method, "the artifact did not answer");
            Value::Nil
        })
    }

    async fn text(&self, method: &str) -> String {
        self.ask(method, &Value::Nil)
            .await
            .as_text()
            .map(ToString::to_string)
            .unwrap_or_default()
    }
}

#[async_trait]
impl Artifact for RemoteArtifact {
    async fn builder_id(&self) -> String {
        self.text("Artifact.BuilderId").await
    }

    async fn files(&self) -> Vec<String> {
        let files = self.ask("Artifact.Files", &Value::Nil).await;
        let files = files.as_list().unwrap_or_default().iter().filter_map(Value::as_text);
        files.map(ToString::to_string).collect()
    }

    async fn id(&self) -> String {
        self.text("Artifact.Id").await
    }

    async fn describe(&self) -> String {
        self.text("Artifact.String").await
    }

    async fn state(&self, name: &str) -> Value {
        self.ask("Artifact.State", &name.into()).await
    }

    async fn destroy(&self) -> Result<(), BoxError> {
        self.client.call("Artifact.Destroy", &Value::Nil).await?;
        Ok(())
    }
}
