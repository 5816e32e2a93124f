//! One machine: its disk, what lives only while it runs, and the agenda by which time moves both.
//!
//! INVARIANT: nothing here waits. Whoever looks calls [`Guest::state`], which first carries out, in order, every event
//! that has fallen due.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reseal_machine::Clock;
use tokio_util::sync::CancellationToken;

use super::boot;
use super::ops::task::Task;
use super::process::SimProcess;
use super::sysprep;
use super::sysprep_log;
use super::windows::{ADMINISTRATORS, Windows};
use crate::faults::Faults;
use crate::room::Power;
use crate::winrm::computer::{Account, Computer, Listening, Policy, Process, StartCommand};
use crate::winrm::engine::Engine;
use crate::winrm::fault::Fault;

/// What will happen at a moment, if the machine is still running then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A stage of starting up.
    Boot(boot::Stage),
    /// Lines for sysprep's logs.
    SysprepLog(Vec<sysprep_log::Line>),
    /// A change of sysprep's state.
    Sysprep(sysprep::Step),
    /// The machine goes down, and up again if `restart`.
    Down {
        /// Whether it starts again.
        restart: bool,
    },
    /// Power is gone (a guest that has shut down, or a crash).
    Off,
    /// The bootstrap's task looks whether its listener is still there.
    Guard,
}

/// What WinRM does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WinRmState {
    /// Nothing listens.
    Down,
    /// http.sys answers 503.
    Unavailable,
    /// It works.
    Up,
}

/// What lives only while the machine runs.
pub struct Live {
    /// On or off.
    pub power: Power,
    /// Cancelled when this run of the machine ends.
    pub run: CancellationToken,
    /// When it started.
    pub booted: Timestamp,
    /// The boot time that the guest tells; differs by the fault `clock-step`.
    pub told_boot: Timestamp,
    /// Whether WinRM answers.
    pub winrm: WinRmState,
    /// Logins fail now.
    pub logins_refused: bool,
    /// The network is lost until then.
    pub network_lost_until: Option<Timestamp>,
    /// Scheduled tasks of this run, by name.
    pub tasks: BTreeMap<String, Task>,
    /// Sysprep of this run.
    pub sysprep: Option<sysprep::Run>,
    /// What stopped Setup: the dialog's text.
    pub stuck: Option<String>,
    /// `admin` password that was posted, encrypted.
    pub posted: Option<String>,
    /// What a person would see on the screen. No API shows it.
    pub screen: Vec<String>,
    /// What came out of the first serial port: the console's log of clouds that keep one.
    pub serial: Vec<String>,
    /// Windows Update's present round.
    pub update_round: u32,
    agenda: BTreeMap<(Timestamp, u64), Event>,
    sequence: u64,
}

/// What the cloud told the machine when it made it.
#[derive(Debug, Clone)]
pub struct Birth {
    /// The metadata instance id.
    pub server_id: String,
    /// The server's name.
    pub name: String,
    /// GB of the root volume.
    pub disk_gb: u32,
    /// User data, base64 undone.
    pub user_data: Option<Vec<u8>>,
    /// Imported public keys.
    pub public_keys: Vec<String>,
}

/// What a machine stands in.
#[derive(Debug, Default)]
pub struct Surroundings {
    /// What it can download.
    pub web: Arc<Web>,
    /// A real PowerShell engine in the place of its own processes.
    pub engine: Option<Engine>,
    /// Added to every WinRM answer, in real time.
    pub latency: Duration,
}

/// Disk and life together.
pub struct State {
    /// What survives power.
    pub disk: Windows,
    /// What does not.
    pub live: Live,
    /// Everything that a client did and no client may do.
    pub violations: Vec<String>,
    /// Everything that happened, for tests: `sysprep started`, `op install_msi`, …
    pub history: Vec<String>,
}

