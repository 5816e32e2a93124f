//! `user`: a local account.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::install_msi::yes;
use super::{Operation, State};
use crate::call::{Call, CallContext};
use crate::error::Problems;
use crate::script::{Script, script};
use crate::source::has_placeholder;

pub(super) const SCRIPT: Script = script!("user", "values", "accounts");

/// Names that mean the same group in every display language.
const GROUPS: [(&str, &str); 10] = [
    ("administrators", "S-1-5-32-544"),
    ("users", "S-1-5-32-545"),
    ("guests", "S-1-5-32-546"),
    ("power_users", "S-1-5-32-547"),
    ("backup_operators", "S-1-5-32-551"),
    ("remote_desktop_users", "S-1-5-32-555"),
    ("network_configuration_operators", "S-1-5-32-556"),
    ("performance_monitor_users", "S-1-5-32-558"),
    ("performance_log_users", "S-1-5-32-559"),
    ("remote_management_users", "S-1-5-32-580"),
];

/// Makes, changes or removes a local account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The account's name, up to 20 characters. Example: `svc-agent`.
    pub account: String,
    /// Its password; use a sensitive variable. Needed to make the account. Example: `${svc_password}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// The name for display.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_name: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Groups to be in: `administrators`, `users`, `remote_desktop_users`, `remote_management_users`, … (the same in every
    /// language), a SID, or a local group's own name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The password does not expire. Default: `true`.
    #[serde(default = "yes")]
    pub password_never_expires: bool,
    /// The account may be used. Default: `true`.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// `present` or `absent`. Default: `present`.
    #[serde(default)]
    pub state: State,
}

/// The SID for a well-known name; other names stay.
fn group_id(name: &str) -> String {
    let key = name.to_ascii_lowercase().replace([' ', '-'], "_");
    GROUPS
        .iter()
        .find(|(known, _)| *known == key)
        .map_or_else(|| name.to_owned(), |(_, sid)| (*sid).to_owned())
}

impl Operation for User {
    fn check(&self, problems: &mut Problems) {
        let bad = |c: char| "\"/\\[]:;|=,+*?<>@".contains(c) || c.is_control();
        if !has_placeholder(&self.account) {
            if self.account.trim_matches(['.', ' ']).is_empty() || self.account.chars().any(bad) {
                problems.invalid("account", "is no valid account name");
            } else if self.account.chars().count() > 20 {
                problems.invalid("account", "is longer than 20 characters");
            }
        }
    }

    fn call(&self, _cx: &CallContext) -> Call {
        let groups: Vec<String> = self.groups.iter().map(|group| group_id(group)).collect();
        let input = json!({
            "account": self.account,
            "password": self.password,
            "full_name": self.full_name,
            "description": self.description,
            "groups": groups,
            "password_never_expires": self.password_never_expires,
            "enabled": self.enabled,
            "state": self.state.as_str(),
        });
        Call::inline(SCRIPT, input)
    }

    fn summary(&self) -> String {
        format!("{} account {}", self.state.verb("set"), self.account)
    }
}
