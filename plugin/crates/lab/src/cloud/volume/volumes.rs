//! A volume and its states over time; creating and deleting.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::super::clockwork::{VOLUME_CREATE, VOLUME_DELETE, after};
use super::super::fresh::Fresh;
use super::super::front::Turn;
use super::super::image::Base;
use super::super::mode::Mode;
use super::super::offer;
use super::super::reply::{Outcome, Refusal, Reply};
use super::{quota, view};
use crate::room::Disk;

/// An image being made of a volume.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    /// The image's id.
    pub(crate) image: String,
    /// When the volume is free again; `None` for never.
    pub(crate) until: Option<Timestamp>,
    /// The volume fails then.
    pub(crate) fails: bool,
}

/// A volume.
pub(crate) struct Volume {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) size_gb: u32,
    pub(crate) kind: &'static str,
    pub(crate) zone: &'static str,
    pub(crate) bootable: bool,
    pub(crate) server: Option<String>,
    pub(crate) delete_on_termination: bool,
    pub(crate) disk: Option<Disk>,
    pub(crate) metadata: BTreeMap<String, String>,
    /// What an image that is made of it inherits, and a little more.
    pub(crate) image_metadata: BTreeMap<String, String>,
    pub(crate) created: Timestamp,
    pub(crate) upload: Option<Upload>,
    pub(crate) error: bool,
    pub(crate) deleted: Option<Timestamp>,
    pub(crate) fresh: Fresh,
}

/// A root volume to make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewRoot {
    pub(crate) size_gb: u32,
    pub(crate) kind: &'static str,
    pub(crate) zone: &'static str,
    pub(crate) delete_on_termination: bool,
}

impl Volume {
    /// The root volume of a new server.
    pub(crate) fn root(id: String, server: &str, new: NewRoot, base: &Base, disk: Disk, now: Timestamp) -> Self {
        let mut volume = Self::blank(id, String::new(), now, new.size_gb, new.kind, new.zone);
        volume.bootable = true;
        volume.image_metadata = image_metadata(base);
        volume.disk = Some(disk);
        volume.attach(server, new.delete_on_termination);
        volume
    }

    fn blank(id: String, name: String, now: Timestamp, size_gb: u32, kind: &'static str, zone: &'static str) -> Self {
        Self {
            id,
            name,
            description: None,
            size_gb,
            kind,
            zone,
            bootable: false,
            server: None,
            delete_on_termination: false,
            disk: None,
            metadata: BTreeMap::new(),
            image_metadata: BTreeMap::new(),
            created: now,
            upload: None,
            error: false,
            deleted: None,
            fresh: Fresh::new(now),
        }
    }

    /// A server has it now.
    pub(crate) fn attach(&mut self, server: &str, delete_on_termination: bool) {
        self.server = Some(server.to_owned());
        self.delete_on_termination = delete_on_termination;
    }

    /// Its status in Cinder's words.
    pub(crate) fn status(&self, now: Timestamp) -> &'static str {
        match self {
            Self { deleted: Some(_), .. } => "deleting",
            Self { error: true, .. } => "error",
            Self { upload: Some(_), .. } => "uploading",
            _ if now < after(self.created, VOLUME_CREATE) => "creating",
            Self { server: Some(_), .. } => "in-use",
            _ => "available",
        }
    }

    /// Whether it is gone.
    pub(crate) fn gone(&self, now: Timestamp) -> bool {
        self.deleted.is_some_and(|moment| now >= after(moment, VOLUME_DELETE))
    }
}

fn image_metadata(base: &Base) -> BTreeMap<String, String> {
    let mut metadata = base.properties.clone();
    metadata.extend(
        [
            ("image_id", base.id.clone()),
            ("image_name", base.name.clone()),
            ("min_disk", base.min_disk_gb.to_string()),
            ("min_ram", base.min_ram_mb.to_string()),
            ("size", base.size.to_string()),
            ("disk_format", "qcow2".to_owned()),
            ("container_format", "bare".to_owned()),
        ]
        .map(|(key, value)| (key.to_owned(), value)),
    );
    metadata
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    volume: New,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    size: u32,
    name: Option<String>,
    description: Option<String>,
    volume_type: Option<String>,
    availability_zone: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    #[serde(rename = "imageRef")]
    image: Option<String>,
}