/// The part of the web that the lab's guests reach: addresses and what is there. Everything else is out of reach.
#[derive(Debug, Default)]
pub struct Web(Mutex<BTreeMap<String, Arc<[u8]>>>);

impl Web {
    /// Puts something at an address.
    pub fn offer(&self, url: &str, bytes: &[u8]) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(url.to_owned(), bytes.into());
    }

    /// What is at an address.
    pub fn get(&self, url: &str) -> Option<Arc<[u8]>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(url)
            .map(Arc::clone)
    }
}

/// One machine.
pub struct Guest {
    /// The lab's time.
    pub clock: Arc<dyn Clock>,
    /// What goes wrong.
    pub faults: Arc<Faults>,
    /// What the cloud said.
    pub birth: Birth,
    /// What the guest can download.
    pub web: Arc<Web>,
    state: Mutex<State>,
    engine: Option<Engine>,
    latency: Duration,
    itself: Weak<Self>,
}

/// `moment` plus `seconds`.
pub fn after(moment: Timestamp, seconds: f64) -> Timestamp {
    let span = SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::ZERO);
    moment.checked_add(span).unwrap_or(moment)
}

/// Only so many lines are kept.
fn push(lines: &mut Vec<String>, line: String) {
    lines.push(line);
    let extra = lines.len().saturating_sub(400);
    lines.drain(..extra);
}

/// What UEFI firmware writes on the serial port whenever it hands over to Windows.
const FIRMWARE: [&str; 2] = [
    "BdsDxe: loading Boot0001 \"Windows Boot Manager\" from HD(1,GPT)/\\EFI\\Microsoft\\Boot\\bootmgfw.efi",
    "BdsDxe: starting Boot0001 \"Windows Boot Manager\" from HD(1,GPT)/\\EFI\\Microsoft\\Boot\\bootmgfw.efi",
];

impl Live {
    fn off(now: Timestamp) -> Self {
        let run = CancellationToken::new();
        run.cancel();
        Self {
            power: Power::Off,
            run,
            booted: now,
            told_boot: now,
            winrm: WinRmState::Down,
            logins_refused: false,
            network_lost_until: None,
            tasks: BTreeMap::new(),
            sysprep: None,
            stuck: None,
            posted: None,
            screen: Vec::new(),
            serial: Vec::new(),
            update_round: 1,
            agenda: BTreeMap::new(),
            sequence: 0,
        }
    }

    /// Plans an event.
    pub fn plan(&mut self, at: Timestamp, event: Event) {
        self.sequence += 1;
        self.agenda.insert((at, self.sequence), event);
    }

    /// The moment of the next event.
    pub fn next_event(&self) -> Option<Timestamp> {
        self.agenda.keys().next().map(|(at, _)| *at)
    }

    /// When the machine will go down, if that is planned.
    pub fn down_at(&self) -> Option<Timestamp> {
        let down = |event: &Event| matches!(event, Event::Down { .. } | Event::Off);
        self.agenda
            .iter()
            .find(|(_, event)| down(event))
            .map(|((at, _), _)| *at)
    }

    /// Forgets that the machine was to go down.
    pub fn stay_up(&mut self) {
        self.cancel(|event| matches!(event, Event::Down { .. }));
    }

    /// Strikes planned events out.
    pub fn cancel(&mut self, which: impl Fn(&Event) -> bool) {
        self.agenda.retain(|_, event| !which(event));
    }

    /// Writes a line on the screen.
    pub fn say(&mut self, line: impl Into<String>) {
        push(&mut self.screen, line.into());
    }

    /// Sends a line out of the serial port. Windows itself never does; the firmware and Cloudbase-Init do.
    pub fn send(&mut self, line: impl Into<String>) {
        push(&mut self.serial, line.into());
    }

    fn due(&mut self, now: Timestamp) -> Option<(Timestamp, Event)> {
        let first = self.agenda.first_entry()?;
        let at = first.key().0;
        (at <= now).then(|| (at, first.remove()))
    }

