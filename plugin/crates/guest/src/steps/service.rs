//! `service`: start type and state of a Windows service.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Operation;
use crate::call::{Call, CallContext};
use crate::error::Problems;
use crate::script::{Script, script};

pub(super) const SCRIPT: Script = script!("service", "values", "services");

/// When a service starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StartType {
    /// At boot.
    Automatic,
    /// Some minutes after boot.
    AutomaticDelayed,
    /// On demand.
    Manual,
    /// Never.
    Disabled,
}

/// What a service should be doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceState {
    /// It runs.
    Running,
    /// It is stopped.
    Stopped,
    /// It is stopped and started again, always.
    Restarted,
}

/// Sets how a service starts and whether it runs now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The service's short name. Example: `W3SVC`.
    pub id: String,
    /// When it starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<StartType>,
    /// What it should be doing now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ServiceState>,
}

impl Operation for Service {
    fn check(&self, problems: &mut Problems) {
        problems.not_empty("id", self.id.is_empty());
        if self.start.is_none() && self.state.is_none() {
            problems.missing("", "says nothing to do", &["start", "state"]);
        }
    }

    fn call(&self, cx: &CallContext) -> Call {
        let wait = cx.limit(self.default_timeout()).as_secs().clamp(5, 240);
        let input = json!({"id": self.id, "start": self.start, "state": self.state, "wait_seconds": wait});
        Call::inline(SCRIPT, input)
    }

    fn default_timeout(&self) -> std::time::Duration {
        std::time::Duration::from_mins(1)
    }

    fn summary(&self) -> String {
        let start = self.start.map(|start| match start {
            StartType::Automatic => "automatic",
            StartType::AutomaticDelayed => "automatic, delayed",
            StartType::Manual => "manual",
            StartType::Disabled => "disabled",
        });
        let state = self.state.map(|state| match state {
            ServiceState::Running => "running",
            ServiceState::Stopped => "stopped",
            ServiceState::Restarted => "restarted",
        });
        let wanted: Vec<&str> = start.into_iter().chain(state).collect();
        format!("set {} to {}", self.id, wanted.join(", "))
    }
}
