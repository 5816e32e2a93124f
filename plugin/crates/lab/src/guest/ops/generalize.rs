//! The answer file's way into the guest, sysprep's start and progress.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answered, Cx, Done, Failure, read, system, task};
use crate::guest::files::{Content, hash};
use crate::guest::sysprep::{self, Settings};
use crate::guest::windows::SYSTEM;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Find {
    candidates: Vec<String>,
}

/// `unattend_find`.
pub fn find(cx: &Cx<'_>, input: &Value) -> Answered {
    let wanted: Find = read(input)?;
    let found = wanted.candidates.iter().find_map(|path| {
        let bytes = cx.state.disk.files.content(path)?.whole()?;
        Some((path, bytes))
    });
    let result = match found {
        None => json!({"found": false, "path": null, "data": null, "encoding": null, "architecture": "amd64"}),
        Some((path, bytes)) => json!({
            "found": true, "path": path, "data": BASE64_STANDARD.encode(bytes), "encoding": encoding(bytes),
            "architecture": "amd64",
        }),
    };
    Ok(Done::quick(result))
}

fn encoding(bytes: &[u8]) -> &'static str {
    match bytes {
        [0xef, 0xbb, 0xbf, ..] => "utf8_bom",
        [0xff, 0xfe, ..] => "utf16le",
        [0xfe, 0xff, ..] => "utf16be",
        _ => "utf8",
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Push {
    path: String,
    data: String,
    sha256: String,
}

/// `unattend_push`.
pub fn push(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Push = read(input)?;
    let bytes = BASE64_STANDARD
        .decode(&wanted.data)
        .map_err(|_| Failure::new("invalid_input", "not base64"))?;
    let sha256 = hash(&bytes);
    if sha256 != wanted.sha256.to_lowercase() {
        return Err(Failure::new("hash_mismatch", "the answer file did not arrive whole"));
    }
    let removed = system::stale_answers(&cx.state.disk, &wanted.path);
    for path in &removed {
        cx.state.disk.files.remove(path);
    }
    cx.state.disk.files.write(&wanted.path, Content::closed(bytes), cx.now);
    Ok(Done::quick(
        json!({"path": wanted.path, "sha256": sha256, "removed": removed}),
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    task: String,
    work: String,
    wrapper: String,
    settings: Settings,
}

/// `sysprep_start`.
pub fn start(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Start = read(input)?;
    task::denied(cx)?;
    if cx.sid == SYSTEM {
        cx.state.violation("sysprep was started by the system");
    }
    if cx
        .state
        .live
        .sysprep
        .as_ref()
        .is_some_and(|run| run.task == wanted.task)
    {
        return Ok(Done::quick(json!({"started": false})));
    }
    cx.state
        .disk
        .files
        .write_text(&format!("{}\\wrapper.ps1", wanted.work), &wanted.wrapper, cx.now);
    cx.state.disk.files.write_text(
        &format!("{}\\settings.json", wanted.work),
        &input["settings"].to_string(),
        cx.now,
    );
    sysprep::begin(cx.state, cx.now, &wanted.task, &wanted.work, wanted.settings);
    Ok(Done::after(0.5, json!({"started": true})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Poll {
    task: String,
    #[expect(dead_code, reason = "part of the contract; the lab finds the run by its task")]
    work: String,
    act_offset: usize,
    err_offset: usize,
    seen: bool,
}

/// `sysprep_poll`.
pub fn poll(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Poll = read(input)?;
    if wanted.seen {
        sysprep::seen(cx.state, cx.now);
    }
    let evidence = sysprep::evidence(cx.state);
    let run = cx.state.live.sysprep.as_ref().filter(|run| run.task == wanted.task);
    let status = run.map(|run| sysprep::status(run, &evidence));
    let task_state = match run.map(|run| run.phase) {
        None => "missing",
        Some("failed") => "ready",
        Some(_) => "running",
    };
    let code = match task_state {
        "running" => Some("0x00041301"),
        "ready" => Some("0x00000001"),
        _ => None,
    };
    Ok(Done::quick(json!({
        "status": status, "task_state": task_state, "task_result": code,
        "sysprep_running": u32::from(run.is_some_and(|run| run.running)),
        "act": sysprep::tail(cx.state, sysprep::ACT, wanted.act_offset),
        "err": sysprep::tail(cx.state, sysprep::ERR, wanted.err_offset),
        "evidence": evidence,
    })))
}