    /// Ends this run: shells, connections and tasks go with it.
    fn end_run(&mut self, at: Timestamp) {
        self.run.cancel();
        self.winrm = WinRmState::Down;
        self.agenda.clear();
        self.tasks.values_mut().for_each(|task| task.interrupt(at));
        self.sysprep = None;
        self.network_lost_until = None;
    }
}

impl State {
    /// Records a violation once.
    pub fn violation(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.violations.contains(&what) && self.violations.len() < 1000 {
            self.violations.push(what);
        }
    }

    /// Starts the machine.
    pub fn start(&mut self, at: Timestamp, faults: &Faults) {
        self.live.end_run(at);
        self.live.power = Power::On;
        self.live.run = CancellationToken::new();
        self.live.booted = at;
        self.live.told_boot = at;
        self.disk.boot_id += 1;
        self.live.update_round = self
            .live
            .update_round
            .saturating_add(u32::from(self.disk.pending.update));
        self.disk.pending.update = false;
        self.disk.pending.cbs = false;
        self.disk.pending.renames.clear();
        self.history.push("boot".to_owned());
        if !self.disk.bootable {
            self.live.send("BdsDxe: No bootable option or device was found.");
            return;
        }
        if faults.armed("console-silent").is_none() {
            for line in FIRMWARE {
                self.live.send(line);
            }
        }
        boot::begin(self, at, faults);
    }

    /// Puts the build's listener back.
    fn guard(&mut self) {
        if let Some(guard) = &self.disk.guard {
            self.disk.winrm.https = Some(Arc::clone(&guard.https));
            self.disk.winrm.thumbprint = Some(guard.thumbprint.clone());
        }
    }

    /// Takes the power away.
    pub fn stop(&mut self, at: Timestamp) {
        if self.live.power == Power::On {
            self.history.push("power off".to_owned());
        }
        self.live.end_run(at);
        self.live.power = Power::Off;
    }
}

impl Guest {
    /// A machine that is off.
    pub fn new(
        disk: Windows,
        birth: Birth,
        clock: Arc<dyn Clock>,
        faults: Arc<Faults>,
        surroundings: Surroundings,
    ) -> Arc<Self> {
        let Surroundings { web, engine, latency } = surroundings;
        let live = Live::off(clock.now());
        let state = State {
            disk,
            live,
            violations: Vec::new(),
            history: Vec::new(),
        };
        Arc::new_cyclic(|itself| Self {
            clock,
            faults,
            birth,
            web,
            state: Mutex::new(state),
            engine,
            latency,
            itself: Weak::clone(itself),
        })
    }

    /// The present state: everything that has fallen due is done first.
    pub fn state(&self) -> MutexGuard<'_, State> {
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((at, event)) = state.live.due(now) {
            self.happen(&mut state, at, event);
        }
        state
    }

    /// Up at once, without a boot.
    pub fn stand(&self) {
        let now = self.clock.now();
        let mut state = self.state();
        state.live.power = Power::On;
        state.live.run = CancellationToken::new();
        (state.live.booted, state.live.told_boot) = (now, now);
        state.live.winrm = WinRmState::Up;
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn happen(&self, state: &mut State, at: Timestamp, event: Event) {
        match event {
            Event::Boot(what) => boot::carry_out(self, state, at, what),
            Event::SysprepLog(lines) => sysprep_log::log(state, at, &lines),
            Event::Sysprep(step) => sysprep::step(state, at, step, &self.faults),
            Event::Guard => state.guard(),
            Event::Off => state.stop(at),
            Event::Down { restart: true } => state.start(after(at, 5.0), &self.faults),
            Event::Down { restart: false } => {
                state.live.end_run(at);
                state.live.plan(after(at, 8.0), Event::Off);
            }
        }
    }

    /// A guest that is to start again after `seconds`.
    pub fn restart_in(state: &mut State, now: Timestamp, seconds: f64) {
        state.live.plan(after(now, seconds), Event::Down { restart: true });
    }
}

