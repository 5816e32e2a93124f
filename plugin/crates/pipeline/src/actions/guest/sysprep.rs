//! Generalizes the guest: started in a task of its own, its logs tailed, its success proved four times, its failure
//! explained, and the logs brought home.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context, FailureClass, Verdict};
use reseal_guest::sysprep::explain;
use reseal_guest::system::{
    CollectLogs, Evidence, Query as _, SysprepPoll, SysprepPolled, SysprepSettings, SysprepStart,
};
use reseal_machine::cloud::{Observed, ServerStatus};
use reseal_machine::communicator::{OutputSink as _, Stream};
use reseal_machine::{CommError, Communicator, Schedule};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::ask::{ask, refused};
use super::logs;
use super::step::work_root;
use crate::actions::cloud::ReadyOutput;
use crate::world::{World, name};

/// Sysprep's task gets this much more than sysprep itself, for its proofs.
const MARGIN: Duration = Duration::from_mins(5);

/// How to generalize.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SysprepParams {
    /// The step that connected.
    pub connect: String,
    /// The step that knows the machine.
    pub ready: String,
    /// Whether a one-time build account is to be removed.
    pub remove_account: bool,
    /// The limit in seconds.
    pub limit_seconds: u64,
    /// `/mode:vm`.
    #[serde(default)]
    pub mode_vm: bool,
}

/// The proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SysprepOutput {
    /// What the guest's state was when sysprep had ended.
    pub(super) evidence: Evidence,
}

/// What the watching has seen so far.
#[derive(Default)]
struct Seen {
    act_offset: u64,
    err_offset: u64,
    log: String,
    phase: String,
}

/// The action.
pub(super) struct Generalize(pub(super) World);

#[async_trait]
impl Action for Generalize {
    type Params = SysprepParams;
    type Output = SysprepOutput;

    async fn run(&self, cx: &Context<'_>, params: &SysprepParams) -> Result<SysprepOutput, ActionError> {
        let guest = self.0.guest(cx, &params.connect)?;
        let (task, work) = place(cx);
        let mut settings = SysprepSettings::new(cx.build().to_string(), params.limit_seconds);
        settings.mode_vm = params.mode_vm;
        settings.delete.push(work_root(cx));
        if params.remove_account {
            settings.build_account = Some(name(cx.build()));
        }
        // Starting again what runs already is no start: the guest looks for the task.
        ask(
            cx,
            guest.as_ref(),
            &SysprepStart::new(task.clone(), work.clone(), settings),
        )
        .await?;
        let seen = Mutex::new(Seen::default());
        let watched = self.watch(cx, params, guest.as_ref(), &task, &work, &seen).await;
        if watched.is_err() && !cx.cancel().is_cancelled() {
            self.logs_home(cx, guest.as_ref()).await;
        }
        watched
    }
}

impl Generalize {
    async fn watch(
        &self,
        cx: &Context<'_>,
        params: &SysprepParams,
        guest: &dyn Communicator,
        task: &str,
        work: &str,
        seen: &Mutex<Seen>,
    ) -> Result<SysprepOutput, ActionError> {
        let ready: ReadyOutput = cx.output(&params.ready)?;
        let look = || self.look(cx, guest, &ready, task, work, seen);
        // A quick rhythm: the proof stands for a short time only before the machine goes down.
        let limit = Duration::from_secs(params.limit_seconds) + MARGIN;
        let schedule = Schedule {
            first: Duration::from_secs(2),
            longest: Duration::from_secs(4),
            limit,
        };
        let evidence = cx.wait_until("the end of sysprep", schedule, look).await;
        let evidence = evidence.map_err(|error| error.class(FailureClass::Sysprep))?;
        cx.note("generalized: tag file, ImageState, GeneralizationState and SetupType agree");
        Ok(SysprepOutput { evidence })
    }

    async fn look(
        &self,
        cx: &Context<'_>,
        guest: &dyn Communicator,
        ready: &ReadyOutput,
        task: &str,
        work: &str,
        seen: &Mutex<Seen>,
    ) -> Result<Verdict<Evidence>, ActionError> {
        let (act_offset, err_offset) = {
            let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            (seen.act_offset, seen.err_offset)
        };
        let poll = SysprepPoll {
            task: task.to_owned(),
            work: work.to_owned(),
            act_offset,
            err_offset,
            seen: false,
        };
        let script = reseal_machine::communicator::Script {
            name: SysprepPoll::SCRIPT.name,
            text: SysprepPoll::SCRIPT.text,
        };
        let input = SecretString::from(poll.input().to_string());
        match guest.invoke(script, &input, &cx.sink(), cx.cancel()).await {
            Ok(answer) => {
                let polled = SysprepPoll::read(&answer).map_err(|f| refused(FailureClass::Sysprep, &f))?;
                judge(cx, polled, &mut seen.lock().unwrap_or_else(PoisonError::into_inner))
            }
            Err(CommError::Cancelled) => Err(ActionError::cancelled()),
            // Generalizing takes parts of the network down; whether the machine is off is asked of the cloud.
            Err(error) => self.lost(ready, seen, &error).await,
        }
    }

