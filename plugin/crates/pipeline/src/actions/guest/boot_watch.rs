//! What is seen of a first boot from outside and from inside, and what it means: a boot loop, a machine that stopped, one
//! that is slow, a door that stays closed.
//!
//! Everything here is a function of what was seen and when; nothing is asked.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reseal_guest::system::FirstBootState;
use reseal_machine::CommError;
use reseal_machine::cloud::{Observed, Server, ServerStatus};
use reseal_machine::communicator::Probe;

use super::reboot::is_new;

/// A first boot restarts one to three times. So many restarts are a loop when the time is over …
const MANY: u32 = 5;
/// … and so many when it is not: waiting longer would show the same again.
const ENDLESS: u32 = 10;
/// Looks in a row at which the machine must be off: a cloud may show a restart as a moment of being off.
const OFF_LOOKS: u32 = 4;
/// A door that is open may refuse for so long: Windows makes the account, and user data the certificate, late.
const PATIENCE: Duration = Duration::from_mins(15);
/// Something that changed within this time is at work.
const RECENT: Duration = Duration::from_mins(10);

/// What the firmware writes on the console whenever it starts the system.
const BANNERS: [&str; 4] = [
    "BdsDxe: starting Boot",
    "SeaBIOS (version",
    "Booting from Hard Disk",
    "iPXE (http",
];

/// What one look at the guest's door showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sight {
    /// Nobody answers.
    Silent(String),
    /// Somebody answers, but WinRM does not work yet.
    NotReady(String),
    /// The certificate is another.
    Untrusted(String),
    /// The account is refused, or there is no password yet.
    Refused(String),
    /// The guest answers.
    Answers(Probe),
}

impl Sight {
    /// What a failed probe means.
    pub(super) fn of(error: &CommError) -> Self {
        let text = error.to_string();
        match error {
            CommError::Auth(_) => Self::Refused(text),
            CommError::Tls(_) => Self::Untrusted(text),
            CommError::Unreachable(_) | CommError::Lost { .. } => Self::Silent(text),
            _ => Self::NotReady(text),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Silent(text) | Self::NotReady(text) | Self::Untrusted(text) | Self::Refused(text) => text.clone(),
            Self::Answers(probe) => format!("{} answers, booted {}", probe.computer_name, probe.boot_time),
        }
    }

    fn is_open(&self) -> bool {
        !matches!(self, Self::Silent(_))
    }