impl Computer for Guest {
    fn name(&self) -> String {
        self.state().disk.computer_name.clone()
    }

    fn filetime(&self) -> u64 {
        const SINCE_1601: u64 = 116_444_736_000_000_000;
        let ticks = self.now().as_nanosecond() / 100;
        u64::try_from(ticks).unwrap_or(0).saturating_add(SINCE_1601)
    }

    fn millis(&self) -> i64 {
        drop(self.state());
        self.now().as_millisecond()
    }

    fn listening(&self, port: u16) -> Listening {
        let now = self.now();
        let state = self.state();
        let lost = state.live.network_lost_until.is_some_and(|until| now < until);
        if state.live.power == Power::Off || lost || super::ops::firewall::shuts(&state.disk, port) {
            return Listening::Closed;
        }
        match (state.live.winrm, port) {
            (WinRmState::Unavailable, 5985) if state.disk.winrm.http => Listening::Unavailable,
            (WinRmState::Up, 5985) if state.disk.winrm.http => Listening::Http,
            (WinRmState::Up, 5986) => state
                .disk
                .winrm
                .https
                .clone()
                .map_or(Listening::Closed, Listening::Https),
            _ => Listening::Closed,
        }
    }

    fn refuses_logins(&self) -> bool {
        self.state().live.logins_refused
    }

    fn account(&self, name: &str, domain: &str) -> Option<Account> {
        let state = self.state();
        let local = domain.is_empty() || domain == "." || domain.eq_ignore_ascii_case(&state.disk.computer_name);
        // Clients that take the address or WORKGROUP for the domain are common; Windows falls back to local accounts.
        let local = local
            || !state
                .disk
                .users
                .contains_key(&format!("{domain}\\{name}").to_lowercase());
        let name = name.rsplit_once('\\').map_or(name, |(_, name)| name);
        let user = state.disk.user(name).filter(|user| local && user.enabled)?;
        let administrator = user.groups.contains(ADMINISTRATORS) && (user.rid == 500 || state.disk.winrm.full_token);
        Some(Account {
            name: user.name.clone(),
            sid: state.disk.sid(user),
            nt_hash: user.nt_hash?,
            administrator,
        })
    }

    fn policy(&self) -> Policy {
        let basic = self.state().disk.winrm.basic;
        let number = |fault: &str, usual: usize| {
            self.faults
                .armed(fault)
                .and_then(|text| text.parse().ok())
                .unwrap_or(usual)
        };
        let stock = Policy::default();
        Policy {
            basic,
            strict_bindings: self.faults.armed("strict-channel-bindings").is_some(),
            max_envelope_kb: number("envelope", stock.max_envelope_kb),
            max_shells: number("quota", stock.max_shells),
            max_operations: number("operations", stock.max_operations),
            ..stock
        }
    }

    fn run(&self) -> CancellationToken {
        self.state().live.run.clone()
    }

    fn start(&self, command: StartCommand) -> Result<Arc<dyn Process>, Fault> {
        if self.faults.strike("no-host-process").is_some() {
            return Err(Fault::windows(
                1018,
                "The WS-Management service could not launch a host process.",
            ));
        }
        if let Some(engine) = &self.engine {
            return engine.start(&command);
        }
        let itself = self
            .itself
            .upgrade()
            .ok_or_else(|| Fault::windows(1726, "The remote procedure call failed."))?;
        Ok(SimProcess::start(itself, command))
    }

    fn closes_idle_connections(&self) -> bool {
        self.faults.armed("idle-close").is_some()
    }

    fn nonce(&self) -> [u8; 8] {
        rand::random()
    }

    fn violation(&self, what: String) {
        self.state().violation(what);
    }

    fn latency(&self) -> Duration {
        self.latency
    }

    fn client_address(&self) -> IpAddr {
        IpAddr::from([127, 0, 0, 1])
    }
}
