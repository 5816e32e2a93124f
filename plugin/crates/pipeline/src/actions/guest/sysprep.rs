//! Generalizes the guest: started in a task of its own, its logs tailed, its success proved four times, its failure
//! explained, and the logs brought home.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context, FailureClass, Verdict};
use reseal_guest::system::{CollectLogs, Evidence, SysprepPoll, SysprepPolled, SysprepSettings, SysprepStart};
use reseal_machine::{CommError, Communicator, Schedule};
use serde::{Deserialize, Serialize};

use super::ask::{Unanswered, ask, once, refused};
use super::logs;
use super::step::work_root;
use super::sysprep_end::End;
use super::sysprep_outside::{ALONE, BY_SERIAL, Found, Outside, Word, by_serial};
use super::sysprep_watch::{Seen, explained, judge};
use crate::actions::cloud::ReadyOutput;
use crate::world::{World, name};

/// A guest that is silent for so long after sysprep does not hear us any more.
const DEAF: Duration = Duration::from_mins(3);

/// Sysprep's task gets this much more than sysprep itself, for its proofs.
const MARGIN: Duration = Duration::from_mins(5);

/// How to generalize.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SysprepParams {
    /// The step that connected.
    pub connect: String,
    /// The step that knows the machine; without one the machine is somebody else's, and stays up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<String>,
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

/// The action.
pub(super) struct Generalize(pub(super) World);

#[async_trait]
impl Action for Generalize {
    type Params = SysprepParams;
    type Output = SysprepOutput;

    async fn run(&self, cx: &Context<'_>, params: &SysprepParams) -> Result<SysprepOutput, ActionError> {
        let ready = params.ready.as_deref();
        let ready: Option<ReadyOutput> = ready.map(|step| cx.output(step)).transpose()?;
        let outside = Outside {
            cx,
            world: &self.0,
            server: ready.as_ref().map(|ready| &ready.server),
        };
        // An earlier process may have begun, and the guest waits for nobody for ever.
        if outside.is_off().await {
            return outside.proved(ALONE).await.map(SysprepOutput::of);
        }
        let guest = self.0.guest(cx, &params.connect)?;
        let (task, work) = place(cx);
        match start(cx, params, guest.as_ref(), &task, &work).await {
            Err(error) if error.class == FailureClass::Unreachable => match outside.found(guest.as_ref()).await? {
                Found::Proved(evidence) => return Ok(SysprepOutput::of(evidence)),
                Found::Answers => start(cx, params, guest.as_ref(), &task, &work).await?,
            },
            started => started?,
        }
        let run = Run {
            cx,
            guest: guest.as_ref(),
            outside,
            task,
            work,
            seen: Mutex::new(Seen::new(cx.clock().now())),
        };
        let watched = run.watch(params.limit_seconds).await;
        if watched.is_err() && !cx.cancel().is_cancelled() {
            self.logs_home(cx, guest.as_ref()).await;
        }
        watched.map(SysprepOutput::of)
    }
}

impl SysprepOutput {
    fn of(evidence: Evidence) -> Self {
        Self { evidence }
    }
}

/// Starts sysprep's task. Starting again what runs already is no start: the guest looks for the task.
async fn start(
    cx: &Context<'_>,
    params: &SysprepParams,
    guest: &dyn Communicator,
    task: &str,
    work: &str,
) -> Result<(), ActionError> {
    let mut settings = SysprepSettings::new(cx.build().to_string(), params.limit_seconds);
    settings.mode_vm = params.mode_vm;
    settings.shutdown = params.ready.is_some();
    settings.delete.push(work_root(cx));
    if params.remove_account {
        settings.build_account = Some(name(cx.build()));
    }
    ask(cx, guest, &SysprepStart::new(task, work, settings)).await.map(drop)
}

/// One run of sysprep under watch.
struct Run<'a> {
    cx: &'a Context<'a>,
    guest: &'a dyn Communicator,
    outside: Outside<'a>,
    task: String,
    work: String,
    seen: Mutex<Seen>,
}

