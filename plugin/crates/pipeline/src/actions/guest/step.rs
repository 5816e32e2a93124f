//! One step of the spec's software: bring its files, run it where it must run, read what came of it.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context, FailureClass};
use reseal_guest::steps::{Reboot, RebootWhen};
use reseal_guest::system::{Condition, FetchUrl, PendingReboot, Query as _};
use reseal_guest::{Call, CallContext, Delivered, Mode, Outcome, Payload, RunAs, Step};
use reseal_machine::Communicator;
use serde::{Deserialize, Serialize};

use super::ask::{ask, refused};
use super::detached::{self, Place};
use super::{apps, files, logs, reboot};
use crate::secrets;
use crate::world::{World, name, short};

/// Which step, and in which guest.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StepParams {
    /// The step that connected.
    pub connect: String,
    /// The step's number in its list; it names folders and tasks.
    pub number: usize,
    /// What to do.
    pub step: Step,
    /// A PowerShell condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_if: Option<String>,
    /// SHA-256 of the local files, as planned.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// The class of a failure.
    pub class: FailureClass,
    /// Who looked at the app packages before, the latest first; `None` when nobody need look after this step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apps_since: Option<Vec<String>>,
}

/// What came of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct StepOutput {
    /// The condition did not hold.
    pub skipped: bool,
    /// What the guest said.
    pub outcome: Outcome,
    /// App packages for which sysprep would refuse the guest after this step, by full name; `None` when nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apps: Option<Vec<String>>,
}

/// The action.
pub(super) struct Run(pub(super) World);

#[async_trait]
impl Action for Run {
    type Params = StepParams;
    type Output = StepOutput;

    async fn run(&self, cx: &Context<'_>, params: &StepParams) -> Result<StepOutput, ActionError> {
        let guest = self.0.guest(cx, &params.connect)?;
        if !holds(cx, guest.as_ref(), params).await? {
            cx.note("not needed: its `only_if` is false in the guest");
            return Ok(StepOutput {
                skipped: true,
                ..StepOutput::default()
            });
        }
        if let Step::Reboot(wanted) = &params.step {
            return restart(cx, guest.as_ref(), wanted).await;
        }
        let outcome = self.rounds(cx, guest.as_ref(), params).await?;
        let apps = match &params.apps_since {
            Some(since) => apps::after_step(cx, guest.as_ref(), since).await,
            None => None,
        };
        Ok(StepOutput {
            skipped: false,
            outcome,
            apps,
        })
    }
}

impl Run {
    /// Round after round with a restart between, until the guest says that there is no more.
    async fn rounds(
        &self,
        cx: &Context<'_>,
        guest: &dyn Communicator,
        params: &StepParams,
    ) -> Result<Outcome, ActionError> {
        let rounds = params.step.rounds();
        if rounds > 1 {
            take_up(cx, guest, params).await?;
        }
        let mut round = 1;
        loop {
            let outcome = self.round(cx, guest, params, round).await?;
            if !outcome.more || round >= rounds {
                return Ok(outcome);
            }
            reboot::restart(cx, guest, "the next round needs it").await?;
            round += 1;
        }
    }

    async fn round(
        &self,
        cx: &Context<'_>,
        guest: &dyn Communicator,
        params: &StepParams,
        round: u32,
    ) -> Result<Outcome, ActionError> {
        let place = place(cx, params);
        let payloads = self.bring(cx, guest, params, &place).await?;
        let timeout = cx.step().policy.timeout();
        let surroundings = CallContext {
            work: place.work.clone(),
            payloads,
            timeout,
            round,
        };
        let call = params.step.call(&surroundings);
        let input = secrets::reveal(cx, &call.input)?;
        let answer = detached::run(cx, guest, &place, &call, input).await?;
        let read = params.step.read(&answer);
        let logs = read
            .as_ref()
            .map_or_else(|failure| &failure.logs, |outcome| &outcome.logs);
        logs::bring_home(cx, &self.0, guest, logs).await;
        if matches!(call.mode, Mode::Detached { .. }) {
            detached::remove(cx, guest, &place).await;
        }
        let outcome = read.map_err(|failure| refused(params.class, &failure))?;
        let outcome = outcome.cleaned(|text| cx.scrub(text));
        say(cx, &params.step, &outcome);
        Ok(outcome)
    }

    /// Brings the step's files: pushed, or fetched by the guest itself.
    async fn bring(
        &self,
        cx: &Context<'_>,
        guest: &dyn Communicator,
        params: &StepParams,
        place: &Place,
    ) -> Result<BTreeMap<String, Delivered>, ActionError> {
        let mut delivered = BTreeMap::new();
        for payload in params.step.payloads() {
            let to = format!("{}-files\\{}", place.work, payload.file_name);
            let arrived = match &payload.source.url {
                Some(url) => fetch(cx, guest, &payload, url, &to, place).await?,
                None => self.push(cx, guest, params, &payload, &to).await?,
            };
            delivered.insert(payload.source.key(), arrived);
        }
        Ok(delivered)
    }

