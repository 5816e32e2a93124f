//! Answers to a test's questions: what is left, what was captured, what is secret.

use reseal_machine::cloud::ResourceKind;

use super::settle::settle;
use super::world::World;
use crate::lab::{CapturedImage, Leftover};

impl World {
    /// What the project still has. What is being deleted, and what goes with it, is not left.
    pub(crate) fn leftovers(&self) -> Vec<Leftover> {
        let mut state = self.state();
        settle(&mut state, self.now());
        let leftover = |kind, id: &str, name: &str| Leftover {
            kind,
            id: id.to_owned(),
            name: name.to_owned(),
        };
        let dying = |server: &str| state.servers.get(server).is_none_or(|server| server.deleted.is_some());
        let mut left: Vec<Leftover> = Vec::new();
        for server in state.servers.values().filter(|server| server.deleted.is_none()) {
            left.push(leftover(ResourceKind::Server, &server.id, &server.name));
        }
        for volume in state.volumes.values() {
            let goes_too = volume.delete_on_termination && volume.server.as_deref().is_some_and(dying);
            if volume.deleted.is_none() && !goes_too {
                left.push(leftover(ResourceKind::Volume, &volume.id, &volume.name));
            }
        }
        for ip in state.floating_ips.values() {
            left.push(leftover(ResourceKind::FloatingIp, &ip.id, &ip.text));
        }
        for group in state.groups.values().filter(|group| !group.is_default()) {
            left.push(leftover(ResourceKind::SecurityGroup, &group.id, &group.name));
        }
        for name in state.keypairs.keys() {
            left.push(leftover(ResourceKind::Keypair, name, name));
        }
        for image in state.images.values() {
            left.push(leftover(ResourceKind::Image, &image.id, &image.name));
        }
        left.sort();
        left
    }

    /// The project's images, oldest first.
    pub(crate) fn captured_images(&self) -> Vec<CapturedImage> {
        let now = self.now();
        let mut state = self.state();
        settle(&mut state, now);
        let mut images: Vec<_> = state.images.values().collect();
        images.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        let captured = images.into_iter().filter_map(|image| {
            let status = image.status(now)?;
            Some(CapturedImage {
                id: image.id.clone(),
                name: image.name.clone(),
                status: status.to_owned(),
                visibility: image.visibility.clone(),
                min_disk_gb: image.min_disk_gb,
                min_ram_mb: image.min_ram_mb,
                size: if status == "active" { image.size } else { 0 },
                protected: image.protected,
                tags: image.tags.clone(),
                properties: image.properties.clone(),
                members: image.members.keys().cloned().collect(),
                taken_while_running: image.running,
            })
        });
        captured.collect()
    }

    /// Every secret that this cloud knows.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let state = self.state();
        let mut secrets = vec![self.tenant.password.clone(), self.tenant.application_secret.clone()];
        secrets.extend(state.tokens.keys().cloned());
        secrets.extend(state.admin_passwords.iter().cloned());
        secrets
    }

    /// All user data that servers were given.
    pub(crate) fn user_data(&self) -> Vec<Vec<u8>> {
        self.state().user_data.clone()
    }

    /// No machine outlives its cloud.
    pub(crate) fn destroy_machines(&self) {
        for server in self.state().servers.values_mut() {
            if let Some(machine) = server.machine.take() {
                machine.destroy();
            }
        }
    }
}
