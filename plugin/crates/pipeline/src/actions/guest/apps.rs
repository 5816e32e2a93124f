//! App packages that would make sysprep refuse the guest: looked for after each step that may install some, so that the
//! step is named which brought them, hours before sysprep would fail.

use std::collections::BTreeSet;

use reseal_engine::{ActionError, Context};
use reseal_guest::system::AppxBlockers;
use reseal_machine::{CommError, Communicator};
use serde::{Deserialize, Serialize};

use super::ask::{Unanswered, once};
use super::step::StepOutput;
use crate::world::Entrance;

/// A step after which somebody looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspect {
    /// The step's id.
    pub step: String,
    /// Its title, for people.
    pub title: String,
    /// Its line in the spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

impl Suspect {
    fn named(&self) -> String {
        match self.line {
            Some(line) => format!("step `{}` (line {line} of the spec)", self.title),
            None => format!("step `{}`", self.title),
        }
    }
}

/// The packages at this moment; `None` when the guest has no app packages or does not answer. What cannot be found out
/// here is asked again, thoroughly, before sysprep.
pub(super) async fn look(cx: &Context<'_>, guest: &dyn Communicator) -> Option<Vec<String>> {
    match once(cx, guest, &AppxBlockers::default()).await {
        Ok(found) if found.available => Some(found.blockers.into_iter().map(|blocker| blocker.full_name).collect()),
        Ok(_) | Err(Unanswered::Lost(CommError::Cancelled)) => None,
        Err(Unanswered::Lost(error)) => not_seen(cx, &error.to_string()),
        Err(Unanswered::Refused(failure)) => not_seen(cx, &failure.message),
    }
}

fn not_seen(cx: &Context<'_>, why: &str) -> Option<Vec<String>> {
    cx.note(format!("cannot look at the app packages now: {why}"));
    None
}

/// Looks after a step and says at once what it brought. `since` are the earlier looks, the latest first.
pub(super) async fn after_step(cx: &Context<'_>, guest: &dyn Communicator, since: &[String]) -> Option<Vec<String>> {
    let now = look(cx, guest).await?;
    let before: BTreeSet<String> = since
        .iter()
        .find_map(|step| seen_at(cx, step))
        .unwrap_or_default()
        .into_iter()
        .collect();
    for package in now.iter().filter(|package| !before.contains(*package)) {
        cx.warn(format!(
            "this step has installed the app package `{package}` for one user only: sysprep refuses a guest with such a \
             package (`generalize: {{ fix: [appx] }}` removes it before)"
        ));
    }
    Some(now)
}

/// What was seen at a step: at the connection, or after a step of the software.
fn seen_at(cx: &Context<'_>, step: &str) -> Option<Vec<String>> {
    let entrance: Result<Option<Entrance>, ActionError> = cx.output_if_any(step);
    if let Ok(Some(entrance)) = entrance {
        return entrance.apps;
    }
    let output: Option<StepOutput> = cx.output_if_any(step).ok().flatten();
    output.and_then(|output| output.apps)
}

/// Where a package came from: the first look that saw it, if one before did not.
pub(super) fn origin(cx: &Context<'_>, connect: &str, suspects: &[Suspect], package: &str) -> Option<String> {
    let has = |step: &str| seen_at(cx, step).map(|seen| seen.iter().any(|name| name == package));
    if has(connect) == Some(true) {
        return Some("it was there before the first step: the base image has it".to_owned());
    }
    let first = suspects.iter().find(|suspect| has(&suspect.step) == Some(true))?;
    Some(format!("it appeared after {}", first.named()))
}
