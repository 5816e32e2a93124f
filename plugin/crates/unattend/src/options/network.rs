//! Remote Desktop and the firewall.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Remote Desktop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoteDesktop {
    /// Whether connections are allowed; the firewall's Remote Desktop group goes with it.
    pub enabled: bool,
    /// Whether a user must prove who he is before a session begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_level_authentication: Option<bool>,
}

/// The Windows firewall.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Firewall {
    /// Whether it is on in domain networks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<bool>,
    /// Whether it is on in private networks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private: Option<bool>,
    /// Whether it is on in public networks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public: Option<bool>,
    /// Groups of rules to switch.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<FirewallGroup>,
}

/// A group of firewall rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirewallGroup {
    /// `remote_desktop`, `file_and_printer_sharing`, `windows_remote_management`; a resource such as
    /// `@FirewallAPI.dll,-28752`, which works in every language; or the name that Windows shows.
    pub group: String,
    /// Whether its rules are on.
    #[serde(default = "yes")]
    pub active: bool,
    /// Where.
    #[serde(default)]
    pub profile: FirewallProfile,
}

fn yes() -> bool {
    true
}

/// The networks that a firewall group is switched for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FirewallProfile {
    /// All networks.
    #[default]
    All,
    /// Domain networks.
    Domain,
    /// Private networks.
    Private,
    /// Public networks.
    Public,
}

impl FirewallProfile {
    /// The word in the answer file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Domain => "domain",
            Self::Private => "private",
            Self::Public => "public",
        }
    }
}
