//! Sysprep and its wrapper, step by step on the lab's time, with the log lines of the real one.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::files::{Content, key};
use super::machine::{Event, State, after};
use super::provider::PANTHER_ANSWER;
use super::sysprep_log::{
    CLEANUP, GENERALIZE, actions, banner, cleanup_trouble, coded, error, error_coded, execute_trouble,
    generalize_trouble, info, log,
};
use super::windows::{GENERALIZED, Setup, UNDEPLOYABLE};
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
    /// Why it failed, as a sentence.
    pub error: Option<String>,
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
        error: None,
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
    let answer = run.settings.answer_file.clone();
    state.disk.setup.tag = None;
    state.disk.files.remove(TAG);
    state.disk.files.write_text(ACT, "", at);
    state.disk.files.write_text(ERR, "", at);
    phase(state, at, "generalizing");
    let mut lines = banner(at);
    if answer.contains(' ') || faults.armed("bad-args").is_some() {
        lines.push(error(
            "ParseCommands:Malformed command line detected; no dash or slash present in option",
        ));
        lines.push(error(
            "WinMain: Unable to parse command-line arguments to sysprep; GLE = 0x0",
        ));
        log(state, at, &lines);
        return fail(state, at, 1);
    }
    log(state, at, &lines);
    if faults.armed("modal").is_some() {
        return;
    }
    if state.disk.files.content(&answer).is_none() {
        log(
            state,
            at,
            &[error("ParseCommands:The answer file cannot be found; GLE = 0x2")],
        );
        return fail(state, at, 1);
    }
    if state.disk.setup.generalization != 7 {
        let lines = [
            error_coded(
                "0x0f0073",
                "RunExternalDlls:Not running DLLs; either the machine is in an invalid state or we couldn't update the recorded state, dwRet = 31(0x1f)",
            ),
            error_coded(
                "0x0f00ae",
                "WinMain:Hit failure while processing sysprep cleanup external providers; hr = 0x8007001f",
            ),
        ];
        log(state, at, &lines);
        return fail(state, at, 31);
    }
    plan(state, at, 1.0, Step::Validate);
}

fn validate(state: &mut State, at: Timestamp, faults: &Faults) {
    let mut lines = vec![coded("0x0f00d7", "WinMain:Pre-validing 'cleanup' internal providers.")];
    lines.extend(actions(3, CLEANUP));
    lines.push(info("ActionPlatform::LaunchModule: Executing method 'Sysprep_Clean_Validate_Opk' from C:\\Windows\\System32\\spopk.dll"));
    log(state, at, &lines);
    if faults.armed("hang-validate").is_some() {
        return;
    }
    if let Some(trouble) = cleanup_trouble(state, faults) {
        log(state, at, &trouble.lines(true));
        return fail(state, at, 31);
    }
    let mut lines = vec![
        info(
            "Sysprep_Clean_Validate_Opk: Successfully validated reserves state on the machine for entering audit mode.",
        ),
        info(
            "ActionPlatform::LaunchModule: Successfully executed 'Sysprep_Clean_Validate_Opk' from C:\\Windows\\System32\\spopk.dll",
        ),
        coded("0x0f00d7", "WinMain:Pre-validing 'generalize' internal providers."),
    ];
    lines.extend(actions(1, GENERALIZE));
    lines.push(info("ActionPlatform::LaunchModule: Executing method 'SysprepGeneralizeValidate' from C:\\Windows\\System32\\AppxSysprep.dll"));
    lines.push(info(
        "Entering SysprepGeneralizeValidate (Appx) - validating whether all apps are also provisioned.",
    ));
    log(state, at, &lines);
    if let Some(trouble) = generalize_trouble(state) {
        log(state, at, &trouble.lines(true));
        return fail(state, at, 31);
    }
    plan(state, at, 2.0, Step::Execute);
}

