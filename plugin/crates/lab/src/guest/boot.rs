//! Starting up: the first boot of a generalized disk (specialize, OOBE, Cloudbase-Init) and every other boot.

use jiff::Timestamp;

use super::answer::{self, Answer};
use super::clone;
use super::cloudbase;
use super::files::Content;
use super::machine::{Event, Guest, State, WinRmState, after};
use super::provider::{PANTHER_ANSWER, SETUP_COMPLETE, new_sid};
use super::windows::{COMPLETE, GENERALIZED, SPECIALIZED, UNDEPLOYABLE};
use crate::faults::Faults;

/// Stages of a boot, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// windeploy starts the specialize pass.
    Specialize,
    /// Specialize is done; the machine restarts inside the first boot.
    Respecialized,
    /// The oobeSystem pass.
    Oobe,
    /// SetupComplete.cmd and the end of Setup.
    SetupComplete,
    /// http.sys answers, WinRM does not yet.
    Unavailable,
    /// WinRM answers.
    Up,
    /// WinRM answers for a while before it vanishes again.
    Early,
    /// WinRM vanishes again.
    Vanish,
    /// Cloudbase-Init's plugins up to user data.
    Plugins,
    /// User data, password and what follows.
    UserData,
    /// The specialize pass fails, and the machine restarts.
    Loop,
}

/// Setup's log on a clone.
pub(super) const UNATTEND_LOG: &str = "C:\\Windows\\Panther\\UnattendGC\\setupact.log";

/// Plans the boot of a machine that starts now.
pub fn begin(state: &mut State, at: Timestamp, faults: &Faults) {
    let slow = faults
        .armed("slow-boot")
        .and_then(|minutes| minutes.parse::<f64>().ok())
        .unwrap_or(0.0)
        * 60.0;
    if slow > 0.0 {
        state.live.say("Working on updates. Don't turn off your computer.");
    }
    if let Some(text) = faults.strike("clock-step") {
        let step = text.parse().unwrap_or(90.0);
        state.live.told_boot = after(at, step);
    }
    if state.disk.setup.failed {
        return stuck(state, RESTARTED);
    }
    if clone::begins_again(state, at, faults) {
        return;
    }
    match state.disk.setup.image_state {
        GENERALIZED => {
            let slow = slow + clone::slowness(state, faults);
            first(state, at, slow);
        }
        SPECIALIZED => plan(state, at, slow, &OOBE),
        UNDEPLOYABLE => stuck(state, RESTARTED),
        _ => usual(state, at, slow, faults),
    }
    if faults.strike("surprise-reboot").is_some() && state.disk.setup.image_state == COMPLETE {
        Guest::restart_in(state, after(at, slow), 240.0);
    }
    if faults.armed("eval-expired").is_some() {
        state.live.plan(after(at, 3600.0), Event::Down { restart: false });
    }
}

const RESTARTED: &str = "The computer restarted unexpectedly or encountered an unexpected error. Windows installation \
                         cannot proceed. To install Windows, click \"OK\" to restart the computer, and then restart \
                         the installation.";

/// What follows the restart inside the first boot.
const OOBE: [(f64, Stage); 2] = [(30.0, Stage::Oobe), (60.0, Stage::SetupComplete)];

fn first(state: &mut State, at: Timestamp, slow: f64) {
    state.live.say("Getting ready");
    state.disk.setup.image_state = UNDEPLOYABLE;
    state.disk.setup.generalization = 3;
    let stages = [(20.0, Stage::Specialize), (75.0, Stage::Respecialized)];
    plan(state, at, slow, &stages);
}

fn usual(state: &mut State, at: Timestamp, slow: f64, faults: &Faults) {
    state.live.say("Starting Windows");
    let early = faults.strike("early-winrm").is_some();
    if early {
        plan(state, at, 0.0, &[(25.0, Stage::Early), (35.0, Stage::Vanish)]);
    }
    let slow = if early { slow + 60.0 } else { slow };
    plan(state, at, slow, &[(32.0, Stage::Unavailable), (40.0, Stage::Up)]);
    if state.disk.cloudbase.present && state.disk.cloudbase.start == "Auto" {
        plan(state, at, slow, &[(50.0, Stage::Plugins), (55.0, Stage::UserData)]);
    }
}

/// Plans stages, all of them later by `slow` seconds.
pub(super) fn plan(state: &mut State, at: Timestamp, slow: f64, stages: &[(f64, Stage)]) {
    for (seconds, stage) in stages {
        state.live.plan(after(at, seconds + slow), Event::Boot(*stage));
    }
}

