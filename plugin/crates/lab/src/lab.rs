//! The lab as one thing: start it, hand its variables to any client, ask it afterwards what happened and what is left.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use reseal_machine::Clock;
use reseal_machine::cloud::ResourceKind;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cloud::{self, World};
use crate::faults::FaultInfo;
use crate::room::MachineRoom;

pub use crate::cloud::{Mode, Quota};

/// How a lab is to be.
pub struct LabOptions {
    /// Which family of cloud it plays.
    pub mode: Mode,
    /// Its time.
    pub clock: Arc<dyn Clock>,
    /// What makes the machines.
    pub room: Arc<dyn MachineRoom>,
    /// Faults to arm, as [`crate::faults::Faults::arm`] reads them. Names of guest faults are accepted and left to the room.
    pub faults: Vec<String>,
    /// Ids and small delays follow from it; secrets never do.
    pub seed: u64,
    /// Added to every answer in real time, for benchmarks.
    pub latency: Option<Duration>,
    /// What the project may use.
    pub quota: Quota,
}

impl LabOptions {
    /// A lab without faults or latency, with the quota of one build.
    pub fn new(mode: Mode, clock: Arc<dyn Clock>, room: Arc<dyn MachineRoom>) -> Self {
        Self {
            mode,
            clock,
            room,
            faults: Vec::new(),
            seed: 1,
            latency: None,
            quota: Quota::for_builds(1),
        }
    }
}

/// Something that the project has now and did not have at the start. What is already being deleted is not left.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leftover {
    /// What it is.
    pub kind: ResourceKind,
    /// Its id (for key pairs, its name).
    pub id: String,
    /// Its name.
    pub name: String,
}

/// An image that the project made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapturedImage {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `queued`, `saving`, `active` or `killed`, now.
    pub status: String,
    /// `private`, `shared` or `community`.
    pub visibility: String,
    /// Smallest disk, GB.
    pub min_disk_gb: u32,
    /// Smallest RAM, MB.
    pub min_ram_mb: u32,
    /// Bytes; 0 until it is active.
    pub size: u64,
    /// Whether deleting is blocked.
    pub protected: bool,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its other properties.
    pub properties: BTreeMap<String, String>,
    /// Projects that it is shared with.
    pub members: Vec<String>,
    /// Whether its machine was running when the data were taken, so that the disk is not consistent.
    pub taken_while_running: bool,
}

/// One request and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// `GET`, `POST`, …
    pub method: String,
    /// Service, path and query, e.g. `compute /v2/…/servers/detail?name=x`.
    pub path: String,
    /// The status of the answer; 0 when the connection was ended without one.
    pub status: u16,
}

/// A running cloud on loopback.
pub struct Lab {
    world: Arc<World>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Lab {
    /// Opens the listeners and starts answering. Unknown faults are [`io::ErrorKind::InvalidInput`].
    pub async fn start(options: LabOptions) -> io::Result<Self> {
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let world = cloud::start(options, &stop, &tasks).await?;
        Ok(Self { world, stop, tasks })
    }

    /// The `OS_*` variables to use it with. They hold the API password, which is random and good for this lab only.
    pub fn env(&self) -> Vec<(String, String)> {
        self.world.env()
    }

    /// The variables for an application credential instead of a password; `None` where the cloud has no v3.
    pub fn application_credential_env(&self) -> Option<Vec<(String, String)>> {
        self.world.application_credential_env()
    }

    /// Where Keystone is, as `OS_AUTH_URL` has it.
    pub fn auth_url(&self) -> String {
        self.world.auth_url()
    }

    /// What the project still has that was not there at the start, in the order in which it should be deleted.
    pub fn leftovers(&self) -> Vec<Leftover> {
        self.world.leftovers()
    }

    /// The images that the project made, oldest first.
    pub fn images(&self) -> Vec<CapturedImage> {
        self.world.captured_images()
    }

    /// Every secret that the lab's cloud knows: API password, credential secrets, all tokens and `adminPass` ever given
    /// out. For tests that look for them where they must not be.
    pub fn secrets(&self) -> Vec<String> {
        self.world.secrets()
    }

    /// All user data that servers were given, base64 undone. They may hold one-time passwords.
    pub fn user_data(&self) -> Vec<Vec<u8>> {
        self.world.user_data()
    }

    /// All requests so far, in order.
    pub fn requests(&self) -> Vec<Exchange> {
        self.world.requests()
    }

    /// How many requests there were so far.
    pub fn request_count(&self) -> usize {
        self.world.request_count()
    }

    /// All faults that can be armed: the cloud's and the guest's.
    pub fn known_faults() -> Vec<FaultInfo> {
        crate::faults::known()
    }

    /// Ends all connections and destroys all machines.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.world.destroy_machines();
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.stop.cancel();
        self.world.destroy_machines();
    }
}
