//! Opens the guest's WinRM port to the runner.

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context};
use reseal_machine::SecurityGroupId;
use reseal_machine::cloud::{IngressRule, NewSecurityGroup, ResourceKind};
use serde::{Deserialize, Serialize};

use super::{busy, look_again};
use crate::world::{World, name};

/// What to open, and to whom.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GroupParams {
    /// The TCP port.
    pub port: u16,
    /// From where, in CIDR form.
    pub from: Vec<String>,
}

/// The group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct GroupOutput {
    /// Its id.
    pub(super) id: SecurityGroupId,
    /// Its name.
    pub(super) name: String,
}

/// The action.
pub(super) struct Open(pub(super) World);

impl Open {
    async fn made_before(&self, cx: &Context<'_>) -> Result<Option<GroupOutput>, ActionError> {
        let marked = self.0.cloud.find_marked(Some(cx.build())).await?;
        let group = marked
            .into_iter()
            .find(|found| found.kind == ResourceKind::SecurityGroup);
        Ok(group.map(|found| GroupOutput {
            id: SecurityGroupId::new(found.id),
            name: found.name,
        }))
    }
}

#[async_trait]
impl Action for Open {
    type Params = GroupParams;
    type Output = GroupOutput;

    async fn find(&self, cx: &Context<'_>, params: &GroupParams) -> Result<Option<GroupOutput>, ActionError> {
        // A group without its rules is worth nothing; it cannot be told from a whole one, so it is made anew.
        if let Some(found) = look_again(cx, || self.made_before(cx)).await? {
            self.undo(cx, params, Some(&found)).await?;
        }
        Ok(None)
    }

    async fn run(&self, cx: &Context<'_>, params: &GroupParams) -> Result<GroupOutput, ActionError> {
        let ingress = params
            .from
            .iter()
            .map(|cidr| IngressRule {
                port: params.port,
                cidr: cidr.clone(),
            })
            .collect();
        let new = NewSecurityGroup {
            name: name(cx.build()),
            marks: cx.marks(),
            ingress,
        };
        let group = self.0.cloud.create_security_group(&new).await?;
        Ok(GroupOutput {
            id: group.id,
            name: group.name,
        })
    }

    async fn undo(&self, cx: &Context<'_>, _: &GroupParams, output: Option<&GroupOutput>) -> Result<(), ActionError> {
        let found = match output {
            Some(output) => Some(output.clone()),
            None => look_again(cx, || self.made_before(cx)).await?,
        };
        match found {
            Some(group) => self.0.cloud.delete_security_group(&group.id).await.map_err(busy),
            None => Ok(()),
        }
    }
}