/// Setup waits for somebody to press a key.
pub(super) fn stuck(state: &mut State, dialog: &str) {
    state.live.say(dialog);
    state.live.stuck = Some(dialog.to_owned());
    state.history.push("setup failed".to_owned());
}

/// Carries a stage out.
pub fn carry_out(guest: &Guest, state: &mut State, at: Timestamp, what: Stage) {
    match what {
        Stage::Specialize => specialize(guest, state, at),
        Stage::Respecialized => respecialized(guest, state, at),
        Stage::Oobe => oobe(guest, state, at),
        Stage::SetupComplete => setup_complete(guest, state, at),
        Stage::Unavailable => state.live.winrm = WinRmState::Unavailable,
        Stage::Early => state.live.winrm = WinRmState::Up,
        Stage::Up => {
            state.live.winrm = WinRmState::Up;
            state.live.say("Press Ctrl+Alt+Delete to unlock.");
        }
        Stage::Vanish => vanish(state),
        Stage::Plugins => cloudbase::plugins(guest, state, at),
        Stage::UserData => cloudbase::user_data(guest, state, at),
        Stage::Loop => clone::fall(guest, state, at),
    }
}

/// The second phase of updates: connections break, the machine goes on starting.
fn vanish(state: &mut State) {
    state.live.winrm = WinRmState::Down;
    state.live.run.cancel();
    state.live.run = tokio_util::sync::CancellationToken::new();
}

/// The answer file of this boot, checked as Setup checks it.
fn answer(state: &State) -> Result<Answer, answer::Rejection> {
    let bytes = state.disk.files.content(PANTHER_ANSWER).and_then(Content::whole);
    bytes.map_or_else(
        || Ok(Answer::default()),
        |bytes| answer::check(bytes, state.disk.profile.build),
    )
}

fn specialize(guest: &Guest, state: &mut State, at: Timestamp) {
    let log = "[windeploy.exe] WinDeploy.exe launched with command-line []...\r\n[windeploy.exe] Found generalization \
               state [0x4], setup.exe completion flag [False] --> launching setup.exe.\r\n";
    state.disk.files.append(UNATTEND_LOG, log, at);
    let answer = match answer(state) {
        Ok(answer) => answer,
        Err(rejection) if rejection.oobe => Answer::default(),
        Err(rejection) => return rejected(state, at, &rejection),
    };
    let refused = guest.faults.strike("bad-answer-file");
    if let Some(kind) = refused.or_else(|| clone::fault(state, &guest.faults, "clone-bad-answer-file")) {
        return rejected(state, at, &answer::rejection_of_kind(&kind));
    }
    if let Some(breakdown) = clone::breakdown(state, &guest.faults, &answer) {
        return clone::broken(state, at, breakdown);
    }
    let before = (state.disk.machine_sid.clone(), state.disk.computer_name.clone());
    state.disk.machine_sid = new_sid();
    state.disk.computer_name = answer.computer_name.clone().unwrap_or_else(random_name);
    state.disk.oldest_event = at;
    state.history.push("specialize".to_owned());
    if answer.cloudbase_in_specialize && state.disk.cloudbase.present {
        state.disk.computer_name = guest.birth.name.chars().take(15).collect::<String>();
        extend(guest, state);
    }
    clone::keep_identity(state, before, &guest.faults);
}

/// Setup refuses the answer file: its logs, and the dialog.
pub(super) fn rejected(state: &mut State, at: Timestamp, rejection: &answer::Rejection) {
    let folder = if rejection.oobe { "UnattendGC\\" } else { "" };
    state.disk.files.append(
        &format!("C:\\Windows\\Panther\\{folder}setuperr.log"),
        &rejection.log(at),
        at,
    );
    state.disk.files.append(
        &format!("C:\\Windows\\Panther\\{folder}setupact.log"),
        &rejection.log(at),
        at,
    );
    give_up(state, &rejection.dialog);
}

/// Setup remembers that it has failed, and shows why.
pub(super) fn give_up(state: &mut State, dialog: &str) {
    state.disk.setup.failed = true;
    state.live.cancel(|event| matches!(event, Event::Boot(_)));
    stuck(state, dialog);
}

fn random_name() -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let bytes: [u8; 11] = rand::random();
    let letter = |byte: &u8| {
        LETTERS
            .get(usize::from(*byte) % LETTERS.len())
            .copied()
            .map_or('A', char::from)
    };
    format!("WIN-{}", bytes.iter().map(letter).collect::<String>())
}

