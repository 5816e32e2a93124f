//! Cloudbase-Init before the capture: made ready where the spec says so, and what it will do on a clone said promise by
//! promise.

use std::collections::BTreeMap;

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context};
use reseal_guest::promises::{Outlook, outlook};
use reseal_guest::system::{CloudbasePrepare, CloudbasePrepared};
use serde::{Deserialize, Serialize};

use super::answer_file::AnswerFileOutput;
use super::ask::ask;
use crate::world::World;

/// What to make ready.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CloudbaseParams {
    /// The step that connected.
    pub connect: String,
    /// The step that pushed the answer file.
    pub answer_file: String,
    /// The service's name.
    pub service: String,
    /// Change it; otherwise it is only looked at.
    pub change: bool,
    /// Values for its configuration file.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
}

/// What was found, and what will come of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CloudbaseOutput {
    /// What was found and changed.
    pub(super) prepared: CloudbasePrepared,
    /// What will become of each promise.
    pub(super) outlook: Vec<Outlook>,
    /// It gives a clone the name of its server.
    pub(super) sets_name: bool,
}

/// The action.
pub(super) struct Prepare(pub(super) World);

#[async_trait]
impl Action for Prepare {
    type Params = CloudbaseParams;
    type Output = CloudbaseOutput;

    async fn run(&self, cx: &Context<'_>, params: &CloudbaseParams) -> Result<CloudbaseOutput, ActionError> {
        let guest = self.0.guest(cx, &params.connect)?;
        let answer: AnswerFileOutput = cx.output(&params.answer_file)?;
        let query = CloudbasePrepare {
            service: params.service.clone(),
            change: params.change,
            set: params.set.clone(),
        };
        let prepared = ask(cx, guest.as_ref(), &query).await?;
        say(cx, &prepared, params.change);
        let outlook = outlook(&prepared, answer.runs_cloudbase);
        for one in &outlook {
            foretell(cx, one);
        }
        let sets_name = prepared.sets_name(answer.runs_cloudbase);
        Ok(CloudbaseOutput {
            prepared,
            outlook,
            sets_name,
        })
    }
}

fn say(cx: &Context<'_>, prepared: &CloudbasePrepared, change: bool) {
    for warning in &prepared.warnings {
        cx.warn(warning.clone());
    }
    if !prepared.present {
        cx.warn("the guest has no Cloudbase-Init: machines made of the image get no password and no larger drive");
        return;
    }
    if change {
        cx.note(format!(
            "Cloudbase-Init starts after Setup (SetupComplete.cmd {})",
            prepared.setup_complete
        ));
    }
    if !prepared.set.is_empty() {
        cx.note(format!("set in {}: {}", prepared.config.path, prepared.set.join(", ")));
    }
    if prepared.start_mode.as_deref() == Some("Auto") {
        cx.warn("Cloudbase-Init starts by itself while Setup is at work on a clone: what it does then may be undone");
    }
}

/// A promise that nothing keeps is no failure: the provider's image may never have made it.
fn foretell(cx: &Context<'_>, outlook: &Outlook) {
    let title = outlook.promise.title();
    match &outlook.kept_by {
        Some(by) if outlook.problems.is_empty() => cx.note(format!("{title}: {by}")),
        Some(by) => cx.warn(format!("{title}: {by}, but {}", outlook.problems.join("; "))),
        None => cx.warn(format!("{title}: nothing provides it: {}", outlook.problems.join("; "))),
    }
}
