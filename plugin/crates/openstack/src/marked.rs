//! Everything that carries marks, over all services: what `cleanup` goes by when the journal is lost.

use reseal_machine::cloud::{Marked, ResourceKind};
use reseal_machine::{BuildId, CloudError, Marks, marks};
use serde_json::Value;

use crate::catalog::Service;
use crate::cloud::OpenStack;
use crate::{cinder, glance, json, neutron, nova};

/// How the names of our key pairs begin.
const KEYPAIR: &str = "reseal-";
/// Fewer characters than this do not name a build.
const SHORTEST: usize = 6;

impl OpenStack {
    /// One list call for each kind and page; a service that the catalogue does not have holds nothing of ours.
    pub(crate) async fn all_marked(&self, build: Option<&BuildId>) -> Result<Vec<Marked>, CloudError> {
        let mut found = self.marked_servers().await?;
        if self.has(Service::BlockStorage).await? {
            found.extend(self.marked_volumes(&found).await?);
        }
        found.extend(self.marked_addresses().await?);
        found.extend(self.marked_groups().await?);
        found.extend(self.marked_images().await?);
        let keypairs = self.marked_keypairs(build, &found).await?;
        found.extend(keypairs);
        found.retain(|marked| build.is_none_or(|build| marked.marks.build == *build));
        found.sort_by(|a, b| (a.kind, &a.name, &a.id).cmp(&(b.kind, &b.name, &b.id)));
        Ok(found)
    }

    async fn marked_servers(&self) -> Result<Vec<Marked>, CloudError> {
        let servers = self.client.list(&nova::servers()).await?;
        let alive = servers
            .iter()
            .filter(|server| json::text(server, "status").as_deref() != Some("DELETED"));
        Ok(alive
            .filter_map(|server| marked(ResourceKind::Server, server, in_metadata(server, "metadata")?))
            .collect())
    }

    /// Volumes with marks of their own, and the root volumes of marked servers: NHN Cloud documents no way to write
    /// metadata into a volume that Nova made.
    async fn marked_volumes(&self, found: &[Marked]) -> Result<Vec<Marked>, CloudError> {
        let volumes = self.client.list(&cinder::volumes()).await?;
        let owner = |value: &Value| {
            let volume = cinder::read_volume(value).filter(|volume| volume.bootable)?;
            let owns = |marked: &&Marked| volume.attached_to.iter().any(|server| server.as_str() == marked.id);
            found.iter().find(owns).map(|marked| marked.marks.clone())
        };
        let read = |value: &Value| {
            marked(
                ResourceKind::Volume,
                value,
                in_metadata(value, "metadata").or_else(|| owner(value))?,
            )
        };
        Ok(volumes.iter().filter_map(read).collect())
    }

    async fn marked_addresses(&self) -> Result<Vec<Marked>, CloudError> {
        let note = self.rules.floating_ip_note;
        let addresses = self.client.list(&neutron::floating_ips()).await?;
        let read = |value: &Value| {
            let mut marked = marked(ResourceKind::FloatingIp, value, neutron::marks_of(value, note)?)?;
            marked.name = json::text(value, "floating_ip_address").unwrap_or_default();
            Some(marked)
        };
        Ok(addresses.iter().filter_map(read).collect())
    }

    async fn marked_groups(&self) -> Result<Vec<Marked>, CloudError> {
        let groups = self.client.list(&neutron::security_groups()).await?;
        let read = |value: &Value| {
            marked(
                ResourceKind::SecurityGroup,
                value,
                neutron::marks_of(value, "description")?,
            )
        };
        Ok(groups.iter().filter_map(read).collect())
    }

    async fn marked_images(&self) -> Result<Vec<Marked>, CloudError> {
        let project = self.client.session().await?.project.clone();
        let images = self
            .client
            .list(&glance::images_of(&project, self.rules.image_page))
            .await?;
        let alive = images.iter().filter(|image| {
            !matches!(
                json::text(image, "status").as_deref(),
                Some("deleted" | "pending_delete")
            )
        });
        Ok(alive
            .filter_map(|image| marked(ResourceKind::Image, image, marks_from(image)?))
            .collect())
    }

    /// Key pairs belong to the user and have only a name: `reseal-`, a part of the build's id, perhaps more. The build is
    /// the wanted one, or one that something else was found of, or else only that part is known of it.
    async fn marked_keypairs(&self, wanted: Option<&BuildId>, found: &[Marked]) -> Result<Vec<Marked>, CloudError> {
        let pairs = self.client.list(&nova::keypairs()).await?;
        let known: Vec<_> = wanted
            .into_iter()
            .chain(found.iter().map(|marked| &marked.marks.build))
            .collect();
        let read = |item: &Value| {
            let name = json::text(item.get("keypair").unwrap_or(item), "name")?;
            let build = build_of(&name, &known)?;
            Some(Marked {
                kind: ResourceKind::Keypair,
                id: name.clone(),
                name,
                marks: Marks::new(build, ""),
            })
        };
        Ok(pairs.iter().filter_map(read).collect())
    }
}

fn marked(kind: ResourceKind, value: &Value, marks: Marks) -> Option<Marked> {
    Some(Marked {
        kind,
        id: json::text(value, "id")?,
        name: json::text(value, "name").unwrap_or_default(),
        marks,
    })
}

fn in_metadata(value: &Value, key: &str) -> Option<Marks> {
    marks_from(value.get(key)?)
}

/// Marks that lie flat in an object.
fn marks_from(object: &Value) -> Option<Marks> {
    let build = BuildId::new(json::text(object, marks::BUILD_KEY)?);
    Some(Marks::new(
        build,
        json::text(object, marks::STEP_KEY).unwrap_or_default(),
    ))
}

/// The build of a key pair: the known one whose id the name has a part of, or what the name itself says.
fn build_of(name: &str, known: &[&BuildId]) -> Option<BuildId> {
    let rest = name.strip_prefix(KEYPAIR)?;
    let short = rest.split('-').next().filter(|short| short.len() >= SHORTEST)?;
    let is_it = |build: &&&BuildId| rest.starts_with(build.as_str()) || plain(build).contains(short);
    Some(
        known
            .iter()
            .find(is_it)
            .map_or_else(|| BuildId::new(short), |build| (**build).clone()),
    )
}

fn plain(build: &BuildId) -> String {
    build.as_str().chars().filter(char::is_ascii_alphanumeric).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_pairs_are_known_by_a_part_of_the_build() {
        let build = BuildId::new("0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000");
        let check = |name: &str, expect: Option<&str>| {
            assert_eq!(build_of(name, &[&build]), expect.map(BuildId::new), "{name}");
        };
        let full = Some(build.as_str());
        check("reseal-ffff0000", full);
        check("reseal-ffff0000-verify", full);
        check("reseal-0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000", full);
        check("reseal-12345678", Some("12345678"));
        check("reseal-a", None);
        check("my-key", None);
    }
}
