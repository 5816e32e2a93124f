//! Detached work: scheduled tasks whose progress is a function of the lab's time.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answered, Cx, Done, Failure, Outcome, Then, read, run};
use crate::guest::machine::after;
use crate::guest::windows::SYSTEM;

/// A scheduled task of ours.
#[derive(Debug, Clone)]
pub struct Task {
    /// Its folder in the guest.
    pub work: String,
    /// What it runs.
    pub op: String,
    /// When it was started.
    pub started: Timestamp,
    /// When it is done.
    pub done: Timestamp,
    /// What it printed.
    pub log: Vec<String>,
    /// Its whole answer.
    pub answer: Value,
    /// It was ended by a reboot, a shutdown or its time limit.
    pub died: bool,
}

impl Task {
    /// The machine goes down: what is not done by then has died.
    pub fn interrupt(&mut self, at: Timestamp) {
        self.died |= at < self.done;
    }

    fn text(&self, now: Timestamp) -> String {
        let lines = self.log.len();
        let span = self.done.duration_since(self.started).as_secs_f64().max(0.001);
        let passed = now.duration_since(self.started).as_secs_f64();
        let shown = (0..lines).filter(|index| {
            let share =
                f64::from(u32::try_from(*index + 1).unwrap_or(1)) / f64::from(u32::try_from(lines).unwrap_or(1).max(1));
            passed >= span * share - 0.001
        });
        let texts: Vec<String> = self
            .log
            .iter()
            .take(shown.count())
            .map(|line| format!("{line}\r\n"))
            .collect();
        texts.concat()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    task: String,
    work: String,
    op: String,
    script: String,
    input: Value,
    timeout_seconds: f64,
    run_as: String,
}

/// `task_start`.
pub fn start(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Start = read(input)?;
    denied(cx)?;
    let system = match wanted.run_as.as_str() {
        "system" => true,
        "user" => false,
        other => return Err(Failure::new("invalid_input", format!("run_as is `{other}`"))),
    };
    if cx.state.live.tasks.contains_key(&wanted.task) {
        return Ok(Done::quick(json!({"started": false})));
    }
    let sid = if system { SYSTEM.to_owned() } else { cx.sid.clone() };
    cx.state
        .disk
        .files
        .write_text(&format!("{}\\operation.ps1", wanted.work), &wanted.script, cx.now);
    cx.state.disk.files.write_text(
        &format!("{}\\input.json", wanted.work),
        &wanted.input.to_string(),
        cx.now,
    );
    let begin = after(cx.now, 1.0);
    let outcome = {
        let mut inner = Cx::new(cx.guest, cx.state, begin, &sid, true);
        run(&mut inner, &wanted.op, wanted.input.to_string().as_bytes())
    };
    let task = planned(&wanted, begin, outcome);
    cx.state.live.tasks.insert(wanted.task, task);
    Ok(Done::after(0.4, json!({"started": true})))
}

/// Registering a task can fail in ways of its own.
///
/// # Errors
/// `task_denied`.
pub fn denied(cx: &Cx<'_>) -> Result<(), Failure> {
    let Some(code) = cx.faults().strike("scheduled-task-denied") else {
        return Ok(());
    };
    let number = u32::from_str_radix(code.trim_start_matches("0x"), 16).unwrap_or(0x8007_0005);
    Err(Failure::new("task_denied", "Access is denied.").hresult(number))
}

fn planned(wanted: &Start, begin: Timestamp, outcome: Outcome) -> Task {
    let late = outcome.seconds > wanted.timeout_seconds;
    let answer = if late {
        Failure::new("timeout", format!("not done after {} s", wanted.timeout_seconds)).answer()
    } else {
        outcome.answer
    };
    // A task whose operation takes the machine down gives no answer.
    let died = outcome.then == Then::Silence;
    Task {
        work: wanted.work.clone(),
        op: wanted.op.clone(),
        started: begin,
        done: after(begin, outcome.seconds.min(wanted.timeout_seconds)),
        log: outcome.log,
        answer,
        died,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Poll {
    task: String,
    #[expect(dead_code, reason = "part of the contract; the lab finds the task by its name")]
    work: String,
    offset: usize,
}

/// `task_poll`.
pub fn poll(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Poll = read(input)?;
    let now = cx.now;
    let Some(task) = cx.state.live.tasks.get(&wanted.task) else {
        let offset = wanted.offset;
        return Ok(Done::quick(
            json!({"state": "missing", "log": "", "offset": offset, "result": null, "task_result": "0x00041303"}),
        ));
    };
    let done = now >= task.done && !task.died;
    let state = match (done, task.died) {
        (true, _) => "done",
        (false, true) => "died",
        (false, false) => "running",
    };
    let text = task.text(now);
    let log = text.get(wanted.offset..).unwrap_or_default().to_owned();
    let result = if done { task.answer.clone() } else { Value::Null };
    let code = match state {
        "running" => "0x00041301",
        "died" => "0xc000013a",
        _ => "0x00000000",
    };
    let offset = text.len().max(wanted.offset);
    Ok(Done::quick(
        json!({"state": state, "log": log, "offset": offset, "result": result, "task_result": code}),
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Remove {
    task: String,
    work: String,
}

/// `task_remove`.
pub fn remove(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Remove = read(input)?;
    cx.state.live.tasks.remove(&wanted.task);
    cx.state.disk.files.remove(&wanted.work);
    Ok(Done::quick(json!({})))
}
