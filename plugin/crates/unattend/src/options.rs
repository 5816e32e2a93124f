//! What a spec says under `unattend:`.
//!
//! Every text may hold placeholders of the form `${name}` for sensitive values: they stay as they are until
//! [`compile`](crate::compile::compile) asks for them. Steps and settings that have no section of their own go under
//! [`set`](Options::set).

mod accounts;
mod commands;
mod network;
mod oobe;

pub use accounts::{AutoLogon, LocalAccount, Password, PasswordForm};
pub use commands::{FirstLogonCommand, SetupCommand, WillReboot};
pub use network::{Firewall, FirewallGroup, FirewallProfile, RemoteDesktop};
pub use oobe::{International, NetworkLocation, Oobe};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::target::Pass;

/// The answer file: a base and what to change in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// The file to start from: `guest` (the provider's file in the guest), `none`, or `{file: path}`.
    pub base: Base,
    /// The welcome screens of the first boot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oobe: Option<Oobe>,
    /// Language, formats and keyboard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub international: Option<International>,
    /// The time zone: Windows' id (`Korea Standard Time`) or an IANA name (`Asia/Seoul`), which is translated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The computer's name: `*` for a random one, or `PREFIX-*` for a random one that begins with the prefix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub computer_name: Option<String>,
    /// The password of the built-in Administrator. Better leave it to the cloud: everybody who has the image can read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub administrator_password: Option<Password>,
    /// Accounts to create at first boot.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub local_accounts: Vec<LocalAccount>,
    /// Logs an account on without asking, a number of times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_logon: Option<AutoLogon>,
    /// Commands that Setup runs as SYSTEM in the specialize pass and waits for, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub run_synchronous: Vec<SetupCommand>,
    /// Commands that Setup starts as SYSTEM in the specialize pass and does not wait for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub run_asynchronous: Vec<SetupCommand>,
    /// Commands that run when somebody logs on for the first time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub first_logon_commands: Vec<FirstLogonCommand>,
    /// Remote Desktop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rdp: Option<RemoteDesktop>,
    /// The Windows firewall.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firewall: Option<Firewall>,
    /// The product key, or the public KMS client key of an edition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_key: Option<ProductKey>,
    /// Keeps the installed drivers through generalize; right when machines made of the image have the same virtual hardware.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persist_drivers: Option<bool>,
    /// Whom Windows is registered to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registered_owner: Option<String>,
    /// The organization that Windows is registered to; a random computer name begins with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registered_organization: Option<String>,
    /// Keeps what is pinned to the task bar. Deprecated since Windows 8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub do_not_clean_task_bar: Option<bool>,
    /// The kind of network, the same as `oobe.network_location`. Deprecated since Windows 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_location: Option<NetworkLocation>,
    /// Any other setting: pass, component, and the setting's elements below it. A list's items stand in a YAML list;
    /// `@wcm:keyValue` is an attribute, `#text` an item's own text; `null` takes a setting out of the base file. A
    /// component of another architecture is written `NAME@wow64`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("contentMediaType" = "application/xml"))]
    pub set: BTreeMap<Pass, Map<String, Value>>,
}

/// The answer file to start from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// The provider's file in the guest, the one of Cloudbase-Init.
    #[default]
    Guest,
    /// No file: only what is written here.
    None,
    /// A file of your own, relative to the spec.
    File(String),
}

/// A product key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProductKey {
    /// The key itself: five groups of five characters. It must fit the image's edition.
    Key(String),
    /// The public KMS client key of an edition, such as `server2022-standard`.
    Kms(#[schemars(schema_with = "kms_editions")] String),
}

fn kms_editions(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let editions: Vec<&str> = crate::catalogue::kms_keys().iter().map(|key| key.edition).collect();
    schemars::json_schema!({ "type": "string", "enum": editions })
}
