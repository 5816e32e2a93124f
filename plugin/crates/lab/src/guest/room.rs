//! Makes machines: the lab's side of the border to the cloud.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reseal_machine::Clock;

use super::cloudbase;
use super::inspect::Inspect;
use super::machine::{Birth, Guest, Surroundings, Web};
use super::provider;
use super::windows::{ADMINISTRATORS, Appx, BitLocker, Setup, UNDEPLOYABLE, Windows};
use crate::faults::Faults;
use crate::room::{BootRequest, Disk, Machine, MachineRoom, Power};
use crate::winrm::Endpoint;
use crate::winrm::computer::Computer;
use crate::winrm::endpoint::PORTS;
use crate::winrm::engine::Engine;

/// How often another address is tried when one cannot be bound.
const TRIES: usize = 200;

/// How a room is to be.
pub struct RoomOptions {
    /// The lab's time.
    pub clock: Arc<dyn Clock>,
    /// What goes wrong.
    pub faults: Arc<Faults>,
    /// A real PowerShell engine in the place of the fake Windows' processes.
    pub powershell: Option<PathBuf>,
    /// Added to every WinRM answer, in real time.
    pub latency: Duration,
}

impl RoomOptions {
    /// A room without faults and latency.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            faults: Arc::new(Faults::default()),
            powershell: None,
            latency: Duration::ZERO,
        }
    }
}

/// All machines of a lab.
pub struct Room {
    options: RoomOptions,
    web: Arc<Web>,
    machines: Mutex<Vec<Arc<GuestMachine>>>,
}

/// One machine with its place on the network.
pub struct GuestMachine {
    guest: Arc<Guest>,
    ports: Vec<u16>,
    address: IpAddr,
    endpoint: Mutex<Option<Endpoint>>,
}

impl Room {
    /// An empty room.
    pub fn new(options: RoomOptions) -> Self {
        Self {
            options,
            web: Arc::default(),
            machines: Mutex::default(),
        }
    }

    /// The faults, to arm more of them.
    pub fn faults(&self) -> &Arc<Faults> {
        &self.options.faults
    }

    /// Puts something where the guests can download it (`fetch_url`). Everything else is out of their reach.
    pub fn offer(&self, url: &str, bytes: &[u8]) {
        self.web.offer(url, bytes);
    }

    /// The machines that are there, oldest first.
    pub fn machines(&self) -> Vec<Inspect> {
        self.lock()
            .iter()
            .map(|machine| Inspect::of_guest(&machine.guest))
            .collect()
    }

    /// Everything that clients did and may not do, on all machines.
    pub fn violations(&self) -> Vec<String> {
        self.machines()
            .into_iter()
            .flat_map(|machine| machine.violations)
            .collect()
    }

    /// A machine that is up already, past all of Setup, with one administrator and both listeners: for tests of
    /// clients that need no cloud.
    ///
    /// # Errors
    /// When no certificate can be made, or no address is free.
    pub fn standing(&self, image_name: &str, account: &str, password: &str) -> std::io::Result<Arc<GuestMachine>> {
        let now = self.options.clock.now();
        let mut disk = provider::disk(image_name, now);
        disk.setup = Setup::complete();
        disk.put_user(account, Some(password), &[ADMINISTRATORS]);
        disk.winrm.full_token = true;
        cloudbase::self_signed(&mut disk).map_err(std::io::Error::other)?;
        let birth = Birth {
            server_id: "standing".to_owned(),
            name: disk.computer_name.clone(),
            disk_gb: 50,
            user_data: None,
            public_keys: Vec::new(),
        };
        let machine = self.make(disk, birth, &PORTS);
        if machine.endpoint().is_none() {
            return Err(std::io::Error::from(std::io::ErrorKind::AddrNotAvailable));
        }
        machine.guest.stand();
        Ok(machine)
    }