fn execute(state: &mut State, at: Timestamp, faults: &Faults) {
    if faults.armed("false-ok").is_some() || faults.armed("stale-success").is_some() {
        return pretend(state, at, faults);
    }
    state.disk.setup.image_state = UNDEPLOYABLE;
    state.disk.setup.generalization = 3;
    let lines = [
        info(
            "ActionPlatform::LaunchModule: Successfully executed 'SysprepGeneralizeValidate' from C:\\Windows\\System32\\AppxSysprep.dll",
        ),
        info("WinMain:Processing 'cleanup' internal provider request."),
        info("WinMain:Processing 'generalize' internal provider request."),
        info(&format!(
            "SysprepSession::Execute: Beginning action execution from {GENERALIZE}"
        )),
    ];
    log(state, at, &lines);
    if faults.armed("hang-pnp").is_some() {
        let line = "ActionPlatform::LaunchModule: Executing method 'Sysprep_Generalize_Pnp' from C:\\Windows\\System32\\sppnp.dll";
        return log(state, at, &[info(line)]);
    }
    if let Some(trouble) = execute_trouble(state, faults) {
        log(state, at, &trouble.lines(false));
        return fail(state, at, 31);
    }
    if faults.armed("killed-with-shell").is_some() {
        return fail(state, at, -1_073_741_510);
    }
    if faults.strike("surprise-off").is_some() {
        state.live.plan(after(at, 20.0), Event::Off);
    }
    let progress = [
        (8.0, info("MRTGeneralize: ERROR: Failed ConnectServer")),
        (
            26.0,
            info("Sysprep_Generalize_Bcd: Successfully generalized the bcd store. Status=[0x0]"),
        ),
        (44.0, info("Exiting SysprepGeneralize (Appx).")),
    ];
    for (seconds, line) in progress {
        state.live.plan(after(at, seconds), Event::SysprepLog(vec![line]));
    }
    plan(state, at, 30.0, Step::Network);
    plan(state, at, 72.0, Step::Finish);
}

/// Sysprep that says that it succeeded and did nothing.
fn pretend(state: &mut State, at: Timestamp, faults: &Faults) {
    if faults.armed("stale-success").is_some() {
        state.disk.files.write_text(TAG, "", after(at, -86_400.0));
        state.disk.setup.tag = Some(after(at, -86_400.0));
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
    let skip_rearm = state
        .disk
        .files
        .text(PANTHER_ANSWER)
        .is_some_and(|text| text.contains("<SkipRearm>1</SkipRearm>"));
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
    let lines = [
        info(&format!("FCreateTagFile:Successfully created tag file {TAG}")),
        coded("0x0f0052", "Shutting down SysPrep log"),
        coded(
            "0x0f004d",
            &format!("The time is now {}", at.strftime("%Y-%m-%d %H:%M:%S")),
        ),
    ];
    log(state, at, &lines);
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
    let lines = [
        coded("0x0f0052", "Shutting down SysPrep log"),
        coded(
            "0x0f004d",
            &format!("The time is now {}", at.strftime("%Y-%m-%d %H:%M:%S")),
        ),
    ];
    log(state, at, &lines);
    end(state, at, code);
    verify_later(state, at);
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
        let linger = state
            .live
            .sysprep
            .as_ref()
            .map_or(0.0, |run| run.settings.linger_seconds);
        return plan(state, at, linger, Step::Clean);
    }
    give_up(
        state,
        at,
        "not_generalized",
        "sysprep ended, and the proofs are not there",
    );
}

fn give_up(state: &mut State, at: Timestamp, reason: &str, error: &str) {
    if let Some(run) = &mut state.live.sysprep {
        run.reason = Some(reason.to_owned());
        run.error = Some(error.to_owned());
    }
    state.live.cancel(|event| matches!(event, Event::Sysprep(_)));
    phase(state, at, "failed");
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
        give_up(state, at, "timeout", "sysprep did not end in time");
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
    }
    state.disk.winrm.full_token = false;
    state.disk.winrm.https = None;
    state.disk.winrm.thumbprint = None;
    if let Some(guard) = state.disk.guard.take() {
        state.disk.files.remove(&guard.folder);
    }
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
    if run.settings.shutdown && faults.armed("no-poweroff").is_none() {
        state.live.plan(after(at, 5.0), Event::Down { restart: false });
    }
}

/// What the wrapper's status file says.
pub fn status(run: &Run, evidence: &Value) -> Value {
    json!({
        "phase": run.phase, "utc": run.since.to_string(), "pid": 1234, "exit_code": run.exit_code, "reason": run.reason,
        "error": run.error, "evidence": evidence,
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