/// C: grows into the free space that directly follows it.
pub fn extend(guest: &Guest, state: &mut State) {
    let whole = u64::from(guest.birth.disk_gb) << 30;
    let grown = whole.saturating_sub(100 << 20).max(state.disk.c_bytes);
    let kept = clone::fault(state, &guest.faults, "clone-disk-kept").is_some();
    if kept || guest.faults.armed("recovery-partition").is_some() {
        state.disk.unallocated = grown - state.disk.c_bytes;
    } else {
        state.disk.c_bytes = grown;
        state.disk.unallocated = 0;
    }
}

/// The restart inside the first boot; the machine's shells and connections do not outlive it.
fn respecialized(guest: &Guest, state: &mut State, at: Timestamp) {
    state.disk.boot_id += 1;
    state.live.run.cancel();
    state.live.run = tokio_util::sync::CancellationToken::new();
    state.live.booted = at;
    state.live.told_boot = at;
    state.disk.setup.image_state = SPECIALIZED;
    state.live.say("Getting devices ready");
    if !clone::answers_and_restarts(state, at, &guest.faults) {
        plan(state, at, 0.0, &OOBE);
    }
}

fn oobe(guest: &Guest, state: &mut State, at: Timestamp) {
    let bytes = state
        .disk
        .files
        .content(PANTHER_ANSWER)
        .and_then(Content::whole)
        .unwrap_or_default();
    let passwords = answer::check_passwords(bytes);
    let answer = match answer(state).and_then(|answer| passwords.map(|()| answer)) {
        Ok(answer) => answer,
        Err(rejection) => return rejected(state, at, &rejection),
    };
    let cloudbase = state.disk.cloudbase.present && state.disk.cloudbase.start != "Disabled";
    let page = answer
        .would_ask(state.disk.profile.desktop(), cloudbase)
        .map(ToOwned::to_owned);
    if let Some(page) = clone::asks(state, &guest.faults).or(page) {
        state.live.cancel(|event| matches!(event, Event::Boot(_)));
        return stuck(state, &format!("Setup waits for a person: {page}"));
    }
    apply(state, &answer);
    // A service that starts during OOBE looks too early: what it does is undone when Setup ends.
    if state.disk.cloudbase.present && state.disk.cloudbase.start == "Auto" {
        state.violation("Cloudbase-Init starts during OOBE: its service was left on automatic start");
        state.live.logins_refused = guest.faults.armed("cloudbase-race").is_some();
        cloudbase::plugins(guest, state, at);
    }
}

fn apply(state: &mut State, answer: &Answer) {
    let locale = &mut state.disk.locale;
    let pairs = [
        (&mut locale.system, &answer.system_locale),
        (&mut locale.user, &answer.user_locale),
        (&mut locale.ui, &answer.ui_language),
        (&mut locale.input, &answer.input_locale),
        (&mut locale.time_zone, &answer.time_zone),
    ];
    for (place, value) in pairs {
        if let Some(value) = value {
            place.clone_from(value);
        }
    }
    if let Some(password) = &answer.administrator_password {
        state.disk.put_user("Administrator", Some(password), &[]);
    }
    for (name, password) in &answer.local_accounts {
        state
            .disk
            .put_user(name, Some(password), &[super::windows::ADMINISTRATORS]);
    }
}

fn setup_complete(guest: &Guest, state: &mut State, at: Timestamp) {
    let script = state.disk.files.text(SETUP_COMPLETE).unwrap_or_default().to_lowercase();
    let starts = script.contains("cloudbase-init") && (script.contains("net start") || script.contains("sc start"));
    if script.contains("start= auto") && script.contains("cloudbase-init") {
        "Auto".clone_into(&mut state.disk.cloudbase.start);
        state.disk.put_service("cloudbase-init", "Auto", starts);
    }
    state.disk.setup = super::windows::Setup {
        tag: state.disk.setup.tag,
        ..super::windows::Setup::complete()
    };
    super::room::spoil(&mut state.disk, &guest.faults);
    state.history.push("setup complete".to_owned());
    state.live.say("Windows is ready");
    plan(state, at, 0.0, &[(5.0, Stage::Unavailable), (10.0, Stage::Up)]);
    if state.disk.cloudbase.present && starts {
        plan(state, at, 0.0, &[(20.0, Stage::Plugins), (35.0, Stage::UserData)]);
    } else if state.disk.cloudbase.present {
        state.live.say("cloudbase-init: the service does not start by itself");
    }
    if guest.faults.strike("early-winrm").is_some() {
        plan(state, at, 0.0, &[(12.0, Stage::Vanish), (60.0, Stage::Up)]);
    }
}