/// Creates a volume; upstream also from an image.
pub(crate) fn create(turn: &mut Turn<'_>) -> Outcome {
    turn.ask.query(&[])?;
    let Body { volume: new } = turn.ask.json()?;
    if turn.world.mode == Mode::Nhn && new.image.is_some() {
        return Err(Refusal::strict(
            "imageRef is not in NHN's guide; boot a server from the image instead",
        ));
    }
    if new.size == 0 || new.size > 2048 {
        return Err(Refusal::invalid(format!(
            "Invalid input received: Volume size '{}' must be between 1 and 2048",
            new.size
        )));
    }
    let (types, zones) = (offer::volume_types(turn.world.mode), turn.world.mode.zones());
    let chosen = |known: &'static [&'static str], asked: &Option<String>| match asked {
        None => known.first().copied(),
        Some(name) => known.iter().copied().find(|known| known == name),
    };
    let kind = chosen(types, &new.volume_type).ok_or_else(|| Refusal::not_found("Volume type could not be found."))?;
    let zone =
        chosen(zones, &new.availability_zone).ok_or_else(|| Refusal::invalid("Availability zone is invalid."))?;
    let base = match &new.image {
        None => None,
        Some(id) => Some(
            Base::find(turn, id)
                .filter(|base| base.active)
                .ok_or_else(|| Refusal::invalid("Invalid image identifier"))?,
        ),
    };
    if base.as_ref().is_some_and(|base| base.min_disk_gb > new.size) {
        return Err(Refusal::invalid(
            "Invalid input received: Volume size must not be smaller than the image's min_disk.",
        ));
    }
    quota::check(turn, new.size)?;
    let id = turn.state.ids.next();
    let mut volume = Volume::blank(id.clone(), new.name.unwrap_or_default(), turn.now, new.size, kind, zone);
    volume.description = new.description;
    volume.metadata = new.metadata;
    if let Some(base) = base {
        volume.bootable = true;
        volume.image_metadata = image_metadata(&base);
        volume.disk = Some(base.disk(turn.world));
    }
    let body = view::body(turn, &volume);
    turn.state.volumes.insert(id, volume);
    Ok(Reply::json(202, json!({"volume": body})))
}

/// Deletes a volume that nobody uses.
pub(crate) fn delete(turn: &mut Turn<'_>, id: &str) -> Outcome {
    let upstream: &[&str] = if turn.world.mode == Mode::Nhn {
        &[]
    } else {
        &["cascade", "force"]
    };
    let query = turn.ask.query(upstream)?;
    if query.iter().any(|(_, value)| !value.eq_ignore_ascii_case("false")) {
        return Err(Refusal::strict(
            "cascade and force hide what is still in use; delete that first",
        ));
    }
    turn.ask.no_body()?;
    let now = turn.now;
    let volume = turn.state.volumes.get_mut(id).ok_or_else(|| missing(id))?;
    let free = matches!(volume.status(now), "available" | "error") && volume.server.is_none();
    if !free {
        return Err(Refusal::invalid(
            "Invalid volume: Volume status must be available or error or error_restoring or error_extending or \
             error_managing and must not be migrating, attached, belong to a group, have snapshots, awaiting a transfer, \
             or be disassociated from snapshots after volume transfer.",
        ));
    }
    volume.deleted = Some(now);
    Ok(Reply::empty(202))
}

/// The volume, for a look; a new one is not there for one look.
pub(crate) fn look<'s>(turn: &'s mut Turn<'_>, id: &str) -> Result<&'s mut Volume, Refusal> {
    let now = turn.now;
    turn.state
        .volumes
        .get_mut(id)
        .filter(|volume| volume.fresh.shown(now))
        .ok_or_else(|| missing(id))
}

pub(crate) fn missing(id: &str) -> Refusal {
    Refusal::not_found(format!("Volume {id} could not be found."))
}
