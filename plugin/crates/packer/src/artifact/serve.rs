//! An artifact of ours, as Packer asks for it.

use std::sync::Arc;

use async_trait::async_trait;

use super::Artifact;
use crate::broker::Broker;
use crate::msgpack::Value;
use crate::rpc::{Calls, Service, message, serve};

/// Serves `Artifact.*`.
pub(crate) struct ArtifactService {
    artifact: Arc<dyn Artifact>,
}

impl ArtifactService {
    pub(crate) fn new(artifact: Arc<dyn Artifact>) -> Self {
        Self { artifact }
    }

    /// Offers an artifact for as long as the connection lives, and says under which number.
    pub(crate) fn offer(artifact: Arc<dyn Artifact>, broker: &Broker) -> u32 {
        let ticket = broker.offer();
        let id = ticket.id();
        let over = broker.over();
        tokio::spawn(async move {
            match ticket.accept().await {
                Ok(stream) => serve(stream, vec![Arc::new(Self::new(artifact))], over.child_token()).await,
                Err(error) => tracing::debug!(%error, "nobody wanted the artifact"),
            }
        });
        id
    }
}

#[async_trait]
impl Service for ArtifactService {
    async fn call(&self, method: &str, argument: &Value, _calls: &Calls) -> Option<Result<Value, String>> {
        let answer = match method.strip_prefix("Artifact.")? {
            "BuilderId" => self.artifact.builder_id().await.into(),
            "Files" => match self.artifact.files().await {
                files if files.is_empty() => Value::Nil,
                files => Value::texts(files),
            },
            "Id" => self.artifact.id().await.into(),
            "String" => self.artifact.describe().await.into(),
            "State" => {
                let name = argument.as_text().map(ToString::to_string).unwrap_or_default();
                self.artifact.state(&name).await
            }
            // Only as an error of the call: Go cannot decode it as a value.
            "Destroy" => match self.artifact.destroy().await {
                Ok(()) => Value::Nil,
                Err(error) => return Some(Err(message(error.as_ref()))),
            },
            _ => return None,
        };
        Some(Ok(answer))
    }
}
