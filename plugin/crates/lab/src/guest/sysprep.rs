//! Sysprep and its wrapper, step by step on the lab's time, with the log lines of the real one.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::breakdowns::{self, When};
use super::files::{Content, key};
use super::machine::{Event, State, after};
use super::provider::PANTHER_ANSWER;
use super::sysprep_log::{
    Line, accepted, banner, cleanup_execution, cleanup_validation, error, executing, foot, generalize_execution,
    generalize_validation, info, log, progress, tagged,
};
use super::windows::{GENERALIZED, SPECIALIZED, Setup, UNDEPLOYABLE};
use crate::faults::Faults;

/// Sysprep's log.
pub const ACT: &str = "C:\\Windows\\System32\\Sysprep\\Panther\\setupact.log";
/// The errors of it.
pub const ERR: &str = "C:\\Windows\\System32\\Sysprep\\Panther\\setuperr.log";
/// The proof that it came to its end.
pub const TAG: &str = "C:\\Windows\\System32\\Sysprep\\Sysprep_succeeded.tag";

/// `LicenseStatus` "Notification": a key, and no activation.
const NOT_ACTIVATED: u32 = 5;

/// What the wrapper was told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The build.
    pub run: String,
    /// The answer file.
    pub answer_file: String,
    /// The limit of sysprep itself.
    pub timeout_seconds: f64,
    /// How long the proofs are waited for.
    #[serde(default = "a_minute")]
    pub verify_seconds: f64,
    /// How long the proofs stand before the machine goes on by itself.
    pub linger_seconds: f64,
    /// What to delete afterwards.
    pub delete: Vec<String>,
    /// The account to remove.
    pub build_account: Option<String>,
    /// Where the bootstrap noted what it changed.
    pub undo_key: String,
    /// Whether to shut down at the end.
    pub shutdown: bool,
    /// `/mode:vm`.
    pub mode_vm: bool,
}

fn a_minute() -> f64 {
    60.0
}

/// Steps of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Reads its command line.
    Parse,
    /// Looks for what would make it fail.
    Validate,
    /// Begins to change things.
    Execute,
    /// The network is torn down for a while.
    Network,
    /// Has changed everything.
    Finish,
    /// The wrapper looks for the proofs.
    Verify,
    /// The wrapper removes what the build left.
    Clean,
    /// The wrapper shuts the machine down.
    ShutDown,
    /// The wrapper's patience ends.
    Timeout,
}

/// A run.
#[derive(Debug, Clone)]
pub struct Run {
    /// The scheduled task.
    pub task: String,
    /// The wrapper's folder.
    pub work: String,
    /// What it was told.
    pub settings: Settings,
    /// The wrapper's phase.
    pub phase: &'static str,
    /// Since when.
    pub since: Timestamp,
    /// When sysprep was started.
    pub started: Timestamp,
    /// Sysprep's exit code.
    pub exit_code: Option<i32>,
    /// Why it failed, as a word.
    pub reason: Option<String>,
    /// Whether `sysprep.exe` runs.
    pub running: bool,
}

/// Plans a run.
pub fn begin(state: &mut State, at: Timestamp, task: &str, work: &str, settings: Settings) {
    let timeout = settings.timeout_seconds;
    state.history.push("sysprep started".to_owned());
    state.live.sysprep = Some(Run {
        task: task.to_owned(),
        work: work.to_owned(),
        settings,
        phase: "starting",
        since: at,
        started: at,
        exit_code: None,
        reason: None,
        running: false,
    });
    state.live.plan(after(at, 2.0), Event::Sysprep(Step::Parse));
    state.live.plan(after(at, 2.0 + timeout), Event::Sysprep(Step::Timeout));
}

fn phase(state: &mut State, at: Timestamp, phase: &'static str) {
    if let Some(run) = &mut state.live.sysprep {
        run.phase = phase;
        run.since = at;
        let path = format!("{}\\status.json", run.work);
        let status = json!({"phase": phase, "utc": at.to_string()}).to_string();
        state.disk.files.write_text(&path, &status, at);
    }
}

fn plan(state: &mut State, at: Timestamp, seconds: f64, step: Step) {
    state.live.plan(after(at, seconds), Event::Sysprep(step));
}

