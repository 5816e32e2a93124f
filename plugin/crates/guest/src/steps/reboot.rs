//! `reboot`: a restart at this place.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Operation;
use crate::call::{Call, CallContext};
use crate::error::Problems;
use crate::failure::StepFailure;
use crate::outcome::Outcome;
use crate::system::{Pending, PendingReboot, Query};

/// When to restart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RebootWhen {
    /// Only when Windows or an earlier step asks for it.
    #[default]
    Pending,
    /// In any case.
    Always,
}

/// Restarts the machine and waits until it is back and quiet. Restarts that earlier steps ask for are joined into one
/// here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reboot {
    /// `pending` or `always`. Default: `pending`.
    #[serde(default)]
    pub when: RebootWhen,
}

impl Operation for Reboot {
    fn check(&self, _problems: &mut Problems) {}

    fn call(&self, _cx: &CallContext) -> Call {
        Call::inline(PendingReboot::SCRIPT, json!({}))
    }

    fn read(&self, answer: &Value) -> Result<Outcome, StepFailure> {
        let pending: Pending = PendingReboot::read(answer)?;
        let asked = pending
            .hard
            .iter()
            .map(|signal| signal.signal.clone())
            .collect::<Vec<_>>();
        let reboot_required = self.when == RebootWhen::Always || !asked.is_empty();
        let detail = if asked.is_empty() {
            "nothing asks for a restart".to_owned()
        } else {
            asked.join(", ")
        };
        Ok(Outcome {
            reboot_required,
            already: !reboot_required,
            detail,
            ..Outcome::default()
        })
    }

    fn may_reboot(&self) -> bool {
        true
    }

    fn default_timeout(&self) -> std::time::Duration {
        std::time::Duration::from_mins(20)
    }

    fn summary(&self) -> String {
        match self.when {
            RebootWhen::Pending => "restart if one is pending".to_owned(),
            RebootWhen::Always => "restart".to_owned(),
        }
    }
}