    fn same_kind(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// What became of a first boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// The machine is off.
    Off,
    /// The cloud gave it up, or it is gone.
    Lost,
    /// It restarts again and again.
    Loop,
    /// The door is open and the account is refused.
    Refused,
    /// The door is open and its certificate is a stranger's.
    Untrusted,
    /// Windows answers, and Setup has not finished.
    Unfinished,
    /// Nothing moves any more.
    Stopped,
    /// It was still at work.
    Slow,
    /// Nothing was seen that could tell.
    Unknown,
}

/// Everything that was seen.
pub(super) struct Watch {
    begun: Timestamp,
    now: Timestamp,
    changed: Timestamp,
    sight: Option<Sight>,
    since: Timestamp,
    last_probe: Option<(Timestamp, Probe)>,
    boots: u32,
    vanished: u32,
    server: String,
    off: u32,
    lost: Option<String>,
    console: Option<String>,
    banners: u32,
    console_moved: Option<Timestamp>,
    state: Option<FirstBootState>,
}

impl Watch {
    /// Nothing seen yet.
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            begun: now,
            now,
            changed: now,
            sight: None,
            since: now,
            last_probe: None,
            boots: 0,
            vanished: 0,
            server: "not asked".to_owned(),
            off: 0,
            lost: None,
            console: None,
            banners: 0,
            console_moved: None,
            state: None,
        }
    }

    /// A look at the door.
    pub(super) fn saw(&mut self, now: Timestamp, sight: Sight) {
        self.now = now;
        let before = self.sight.replace(sight.clone());
        if !before.as_ref().is_some_and(|before| before.same_kind(&sight)) {
            (self.since, self.changed) = (now, now);
            self.vanished += u32::from(before.is_some_and(|before| before.is_open()) && !sight.is_open());
        }
        if let Sight::Answers(probe) = sight {
            let new = self.last_probe.as_ref().is_none_or(|(_, last)| is_new(last, &probe));
            if new {
                self.boots += 1;
                self.changed = now;
            }
            self.last_probe = Some((now, probe));
        }
    }

    /// A look at the machine from outside.
    pub(super) fn saw_server(&mut self, seen: &Observed<Server>) {
        let Observed::Present(server) = seen else {
            self.lost = Some("the machine is gone".to_owned());
            return;
        };
        let task = server.task_state.as_deref().unwrap_or("no task");
        let power = server
            .power_state
            .map_or("unknown".to_owned(), |state| state.to_string());
        self.server = format!("{}, {task}, power state {power}", word(&server.status));
        let off = server.status == ServerStatus::Shutoff && server.task_state.is_none();
        self.off = if off { self.off + 1 } else { 0 };
        if server.status == ServerStatus::Error {
            self.lost = Some(
                server
                    .fault
                    .clone()
                    .unwrap_or_else(|| "the cloud gives no reason".to_owned()),
            );
        }
    }

    /// A look at the console; `None` when the cloud keeps none.
    pub(super) fn saw_console(&mut self, now: Timestamp, text: Option<String>) {
        let Some(text) = text else { return };
        if self.console.as_ref() != Some(&text) {
            self.console_moved = Some(now);
            self.changed = now;
        }
        let most = BANNERS
            .iter()
            .map(|banner| text.matches(banner).count())
            .max()
            .unwrap_or(0);
        self.banners = self.banners.max(u32::try_from(most).unwrap_or(u32::MAX));
        self.console = Some(text);
    }

    /// How far the guest itself says it has come.
    pub(super) fn saw_state(&mut self, state: FirstBootState) {
        if self.state.as_ref().map(|last| &last.image_state) != Some(&state.image_state) {
            self.changed = self.now;
        }
        self.state = Some(state);
    }

    /// Whether the guest has ever answered.
    pub(super) fn has_answered(&self) -> bool {
        self.last_probe.is_some()
    }

    /// The console's text, where there was any.
    pub(super) fn console(&self) -> Option<&str> {
        self.console.as_deref().filter(|text| !text.trim().is_empty())
    }

    /// Restarts that were seen: each way of seeing misses some, so the one that saw most counts.
    fn restarts(&self) -> u32 {
        self.boots
            .saturating_sub(1)
            .max(self.banners.saturating_sub(1))
            .max(self.vanished)
    }

    /// What need not be waited for any longer.
    pub(super) fn hopeless(&self) -> Option<Fate> {
        let stays = span(self.since, self.now) >= PATIENCE;
        match &self.sight {
            _ if self.lost.is_some() => Some(Fate::Lost),
            _ if self.off >= OFF_LOOKS => Some(Fate::Off),
            _ if self.restarts() >= ENDLESS => Some(Fate::Loop),
            Some(Sight::Refused(_)) if stays => Some(Fate::Refused),
            Some(Sight::Untrusted(_)) if stays => Some(Fate::Untrusted),
            _ => None,
        }
    }

    /// What it was when the time is over.
    pub(super) fn fate(&self) -> Fate {
        let moving = span(self.changed, self.now) < RECENT;
        match &self.sight {
            _ if self.hopeless().is_some() => self.hopeless().unwrap_or(Fate::Unknown),
            _ if self.restarts() >= MANY => Fate::Loop,
            Some(Sight::Answers(_)) => Fate::Unfinished,
            Some(Sight::Refused(_)) => Fate::Refused,
            Some(Sight::Untrusted(_)) => Fate::Untrusted,
            _ if moving => Fate::Slow,
            _ if self.console().is_some() || self.has_answered() || self.vanished > 0 => Fate::Stopped,
            _ => Fate::Unknown,
        }
    }

    /// The last thing seen, for a waiting person.
    pub(super) fn last(&self) -> String {
        let restarts = match self.restarts() {
            0 => String::new(),
            1 => ", 1 restart so far".to_owned(),
            many => format!(", {many} restarts so far"),
        };
        let state = self.state.as_ref().filter(|_| self.has_answered());
        let seen = match (&self.sight, state) {
            (Some(Sight::Answers(_)), Some(state)) => progress(state),
            (Some(sight), _) => sight.text(),
            (None, _) => "nothing yet".to_owned(),
        };
        format!("{seen}{restarts}")
    }

    /// The evidence, line by line.
    pub(super) fn evidence(&self) -> Vec<String> {
        let mut lines = vec![
            format!("after {}: {}", long(span(self.begun, self.now)), self.last()),
            format!(
                "restarts seen: {} ({} by boot time, {} on the console, the connection came and went {} times)",
                self.restarts(),
                self.boots.saturating_sub(1),
                self.banners.saturating_sub(1),
                self.vanished
            ),
            format!("the cloud says: {}", self.server),
            self.door(),
        ];
        lines.extend(self.lost.clone().map(|why| format!("the cloud's reason: {why}")));
        lines.push(self.console_line());
        let errors = self.state.iter().flat_map(|state| &state.setup_errors);
        lines.extend(errors.map(|path| format!("Setup wrote errors to {path}")));
        lines
    }

    fn door(&self) -> String {
        match &self.last_probe {
            None => "WinRM never answered as our account".to_owned(),
            Some((at, probe)) => format!(
                "WinRM last answered {} ago: {}, booted {} (up {})",
                long(span(*at, self.now)),
                probe.computer_name,
                probe.boot_time,
                uptime(probe, *at).map_or("unknown".to_owned(), long)
            ),
        }
    }

    fn console_line(&self) -> String {
        match (self.console(), self.console_moved) {
            (Some(text), Some(moved)) => {
                let last = text
                    .lines()
                    .rev()
                    .find(|line| !line.trim().is_empty())
                    .unwrap_or_default();
                format!(
                    "the console last moved {} ago: {}",
                    long(span(moved, self.now)),
                    last.trim()
                )
            }
            _ => "the cloud shows no console output".to_owned(),
        }
    }
}

