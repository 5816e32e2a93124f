//! Asking a guest: one operation in, one typed answer out.

use std::time::Duration;

use reseal_engine::{ActionError, Context, FailureClass};
use reseal_guest::system::Query;
use reseal_guest::{Call, StepFailure};
use reseal_machine::{CommError, Communicator};
use secrecy::SecretString;
use serde_json::Value;

/// Attempts of an operation that may be repeated freely, when the connection is lost under it.
const ATTEMPTS: u32 = 5;

/// Asks a system operation. All of them may be repeated, so a lost connection costs only time.
pub(super) async fn ask<Q: Query>(
    cx: &Context<'_>,
    guest: &dyn Communicator,
    query: &Q,
) -> Result<Q::Answer, ActionError> {
    let answer = invoke(cx, guest, &query.call()).await?;
    Q::read(&answer).map_err(|failure| refused(FailureClass::Internal, &failure))
}

/// Runs a call in the resident runner and returns the whole answer.
pub(super) async fn invoke(cx: &Context<'_>, guest: &dyn Communicator, call: &Call) -> Result<Value, ActionError> {
    let input = SecretString::from(call.input.to_string());
    invoke_secret(cx, guest, call, &input).await
}

/// The same with an input that holds secrets.
pub(super) async fn invoke_secret(
    cx: &Context<'_>,
    guest: &dyn Communicator,
    call: &Call,
    input: &SecretString,
) -> Result<Value, ActionError> {
    let script = reseal_machine::communicator::Script {
        name: call.script.name,
        text: call.script.text,
    };
    let mut attempt = 1;
    loop {
        match guest.invoke(script, input, &cx.sink(), cx.cancel()).await {
            Err(error @ (CommError::Lost { .. } | CommError::Unreachable(_))) if attempt < ATTEMPTS => {
                cx.note(format!("asking again: {error}"));
                cx.pause(Duration::from_secs(5)).await?;
                attempt += 1;
            }
            result => return Ok(result?),
        }
    }
}

/// A guest's refusal as a failure of the build.
pub(super) fn refused(class: FailureClass, failure: &StepFailure) -> ActionError {
    let mut error = ActionError::new(class, failure.message.clone());
    error
        .said
        .extend(failure.hresult.iter().map(|code| format!("HRESULT {code}")));
    let items = failure
        .items
        .iter()
        .map(|item| format!("{} {}: {:?}", item.id, item.title, item.state));
    error.said.extend(items);
    error.hints.extend(failure.hint.clone());
    error
}
