//! Imports the build's public key.

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context};
use reseal_machine::cloud::NewKeypair;
use reseal_machine::error::CloudErrorKind;

use super::identity::IdentityOutput;
use crate::plan::ids;
use crate::world::{World, name};

/// The action. Key pairs are found by their name, which is the build's own.
pub(super) struct Import(pub(super) World);

#[async_trait]
impl Action for Import {
    type Params = serde_json::Value;
    type Output = String;

    async fn run(&self, cx: &Context<'_>, _params: &Self::Params) -> Result<String, ActionError> {
        let identity: IdentityOutput = cx.output(ids::IDENTITY)?;
        let name = name(cx.build());
        let new = NewKeypair {
            name: name.clone(),
            public_key: identity.public_key,
        };
        match self.0.cloud.create_keypair(&new).await {
            // The name is this build's: an earlier attempt, whose answer was lost, made it.
            Err(error) if error.kind == CloudErrorKind::Conflict => Ok(name),
            result => Ok(result.map(|()| name)?),
        }
    }

    async fn undo(&self, cx: &Context<'_>, _: &Self::Params, _: Option<&String>) -> Result<(), ActionError> {
        Ok(self.0.cloud.delete_keypair(&name(cx.build())).await?)
    }
}