fn progress(state: &FirstBootState) -> String {
    if !state.is_complete() {
        return format!("Setup is at {}", state.image_state);
    }
    match state.cloudbase.start_mode.as_deref() {
        Some(mode) if !state.cloudbase.plugins_done => {
            format!("Setup is done, Cloudbase-Init is not (start type {mode})")
        }
        _ => "Setup is done".to_owned(),
    }
}

fn word(status: &ServerStatus) -> &str {
    match status {
        ServerStatus::Build => "BUILD",
        ServerStatus::Active => "ACTIVE",
        ServerStatus::Shutoff => "SHUTOFF",
        ServerStatus::Error => "ERROR",
        ServerStatus::Deleted => "DELETED",
        ServerStatus::Other(word) => word,
    }
}

fn span(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or(Duration::ZERO)
}

/// By the guest's boot time and our clock: a guest whose clock is wrong says so by an odd number.
fn uptime(probe: &Probe, at: Timestamp) -> Option<Duration> {
    let booted: Timestamp = probe.boot_time.parse().ok()?;
    Duration::try_from(at.duration_since(booted)).ok()
}

/// A length in whole seconds, as a person says it.
fn long(length: Duration) -> String {
    format!(
        "{:#}",
        SignedDuration::from_secs(i64::try_from(length.as_secs()).unwrap_or(i64::MAX))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = "2026-11-22T03:00:00Z";

    fn at(seconds: i64) -> Timestamp {
        let start: Timestamp = START.parse().unwrap();
        start + SignedDuration::from_secs(seconds)
    }

    fn silent() -> Sight {
        Sight::Silent("connection refused".to_owned())
    }

    fn answers(boot: u64) -> Sight {
        Sight::Answers(Probe {
            boot_time: START.to_owned(),
            boot_id: Some(boot),
            computer_name: "clone".to_owned(),
        })
    }

    fn console(watch: &mut Watch, seconds: i64, boots: usize) {
        let text = "BdsDxe: starting Boot0001 \"Windows Boot Manager\"\n".repeat(boots);
        watch.saw_console(at(seconds), Some(text));
    }

    #[test]
    fn a_loop_is_seen_on_the_console_long_before_the_limit() {
        let mut watch = Watch::new(at(0));
        for round in 0..11 {
            assert_eq!(watch.hopeless(), None, "{round}");
            let seconds = i64::from(round) * 40;
            console(&mut watch, seconds, usize::try_from(round).unwrap() + 1);
            watch.saw(at(seconds), silent());
        }
        assert_eq!(watch.hopeless(), Some(Fate::Loop));
        assert!(
            watch.evidence().concat().contains("10 on the console"),
            "{:?}",
            watch.evidence()
        );
    }

    #[test]
    fn a_loop_is_seen_by_boots_and_by_doors_that_close() {
        let mut watch = Watch::new(at(0));
        for boot in 0..6 {
            watch.saw(at(60 * i64::try_from(boot).unwrap()), answers(boot));
        }
        assert_eq!((watch.hopeless(), watch.fate()), (None, Fate::Loop));
        let mut watch = Watch::new(at(0));
        for round in 0..5 {
            watch.saw(at(round * 100), Sight::NotReady("503".to_owned()));
            watch.saw(at(round * 100 + 50), silent());
        }
        assert_eq!(watch.fate(), Fate::Loop);
    }

    #[test]
    fn three_restarts_are_a_usual_first_boot() {
        let mut watch = Watch::new(at(0));
        console(&mut watch, 100, 4);
        watch.saw(at(110), answers(4));
        assert_eq!((watch.hopeless(), watch.fate()), (None, Fate::Unfinished));
    }

    #[test]
    fn slow_stopped_and_unknown_differ_by_what_moved() {
        let mut watch = Watch::new(at(0));
        watch.saw(at(0), silent());
        console(&mut watch, 0, 1);
        watch.saw(at(1800), silent());
        assert_eq!(watch.fate(), Fate::Stopped);
        console(&mut watch, 1700, 2);
        assert_eq!(watch.fate(), Fate::Slow);
        let mut blind = Watch::new(at(0));
        blind.saw(at(0), silent());
        blind.saw_console(at(5), None);
        blind.saw(at(1800), silent());
        assert_eq!(blind.fate(), Fate::Unknown);
    }

    #[test]
    fn a_door_that_refuses_is_believed_after_a_while() {
        let mut watch = Watch::new(at(0));
        let refused = || Sight::Refused("401".to_owned());
        watch.saw(at(0), refused());
        watch.saw(at(600), refused());
        assert_eq!(watch.hopeless(), None);
        watch.saw(at(700), silent());
        watch.saw(at(800), refused());
        watch.saw(at(1600), refused());
        assert_eq!(watch.hopeless(), None, "it was closed in between");
        watch.saw(at(1700), refused());
        assert_eq!(watch.hopeless(), Some(Fate::Refused));
    }

    #[test]
    fn a_machine_is_off_only_when_it_stays_off() {
        let server = |status: ServerStatus| {
            Observed::Present(Server {
                id: reseal_machine::ServerId::new("s"),
                name: "s".to_owned(),
                status,
                task_state: None,
                power_state: Some(4),
                addresses: vec![],
                metadata: std::collections::BTreeMap::default(),
                fault: None,
            })
        };
        let mut watch = Watch::new(at(0));
        for _ in 0..3 {
            watch.saw_server(&server(ServerStatus::Shutoff));
        }
        watch.saw_server(&server(ServerStatus::Active));
        assert_eq!(watch.hopeless(), None);
        for _ in 0..4 {
            watch.saw_server(&server(ServerStatus::Shutoff));
        }
        assert_eq!(watch.hopeless(), Some(Fate::Off));
        watch.saw_server(&Observed::Gone);
        assert_eq!(watch.hopeless(), Some(Fate::Lost));
    }
}
