//! The operations by name and JSON, as the contract of the guest scripts tells them.
//!
//! Each operation is a function from its input and the state to an answer. An operation that is not in [`run`]'s list
//! answers the kind `unknown_operation` and is recorded as a violation; an input that does not fit answers
//! `invalid_input` and is recorded too.

pub mod cloudbase;
pub mod detect;
pub mod environment;
pub mod features;
pub mod firewall;
pub mod generalize;
pub mod hygiene;
pub mod install;
pub mod keep;
pub mod places;
pub mod registry;
pub mod service;
pub mod store;
pub mod system;
pub mod task;
pub mod transfer;
pub mod update;
pub mod user;
pub mod verify;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::machine::{Guest, State};
use super::windows::SYSTEM;
use crate::faults::Faults;

/// What an operation works on.
pub struct Cx<'a> {
    /// The machine.
    pub guest: &'a Guest,
    /// Its state.
    pub state: &'a mut State,
    /// The moment at which the operation begins.
    pub now: Timestamp,
    /// SID of whoever runs it.
    pub sid: String,
    /// Whether it runs in a scheduled task, so that its logon is not a network one.
    pub detached: bool,
}

impl<'a> Cx<'a> {
    /// Something to work on.
    pub fn new(guest: &'a Guest, state: &'a mut State, now: Timestamp, sid: &str, detached: bool) -> Self {
        Self {
            guest,
            state,
            now,
            sid: sid.to_owned(),
            detached,
        }
    }

    /// What goes wrong.
    pub fn faults(&self) -> &'a Faults {
        &self.guest.faults
    }

    /// Whether the system itself runs it.
    pub fn is_system(&self) -> bool {
        self.sid == SYSTEM
    }
}

/// What happens to the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It is given.
    Answer,
    /// The machine goes down before it can be given.
    Silence,
}

/// What came of an operation.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The whole answer, as the result line has it.
    pub answer: Value,
    /// How long it took.
    pub seconds: f64,
    /// What else it printed.
    pub log: Vec<String>,
    /// What happens to the answer.
    pub then: Then,
}

impl Outcome {
    /// An error without particulars.
    pub fn failure(kind: &str, message: &str) -> Self {
        Failure::new(kind, message).outcome()
    }
}

/// A successful operation.
#[derive(Debug, Clone)]
pub struct Done {
    /// Its result.
    pub result: Value,
    /// How long it took.
    pub seconds: f64,
    /// What it printed.
    pub log: Vec<String>,
    /// What happens to the answer.
    pub then: Then,
}

impl Done {
    /// A quick result.
    pub fn quick(result: Value) -> Self {
        Self {
            result,
            seconds: 0.05,
            log: Vec::new(),
            then: Then::Answer,
        }
    }

    /// A result that took some time.
    pub fn after(seconds: f64, result: Value) -> Self {
        Self {
            seconds,
            ..Self::quick(result)
        }
    }
}

/// A failed operation.
#[derive(Debug, Clone, Default)]
pub struct Failure {
    /// The word that programs match on.
    pub kind: String,
    /// The sentence.
    pub message: String,
    /// `0x…`.
    pub hresult: Option<String>,
    /// An exit code.
    pub code: Option<u32>,
    /// What to do.
    pub hint: Option<String>,
    /// Files worth bringing home.
    pub logs: Vec<String>,
    /// Items, as in a step's result.
    pub items: Vec<Value>,
    /// How long it took to fail.
    pub seconds: f64,
}

impl Failure {
    /// A failure with its word and sentence.
    pub fn new(kind: &str, message: impl Into<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            message: message.into(),
            seconds: 0.05,
            ..Self::default()
        }
    }

    /// With a Windows result.
    #[must_use]
    pub fn hresult(mut self, number: u32) -> Self {
        self.hresult = Some(format!("0x{number:08x}"));
        self
    }

    /// The answer.
    pub fn answer(&self) -> Value {
        json!({"ok": false, "error": {
            "kind": self.kind, "message": self.message, "line": null, "hresult": self.hresult, "code": self.code,
            "hint": self.hint, "logs": self.logs, "items": self.items,
        }})
    }

    /// What a script answers when a cmdlet of Windows threw: the message and nothing else that a program could use.
    pub fn thrown(message: impl Into<String>) -> Self {
        Self::new("unexpected", message)
    }

    fn outcome(self) -> Outcome {
        Outcome {
            answer: self.answer(),
            seconds: self.seconds,
            log: Vec::new(),
            then: Then::Answer,
        }
    }
}

/// What an operation gives.
pub type Answered = Result<Done, Failure>;

/// Reads an operation's input.
///
/// # Errors
/// `invalid_input`.
pub fn read<T: DeserializeOwned>(input: &Value) -> Result<T, Failure> {
    serde_json::from_value(input.clone()).map_err(|error| Failure::new("invalid_input", error.to_string()))
}

/// Whether something is to be there.
fn presence(state: &str) -> Result<bool, Failure> {
    match state {
        "present" => Ok(true),
        "absent" => Ok(false),
        other => Err(Failure::new("invalid_input", format!("the state is `{other}`"))),
    }
}

