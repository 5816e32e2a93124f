//! `optional_feature` and `capability`: parts of Windows on clients and servers.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::call::list;
use super::install_msi::yes;
use super::{Operation, State};
use crate::call::{Call, CallContext, RunAs};
use crate::error::Problems;
use crate::exit_codes::Table;
use crate::script::{Script, script};

pub(super) const OPTIONAL_FEATURE: Script = script!("optional_feature", "values", "servicing");
pub(super) const CAPABILITY: Script = script!("capability", "values", "servicing");

/// Switches optional features of Windows on or off (`Enable-WindowsOptionalFeature`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OptionalFeature {
    /// The names as `Get-WindowsOptionalFeature -Online` shows them. Example: `[TelnetClient]`.
    pub names: Vec<String>,
    /// Switch everything on that they need, too. Default: `true`.
    #[serde(default = "yes")]
    pub all: bool,
    /// A folder in the guest with the source files. Example: `D:\sources\sxs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// `present` or `absent`. Default: `present`.
    #[serde(default)]
    pub state: State,
}

/// Adds or removes Windows capabilities (`Add-WindowsCapability`), such as OpenSSH or languages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Capability {
    /// The full names. Example: `["OpenSSH.Server~~~~0.0.1.0"]`.
    pub names: Vec<String>,
    /// A folder in the guest with the capability's files; without it Windows Update is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// `present` or `absent`. Default: `present`.
    #[serde(default)]
    pub state: State,
}

impl Operation for OptionalFeature {
    fn check(&self, problems: &mut Problems) {
        problems.not_empty("names", self.names.is_empty());
    }

    fn call(&self, cx: &CallContext) -> Call {
        let input = json!({"names": self.names, "all": self.all, "source": self.source, "state": self.state.as_str()});
        Call::detached(OPTIONAL_FEATURE, input, RunAs::User, cx.limit(self.default_timeout()))
    }

    fn table(&self) -> Table {
        Table::Dism
    }

    fn may_reboot(&self) -> bool {
        true
    }

    fn default_timeout(&self) -> Duration {
        Duration::from_mins(30)
    }

    fn summary(&self) -> String {
        format!("{} {}", self.state.verb("enable"), list(&self.names))
    }
}

impl Operation for Capability {
    fn check(&self, problems: &mut Problems) {
        problems.not_empty("names", self.names.is_empty());
    }

    fn call(&self, cx: &CallContext) -> Call {
        let input = json!({"names": self.names, "source": self.source, "state": self.state.as_str()});
        Call::detached(CAPABILITY, input, RunAs::System, cx.limit(self.default_timeout()))
    }

    fn table(&self) -> Table {
        Table::Dism
    }

    fn may_reboot(&self) -> bool {
        true
    }

    fn default_timeout(&self) -> Duration {
        Duration::from_mins(45)
    }

    fn summary(&self) -> String {
        format!("{} {}", self.state.verb("add"), list(&self.names))
    }
}