/// Carries a step out.
pub fn step(state: &mut State, at: Timestamp, step: Step, faults: &Faults) {
    if state.live.sysprep.is_none() {
        return;
    }
    match step {
        Step::Parse => parse(state, at, faults),
        Step::Validate => validate(state, at, faults),
        Step::Execute => execute(state, at, faults),
        Step::Network => network(state, at, faults),
        Step::Finish => finish(state, at, faults),
        Step::Verify => verify(state, at),
        Step::Clean => clean(state, at),
        Step::ShutDown => shut_down(state, at, faults),
        Step::Timeout => timeout(state, at),
    }
}

fn parse(state: &mut State, at: Timestamp, faults: &Faults) {
    let Some(run) = &mut state.live.sysprep else { return };
    run.running = true;
    run.started = at;
    let (answer, mode_vm) = (run.settings.answer_file.clone(), run.settings.mode_vm);
    state.disk.setup.tag = None;
    state.disk.files.remove(TAG);
    phase(state, at, "generalizing");
    log(state, at, &banner(at));
    if let Some(lines) = breakdowns::at(When::Start, state, faults) {
        log(state, at, &lines);
        return fail(state, at, 1);
    }
    log(state, at, &accepted(mode_vm));
    if let Some(complaint) = misread(state, &answer, faults) {
        log(state, at, &complaint);
        return fail(state, at, 1);
    }
    if faults.armed("modal").is_none() {
        plan(state, at, 1.0, Step::Validate);
    }
}

/// What is wrong with the command line.
fn misread(state: &State, answer: &str, faults: &Faults) -> Option<Vec<Line>> {
    if answer.contains(' ') || faults.armed("bad-args").is_some() {
        return Some(vec![
            error("ParseCommands:Malformed command line detected; no dash or slash present in option"),
            error("WinMain: Unable to parse command-line arguments to sysprep; GLE = 0x0"),
        ]);
    }
    let missing = state.disk.files.content(answer).is_none();
    missing.then(|| vec![error("ParseCommands:The answer file cannot be found; GLE = 0x2")])
}

/// Fails with the lines of what breaks down at this point. Says whether it did.
fn breaks(state: &mut State, at: Timestamp, when: When, faults: &Faults) -> bool {
    let lines = breakdowns::at(when, state, faults);
    if let Some(lines) = &lines {
        log(state, at, lines);
        fail(state, at, 31);
    }
    lines.is_some()
}

fn validate(state: &mut State, at: Timestamp, faults: &Faults) {
    log(state, at, &cleanup_validation());
    if faults.armed("hang-validate").is_some() || breaks(state, at, When::CleanupValidation, faults) {
        return;
    }
    log(state, at, &generalize_validation());
    if !breaks(state, at, When::GeneralizeValidation, faults) {
        plan(state, at, 2.0, Step::Execute);
    }
}

fn execute(state: &mut State, at: Timestamp, faults: &Faults) {
    let idle = ["false-ok", "stale-success", "sysprep-reseals-only"];
    if idle.into_iter().any(|fault| faults.armed(fault).is_some()) {
        return pretend(state, at, faults);
    }
    state.disk.setup.image_state = UNDEPLOYABLE;
    state.disk.setup.generalization = 3;
    log(state, at, &cleanup_execution());
    if breaks(state, at, When::Cleanup, faults) {
        return;
    }
    log(state, at, &generalize_execution());
    if let Some(last) = hangs(state, faults) {
        return log(state, at, &[last]);
    }
    if breaks(state, at, When::Generalize, faults) {
        return;
    }
    if faults.armed("killed-with-shell").is_some() {
        return killed(state, at);
    }
    if faults.strike("surprise-off").is_some() {
        state.live.plan(after(at, 20.0), Event::Off);
    }
    for (seconds, line) in progress() {
        state.live.plan(after(at, seconds), Event::SysprepLog(vec![line]));
    }
    plan(state, at, 30.0, Step::Network);
    plan(state, at, 72.0, Step::Finish);
}

/// The last line of a run that never ends.
fn hangs(state: &State, faults: &Faults) -> Option<Line> {
    let updates = state.disk.services.get("wuauserv");
    if faults.armed("hang-pnp").is_some() {
        Some(executing("Sysprep_Generalize_Pnp", "sppnp.dll"))
    } else if faults.armed("hang-update-service").is_some() || updates.is_some_and(|one| one.start == "Disabled") {
        Some(executing("GeneralizeForImaging", "wuaueng.dll"))
    } else {
        faults.armed("hang-cloud-agent").map(|_| {
            info("RunExternalDlls:Found 'C:\\Windows\\System32\\VMAgentDisabler.dll,SysprepProviderEntryPoint'; executing it")
        })
    }
}

