//! Asking a guest: one operation in, one typed answer out.

use std::time::Duration;

use reseal_engine::{ActionError, Context, FailureClass};
use reseal_guest::system::Query;
use reseal_guest::{Call, Item, StepFailure};
use reseal_machine::communicator::Script;
use reseal_machine::{CommError, Communicator};
use secrecy::SecretString;
use serde_json::Value;

/// Attempts of an operation that may be repeated, when the connection is lost under it.
const ATTEMPTS: u32 = 5;

/// Why a question has no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// The guest could not be reached, or was lost.
    Lost(CommError),
    /// The guest says no.
    Refused(StepFailure),
}

/// Asks a system operation. All of them may be repeated, so a lost connection costs only time.
pub(super) async fn ask<Q: Query>(
    cx: &Context<'_>,
    guest: &dyn Communicator,
    query: &Q,
) -> Result<Q::Answer, ActionError> {
    let call = query.call();
    let input = SecretString::from(call.input.to_string());
    let answer = invoke_secret(cx, guest, &call, &input).await?;
    Q::read(&answer).map_err(|failure| refused(FailureClass::Internal, &failure))
}

/// Asks once: for looks that come again anyway, and for what must not be done twice.
pub(super) async fn once<Q: Query>(
    cx: &Context<'_>,
    guest: &dyn Communicator,
    query: &Q,
) -> Result<Q::Answer, Unanswered> {
    let input = SecretString::from(query.input().to_string());
    let answer = guest.invoke(script(Q::SCRIPT), &input, &cx.sink(), cx.cancel()).await;
    Q::read(&answer.map_err(Unanswered::Lost)?).map_err(Unanswered::Refused)
}

/// Runs a call in the resident runner, with an input that may hold secrets, and returns the whole answer.
pub(super) async fn invoke_secret(
    cx: &Context<'_>,
    guest: &dyn Communicator,
    call: &Call,
    input: &SecretString,
) -> Result<Value, ActionError> {
    let mut attempt = 1;
    loop {
        match guest.invoke(script(call.script), input, &cx.sink(), cx.cancel()).await {
            Err(error) if attempt < ATTEMPTS && may_repeat(&error) => {
                cx.note(format!("asking again: {error}"));
                cx.pause(Duration::from_secs(5)).await?;
                attempt += 1;
            }
            result => return Ok(result?),
        }
    }
}

/// Every operation of ours looks first and does only what is missing, so it may be done again whatever became of it. A
/// script of the user's never comes this way: it is started as a task, once.
fn may_repeat(error: &CommError) -> bool {
    matches!(error, CommError::Unreachable(_) | CommError::Lost { .. })
}

/// The script as the communicator takes it.
fn script(script: reseal_guest::Script) -> Script {
    Script {
        name: script.name,
        text: script.text,
    }
}

/// A guest's refusal as a failure of the build.
pub(super) fn refused(class: FailureClass, failure: &StepFailure) -> ActionError {
    let mut error = ActionError::new(class, failure.message.clone());
    error
        .said
        .extend(failure.hresult.iter().map(|code| format!("HRESULT {code}")));
    error.said.extend(failure.items.iter().map(Item::line));
    error.hints.extend(failure.hint.clone());
    error
}
