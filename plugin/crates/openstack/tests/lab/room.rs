//! Machines without a Windows: power, an address, nothing else.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use reseal_lab::clock::JumpClock;
use reseal_lab::room::{BootRequest, Disk, Machine, MachineRoom, Power};
use reseal_lab::{Lab, LabOptions, Mode};
use reseal_machine::Clock;
use reseal_machine::cloud::Dialect;
use reseal_openstack::{Credentials, OpenStack, OpenStackConfig};

/// One machine.
struct Shell {
    on: AtomicBool,
    disk: Disk,
}

impl Machine for Shell {
    fn power(&self) -> Power {
        if self.on.load(Ordering::SeqCst) {
            Power::On
        } else {
            Power::Off
        }
    }

    fn power_on(&self) {
        self.on.store(true, Ordering::SeqCst);
    }

    fn power_off(&self) {
        self.on.store(false, Ordering::SeqCst);
    }

    fn address(&self) -> IpAddr {
        Ipv4Addr::LOCALHOST.into()
    }

    fn disk(&self) -> Disk {
        self.disk.clone()
    }

    fn posted_password(&self) -> Option<String> {
        Some("cGFzc3dvcmQ=".to_owned())
    }

    fn console(&self) -> String {
        String::new()
    }

    fn destroy(&self) {}
}

/// Remembers its machines, so that a test can play the guest that shuts itself down.
#[derive(Default)]
pub(crate) struct Room {
    machines: Mutex<Vec<Arc<Shell>>>,
    pub(crate) booted: Mutex<Vec<BootRequest>>,
}

impl Room {
    pub(crate) fn guests_shut_down(&self) {
        self.machines
            .lock()
            .unwrap()
            .iter()
            .for_each(|machine| machine.power_off());
    }
}

impl MachineRoom for Room {
    fn boot(&self, request: BootRequest) -> Arc<dyn Machine> {
        let machine = Arc::new(Shell {
            on: AtomicBool::new(true),
            disk: request.disk.clone(),
        });
        self.machines.lock().unwrap().push(Arc::clone(&machine));
        self.booted.lock().unwrap().push(request);
        machine
    }

    fn provider_disk(&self, _image_name: &str) -> Disk {
        Disk(Arc::new(()))
    }
}

/// A lab, its room, and its time.
pub(crate) struct Site {
    pub(crate) lab: Lab,
    pub(crate) room: Arc<Room>,
    pub(crate) clock: Arc<JumpClock>,
    mode: Mode,
}

impl Site {
    pub(crate) async fn open(mode: Mode, faults: &[&str]) -> Self {
        let start: Timestamp = "2026-11-22T03:00:00Z".parse().unwrap();
        let clock = Arc::new(JumpClock::new(start));
        let room = Arc::<Room>::default();
        let mut options = LabOptions::new(mode, Arc::<JumpClock>::clone(&clock), Arc::<Room>::clone(&room));
        options.faults = faults.iter().map(|fault| (*fault).to_owned()).collect();
        Self {
            lab: Lab::start(options).await.unwrap(),
            room,
            clock,
            mode,
        }
    }

    pub(crate) fn config(&self, env: Vec<(String, String)>) -> OpenStackConfig {
        let env: BTreeMap<_, _> = env.into_iter().collect();
        let credentials = Credentials::resolve(&|name| env.get(name).cloned(), &|_| None, None).unwrap();
        let dialect = match self.mode {
            Mode::Nhn => Dialect::Nhn,
            Mode::Openstack => Dialect::Openstack,
        };
        OpenStackConfig::new(
            credentials,
            dialect,
            Arc::<JumpClock>::clone(&self.clock),
            Arc::new(uuid::Uuid::nil),
        )
    }

    pub(crate) async fn connect(&self) -> OpenStack {
        OpenStack::connect(self.config(self.lab.env())).await.unwrap()
    }

    pub(crate) async fn wait(&self, seconds: u64) {
        self.clock.sleep(std::time::Duration::from_secs(seconds)).await;
    }
}
