//! `powershell`: the user's own script.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Operation;
use super::call::{payload, run_input};
use crate::call::{Call, CallContext, Payload, RunAs};
use crate::error::Problems;
use crate::exit_codes::ExitCode;
use crate::script::{Script, script};
use crate::source::Source;

pub(super) const SCRIPT: Script = script!("powershell", "values", "payload", "process", "run");

/// Runs a PowerShell script of yours with Windows PowerShell 5.1, in a process of its own. Its output appears live; its
/// exit code decides. A terminating error is exit code 1.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Powershell {
    /// A script file beside the spec; or use `inline`. Example: `scripts/harden.ps1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The script's text; or use `file`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("contentMediaType" = "application/x-powershell"))]
    pub inline: Option<String>,
    /// Values for the script's parameters, by name; they travel as JSON, never on a command line. Example:
    /// `{ Role: web, Ports: [80, 443] }`.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub arguments: serde_json::Map<String, Value>,
    /// Environment variables for the script. Example: `{ TOKEN: "${agent_token}" }`.
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

impl Powershell {
    fn script_payload(&self) -> Option<Payload> {
        let file = self.file.clone()?;
        Some(payload(
            &Source {
                file: Some(file),
                ..Source::default()
            },
            "script.ps1",
        ))
    }
}

impl Operation for Powershell {
    fn check(&self, problems: &mut Problems) {
        match (&self.file, &self.inline) {
            (Some(_), Some(_)) => problems.invalid("inline", "give either `file` or `inline`, not both"),
            (None, None) => problems.missing("", "one of `file` and `inline` is needed", &["file", "inline"]),
            _ => {}
        }
    }

    fn payloads(&self) -> Vec<Payload> {
        self.script_payload().into_iter().collect()
    }

    fn call(&self, cx: &CallContext) -> Call {
        let limit = cx.limit(self.default_timeout());
        let own = json!({
            "file": self.script_payload().map(|payload| cx.payload(&payload)),
            "inline": self.inline,
            "arguments": self.arguments,
        });
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
        match &self.file {
            Some(file) => format!("run {file}"),
            None => format!(
                "run {} lines of PowerShell",
                self.inline.as_deref().unwrap_or_default().lines().count()
            ),
        }
    }
}
