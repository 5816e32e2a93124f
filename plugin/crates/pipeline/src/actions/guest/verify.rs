//! Proves an image by a machine made of it: the injected password, and what every image must hold.

use std::time::Duration;

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context, FailureClass};
use reseal_guest::system::{VerifyFacts, VerifyFactsResult};
use reseal_machine::Communicator;
use serde::{Deserialize, Serialize};

use super::ask::ask;
use super::connect::posted_password;
use crate::actions::cloud::{KEY, ReadyOutput};
use crate::identity;
use crate::world::World;

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
    /// The step that followed the first boot.
    pub connect: String,
    /// The time zone that the answer file sets, as a Windows id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The locales that the answer file sets.
    #[serde(default, skip_serializing_if = "Locales::is_empty")]
    pub locales: Locales,
    /// The account that must be gone.
    pub account_gone: bool,
}

/// Locales that the answer file sets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Locales {
    /// Of programs without Unicode.
    pub system: Option<String>,
    /// Of formats.
    pub user: Option<String>,
    /// Of the display.
    pub display: Option<String>,
}

impl Locales {
    /// None is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The proving action: what every image must hold, whatever its provider promises.
pub(super) struct Prove(pub(super) World);

#[async_trait]
impl Action for Prove {
    type Params = ProofParams;
    type Output = VerifyFactsResult;

    async fn run(&self, cx: &Context<'_>, params: &ProofParams) -> Result<VerifyFactsResult, ActionError> {
        let guest = self.0.guest(cx, &params.connect)?;
        let facts = facts(cx, guest.as_ref()).await?;
        for doubt in strange_locales(&params.locales, &facts) {
            cx.warn(doubt);
        }
        let wrong = compare(params, &facts);
        if wrong.is_empty() {
            return Ok(facts);
        }
        Err(ActionError::new(FailureClass::Verify, "the image does not hold what it should").said(wrong))
    }
}

/// Asks the clone for everything that proves it. A clone that is lost now is the image's fault.
pub(super) async fn facts(cx: &Context<'_>, guest: &dyn Communicator) -> Result<VerifyFactsResult, ActionError> {
    ask(cx, guest, &VerifyFacts::default())
        .await
        .map_err(|error| error.class(FailureClass::Verify))
}

/// Everything that is not as it should be, in words.
fn compare(params: &ProofParams, facts: &VerifyFactsResult) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut must = |good: bool, text: String| {
        if !good {
            wrong.push(text);
        }
    };
    must(
        facts.image_state == "IMAGE_STATE_COMPLETE",
        format!("Setup is not done: the system's state is {}", facts.image_state),
    );
    if let Some(zone) = &params.time_zone {
        must(
            facts.time_zone.eq_ignore_ascii_case(zone),
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

/// What a new account sees may follow its own settings, so another locale is a doubt and no failure.
fn strange_locales(wanted: &Locales, facts: &VerifyFactsResult) -> Vec<String> {
    [
        ("system locale", &wanted.system, &facts.system_locale),
        ("user locale", &wanted.user, &facts.user_locale),
        ("display language", &wanted.display, &facts.ui_language),
    ]
    .into_iter()
    .filter_map(|(what, wanted, found)| {
        let wanted = wanted.as_ref().filter(|wanted| !wanted.eq_ignore_ascii_case(found))?;
        Some(format!("the {what} is {found}, not {wanted} as in the answer file"))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_image_must_hold() {
        let params = ProofParams {
            connect: "c".to_owned(),
            time_zone: Some("UTC".to_owned()),
            locales: Locales::default(),
            account_gone: true,
        };
        let good = VerifyFactsResult {
            image_state: "IMAGE_STATE_COMPLETE".to_owned(),
            time_zone: "utc".to_owned(),
            users: vec!["Administrator".to_owned(), "verify-1".to_owned()],
            ..VerifyFactsResult::default()
        };
        assert_eq!(compare(&params, &good), Vec::<String>::new());
        let bad = VerifyFactsResult {
            image_state: "IMAGE_STATE_UNDEPLOYABLE".to_owned(),
            time_zone: "Korea Standard Time".to_owned(),
            users: vec!["Reseal-1".to_owned()],
            traces: vec!["C:\\x".to_owned()],
            ..good
        };
        assert_eq!(compare(&params, &bad).len(), 4);
    }

    #[test]
    fn another_locale_is_a_doubt() {
        let wanted = Locales {
            system: Some("ko-KR".to_owned()),
            user: Some("ko-kr".to_owned()),
            display: None,
        };
        let facts = VerifyFactsResult {
            system_locale: "en-US".to_owned(),
            user_locale: "ko-KR".to_owned(),
            ..VerifyFactsResult::default()
        };
        assert_eq!(strange_locales(&wanted, &facts).len(), 1);
    }
}
