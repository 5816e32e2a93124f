//! `cmd`: commands for the command prompt.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Operation;
use super::call::run_input;
use crate::call::{Call, CallContext, RunAs};
use crate::error::Problems;
use crate::exit_codes::ExitCode;
use crate::script::{Script, script};

pub(super) const SCRIPT: Script = script!("cmd", "values", "process", "run");

/// Runs lines of the command prompt as a batch file. The last exit code decides.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cmd {
    /// One or more lines. Example: `powercfg /h off`.
    #[schemars(extend("contentMediaType" = "application/x-bat"))]
    pub command: String,
    /// Environment variables for the commands.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// The folder in the guest to start in. Default: the step's own work folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Exit codes that mean success, beside 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub success_codes: Vec<ExitCode>,
    /// Exit codes that mean success with a restart, beside 3010 and 1641.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reboot_codes: Vec<ExitCode>,
    /// The account it runs as. Default: `user`, the build account.
    #[serde(default)]
    pub run_as: RunAs,
}

impl Operation for Cmd {
    fn check(&self, problems: &mut Problems) {
        problems.not_empty("command", self.command.trim().is_empty());
    }

    fn call(&self, cx: &CallContext) -> Call {
        let limit = cx.limit(self.default_timeout());
        let own = json!({ "command": self.command });
        let surroundings = (&self.environment, self.folder.as_deref());
        let codes = (self.success_codes.as_slice(), self.reboot_codes.as_slice());
        let input = run_input(cx, limit, own, surroundings, codes);
        Call::detached(SCRIPT, input, self.run_as, limit)
    }

    fn may_reboot(&self) -> bool {
        true
    }

    fn default_timeout(&self) -> Duration {
        Duration::from_mins(30)
    }

    fn summary(&self) -> String {
        let first = self
            .command
            .lines()
            .find(|line| !line.trim().is_empty())
            .unwrap_or_default();
        let word = first.split_whitespace().next().unwrap_or_default();
        match self.command.lines().filter(|line| !line.trim().is_empty()).count() {
            0 | 1 => format!("run {word}"),
            lines => format!("run {word} and {} more lines", lines - 1),
        }
    }
}