/// Runs an operation.
pub fn run(cx: &mut Cx<'_>, op: &str, input: &[u8]) -> Outcome {
    cx.state.history.push(format!("op {op}"));
    if cx.faults().armed("constrained-language").is_some() && op != "probe" {
        let message = "Cannot invoke method. Method invocation is supported only on core types in this language mode.";
        return Outcome::failure("unexpected", message);
    }
    let answered = match serde_json::from_slice::<Value>(input) {
        Ok(input) => dispatch(cx, op, &input),
        Err(error) => Err(Failure::new("invalid_input", format!("not JSON: {error}"))),
    };
    match answered {
        Ok(done) => {
            let answer = json!({"ok": true, "result": done.result});
            Outcome {
                answer,
                seconds: slowed(cx, done.seconds),
                log: done.log,
                then: done.then,
            }
        }
        Err(failure) => {
            if ["unknown_operation", "invalid_input"].contains(&failure.kind.as_str()) {
                cx.state
                    .violation(format!("{op}: {}: {}", failure.kind, failure.message));
            }
            failure.outcome()
        }
    }
}

fn slowed(cx: &Cx<'_>, seconds: f64) -> f64 {
    if cx.faults().armed("defender-slow").is_some() {
        seconds * 10.0
    } else {
        seconds
    }
}

fn dispatch(cx: &mut Cx<'_>, op: &str, input: &Value) -> Answered {
    match op {
        "probe" => transfer::probe(cx),
        "transfer_state" => transfer::state(cx, input),
        "transfer_prepare" => transfer::prepare(cx, input),
        "transfer_hash" => transfer::hash_range(cx, input),
        "transfer_finish" => transfer::finish(cx, input),
        "transfer_read" => transfer::read_range(cx, input),
        "transfer_list" => transfer::list(cx, input),
        "task_start" => task::start(cx, input),
        "task_poll" => task::poll(cx, input),
        "task_remove" => task::remove(cx, input),
        "install_msi" => install::msi(cx, input),
        "install_exe" => install::exe(cx, input),
        "msix" => install::msix(cx, input),
        "msu" | "cab" => install::servicing(cx, op, input),
        "chocolatey" => install::chocolatey(cx, input),
        "powershell_module" => install::module(cx, input),
        "powershell" | "cmd" => install::script(cx, op, input),
        "windows_feature" | "optional_feature" | "capability" => features::features(cx, op, input),
        "registry" => registry::registry(cx, input),
        "service" => service::service(cx, input),
        "environment" => environment::environment(cx, input),
        "firewall" => firewall::firewall(cx, input),
        "user" => user::user(cx, input),
        "file" => places::file(cx, input),
        "zip" => places::zip(cx, input),
        "unzip" => places::unzip(cx, input),
        "fetch_url" => places::fetch(cx, input),
        "signature" => places::signature(cx, input),
        "windows_update" => update::run(cx, input),
        "identity" => system::identity(cx),
        "pending_reboot" => Ok(Done::quick(system::pending(cx))),
        "reboot_request" => system::reboot(cx, input),
        "products" => system::products(cx),
        "condition" => detect::condition(input),
        "preflight" => system::preflight(cx, input),
        "preflight_fix" => system::fix(cx, input),
        "preflight_undo" => store::undo(cx, input),
        "unattend_find" => generalize::find(cx, input),
        "unattend_push" => generalize::push(cx, input),
        "cloudbase_prepare" => cloudbase::prepare(cx, input),
        "first_boot" => cloudbase::first_boot(cx, input),
        "appx_blockers" => system::appx(cx),
        "sysprep_start" => generalize::start(cx, input),
        "sysprep_poll" => generalize::poll(cx, input),
        "hygiene" => hygiene::hygiene(cx, input),
        "residue" => keep::residue(cx, input),
        "leftovers" => keep::leftovers(cx, input),
        "collect_logs" => keep::logs(cx, input),
        "cleanup_self" => keep::cleanup(cx, input),
        "verify_facts" => verify::facts(cx),
        other => Err(Failure::new(
            "unknown_operation",
            format!("the lab does not know `{other}`"),
        )),
    }
}

/// The result that every step gives.
#[expect(clippy::struct_excessive_bools, reason = "the contract has as many")]
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// Whether anything was changed.
    pub changed: bool,
    /// Whether it was so before.
    pub already: bool,
    /// Whether a reboot is due.
    pub reboot_required: bool,
    /// The program's exit code.
    pub exit_code: Option<u32>,
    /// What it is about.
    pub detail: String,
    /// Detection before.
    pub before: Option<Value>,
    /// Detection afterwards.
    pub after: Option<Value>,
    /// Files worth bringing home.
    pub logs: Vec<String>,
    /// Sentences.
    pub warnings: Vec<String>,
    /// Items.
    pub items: Vec<Value>,
    /// To be called again after a reboot.
    pub more: bool,
    /// How long it took.
    pub seconds: f64,
    /// What it printed.
    pub log: Vec<String>,
}

impl Step {
    /// Something was changed.
    pub fn changed(detail: impl Into<String>) -> Self {
        Self {
            changed: true,
            detail: detail.into(),
            seconds: 0.2,
            ..Self::default()
        }
    }

    /// Nothing was to do.
    pub fn already(detail: impl Into<String>) -> Self {
        Self {
            already: true,
            detail: detail.into(),
            seconds: 0.1,
            ..Self::default()
        }
    }

    /// Either of them.
    pub fn either(changed: bool, detail: impl Into<String>) -> Self {
        if changed {
            Self::changed(detail)
        } else {
            Self::already(detail)
        }
    }

    /// As an answer.
    pub fn done(self) -> Answered {
        let result = json!({
            "changed": self.changed, "already": self.already, "reboot_required": self.reboot_required,
            "exit_code": self.exit_code, "detail": self.detail, "before": self.before, "after": self.after,
            "logs": self.logs, "warnings": self.warnings, "items": self.items, "more": self.more,
        });
        Ok(Done {
            result,
            seconds: self.seconds,
            log: self.log,
            then: Then::Answer,
        })
    }
}
