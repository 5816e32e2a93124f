//! Lets others work in the guest: the provisioners of a Packer template.

use std::sync::Arc;

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context, FailureClass};
use serde::{Deserialize, Serialize};

use crate::actions::cloud::ReadyOutput;
use crate::world::{Entrance, Visit, World};

/// Which guest.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProvisionParams {
    /// The step that connected.
    pub connect: String,
    /// The step that knows the machine.
    pub ready: String,
}

/// The action.
pub(super) struct Provision(pub(super) World);

#[async_trait]
impl Action for Provision {
    type Params = ProvisionParams;
    type Output = ();

    async fn run(&self, cx: &Context<'_>, params: &ProvisionParams) -> Result<(), ActionError> {
        let provisioners = self.0.provisioners.as_ref().ok_or_else(absent)?;
        let Entrance { door, .. } = cx.output(&params.connect)?;
        let ready: ReadyOutput = cx.output(&params.ready)?;
        let guest = self.0.guest(cx, &params.connect)?;
        let visit = Visit {
            build: cx.build().clone(),
            server: ready.server,
            password: cx.secret(&door.password)?,
            door,
            guest: Arc::clone(&guest),
        };
        let done = provisioners.provision(visit, cx.cancel()).await;
        // They may have restarted Windows: shells from before are of no use any more.
        guest.disconnect().await;
        done
    }
}

/// A build of Packer's was gone on with by somebody else.
fn absent() -> ActionError {
    ActionError::new(
        FailureClass::Input,
        "the template's provisioners run only while Packer runs",
    )
    .hint("`reseal cleanup` removes what the build has left; then run `packer build` again")
}