    fn make(&self, disk: Windows, birth: Birth, open_ports: &[u16]) -> Arc<GuestMachine> {
        let surroundings = Surroundings {
            web: Arc::clone(&self.web),
            engine: self.options.powershell.as_ref().map(Engine::new),
            latency: self.options.latency,
        };
        let (clock, faults) = (Arc::clone(&self.options.clock), Arc::clone(&self.options.faults));
        let guest = Guest::new(disk, birth, clock, faults, surroundings);
        let ports: Vec<u16> = PORTS.into_iter().filter(|port| open_ports.contains(port)).collect();
        let (address, endpoint) = place(&guest, &ports);
        let machine = Arc::new(GuestMachine {
            guest,
            ports,
            address,
            endpoint: Mutex::new(endpoint),
        });
        self.lock().push(Arc::clone(&machine));
        machine
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<GuestMachine>>> {
        self.machines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Faults that are properties of a disk.
    fn damage(&self, disk: &mut Windows) {
        let armed = |name: &str| self.options.faults.armed(name);
        if let Some(full_name) = self.options.faults.strike("appx") {
            let usual = "Microsoft.Winget.Source_2024.506.2113.0_neutral__8wekyb3d8bbwe".to_owned();
            let full_name = if full_name.is_empty() { usual } else { full_name };
            let users = std::iter::once(format!("{}-500", disk.machine_sid)).collect();
            disk.appx.push(Appx {
                full_name,
                provisioned: false,
                users,
            });
        }
        if let Some(percent) = self.options.faults.strike("bitlocker") {
            disk.bitlocker = Some(BitLocker {
                conversion: 1,
                percent: percent.parse().unwrap_or(100),
            });
        }
        if armed("rearm-zero").is_some() {
            disk.license.rearm = 0;
        }
    }
}

impl MachineRoom for Room {
    fn boot(&self, request: BootRequest) -> Arc<dyn Machine> {
        let now = self.options.clock.now();
        let windows = request.disk.0.downcast_ref::<Windows>().cloned();
        let mut disk = windows.unwrap_or_else(|| provider::blank(now));
        self.damage(&mut disk);
        let birth = Birth {
            server_id: request.server_id,
            name: request.name,
            disk_gb: request.disk_gb,
            user_data: request.user_data,
            public_keys: request.public_keys,
        };
        let machine = self.make(disk, birth, &request.open_ports);
        machine.power_on();
        machine
    }

    fn provider_disk(&self, image_name: &str) -> Disk {
        Disk(Arc::new(provider::disk(image_name, self.options.clock.now())))
    }
}

/// Finds an address of 127.0.0.0/8 on which the ports are free. Where the host only has 127.0.0.1 (macOS without
/// aliases), one machine at a time is possible.
fn place(guest: &Arc<Guest>, ports: &[u16]) -> (IpAddr, Option<Endpoint>) {
    for attempt in 0..TRIES {
        let [b, c, d]: [u8; 3] = rand::random();
        let address = if attempt + 1 == TRIES {
            Ipv4Addr::LOCALHOST
        } else {
            Ipv4Addr::new(127, b.max(1), c, d.clamp(1, 254))
        };
        let address = IpAddr::V4(address);
        let computer: Arc<dyn Computer> = Arc::<Guest>::clone(guest);
        match Endpoint::bind(address, ports, computer) {
            Ok(endpoint) => return (address, Some(endpoint)),
            Err(error) => tracing::debug!(%address, %error, "Cannot serve a machine here"),
        }
    }
    tracing::warn!("Found no address for a machine: nobody will reach it");
    (IpAddr::V4(Ipv4Addr::LOCALHOST), None)
}

impl GuestMachine {
    fn endpoint(&self) -> MutexGuard<'_, Option<Endpoint>> {
        self.endpoint.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Machine for GuestMachine {
    fn power(&self) -> Power {
        self.guest.state().live.power
    }

    fn power_on(&self) {
        let now = self.guest.now();
        let mut state = self.guest.state();
        if state.live.power == Power::Off {
            state.start(now, &self.guest.faults);
        }
    }

    fn power_off(&self) {
        let now = self.guest.now();
        self.guest.state().stop(now);
    }

    fn address(&self) -> IpAddr {
        self.address
    }

    fn disk(&self) -> Disk {
        Disk(Arc::new(self.guest.state().disk.clone()))
    }

    fn posted_password(&self) -> Option<String> {
        self.guest.state().live.posted.clone()
    }

    fn console(&self) -> String {
        if self.guest.faults.armed("console-silent").is_some() {
            return String::new();
        }
        self.guest.state().live.serial.join("\n")
    }

    fn destroy(&self) {
        self.power_off();
        drop(self.endpoint().take());
    }
}

impl GuestMachine {
    /// Its state now.
    pub fn inspect(&self) -> Inspect {
        Inspect::of_guest(&self.guest)
    }

    /// SHA-256 of the certificate on 5986, in hex.
    pub fn thumbprint(&self) -> Option<String> {
        self.guest.state().disk.winrm.thumbprint.clone()
    }

    /// How many winrs shells are open.
    pub fn open_shells(&self) -> usize {
        self.endpoint().as_ref().map_or(0, Endpoint::open_shells)
    }

    /// The ports that are open to clients.
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }
}

/// Faults that show on the first boot of a machine.
pub fn spoil(disk: &mut Windows, faults: &Faults) {
    if faults.strike("previous-failure").is_some() {
        disk.setup = Setup {
            generalization: 3,
            ..disk.setup.clone()
        };
    }
    let disabled = [
        ("appx-service-disabled", "AppXSvc"),
        ("licensing-service-disabled", "sppsvc"),
        ("update-service-disabled", "wuauserv"),
        ("cryptography-disabled", "CryptSvc"),
    ];
    for (fault, service) in disabled {
        if faults.armed(fault).is_some() {
            disk.put_service(service, "Disabled", false);
        }
    }
    for (fault, service) in [
        ("search-running", "WSearch"),
        ("media-sharing-running", "WMPNetworkSvc"),
    ] {
        if faults.armed(fault).is_some() {
            disk.put_service(service, "AutoDelayed", true);
        }
    }
    match faults.strike("pending-reboot").as_deref() {
        Some("wu") => disk.pending.update = true,
        Some(_) => disk.pending.cbs = true,
        None => {}
    }
    debug_assert_ne!(disk.setup.image_state, UNDEPLOYABLE, "spoiled after Setup has ended");
}
