//! `registry`: keys and values.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Operation, State};
use crate::call::{Call, CallContext};
use crate::error::Problems;
use crate::script::{Script, script};
use crate::source::has_placeholder;

pub(super) const SCRIPT: Script = script!("registry", "values");
const HIVES: [&str; 5] = ["HKLM", "HKCU", "HKU", "HKCR", "HKCC"];

/// Which half of the registry of a 64-bit Windows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RegistryView {
    /// What 64-bit programs see.
    #[default]
    #[serde(rename = "64")]
    Native,
    /// What 32-bit programs see (`Wow6432Node`).
    #[serde(rename = "32")]
    Wow64,
}

/// A value with its type. Write one of `string`, `expand_string`, `dword`, `qword`, `multi_string`, `binary`, `absent`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegistryData {
    /// `REG_SZ`. Example: `{ string: text }`.
    String(String),
    /// `REG_EXPAND_SZ`, with `%VARIABLES%`. Example: `{ expand_string: '%SystemRoot%\Tool' }`.
    ExpandString(String),
    /// `REG_DWORD`, 0 to 4294967295. Example: `{ dword: 1 }`.
    Dword(u32),
    /// `REG_QWORD`. Example: `{ qword: 1099511627776 }`.
    Qword(u64),
    /// `REG_MULTI_SZ`. Example: `{ multi_string: [a, b] }`.
    MultiString(Vec<String>),
    /// `REG_BINARY` as hexadecimal digits. Example: `{ binary: "00ff10" }`.
    Binary(String),
    /// The value should not exist. Write `{ absent: true }`.
    Absent(bool),
}

/// Sets or removes registry values, or removes a whole key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    /// The key, beginning with HKLM, HKCU, HKU, HKCR or HKCC. Example: `HKLM\SOFTWARE\Example`.
    pub key: String,
    /// The values by name; `(Default)` is the key's own value. Example: `{ Mode: { dword: 1 } }`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, RegistryData>,
    /// `"64"` or `"32"`. Default: `"64"`.
    #[serde(default)]
    pub view: RegistryView,
    /// `present`, or `absent` to remove the key with everything below. Default: `present`.
    #[serde(default)]
    pub state: State,
}

impl RegistryData {
    fn input(&self, name: &str) -> Value {
        let (kind, data) = match self {
            Self::String(text) => ("string", json!(text)),
            Self::ExpandString(text) => ("expand_string", json!(text)),
            Self::Dword(number) => ("dword", json!(number)),
            Self::Qword(number) => ("qword", json!(number.to_string())),
            Self::MultiString(list) => ("multi_string", json!(list)),
            Self::Binary(hex) => ("binary", json!(hex.to_ascii_lowercase())),
            Self::Absent(_) => ("absent", Value::Null),
        };
        let name = if name.eq_ignore_ascii_case("(default)") {
            ""
        } else {
            name
        };
        json!({"name": name, "kind": kind, "data": data})
    }

    fn check(&self, at: &str, problems: &mut Problems) {
        match self {
            Self::Binary(hex)
                if !has_placeholder(hex) && (hex.len() % 2 != 0 || !hex.chars().all(|c| c.is_ascii_hexdigit())) =>
            {
                problems.invalid(&format!("{at}.binary"), "binary data are pairs of hexadecimal digits");
            }
            Self::Absent(false) => problems.invalid(&format!("{at}.absent"), "write `absent: true`"),
            _ => {}
        }
    }
}

impl Operation for Registry {
    fn check(&self, problems: &mut Problems) {
        let (hive, path) = self.key.split_once('\\').unwrap_or((self.key.as_str(), ""));
        if !has_placeholder(hive) && !HIVES.contains(&hive.trim_end_matches(':').to_ascii_uppercase().as_str()) {
            problems.invalid("key", "must begin with HKLM, HKCU, HKU, HKCR or HKCC");
        } else if path.trim_matches('\\').is_empty() && !has_placeholder(hive) {
            problems.invalid("key", "names only the root");
        }
        for (name, data) in &self.values {
            data.check(&format!("values.{name}"), problems);
        }
        if self.state == State::Absent && !self.values.is_empty() {
            problems.invalid(
                "values",
                "a key that is removed has no values; use `absent` at single values instead",
            );
        }
    }

    fn call(&self, _cx: &CallContext) -> Call {
        let values: Vec<Value> = self.values.iter().map(|(name, data)| data.input(name)).collect();
        let view = if self.view == RegistryView::Native { 64 } else { 32 };
        let input = json!({"key": self.key, "view": view, "state": self.state.as_str(), "values": values});
        Call::inline(SCRIPT, input)
    }

    fn summary(&self) -> String {
        match (self.state, self.values.len()) {
            (State::Absent, _) => format!("remove {}", self.key),
            (State::Present, 1) => format!("set 1 value in {}", self.key),
            (State::Present, count) => format!("set {count} values in {}", self.key),
        }
    }
}
