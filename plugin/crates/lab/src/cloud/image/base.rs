//! What a server can be booted from: a public image or one of the project's own.

use std::collections::BTreeMap;

use super::super::front::Turn;
use super::super::offer::images::public;
use super::super::world::World;
use crate::room::Disk;

/// An image as the compute side needs it.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) min_disk_gb: u32,
    pub(crate) min_ram_mb: u32,
    pub(crate) size: u64,
    pub(crate) active: bool,
    pub(crate) properties: BTreeMap<String, String>,
    /// Whether it is the provider's.
    pub(crate) public: bool,
    /// What was captured. A provider's image is made by the room, and of an uploaded file nothing was kept.
    pub(crate) captured: Option<Disk>,
}

impl Base {
    /// The image with this id.
    pub(crate) fn find(turn: &Turn<'_>, id: &str) -> Option<Self> {
        if let Some(image) = public(turn.world.mode).iter().find(|image| image.id == id) {
            return Some(Self {
                id: image.id.clone(),
                name: image.name.clone(),
                min_disk_gb: image.min_disk_gb,
                min_ram_mb: image.min_ram_mb,
                size: image.size,
                active: true,
                properties: image
                    .properties
                    .iter()
                    .map(|(key, value)| ((*key).to_owned(), value.clone()))
                    .collect(),
                public: true,
                captured: None,
            });
        }
        let image = turn.state.images.get(id)?;
        let status = image.status(turn.now)?;
        Some(Self {
            id: image.id.clone(),
            name: image.name.clone(),
            min_disk_gb: image.min_disk_gb,
            min_ram_mb: image.min_ram_mb,
            size: image.size,
            active: status == "active",
            properties: image.properties.clone(),
            public: false,
            captured: image.disk.clone(),
        })
    }

    /// A copy of its disk.
    pub(crate) fn disk(&self, world: &World) -> Disk {
        match &self.captured {
            Some(disk) => disk.clone(),
            None if self.public => world.room.provider_disk(&self.name),
            None => world.room.blank_disk(),
        }
    }
}
