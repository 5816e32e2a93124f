//! An image of the project and its states over time.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::super::clockwork::{IMAGE_QUEUED, IMAGE_SAVING, IMAGE_SAVING_PER_GB, after};
use super::super::fresh::Fresh;
use super::super::front::Turn;
use super::super::ids::hex32_of;
use super::super::offer::Flavor;
use crate::faults::Faults;
use crate::room::{Disk, Machine, Power};

/// How an upload ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Active,
    Killed,
    Vanishes,
}

/// Where an image's data are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Making {
    /// Nothing yet; somebody must send a file.
    Empty,
    /// On their way: saving from, finished at (`None`: never), and how.
    Coming {
        saving: Timestamp,
        finished: Option<Timestamp>,
        end: End,
    },
}

/// A project that an image is shared with.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) status: &'static str,
    pub(crate) created: Timestamp,
}

/// An image.
pub(crate) struct Image {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) visibility: String,
    pub(crate) min_disk_gb: u32,
    pub(crate) min_ram_mb: u32,
    pub(crate) protected: bool,
    pub(crate) tags: Vec<String>,
    pub(crate) properties: BTreeMap<String, String>,
    pub(crate) disk_format: String,
    pub(crate) container_format: String,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    /// Bytes, once it is active.
    pub(crate) size: u64,
    pub(crate) checksum: String,
    pub(crate) disk: Option<Disk>,
    /// The machine was running when the disk was taken.
    pub(crate) running: bool,
    pub(crate) members: BTreeMap<String, Member>,
    pub(crate) fresh: Fresh,
    making: Making,
    broken: Option<Timestamp>,
}

/// What an image is made of.
pub(crate) struct NewImage {
    pub(crate) name: String,
    pub(crate) visibility: String,
    pub(crate) protected: bool,
    pub(crate) disk_format: String,
    pub(crate) container_format: String,
    pub(crate) min_disk_gb: u32,
    pub(crate) min_ram_mb: u32,
    pub(crate) properties: BTreeMap<String, String>,
    pub(crate) disk: Option<Disk>,
    pub(crate) running: bool,
}

impl NewImage {
    /// As `createImage` makes it: the base image's properties, where it came from, the flavour's disk.
    pub(crate) fn of_server(
        turn: &Turn<'_>,
        name: String,
        metadata: BTreeMap<String, String>,
        source: Option<&(String, String)>,
        flavor: &Flavor,
        machine: &dyn Machine,
    ) -> Self {
        let base = source.and_then(|(id, _)| super::Base::find(turn, id));
        let mut properties = base.as_ref().map(|base| base.properties.clone()).unwrap_or_default();
        properties.insert("image_type".to_owned(), "snapshot".to_owned());
        properties.extend(source.map(|(id, _)| ("base_image_ref".to_owned(), id.clone())));
        properties.extend(metadata);
        Self {
            name,
            visibility: "private".to_owned(),
            protected: false,
            disk_format: "qcow2".to_owned(),
            container_format: "bare".to_owned(),
            min_disk_gb: flavor.disk_gb,
            min_ram_mb: base.map_or(0, |base| base.min_ram_mb),
            properties,
            disk: Some(machine.disk()),
            running: machine.power() == Power::On,
        }
    }
}

impl Image {
    /// An image whose data are coming from a disk of this size. It is not there for two looks.
    pub(crate) fn start(turn: &mut Turn<'_>, new: NewImage, size_gb: u32) -> Self {
        let making = coming(&turn.world.faults, turn.now, size_gb);
        let fresh = Fresh::hidden(turn.now, 2);
        let mut image = Self::new(turn, new, making, fresh);
        // A Windows disk compresses to about a quarter.
        image.size = u64::from(size_gb) * 268_435_456 + 65_536;
        image
    }

    /// An image without data.
    pub(crate) fn empty(turn: &mut Turn<'_>, new: NewImage) -> Self {
        let fresh = Fresh::new(turn.now);
        Self::new(turn, new, Making::Empty, fresh)
    }

    fn new(turn: &mut Turn<'_>, new: NewImage, making: Making, fresh: Fresh) -> Self {
        let id = turn.state.ids.next();
        Self {
            checksum: hex32_of(&id),
            id,
            name: new.name,
            visibility: new.visibility,
            min_disk_gb: new.min_disk_gb,
            min_ram_mb: new.min_ram_mb,
            protected: new.protected,
            tags: Vec::new(),
            properties: new.properties,
            disk_format: new.disk_format,
            container_format: new.container_format,
            created: turn.now,
            updated: turn.now,
            size: 0,
            disk: new.disk,
            running: new.running,
            members: BTreeMap::new(),
            fresh,
            making,
            broken: None,
        }
    }

    /// Its status; `None` when it is gone.
    pub(crate) fn status(&self, now: Timestamp) -> Option<&'static str> {
        if self.broken.is_some_and(|moment| now >= moment) {
            return None;
        }
        let Making::Coming { saving, finished, end } = self.making else {
            return Some("queued");
        };
        match finished {
            Some(moment) if now >= moment => match end {
                End::Active => Some("active"),
                End::Killed => Some("killed"),
                End::Vanishes => None,
            },
            _ if now < saving => Some("queued"),
            _ => Some("saving"),
        }
    }

    /// When its data will be complete, or lost; `None` for never.
    pub(crate) fn finished(&self) -> Option<Timestamp> {
        match self.making {
            Making::Empty => None,
            Making::Coming { finished, .. } => finished,
        }
    }

    /// Its source went away: the upload fails, and a failed upload deletes the image.
    pub(crate) fn break_now(&mut self, now: Timestamp) {
        self.broken = Some(now);
    }

    /// Whether it waits for a file.
    pub(crate) fn waits_for_file(&self) -> bool {
        self.making == Making::Empty
    }

    /// A file has come.
    pub(crate) fn filled(&mut self, now: Timestamp, size: u64, checksum: String) {
        self.size = size;
        self.checksum = checksum;
        self.making = Making::Coming {
            saving: now,
            finished: Some(now),
            end: End::Active,
        };
    }
}

/// How an upload will go.
fn coming(faults: &Faults, now: Timestamp, size_gb: u32) -> Making {
    let minutes = |name: &str, usual: i64| {
        let minutes = faults
            .strike(name)
            .map_or(0, |minutes| minutes.parse().unwrap_or(usual));
        SignedDuration::from_mins(minutes)
    };
    let saving = after(now, IMAGE_QUEUED + minutes("image-queued-long", 8));
    let share = IMAGE_SAVING_PER_GB
        .checked_mul(i32::try_from(size_gb).unwrap_or(i32::MAX))
        .unwrap_or(SignedDuration::MAX);
    let finished = after(after(saving, share), IMAGE_SAVING + minutes("slow-upload", 30));
    let stuck = faults.strike("upload-stuck").is_some();
    let end = if faults.strike("image-killed").is_some() {
        End::Killed
    } else if faults.strike("image-vanishes").is_some() || faults.armed("volume-error").is_some() {
        End::Vanishes
    } else {
        End::Active
    };
    Making::Coming {
        saving,
        finished: (!stuck).then_some(finished),
        end,
    }
}
