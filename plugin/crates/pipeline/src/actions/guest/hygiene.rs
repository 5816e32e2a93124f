//! Cleans what need not be in the image, and searches for what must not be.

use std::time::Duration;

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context, FailureClass};
use reseal_guest::leftovers::{Options, judge};
use reseal_guest::system::{Category, Hygiene, HygieneResult, Leftovers, Query as _, Residue};
use reseal_guest::{Call, Finding, RunAs, Severity};
use reseal_machine::Communicator;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use super::ask::{ask, refused};
use super::detached::{self, Place};
use super::step::work_root;
use crate::actions::cloud::{PASSWORD, PFX_PASSWORD};
use crate::secrets;
use crate::world::{World, name};

/// What to clean.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HygieneParams {
    /// The step that connected.
    pub connect: String,
    /// The categories, in order.
    pub categories: Vec<Category>,
}

/// The cleaning action.
pub(super) struct Clean(pub(super) World);

#[async_trait]
impl Action for Clean {
    type Params = HygieneParams;
    type Output = HygieneResult;

    async fn run(&self, cx: &Context<'_>, params: &HygieneParams) -> Result<HygieneResult, ActionError> {
        let guest = self.0.guest(cx, &params.connect)?;
        let limit = Duration::from_hours(1);
        let hygiene = Hygiene {
            categories: params.categories.clone(),
            keep: vec![work_root(cx)],
            timeout_seconds: limit.as_secs(),
        };
        let place = Place {
            task: format!("{}-hygiene", name(cx.build())),
            work: format!("{}\\hygiene", work_root(cx)),
        };
        let call = Call::detached(
            Hygiene::SCRIPT,
            hygiene.input(),
            RunAs::User,
            limit + Duration::from_mins(5),
        );
        let answer = detached::run(cx, guest.as_ref(), &place, &call, hygiene.input()).await?;
        detached::remove(cx, guest.as_ref(), &place).await;
        let result = Hygiene::read(&answer).map_err(|failure| refused(FailureClass::Sysprep, &failure))?;
        for category in &result.categories {
            if category.done {
                let name = category.category.in_spec().replace('_', " ");
                let freed = category.freed / (1024 * 1024);
                cx.note(format!("{name}: {} removed, {freed} MiB freed", category.removed));
            }
            if let Some(warning) = category.warning() {
                cx.warn(warning);
            }
        }
        Ok(result)
    }
}

/// Which guest to search.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ResidueParams {
    /// The step that connected.
    pub connect: String,
    /// The names of the sensitive variables.
    pub variables: Vec<String>,
    /// Whether a one-time build account will be removed.
    #[serde(default)]
    pub remove_account: bool,
    /// The machine is somebody else's: the build has made no secrets of its own for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub visiting: bool,
}

/// The searching action.
pub(super) struct Search(pub(super) World);

#[async_trait]
impl Action for Search {
    type Params = ResidueParams;
    type Output = u64;

    async fn run(&self, cx: &Context<'_>, params: &ResidueParams) -> Result<u64, ActionError> {
        let guest = self.0.guest(cx, &params.connect)?;
        leftovers(cx, guest.as_ref(), params).await?;
        let residue = wanted(cx, params)?;
        let result = ask(cx, guest.as_ref(), &residue).await?;
        for gap in result.gaps() {
            cx.note(gap);
        }
        if result.hits.is_empty() {
            return Ok(result.scanned_files);
        }
        let said = result
            .hits
            .iter()
            .map(|hit| format!("{} in {} {} ({}x)", hit.name, hit.place, hit.path, hit.count));
        Err(
            ActionError::new(FailureClass::Sysprep, "secrets of the build are still in the guest")
                .said(said)
                .hint("a step wrote them there; remove the files in a later step, or pass the value in another way"),
        )
    }
}

/// Says what the build leaves in the image, before it is taken. Only what the build itself knows to be secret stops it.
async fn leftovers(
    cx: &Context<'_>,
    guest: &dyn Communicator,
    params: &ResidueParams,
) -> Result<Vec<Finding>, ActionError> {
    let facts = ask(cx, guest, &Leftovers::new(work_root(cx))).await?;
    let options = Options {
        build_account: params.remove_account.then(|| name(cx.build())),
        own_tasks: name(cx.build()),
    };
    let findings = judge(&facts, &options);
    for finding in &findings {
        let text = format!("{} {}", finding.code, finding.message);
        if finding.severity == Severity::Info {
            cx.note(text);
        } else {
            let cure = finding
                .remedy
                .map_or_else(|| finding.cure.to_owned(), |remedy| format!("`{}`", remedy.in_spec()));
            cx.warn(format!("{text}; {cure}"));
        }
    }
    Ok(findings)
}

/// What to search for. The guest says which values are too short for it.
fn wanted(cx: &Context<'_>, params: &ResidueParams) -> Result<Residue, ActionError> {
    let mut residue = Residue {
        secrets: vec![],
        names: vec![],
        roots: None,
        max_file_bytes: 16 * 1024 * 1024,
    };
    let variables = params.variables.iter().map(|name| (name.clone(), secrets::key(name)));
    let own = [
        ("the build account's password", PASSWORD),
        ("the listener's PFX password", PFX_PASSWORD),
    ];
    let own = own.into_iter().filter(|_| !params.visiting);
    let own = own.map(|(name, key)| (name.to_owned(), key.to_owned()));
    for (name, key) in variables.chain(own) {
        residue.secrets.push(cx.secret(&key)?.expose_secret().to_owned());
        residue.names.push(name);
    }
    Ok(residue)
}
