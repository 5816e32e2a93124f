//! `windows_feature`: roles and features of a server.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::call::list;
use super::{Operation, State};
use crate::call::{Call, CallContext, RunAs};
use crate::error::Problems;
use crate::exit_codes::Table;
use crate::script::{Script, script};

pub(super) const SCRIPT: Script = script!("windows_feature", "values", "servicing");

/// Installs or removes roles and features of Windows Server (`Install-WindowsFeature`). For clients use
/// `optional_feature`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowsFeature {
    /// The names as `Get-WindowsFeature` shows them. Example: `[Web-Server, NET-Framework-Core]`.
    pub names: Vec<String>,
    /// Install the management tools too. Default: `false`.
    #[serde(default)]
    pub include_management_tools: bool,
    /// Install everything below them too. Default: `false`.
    #[serde(default)]
    pub include_all_sub_features: bool,
    /// A folder in the guest with the source files, where the image has none (.NET Framework 3.5). Example:
    /// `D:\sources\sxs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// `present` or `absent`. Default: `present`.
    #[serde(default)]
    pub state: State,
}

impl Operation for WindowsFeature {
    fn check(&self, problems: &mut Problems) {
        problems.not_empty("names", self.names.is_empty());
    }

    fn call(&self, cx: &CallContext) -> Call {
        let input = json!({
            "names": self.names,
            "include_management_tools": self.include_management_tools,
            "include_all_sub_features": self.include_all_sub_features,
            "source": self.source,
            "state": self.state.as_str(),
        });
        Call::detached(SCRIPT, input, RunAs::User, cx.limit(self.default_timeout()))
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
        format!("{} {}", self.state.verb("install"), list(&self.names))
    }
}
