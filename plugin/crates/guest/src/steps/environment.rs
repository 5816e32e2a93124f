//! `environment`: variables and the search path.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Operation;
use crate::call::{Call, CallContext};
use crate::error::Problems;
use crate::script::{Script, script};

pub(super) const SCRIPT: Script = script!("environment", "values");

/// Whose environment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every user's.
    #[default]
    Machine,
    /// The build account's only; it is gone in the image.
    User,
}

/// Changes of the search path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PathChange {
    /// Folders to put in front, in this order. Example: `['C:\Tools']`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prepend: Vec<String>,
    /// Folders to put behind, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub append: Vec<String>,
    /// Folders to take out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}

/// Sets and removes environment variables and changes the search path. Values with `%` are stored so that Windows
/// expands them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Variables to set, by name. Example: `{ JAVA_HOME: 'C:\Java' }`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
    /// Variables to remove.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
    /// Changes of `PATH`.
    #[serde(default)]
    pub path: PathChange,
    /// `machine` or `user`. Default: `machine`.
    #[serde(default)]
    pub scope: Scope,
}

impl Operation for Environment {
    fn check(&self, problems: &mut Problems) {
        let path = &self.path;
        let folders: Vec<&String> = path.prepend.iter().chain(&path.append).chain(&path.remove).collect();
        if self.set.is_empty() && self.remove.is_empty() && folders.is_empty() {
            problems.missing("", "says nothing to do", &["set", "remove", "path"]);
        }
        for name in self.set.keys().chain(&self.remove) {
            if name.is_empty() || name.contains('=') {
                problems.invalid("set", format!("`{name}` is no name of a variable"));
            } else if name.eq_ignore_ascii_case("PATH") {
                problems.invalid("set", "use `path` to change PATH, so that nothing in it is lost");
            }
        }
        if folders
            .iter()
            .any(|folder| folder.contains(';') || folder.trim().is_empty())
        {
            problems.invalid("path", "every folder is an entry of its own, without `;`");
        }
    }

    fn call(&self, _cx: &CallContext) -> Call {
        let path = &self.path;
        let input = json!({
            "scope": self.scope,
            "set": self.set,
            "remove": self.remove,
            "path": {"prepend": path.prepend, "append": path.append, "remove": path.remove},
        });
        Call::inline(SCRIPT, input)
    }

    fn summary(&self) -> String {
        let names: Vec<String> = self.set.keys().chain(&self.remove).cloned().collect();
        let path = &self.path;
        let folders = path.prepend.len() + path.append.len() + path.remove.len();
        match (names.is_empty(), folders) {
            (true, _) => format!("change {folders} folders of PATH"),
            (false, 0) => format!("set {}", super::call::list(&names)),
            (false, _) => format!("set {} and change PATH", super::call::list(&names)),
        }
    }
}
