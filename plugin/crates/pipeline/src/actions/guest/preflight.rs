//! Asks all that would make sysprep fail, cures what the spec allows, and asks again.

use std::time::Duration;

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context, FailureClass, Verdict};
use reseal_guest::preflight::{Finding, Options, Remedy, Severity, judge};
use reseal_guest::system::{Fixes, Preflight, PreflightFix, Query as _};
use reseal_machine::{Communicator, Schedule};
use serde::{Deserialize, Serialize};

use super::answer_file::AnswerFileOutput;
use super::apps::{self, Suspect};
use super::ask::{ask, refused};
use super::detached::{self, Place};
use super::step::work_root;
use crate::world::{World, name};

/// How long servicing and installers may still be at work.
const PATIENCE: Duration = Duration::from_mins(30);

/// What may be cured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PreflightParams {
    /// The step that connected.
    pub connect: String,
    /// The cures that the spec allows.
    pub fix: Vec<Fixes>,
    /// The steps after which somebody looked at the app packages, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suspects: Vec<Suspect>,
    /// The step that pushed the answer file, which may let sysprep leave the licence alone.
    pub answer_file: String,
    /// Codes of findings that the spec accepts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<String>,
}

/// The action.
pub(super) struct Check(pub(super) World);

#[async_trait]
impl Action for Check {
    type Params = PreflightParams;
    /// Codes of the warnings that stay.
    type Output = Vec<String>;

    async fn run(&self, cx: &Context<'_>, params: &PreflightParams) -> Result<Vec<String>, ActionError> {
        let guest = self.0.guest(cx, &params.connect)?;
        let seen = settled(cx, guest.as_ref(), params).await?;
        let curable: Vec<Fixes> = cures(&seen.findings, &params.fix);
        let seen = if curable.is_empty() {
            seen
        } else {
            cure(cx, guest.as_ref(), params, curable).await?
        };
        report(cx, &seen.findings).map_err(|error| error.said(guilty(cx, params, &seen.packages)))
    }
}

/// What was found, and the app packages among it.
struct Seen {
    findings: Vec<Finding>,
    packages: Vec<String>,
}

/// Looks until nothing is found any more that passes by itself.
async fn settled(cx: &Context<'_>, guest: &dyn Communicator, params: &PreflightParams) -> Result<Seen, ActionError> {
    let look = || async {
        let seen = judged(cx, guest, params).await?;
        let busy = seen.findings.iter().find(|finding| finding.severity == Severity::Wait);
        Ok(match busy {
            Some(wait) => Verdict::Waiting(format!("{} {}", wait.code, wait.message)),
            None => Verdict::Done(seen),
        })
    };
    let schedule = Schedule {
        longest: Duration::from_secs(30),
        ..Schedule::up_to(PATIENCE)
    };
    let waited = cx.wait_until("the end of servicing", schedule, look).await;
    waited.map_err(|error| error.class(FailureClass::Sysprep))
}

async fn judged(cx: &Context<'_>, guest: &dyn Communicator, params: &PreflightParams) -> Result<Seen, ActionError> {
    let facts = ask(cx, guest, &Preflight::default()).await?;
    let pushed: Option<AnswerFileOutput> = cx.output_if_any(&params.answer_file)?;
    let options = Options {
        now_epoch: Some(cx.clock().now().as_second()),
        skip_rearm: pushed.as_ref().is_some_and(|pushed| pushed.skips_rearm),
        copy_profile: pushed.is_some_and(|pushed| pushed.copies_profile),
        accept: params.accept.clone(),
    };
    let blockers = facts.appx.iter().flat_map(|appx| &appx.blockers);
    Ok(Seen {
        findings: judge(&facts, &options),
        packages: blockers.map(|blocker| blocker.full_name.clone()).collect(),
    })
}

/// The cure that the build has for a finding.
fn fix(finding: &Finding) -> Option<Fixes> {
    match finding.remedy {
        Some(Remedy::Fix(fix)) => Some(fix),
        _ => None,
    }
}

fn cures(findings: &[Finding], allowed: &[Fixes]) -> Vec<Fixes> {
    let wanted = findings.iter().filter_map(fix).filter(|fix| allowed.contains(fix));
    let mut cures: Vec<Fixes> = wanted.collect();
    cures.sort();
    cures.dedup();
    cures
}

async fn cure(
    cx: &Context<'_>,
    guest: &dyn Communicator,
    params: &PreflightParams,
    fixes: Vec<Fixes>,
) -> Result<Seen, ActionError> {
    let call = PreflightFix::new(fixes).call();
    let place = Place {
        task: format!("{}-fix", name(cx.build())),
        work: format!("{}\\fix", work_root(cx)),
    };
    let answer = detached::run(cx, guest, &place, &call, call.input.clone()).await?;
    detached::remove(cx, guest, &place).await;
    let results = PreflightFix::read(&answer).map_err(|failure| refused(FailureClass::Sysprep, &failure))?;
    for result in &results.fixes {
        let text = format!("{}: {}", result.fix.as_str(), result.detail);
        if result.done {
            cx.note(format!("cured {text}"));
        } else {
            cx.warn(format!("not cured {text}"));
        }
    }
    settled(cx, guest, params).await
}

fn report(cx: &Context<'_>, findings: &[Finding]) -> Result<Vec<String>, ActionError> {
    let (errors, rest): (Vec<&Finding>, Vec<&Finding>) =
        findings.iter().partition(|finding| finding.severity == Severity::Error);
    for finding in &rest {
        let text = format!("{} {}", finding.code, finding.message);
        if finding.severity == Severity::Warning {
            cx.warn(text);
        } else {
            cx.note(text);
        }
    }
    if errors.is_empty() {
        return Ok(rest.iter().map(|finding| finding.code.to_owned()).collect());
    }
    let message = match errors.as_slice() {
        [one] => format!("sysprep would fail: {} {}", one.code, one.message),
        many => format!("sysprep would fail for {} reasons", many.len()),
    };
    let mut error = ActionError::new(FailureClass::Sysprep, message);
    error.said.extend(
        errors
            .iter()
            .map(|finding| format!("{} {}", finding.code, finding.message)),
    );
    error.hints.extend(errors.iter().map(|finding| hint(finding)));
    let codes: Vec<&str> = errors.iter().map(|finding| finding.code).collect();
    let accept = format!("generalize: {{ accept: [{}] }}", codes.join(", "));
    error
        .hints
        .push(format!("`{accept}` goes on in spite of it, where you know better"));
    Err(error)
}

/// Which step brought the app packages that are in the way.
fn guilty(cx: &Context<'_>, params: &PreflightParams, packages: &[String]) -> Vec<String> {
    packages
        .iter()
        .filter_map(|package| {
            let origin = apps::origin(cx, &params.connect, &params.suspects, package)?;
            Some(format!("{package}: {origin}"))
        })
        .collect()
}

fn hint(finding: &Finding) -> String {
    match finding.remedy {
        Some(remedy) => format!("{} (or let the build do it: `{}`)", finding.cure, remedy.in_spec()),
        None => finding.cure.to_owned(),
    }
}