    /// WinRM is gone. A machine that is off without a proof is no image.
    async fn lost(
        &self,
        ready: &ReadyOutput,
        seen: &Mutex<Seen>,
        error: &CommError,
    ) -> Result<Verdict<Evidence>, ActionError> {
        let off = match self.0.cloud.server(&ready.server).await {
            Ok(Observed::Present(server)) => server.status == ServerStatus::Shutoff && server.task_state.is_none(),
            _ => false,
        };
        if !off {
            return Ok(Verdict::Waiting(error.to_string()));
        }
        let phase = seen.lock().unwrap_or_else(PoisonError::into_inner).phase.clone();
        Err(ActionError::new(
            FailureClass::Sysprep,
            "the machine is off, and nothing proves that it was generalized",
        )
        .said([format!(
            "last seen in the guest: {}",
            if phase.is_empty() { "nothing" } else { &phase }
        )])
        .hint("somebody or something else turned it off; run the build again"))
    }

    async fn logs_home(&self, cx: &Context<'_>, guest: &dyn Communicator) {
        match ask(cx, guest, &CollectLogs::default()).await {
            Ok(found) => {
                let wanted = found
                    .files
                    .into_iter()
                    .filter(|file| matches!(file.kind.as_str(), "sysprep" | "setup"));
                logs::bring_home(cx, &self.0, guest, &wanted.map(|file| file.path).collect::<Vec<_>>()).await;
            }
            Err(error) => cx.warn(format!("cannot bring sysprep's logs home: {error}")),
        }
    }
}

/// The wrapper's task and folder.
fn place(cx: &Context<'_>) -> (String, String) {
    (
        format!("{}-sysprep", name(cx.build())),
        format!("{}\\sysprep", work_root(cx)),
    )
}

/// Which guest to let go.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReleaseParams {
    /// The step that connected.
    pub connect: String,
}

/// Tells the wrapper that the proofs are written down. A step of its own, after the proof is in the journal: a builder
/// that is killed before comes back to a guest that still waits.
pub(super) struct Release(pub(super) World);

#[async_trait]
impl Action for Release {
    type Params = ReleaseParams;
    type Output = ();

    async fn run(&self, cx: &Context<'_>, params: &ReleaseParams) -> Result<(), ActionError> {
        let guest = self.0.guest(cx, &params.connect)?;
        let (task, work) = place(cx);
        let poll = SysprepPoll {
            task,
            work,
            act_offset: u64::MAX >> 1,
            err_offset: u64::MAX >> 1,
            seen: true,
        };
        let script = reseal_machine::communicator::Script {
            name: SysprepPoll::SCRIPT.name,
            text: SysprepPoll::SCRIPT.text,
        };
        let input = SecretString::from(poll.input().to_string());
        match guest.invoke(script, &input, &cx.sink(), cx.cancel()).await {
            Err(CommError::Cancelled) => return Err(ActionError::cancelled()),
            // A guest that cannot hear us any more goes on by itself after a while.
            Err(error) => cx.note(format!(
                "the guest does not answer any more ({error}); it shuts down by itself"
            )),
            Ok(_) => {}
        }
        guest.disconnect().await;
        self.0.forget(&params.connect);
        Ok(())
    }
}

fn judge(cx: &Context<'_>, polled: SysprepPolled, seen: &mut Seen) -> Result<Verdict<Evidence>, ActionError> {
    seen.act_offset = polled.act.offset;
    seen.err_offset = polled.err.offset;
    seen.log.push_str(&polled.act.text);
    if !polled.act.text.is_empty() {
        cx.sink().output(Stream::Out, &polled.act.text);
    }
    let Some(status) = polled.status else {
        return match polled.task_state.as_str() {
            "running" => Ok(Verdict::Waiting("sysprep's task starts".into())),
            other => Err(explained(seen, format!("sysprep's task is {other} and left no word"))),
        };
    };
    seen.phase.clone_from(&status.phase);
    match status.phase.as_str() {
        "generalized" | "cleaning" | "shutting_down" => {
            let evidence = status.evidence.unwrap_or(polled.evidence);
            let missing = evidence.missing();
            if missing.is_empty() {
                return Ok(Verdict::Done(evidence));
            }
            Err(explained(
                seen,
                format!(
                    "the guest claims success, but these proofs are missing: {}",
                    missing.join(", ")
                ),
            ))
        }
        "failed" => {
            let reason = status.reason.as_deref().unwrap_or("unknown");
            let more = status.error.map(|error| format!(": {error}")).unwrap_or_default();
            Err(explained(seen, format!("sysprep failed ({reason}){more}")))
        }
        phase => Ok(Verdict::Waiting(phase.to_owned())),
    }
}

/// The failure with its cause by name, where the log tells it.
fn explained(seen: &Seen, message: String) -> ActionError {
    let verdict = explain(&seen.log);
    let mut error = ActionError::new(FailureClass::Sysprep, message);
    error.said.extend(verdict.lines.iter().cloned());
    if !matches!(verdict.letter, '-' | '?') {
        let subject = verdict
            .subject
            .map(|subject| format!(" ({subject})"))
            .unwrap_or_default();
        error.message = format!("{}: {}{subject}", error.message, verdict.meaning);
        error.hints.push(verdict.cure.to_owned());
    }
    error
}