impl Run<'_> {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn watch(&self, limit_seconds: u64) -> Result<Evidence, ActionError> {
        // A quick rhythm: the proof stands for a short time only before the machine goes down.
        let schedule = Schedule {
            first: Duration::from_secs(2),
            longest: Duration::from_secs(4),
            limit: Duration::from_secs(limit_seconds) + MARGIN,
        };
        let waited = self.cx.wait_until("the end of sysprep", schedule, || self.look()).await;
        let evidence = waited.map_err(|error| error.class(FailureClass::Sysprep))?;
        self.cx
            .note("generalized: tag file, ImageState, GeneralizationState and SetupType agree");
        Ok(evidence)
    }

    async fn look(&self) -> Result<Verdict<Evidence>, ActionError> {
        let poll = {
            let seen = self.seen();
            SysprepPoll {
                task: self.task.clone(),
                work: self.work.clone(),
                act_offset: seen.act_offset,
                err_offset: seen.err_offset,
                seen: false,
            }
        };
        match once(self.cx, self.guest, &poll).await {
            Ok(polled) => judge(self.cx, polled, &mut self.seen()),
            Err(Unanswered::Lost(CommError::Cancelled)) => Err(ActionError::cancelled()),
            Err(Unanswered::Refused(failure)) => Err(refused(FailureClass::Sysprep, &failure)),
            // Generalizing takes parts of the network down; what became of the machine is asked of the cloud.
            Err(Unanswered::Lost(error)) => self.lost(&error).await,
        }
    }

    /// WinRM is gone. The guest says the same on its serial port; a machine that is off without a proof is no image.
    async fn lost(&self, error: &CommError) -> Result<Verdict<Evidence>, ActionError> {
        match self.outside.word().await {
            Some(Word::Generalized) => {
                self.cx.note(BY_SERIAL);
                return Ok(Verdict::Done(by_serial()));
            }
            Some(Word::Failed) => {
                return Err(explained(&self.seen(), &End::Unreachable(error.to_string())));
            }
            None => {}
        }
        if !self.outside.is_off().await {
            return Ok(Verdict::Waiting(error.to_string()));
        }
        let phase = self.seen().phase.clone();
        let seen = if phase.is_empty() { "nothing" } else { &phase };
        let last = format!("last seen in the guest: {seen}");
        let proof = self
            .outside
            .proved("somebody or something else turned it off; run the build again");
        proof.await.map(Verdict::Done).map_err(|error| error.said([last]))
    }
}

impl Generalize {
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
    /// Whether the machine stays up: then the wrapper's end is waited for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stays: bool,
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
        if params.stays {
            return gone(cx, guest.as_ref()).await;
        }
        match tell(cx, guest.as_ref()).await {
            Err(Unanswered::Lost(CommError::Cancelled)) => return Err(ActionError::cancelled()),
            Err(Unanswered::Refused(failure)) => cx.note(format!(
                "the guest does not take our word ({}); it shuts down by itself",
                failure.message
            )),
            // A guest that cannot hear us any more goes on by itself after a while.
            Err(Unanswered::Lost(error)) => cx.note(format!(
                "the guest does not answer any more ({error}); it shuts down by itself"
            )),
            Ok(_) => {}
        }
        guest.disconnect().await;
        self.0.forget(&params.connect);
        Ok(())
    }
}

/// Tells the wrapper that its proofs were seen; says what its task does.
async fn tell(cx: &Context<'_>, guest: &dyn Communicator) -> Result<SysprepPolled, Unanswered> {
    let (task, work) = place(cx);
    let poll = SysprepPoll {
        task,
        work,
        act_offset: u64::MAX >> 1,
        err_offset: u64::MAX >> 1,
        seen: true,
    };
    once(cx, guest, &poll).await
}

/// Waits until the wrapper has tidied up and is gone: whoever owns the machine may turn it off then.
async fn gone(cx: &Context<'_>, guest: &dyn Communicator) -> Result<(), ActionError> {
    let look = || async {
        let told = tokio::select! {
            told = tell(cx, guest) => told,
            paused = cx.pause(DEAF) => return paused.map(|()| deaf(cx, "no answer")),
        };
        match told {
            Ok(polled) if polled.task_state == "running" => Ok(Verdict::Waiting("it tidies up".into())),
            Ok(_) => Ok(Verdict::Done(())),
            Err(Unanswered::Lost(CommError::Cancelled)) => Err(ActionError::cancelled()),
            Err(Unanswered::Lost(error)) => Ok(deaf(cx, &error.to_string())),
            Err(Unanswered::Refused(failure)) => Err(refused(FailureClass::Sysprep, &failure)),
        }
    };
    let schedule = Schedule::up_to(MARGIN);
    let waited = cx.wait_until("the end of sysprep's task", schedule, look).await;
    waited.map_err(|error| error.class(FailureClass::Sysprep))
}

/// The proofs are written down; a guest that cannot hear us any more tidies up by itself.
fn deaf(cx: &Context<'_>, why: &str) -> Verdict<()> {
    cx.note(format!(
        "the guest does not answer any more ({why}); it tidies up by itself"
    ));
    Verdict::Done(())
}
