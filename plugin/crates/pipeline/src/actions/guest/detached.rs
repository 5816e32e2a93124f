//! Long work in a scheduled task: started once, watched through losses, its result read from the guest.

use std::sync::Mutex;
use std::time::Duration;

use reseal_engine::{ActionError, Context, FailureClass, Verdict};
use reseal_guest::call::RunAs;
use reseal_guest::system::{Query as _, TASK_START, TaskPoll, TaskPolled, TaskRemove, TaskStart};
use reseal_guest::{Call, Mode};
use reseal_machine::communicator::{OutputSink as _, Stream};
use reseal_machine::{CommError, Communicator, Schedule};
use secrecy::SecretString;
use serde_json::Value;

use super::ask::{Unanswered, ask, invoke_secret, once, refused};

/// Where one call works: a task and a folder of its own.
pub(super) struct Place {
    /// The task's name.
    pub(super) task: String,
    /// The folder, without blanks.
    pub(super) work: String,
}

/// Runs a detached call to its end and returns the whole answer. Called again after a crash, it finds the task of the
/// first call and goes on watching it. A task that answered stays with its folder until [`remove`]: there may be logs in
/// it. One that died is removed, or the next attempt would find it dead.
pub(super) async fn run(
    cx: &Context<'_>,
    guest: &dyn Communicator,
    place: &Place,
    call: &Call,
    input: Value,
) -> Result<Value, ActionError> {
    let Mode::Detached { run_as, timeout } = call.mode else {
        let input = SecretString::from(input.to_string());
        return invoke_secret(cx, guest, call, &input).await;
    };
    start(cx, guest, place, call, input, run_as, timeout).await?;
    let ended = watch(cx, guest, place, timeout).await;
    if ended.is_err() && !cx.cancel().is_cancelled() {
        remove(cx, guest, place).await;
    }
    ended
}

/// Whether a task of an earlier process is still at work.
pub(super) async fn is_running(cx: &Context<'_>, guest: &dyn Communicator, place: &Place) -> Result<bool, ActionError> {
    let polled = ask(cx, guest, &poll(place, 0)).await?;
    Ok(polled.state == "running")
}

/// Removes the task and its folder. What cannot be removed is a warning: the answer that it gave counts.
pub(super) async fn remove(cx: &Context<'_>, guest: &dyn Communicator, place: &Place) {
    let remove = TaskRemove {
        task: place.task.clone(),
        work: place.work.clone(),
    };
    if let Err(error) = ask(cx, guest, &remove).await {
        cx.warn(format!(
            "cannot remove the task `{}` from the guest: {error}",
            place.task
        ));
    }
}

fn poll(place: &Place, offset: u64) -> TaskPoll {
    TaskPoll {
        task: place.task.clone(),
        work: place.work.clone(),
        offset,
    }
}

async fn start(
    cx: &Context<'_>,
    guest: &dyn Communicator,
    place: &Place,
    call: &Call,
    input: Value,
    run_as: RunAs,
    timeout: Duration,
) -> Result<(), ActionError> {
    let start = TaskStart {
        task: place.task.clone(),
        work: place.work.clone(),
        op: call.script.name.to_owned(),
        script: call.script.text.to_owned(),
        input,
        timeout_seconds: timeout.as_secs(),
        run_as,
    };
    let wrapped = Call::inline(TASK_START, Value::Null);
    let input = SecretString::from(start.input().to_string());
    // A task that is there already is not started again, so this may be repeated.
    let answer = invoke_secret(cx, guest, &wrapped, &input).await?;
    TaskStart::read(&answer).map_err(|failure| refused(FailureClass::Install, &failure))?;
    Ok(())
}

async fn watch(
    cx: &Context<'_>,
    guest: &dyn Communicator,
    place: &Place,
    timeout: Duration,
) -> Result<Value, ActionError> {
    let offset = Mutex::new(0_u64);
    let look = || async {
        let from = *offset.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let polled = match once(cx, guest, &poll(place, from)).await {
            Ok(polled) => polled,
            Err(Unanswered::Lost(CommError::Cancelled)) => return Err(ActionError::cancelled()),
            // The task goes on without us; the limit of the wait decides.
            Err(Unanswered::Lost(error)) => return Ok(Verdict::Waiting(error.to_string())),
            Err(Unanswered::Refused(failure)) => return Err(refused(FailureClass::Install, &failure)),
        };
        if !polled.log.is_empty() {
            cx.sink().output(Stream::Out, &polled.log);
        }
        *offset.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = polled.offset;
        judge(place, polled)
    };
    // A little longer than the task may take: the task's own end is the better message.
    let schedule = Schedule {
        first: Duration::from_secs(1),
        longest: Duration::from_secs(5),
        limit: timeout + Duration::from_mins(5),
    };
    let waited = cx.wait_until("the end of the step", schedule, look).await;
    waited.map_err(|error| error.class(FailureClass::Install))
}

fn judge(place: &Place, polled: TaskPolled) -> Result<Verdict<Value>, ActionError> {
    let code = polled.task_result.unwrap_or_else(|| "unknown".to_owned());
    match (polled.state.as_str(), polled.result) {
        ("running", _) => Ok(Verdict::Waiting("running in the guest".into())),
        (_, Some(result)) => Ok(Verdict::Done(result)),
        ("missing", None) => Err(ActionError::new(
            FailureClass::Install,
            format!("the task `{}` has disappeared from the guest", place.task),
        )),
        (state, None) => Err(ActionError::new(
            FailureClass::Install,
            format!("the step ended without a result (task {state}, code {code})"),
        )
        .hint("code 0x41306 means that the time limit ended it; give the step a longer `timeout`")),
    }
}