/// Nobody is left to write that the log ends.
fn killed(state: &mut State, at: Timestamp) {
    log(
        state,
        at,
        &[executing("Sysprep_Generalize_MountedDevices", "setupcln.dll")],
    );
    end(state, at, -1_073_741_510);
    verify_later(state, at);
}

/// Sysprep that says that it succeeded and did nothing.
fn pretend(state: &mut State, at: Timestamp, faults: &Faults) {
    if faults.armed("stale-success").is_some() {
        state.disk.files.write_text(TAG, "", after(at, -86_400.0));
        state.disk.setup.tag = Some(after(at, -86_400.0));
    }
    if faults.armed("sysprep-reseals-only").is_some() {
        state.disk.setup.image_state = SPECIALIZED;
        state.disk.files.write_text(TAG, "", at);
        state.disk.setup.tag = Some(at);
        log(state, at, &[tagged()]);
        log(state, at, &foot(at));
    }
    end(state, at, 0);
    verify_later(state, at);
}

/// Generalizing resets parts of the network: connections break, and nothing answers for some seconds.
fn network(state: &mut State, at: Timestamp, faults: &Faults) {
    let seconds = faults
        .armed("winrm-drops")
        .and_then(|text| text.parse().ok())
        .unwrap_or(12.0);
    state.live.run.cancel();
    state.live.run = tokio_util::sync::CancellationToken::new();
    state.live.network_lost_until = Some(after(at, seconds));
}

fn finish(state: &mut State, at: Timestamp, faults: &Faults) {
    let answer = state
        .live
        .sysprep
        .as_ref()
        .map(|run| run.settings.answer_file.clone())
        .unwrap_or_default();
    if let Some(content) = state.disk.files.content(&answer).cloned() {
        state.disk.files.write(PANTHER_ANSWER, content, at);
    }
    let skip_rearm = skips_rearm(state);
    state.disk.setup = Setup::generalized(at);
    state.disk.sealed += 1;
    if !skip_rearm {
        state.disk.license.rearm -= state.disk.license.rearm.min(1);
        state.disk.license.status = NOT_ACTIVATED;
    }
    state.disk.files.write_text(TAG, "", at);
    if let Some(administrator) = state.disk.users.get_mut("administrator") {
        administrator.nt_hash = None;
    }
    state.disk.oldest_event = at;
    log(state, at, &[tagged()]);
    log(state, at, &foot(at));
    state.live.logins_refused = faults.armed("auth-lost").is_some();
    state.history.push("generalized".to_owned());
    end(state, at, 0);
    plan(state, at, 3.0, Step::Verify);
}

fn end(state: &mut State, at: Timestamp, code: i32) {
    if let Some(run) = &mut state.live.sysprep {
        run.running = false;
        run.exit_code = Some(code);
    }
    phase(state, at, "verifying");
}

fn fail(state: &mut State, at: Timestamp, code: i32) {
    log(state, at, &foot(at));
    end(state, at, code);
    verify_later(state, at);
}

/// Whether the answer file says that the licence is not to be rearmed.
pub(super) fn skips_rearm(state: &State) -> bool {
    let path = state.live.sysprep.as_ref().map(|run| run.settings.answer_file.as_str());
    path.and_then(|path| state.disk.files.text(path))
        .is_some_and(|text| text.contains("<SkipRearm>1</SkipRearm>"))
}

/// The wrapper gives the proofs some time.
fn verify_later(state: &mut State, at: Timestamp) {
    let seconds = state
        .live
        .sysprep
        .as_ref()
        .map_or(60.0, |run| run.settings.verify_seconds);
    plan(state, at, seconds, Step::Verify);
}

/// The proofs that sysprep did what it should.
pub fn evidence(state: &State) -> Value {
    let setup = &state.disk.setup;
    let fresh = match (&state.live.sysprep, setup.tag) {
        (Some(run), Some(tag)) => tag >= run.started,
        (None, tag) => tag.is_some(),
        _ => false,
    };
    let good = fresh
        && setup.image_state == GENERALIZED
        && setup.generalization == 4
        && setup.setup_type == 2
        && setup.cmd_line == "oobe\\windeploy.exe";
    json!({
        "tag": setup.tag.is_some(), "tag_utc": setup.tag.map(|tag| tag.to_string()), "image_state": setup.image_state,
        "generalization_state": setup.generalization, "cleanup_state": setup.cleanup, "setup_type": setup.setup_type,
        "cmd_line": setup.cmd_line, "good": good,
    })
}

