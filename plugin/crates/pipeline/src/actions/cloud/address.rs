//! Gives a machine an address that the runner can reach.

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context, FailureClass};
use reseal_machine::cloud::NewFloatingIp;
use reseal_machine::{FloatingIpId, NetworkId};
use serde::{Deserialize, Serialize};

use super::left_by_in_time;
use super::ready::ReadyOutput;
use crate::world::World;

/// Which machine, and how.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AddressParams {
    /// The step that waited for the machine.
    pub ready: String,
    /// The external network of a floating address; without it the fixed address is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkId>,
}

/// The address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressOutput {
    /// The address to connect to.
    pub address: String,
    /// The floating address's id, to release it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floating: Option<FloatingIpId>,
}

/// The action.
pub(super) struct Give(pub(super) World);

impl Give {
    async fn release_earlier(&self, cx: &Context<'_>) -> Result<(), ActionError> {
        let cloud = self.0.cloud.as_ref();
        for left in left_by_in_time(cloud, cx).await? {
            cloud.delete_floating_ip(&FloatingIpId::new(left.id)).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Action for Give {
    type Params = AddressParams;
    type Output = AddressOutput;

    async fn find(&self, cx: &Context<'_>, params: &AddressParams) -> Result<Option<AddressOutput>, ActionError> {
        // One that was allocated may not have been attached: release it and begin anew.
        if params.network.is_some() {
            self.release_earlier(cx).await?;
        }
        Ok(None)
    }

    async fn run(&self, cx: &Context<'_>, params: &AddressParams) -> Result<AddressOutput, ActionError> {
        let ready: ReadyOutput = cx.output(&params.ready)?;
        let Some(network) = &params.network else {
            let none = || ActionError::new(FailureClass::Cloud, "the machine has no IPv4 address");
            let address = ready.fixed.first().cloned().ok_or_else(none)?;
            return Ok(AddressOutput {
                address,
                floating: None,
            });
        };
        let new = NewFloatingIp {
            network: network.clone(),
            server: ready.server,
            marks: cx.marks(),
        };
        let ip = self.0.cloud.create_floating_ip(&new).await?;
        Ok(AddressOutput {
            address: ip.address,
            floating: Some(ip.id),
        })
    }

    async fn undo(
        &self,
        cx: &Context<'_>,
        params: &AddressParams,
        output: Option<&AddressOutput>,
    ) -> Result<(), ActionError> {
        match output {
            Some(AddressOutput { floating: Some(id), .. }) => Ok(self.0.cloud.delete_floating_ip(id).await?),
            None if params.network.is_some() => self.release_earlier(cx).await,
            _ => Ok(()),
        }
    }
}
