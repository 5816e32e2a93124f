//! A server and its states over time.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::super::clockwork::{CLEAN_SHUTDOWN, POWER_SEEN, POWERING_OFF, POWERING_ON, SERVER_DELETE, SHUTOFF, after};
use super::super::fresh::Fresh;
use super::super::offer::{Flavor, Network};
use crate::room::{Machine, Power};

/// What becomes of a new server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It comes up.
    Runs,
    /// It ends in `ERROR` with this text.
    Fails(String),
    /// It never leaves `BUILD`.
    Stuck,
}

/// How a guest's own shutdown is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Halt {
    /// After this delay.
    Seen(SignedDuration),
    /// Never.
    Unseen,
}

/// A server.
pub(crate) struct Server {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) flavor: &'static Flavor,
    /// Id and name of the image that it was made from.
    pub(crate) image: Option<(String, String)>,
    pub(crate) key_name: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    /// Ids of its security groups.
    pub(crate) groups: Vec<String>,
    pub(crate) network: &'static Network,
    pub(crate) port: String,
    pub(crate) mac: String,
    pub(crate) zone: &'static str,
    /// The root volume's id; `None` for a local disk.
    pub(crate) root: Option<String>,
    pub(crate) machine: Option<Arc<dyn Machine>>,
    pub(crate) created: Timestamp,
    pub(crate) active_at: Timestamp,
    pub(crate) fate: Fate,
    pub(crate) halt: Halt,
    /// Somebody starts it as soon as `SHUTOFF` was shown.
    pub(crate) meddler: bool,
    /// Since when the guest is known to be off.
    pub(crate) off_since: Option<Timestamp>,
    /// When `os-stop` cuts the power.
    pub(crate) stopping: Option<Timestamp>,
    /// Until when `os-start` or `reboot` is under way.
    pub(crate) starting: Option<Timestamp>,
    /// Until when an image is made of its local disk.
    pub(crate) imaging: Option<(String, Timestamp)>,
    pub(crate) deleted: Option<Timestamp>,
    pub(crate) password_cleared: bool,
    pub(crate) fresh: Fresh,
}

/// What the API shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Face {
    pub(crate) status: &'static str,
    pub(crate) task: Option<&'static str>,
    pub(crate) vm: &'static str,
    pub(crate) power: u8,
}

const fn face(status: &'static str, task: Option<&'static str>, vm: &'static str, power: u8) -> Face {
    Face {
        status,
        task,
        vm,
        power,
    }
}

impl Server {
    /// What the API shows now.
    pub(crate) fn face(&self, now: Timestamp) -> Face {
        let mut shown = self.living(now);
        if self.deleted.is_some() {
            shown.task = Some("deleting");
        }
        shown
    }

    fn living(&self, now: Timestamp) -> Face {
        match self.fate {
            Fate::Fails(_) if now >= after(self.created, SignedDuration::from_secs(10)) => {
                face("ERROR", None, "error", 0)
            }
            Fate::Runs if now >= self.active_at => self.running(now),
            _ => face("BUILD", Some(self.build_task(now)), "building", 0),
        }
    }

    fn build_task(&self, now: Timestamp) -> &'static str {
        match now.duration_since(self.created).as_secs() {
            ..5 => "scheduling",
            5..15 => "block_device_mapping",
            15..20 => "networking",
            _ => "spawning",
        }
    }

    fn running(&self, now: Timestamp) -> Face {
        if self.starting.is_some_and(|until| now < until) {
            return face("SHUTOFF", Some("powering-on"), "stopped", 4);
        }
        if let Some(since) = self.off_since {
            return self.halted(now.duration_since(since));
        }
        if self.stopping.is_some() {
            return face("ACTIVE", Some("powering-off"), "active", 1);
        }
        let task = self
            .imaging
            .as_ref()
            .filter(|(_, until)| now < *until)
            .map(|_| "image_uploading");
        face("ACTIVE", task, "active", 1)
    }

    /// The four states of a guest that has switched itself off.
    fn halted(&self, off: SignedDuration) -> Face {
        let delay = match self.halt {
            Halt::Seen(delay) => delay,
            Halt::Unseen => SignedDuration::MAX,
        };
        let imaging = self.imaging.as_ref().map(|_| "image_uploading");
        if off < POWER_SEEN {
            face("ACTIVE", None, "active", 1)
        } else if self.halt == Halt::Unseen || off < POWERING_OFF + delay {
            face("ACTIVE", None, "active", 4)
        } else if off < SHUTOFF + delay {
            face("ACTIVE", Some("powering-off"), "active", 4)
        } else {
            face("SHUTOFF", imaging, "stopped", 4)
        }
    }

    /// Whether it has an address.
    pub(crate) fn wired(&self, now: Timestamp) -> bool {
        self.machine.is_some() && self.rooted(now)
    }

    /// Whether it has got as far as its root volume.
    pub(crate) fn rooted(&self, now: Timestamp) -> bool {
        now >= after(self.created, SignedDuration::from_secs(20))
    }

    /// The address that the machine has, fixed and floating alike.
    pub(crate) fn address(&self) -> Option<String> {
        self.machine.as_ref().map(|machine| machine.address().to_string())
    }

    /// Whether it is gone.
    pub(crate) fn gone(&self, now: Timestamp) -> bool {
        self.gone_at().is_some_and(|moment| now >= moment)
    }

    /// When it will be gone.
    pub(crate) fn gone_at(&self) -> Option<Timestamp> {
        self.deleted.map(|moment| after(moment, SERVER_DELETE))
    }

    /// Looks at the machine: has the guest gone off, is a stop due?
    pub(crate) fn settle(&mut self, now: Timestamp) {
        let Some(machine) = self.machine.as_ref().filter(|_| self.deleted.is_none()) else {
            return;
        };
        if self.stopping.is_some_and(|deadline| now >= deadline) {
            machine.power_off();
            self.stopping = None;
            self.off_since = Some(already_stopped(now));
        }
        match machine.power() {
            Power::Off if self.off_since.is_none() => self.off_since = Some(now),
            Power::Off => self.stopping = None,
            Power::On => self.off_since = None,
        }
        if self.imaging.as_ref().is_some_and(|(_, until)| now >= *until) {
            self.imaging = None;
        }
    }

    /// `os-stop`: the guest is asked, and its power cut when it does not obey.
    pub(crate) fn stop(&mut self, now: Timestamp) {
        self.stopping = Some(after(now, CLEAN_SHUTDOWN));
    }

    /// `os-start`, or somebody's start.
    pub(crate) fn start(&mut self, now: Timestamp) {
        if let Some(machine) = &self.machine {
            machine.power_on();
        }
        self.off_since = None;
        self.starting = Some(after(now, POWERING_ON));
    }
}

/// A moment so long ago that the stop is finished now.
fn already_stopped(now: Timestamp) -> Timestamp {
    now.checked_sub(SHUTOFF).unwrap_or(Timestamp::MIN)
}
