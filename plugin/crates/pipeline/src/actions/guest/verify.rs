//! Proves an image by a machine made of it: the injected password, the new identity, the larger drive.

use std::time::Duration;

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context, FailureClass};
use reseal_guest::system::{IdentityFacts, VerifyFacts, VerifyFactsResult};
use reseal_machine::Schedule;
use serde::{Deserialize, Serialize};

use super::ask::ask;
use super::connect::posted_password;
use crate::actions::cloud::{KEY, ReadyOutput, ServerOutput};
use crate::identity;
use crate::world::{Entrance, World};

/// Whose password to wait for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PasswordParams {
    /// The step that knows the machine.
    pub ready: String,
    /// The name under which it is kept.
    pub name: String,
    /// The limit in seconds.
    pub limit_seconds: u64,
}

/// The password action: proof of "Inject Password".
pub(super) struct Password(pub(super) World);

#[async_trait]
impl Action for Password {
    type Params = PasswordParams;
    type Output = ();

    async fn run(&self, cx: &Context<'_>, params: &PasswordParams) -> Result<(), ActionError> {
        let ready: ReadyOutput = cx.output(&params.ready)?;
        let limit = Duration::from_secs(params.limit_seconds);
        let failed = |error: ActionError| error.class(FailureClass::Verify);
        let encrypted = posted_password(cx, &self.0, &ready.server, limit)
            .await
            .map_err(failed)?;
        let key = cx.secret(KEY)?;
        let wrong = |error: identity::IdentityError| ActionError::new(FailureClass::Verify, error.to_string());
        cx.keep_secret(
            &params.name,
            identity::decrypt_password(&key, &encrypted).map_err(wrong)?,
        )
    }
}

/// What to compare with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProofParams {
    /// The step that connected to the verifying machine.
    pub connect: String,
    /// The step that connected to the build machine, where the build has made one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built: Option<String>,
    /// The step that made the verifying machine.
    pub server: String,
    /// The step that knows its root volume.
    pub ready: String,
    /// The time zone that the answer file sets, as a Windows id.
    pub time_zone: Option<String>,
    /// The account that must be gone.
    pub account_gone: bool,
}

/// The proving action.
pub(super) struct Prove(pub(super) World);

#[async_trait]
impl Action for Prove {
    type Params = ProofParams;
    type Output = VerifyFactsResult;

    async fn run(&self, cx: &Context<'_>, params: &ProofParams) -> Result<VerifyFactsResult, ActionError> {
        let guest = self.0.guest(cx, &params.connect)?;
        let complete = |facts: VerifyFactsResult| {
            if facts.image_state == "IMAGE_STATE_COMPLETE" {
                reseal_engine::Verdict::Done(facts)
            } else {
                reseal_engine::Verdict::Waiting(facts.image_state)
            }
        };
        let look = || async { Ok(complete(ask(cx, guest.as_ref(), &VerifyFacts::default()).await?)) };
        let waited = cx
            .wait_until(
                "the end of the first boot",
                Schedule::up_to(Duration::from_mins(15)),
                look,
            )
            .await;
        let facts = waited.map_err(|error| error.class(FailureClass::Verify))?;
        let built: Option<Entrance> = params.built.as_deref().map(|built| cx.output(built)).transpose()?;
        let built = built.map(|built| serde_json::from_value(built.identity).unwrap_or_default());
        let built: IdentityFacts = built.unwrap_or_default();
        let server: ServerOutput = cx.output(&params.server)?;
        let ready: ReadyOutput = cx.output(&params.ready)?;
        let wrong = compare(params, &facts, &built, &server, &ready);
        if wrong.is_empty() {
            return Ok(facts);
        }
        Err(ActionError::new(FailureClass::Verify, "the image does not hold what it should").said(wrong))
    }
}

/// Everything that is not as it should be, in words.
fn compare(
    params: &ProofParams,
    facts: &VerifyFactsResult,
    built: &IdentityFacts,
    server: &ServerOutput,
    ready: &ReadyOutput,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut must = |good: bool, text: String| {
        if !good {
            wrong.push(text);
        }
    };
    must(
        facts.machine_sid.is_none() || facts.machine_sid != built.machine_sid,
        "the machine SID was not renewed".into(),
    );
    let name = facts.computer_name.to_ascii_lowercase();
    must(
        name != built.computer_name.to_ascii_lowercase(),
        format!("the computer is still called {name}"),
    );
    if facts.cloudbase.present {
        let wanted: String = server.name.to_ascii_lowercase().chars().take(15).collect();
        must(
            name == wanted,
            format!("the computer is called {name}, not {wanted} as its server"),
        );
        let least = u64::from(ready.root_gb) * 1024 * 1024 * 1024 / 10 * 9;
        must(
            facts.drive_c_bytes >= least,
            format!("drive C: has {} bytes of {} GB", facts.drive_c_bytes, ready.root_gb),
        );
    }
    if let Some(zone) = &params.time_zone {
        must(
            facts.time_zone == *zone,
            format!("the time zone is {}, not {zone}", facts.time_zone),
        );
    }
    if params.account_gone {
        let left: Vec<&String> = facts
            .users
            .iter()
            .filter(|user| user.to_ascii_lowercase().starts_with("reseal-"))
            .collect();
        must(left.is_empty(), format!("build accounts are left: {left:?}"));
    }
    must(
        facts.traces.is_empty(),
        format!("traces of the build are left: {}", facts.traces.join(", ")),
    );
    wrong
}
