//! Networks, security groups, floating IPs.

use reseal_machine::cloud::{FloatingIp, Network, NewFloatingIp, NewSecurityGroup, SecurityGroup};
use reseal_machine::{CloudError, CloudErrorKind, FloatingIpId, Marks, SecurityGroupId};
use serde_json::Value;

use super::once::{Look, Made};
use super::{OpenStack, busy};
use crate::http::request::Request;
use crate::{json, neutron};

impl OpenStack {
    pub(super) async fn list_networks(&self) -> Result<Vec<Network>, CloudError> {
        Ok(self
            .client
            .list(&neutron::networks(self.rules))
            .await?
            .iter()
            .filter_map(neutron::read_network)
            .collect())
    }

    pub(super) async fn make_security_group(&self, new: &NewSecurityGroup) -> Result<SecurityGroup, CloudError> {
        let is_ours = |item: &Value| {
            json::text(item, "name").as_ref() == Some(&new.name) && has_marks(item, "description", &new.marks)
        };
        let look = Look {
            list: neutron::security_groups(),
            is_ours: &is_ours,
        };
        let value = self
            .made(&neutron::create_security_group(new), &look, "security_group")
            .await?;
        let group = neutron::read_security_group(&value).ok_or_else(|| no_id("create security group"))?;
        for rule in &new.ingress {
            if let Err(error) = self.open(&neutron::create_rule(&group.id, rule)).await {
                return Err(self.taken_back(error, &neutron::delete_security_group(&group.id)).await);
            }
        }
        Ok(group)
    }

    /// A rule that is there already is as good as a new one.
    async fn open(&self, rule: &Request) -> Result<(), CloudError> {
        match self.client.call(rule).await {
            Err(error) if error.kind == CloudErrorKind::Conflict && error.message.contains("already exists") => Ok(()),
            done => done.map(|_| ()),
        }
    }

    pub(super) async fn remove_security_group(&self, id: &SecurityGroupId) -> Result<(), CloudError> {
        self.delete(&neutron::delete_security_group(id))
            .await
            .map_err(|error| match error.kind {
                CloudErrorKind::Conflict => busy(error),
                _ => error,
            })
    }

    pub(super) async fn allocate_floating_ip(&self, new: &NewFloatingIp) -> Result<FloatingIp, CloudError> {
        let ports = self.client.list(&neutron::ports_of(&new.server)).await?;
        let port = neutron::first_port(&ports).ok_or_else(|| {
            busy(CloudError::new(
                CloudErrorKind::Conflict,
                "allocate floating IP",
                "the server has no port yet",
            ))
        })?;
        let note = self.rules.floating_ip_note;
        let is_ours = |item: &Value| has_marks(item, note, &new.marks);
        let look = Look {
            list: neutron::floating_ips(),
            is_ours: &is_ours,
        };
        let request = neutron::create_floating_ip(new, &port, self.rules);
        let made = self.made(&request, &look, "floatingip").await;
        let value = made.map_err(|error| self.explained(error))?;
        let floating_ip = neutron::read_floating_ip(&value).ok_or_else(|| no_id("allocate floating IP"))?;
        if json::text(&value, "port_id").as_ref() == Some(&port) {
            return Ok(floating_ip);
        }
        let attach = neutron::attach_floating_ip(&floating_ip.id, &port);
        match self.client.call(&attach).await {
            Ok(_) => Ok(floating_ip),
            Err(error) => {
                let release = neutron::delete_floating_ip(&floating_ip.id);
                Err(self.taken_back(self.explained(error), &release).await)
            }
        }
    }

    /// The most usual reason why an address cannot be had.
    fn explained(&self, error: CloudError) -> CloudError {
        match error.kind {
            CloudErrorKind::NotFound if error.message.contains("not reachable") => error.hint(self.rules.no_way_out),
            _ => error,
        }
    }

    pub(super) async fn release_floating_ip(&self, id: &FloatingIpId) -> Result<(), CloudError> {
        self.delete(&neutron::delete_floating_ip(id)).await
    }

    /// The object that a creation made, now or before.
    async fn made(&self, request: &Request, look: &Look<'_>, key: &str) -> Result<Value, CloudError> {
        match self.create_once(request, look).await? {
            Made::Now(reply) => reply.member(key),
            Made::Before(item) => Ok(item),
        }
    }

    /// Deletes the half of something whose other half failed. If that fails too, the marks still find it.
    async fn taken_back(&self, error: CloudError, deletion: &Request) -> CloudError {
        match self.delete(deletion).await {
            Ok(()) => error,
            Err(also) => error.hint(format!("what was made could not be deleted either: {also}")),
        }
    }
}

fn has_marks(item: &Value, key: &str, marks: &Marks) -> bool {
    neutron::marks_of(item, key).as_ref() == Some(marks)
}

fn no_id(operation: &'static str) -> CloudError {
    CloudError::new(CloudErrorKind::Unexpected, operation, "the answer has no `id`")
}