fn verify(state: &mut State, at: Timestamp) {
    if evidence(state)["good"] == true {
        phase(state, at, "generalized");
        tell(state, "GENERALIZED");
        let linger = state
            .live
            .sysprep
            .as_ref()
            .map_or(0.0, |run| run.settings.linger_seconds);
        return plan(state, at, linger, Step::Clean);
    }
    give_up(state, at, "not_generalized");
}

/// One line of the wrapper's on the serial port.
fn tell(state: &mut State, word: &str) {
    let run = state.live.sysprep.as_ref().map(|run| run.settings.run.clone());
    if let Some(run) = run {
        state.live.send(format!("RESEAL {run} {word}"));
    }
}

fn give_up(state: &mut State, at: Timestamp, reason: &str) {
    if let Some(run) = &mut state.live.sysprep {
        run.reason = Some(reason.to_owned());
    }
    state.live.cancel(|event| matches!(event, Event::Sysprep(_)));
    phase(state, at, "failed");
    tell(state, "FAILED");
    state.history.push("sysprep failed".to_owned());
}

fn timeout(state: &mut State, at: Timestamp) {
    let open = state
        .live
        .sysprep
        .as_ref()
        .is_some_and(|run| ["starting", "generalizing"].contains(&run.phase));
    if open {
        if let Some(run) = &mut state.live.sysprep {
            run.running = false;
        }
        give_up(state, at, "timeout");
    }
}

/// Somebody has seen the proofs: the wrapper need not wait any longer.
pub fn seen(state: &mut State, at: Timestamp) {
    if state
        .live
        .sysprep
        .as_ref()
        .is_some_and(|run| run.phase == "generalized")
    {
        state.live.cancel(|event| matches!(event, Event::Sysprep(Step::Clean)));
        plan(state, at, 2.0, Step::Clean);
    }
}

/// What the wrapper takes back: its account, its listener, its firewall rule.
fn clean(state: &mut State, at: Timestamp) {
    let Some(run) = state.live.sysprep.clone() else { return };
    phase(state, at, "cleaning");
    if let Some(account) = &run.settings.build_account {
        state.disk.users.remove(&account.to_lowercase());
        state.disk.files.remove(&format!("C:\\Users\\{account}"));
        // What the account set for itself goes with its part of the registry.
        state.disk.registry.retain(|path, _| !path.starts_with("hkcu\\"));
    }
    state.disk.winrm.full_token = false;
    state.disk.winrm.https = None;
    state.disk.winrm.thumbprint = None;
    if let Some(guard) = state.disk.guard.take() {
        state.disk.files.remove(&guard.folder);
    }
    super::ops::store::release(&mut state.disk);
    let undo = run.settings.undo_key.replace(":\\", "\\").to_lowercase();
    state.disk.registry.retain(|path, _| !path.starts_with(&undo));
    state
        .disk
        .firewall
        .retain(|name, _| !name.to_lowercase().contains("reseal"));
    plan(state, at, 3.0, Step::ShutDown);
}

/// The wrapper's last word, then its own files and task, then the machine.
fn shut_down(state: &mut State, at: Timestamp, faults: &Faults) {
    let Some(run) = state.live.sysprep.clone() else { return };
    phase(state, at, "shutting_down");
    for path in run.settings.delete.iter().chain([&run.settings.answer_file, &run.work]) {
        if key(path) != key(PANTHER_ANSWER) {
            state.disk.files.remove(path);
        }
    }
    state.live.tasks.remove(&run.task);
    if !run.settings.shutdown {
        // Nothing of the wrapper is left, and the machine is its owner's to turn off.
        state.live.sysprep = None;
    }
    if run.settings.shutdown && faults.armed("no-poweroff").is_none() {
        state.live.plan(after(at, 5.0), Event::Down { restart: false });
    }
}

/// What the wrapper's status file says.
pub fn status(run: &Run, evidence: &Value) -> Value {
    json!({
        "phase": run.phase, "utc": run.since.to_string(), "pid": 1234, "exit_code": run.exit_code, "reason": run.reason,
        "evidence": evidence,
    })
}

/// A log's text from a byte offset on.
pub fn tail(state: &State, path: &str, offset: usize) -> Value {
    let text = state
        .disk
        .files
        .content(path)
        .and_then(Content::whole)
        .unwrap_or_default();
    let rest = String::from_utf8_lossy(text.get(offset..).unwrap_or_default()).into_owned();
    json!({"offset": text.len(), "text": rest})
}
