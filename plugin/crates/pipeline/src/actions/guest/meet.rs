//! Meets a guest that somebody else has made and connected: a machine of another builder of Packer's.

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context};
use serde::{Deserialize, Serialize};

use super::apps;
use super::connect::entrance;
use crate::world::{Door, DoorTrust, Entrance, World};

/// Nothing to choose.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct MeetParams {}

/// The action.
pub(super) struct Meet(pub(super) World);

#[async_trait]
impl Action for Meet {
    type Params = MeetParams;
    type Output = Entrance;

    async fn run(&self, cx: &Context<'_>, _params: &MeetParams) -> Result<Entrance, ActionError> {
        let guest = self.0.guest(cx, &cx.step().id)?;
        let mut entrance = entrance(cx, guest.as_ref(), nobody_opens()).await?;
        entrance.apps = apps::look(cx, guest.as_ref()).await;
        Ok(entrance)
    }
}

/// The connection is another's: there is no door of ours.
fn nobody_opens() -> Door {
    Door {
        address: String::new(),
        port: 0,
        https: false,
        trust: DoorTrust::System,
        basic: false,
        username: String::new(),
        password: String::new(),
    }
}