    async fn push(
        &self,
        cx: &Context<'_>,
        guest: &dyn Communicator,
        params: &StepParams,
        payload: &Payload,
        to: &str,
    ) -> Result<Delivered, ActionError> {
        let path = payload.source.file.clone().unwrap_or_default();
        let planned = params.files.get(&path).map(String::as_str);
        let sent = files::push(cx, &self.0, guest, &path, to, planned).await?;
        Ok(Delivered {
            path: to.to_owned(),
            sha256: Some(sent.sha256),
        })
    }
}

async fn fetch(
    cx: &Context<'_>,
    guest: &dyn Communicator,
    payload: &Payload,
    url: &str,
    to: &str,
    place: &Place,
) -> Result<Delivered, ActionError> {
    let limit = Duration::from_hours(1);
    let query = FetchUrl {
        url: url.to_owned(),
        path: to.to_owned(),
        sha256: payload.source.sha256.clone(),
        size: payload.source.size,
        pin: None,
        timeout_seconds: limit.as_secs(),
    };
    let call = Call::detached(
        FetchUrl::SCRIPT,
        query.input(),
        RunAs::User,
        limit + Duration::from_mins(2),
    );
    let place = Place {
        task: format!("{}-fetch", place.task),
        work: format!("{}-fetch", place.work),
    };
    cx.note(format!("the guest fetches {}", payload.file_name));
    let answer = detached::run(cx, guest, &place, &call, secrets::reveal(cx, &call.input)?).await?;
    detached::remove(cx, guest, &place).await;
    let fetched = FetchUrl::read(&answer).map_err(|failure| refused(FailureClass::Install, &failure))?;
    Ok(Delivered {
        path: fetched.path,
        sha256: Some(fetched.sha256),
    })
}

async fn holds(cx: &Context<'_>, guest: &dyn Communicator, params: &StepParams) -> Result<bool, ActionError> {
    let Some(condition) = &params.only_if else {
        return Ok(true);
    };
    let call = Condition {
        script: condition.clone(),
    }
    .call();
    let mut place = place(cx, params);
    place.task.push_str("-if");
    place.work.push_str("-if");
    let answer = detached::run(cx, guest, &place, &call, secrets::reveal(cx, &call.input)?).await?;
    detached::remove(cx, guest, &place).await;
    Ok(Condition::read(&answer)
        .map_err(|failure| refused(params.class, &failure))?
        .value)
}

/// An earlier process may have died between a round and its restart, or in the middle of a round. A round that is still
/// at work must be watched to its end: it wants a restart already, and would not survive it.
async fn take_up(cx: &Context<'_>, guest: &dyn Communicator, params: &StepParams) -> Result<(), ActionError> {
    if detached::is_running(cx, guest, &place(cx, params)).await? {
        cx.note("a round that was begun before is still at work");
        return Ok(());
    }
    let pending = ask(cx, guest, &PendingReboot::default()).await?;
    match pending.hard.first() {
        Some(signal) => reboot::restart(cx, guest, &signal.signal).await,
        None => Ok(()),
    }
}

async fn restart(cx: &Context<'_>, guest: &dyn Communicator, wanted: &Reboot) -> Result<StepOutput, ActionError> {
    let pending = ask(cx, guest, &PendingReboot::default()).await?;
    let needed = wanted.when == RebootWhen::Always || !pending.hard.is_empty();
    if needed {
        let why = pending
            .hard
            .first()
            .map_or("the spec says so", |signal| signal.signal.as_str());
        reboot::restart(cx, guest, why).await?;
    } else {
        cx.note("no restart is pending");
    }
    let outcome = Outcome {
        changed: needed,
        already: !needed,
        ..Outcome::default()
    };
    Ok(StepOutput {
        outcome,
        ..StepOutput::default()
    })
}

fn say(cx: &Context<'_>, step: &Step, outcome: &Outcome) {
    for warning in &outcome.warnings {
        cx.warn(warning.clone());
    }
    for item in &outcome.items {
        cx.note(item.line());
    }
    // A script has nothing to say of itself but that it ran.
    let detail = if outcome.detail == step.name() {
        "done"
    } else {
        outcome.detail.as_str()
    };
    let already = if outcome.already { "already there: " } else { "" };
    let later = if outcome.reboot_required {
        " (a restart is pending)"
    } else {
        ""
    };
    cx.note(format!("{already}{detail}{later}"));
}

/// All rounds of a step share one place, so that a later process finds whichever was at work.
fn place(cx: &Context<'_>, params: &StepParams) -> Place {
    let list = if params.class == FailureClass::Verify { "c" } else { "" };
    let suffix = format!("{list}{}", params.number);
    Place {
        task: format!("{}-{suffix}", name(cx.build())),
        work: format!("{}\\{suffix}", work_root(cx)),
    }
}

/// The build's folder in the guest: no blanks in it.
pub(super) fn work_root(cx: &Context<'_>) -> String {
    format!("C:\\Windows\\Temp\\reseal-{}", short(cx.build()))
}
