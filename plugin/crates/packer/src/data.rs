//! What a build tells its provisioners and post-processors: `build.ID`, `build.Password` and the like.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use crate::msgpack::Value;

/// A flat map of scalars. Packer fails a build over anything nested or null in it, so neither can be put in.
#[derive(Debug, Clone, Default)]
pub struct GeneratedData(BTreeMap<String, Scalar>);

/// One value of it.
#[derive(Debug, Clone)]
pub enum Scalar {
    /// Text.
    Text(String),
    /// Text that must not be shown.
    Secret(SecretString),
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Another number.
    Float(f64),
}

/// The keys of a template's `build.…` that every user expects, without those that only SSH needs.
const EXPECTED: [&str; 7] = [
    "Host",
    "Port",
    "User",
    "Password",
    "ConnType",
    "PackerRunUUID",
    "WinRMPassword",
];

/// The keys of what must not be shown.
const SECRETS: [&str; 3] = ["Password", "WinRMPassword", "SSHPrivateKey"];

/// The keys of Packer's little HTTP server, with what says that there is none.
const NO_HTTP: [(&str, &str); 3] = [
    ("PackerHTTPIP", "ERR_HTTP_IP_NOT_IMPLEMENTED_BY_BUILDER"),
    ("PackerHTTPPort", "ERR_HTTP_PORT_NOT_IMPLEMENTED_BY_BUILDER"),
    ("PackerHTTPAddr", "ERR_HTTP_ADDR_NOT_IMPLEMENTED_BY_BUILDER"),
];

impl GeneratedData {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every key that provisioners and templates take for granted, with the values that say "not here".
    pub fn expected() -> Self {
        let empty = EXPECTED
            .into_iter()
            .chain(["SSHPublicKey", "SSHPrivateKey", "SSHPrivateKeyFile"]);
        let data = empty.fold(Self::new(), |data, key| data.with(key, ""));
        let data = NO_HTTP
            .into_iter()
            .fold(data, |data, (key, value)| data.with(key, value));
        data.with("ID", "ERR_ID_NOT_IMPLEMENTED_BY_BUILDER")
            .with("SSHAgentAuth", false)
    }

    /// Adds a value or replaces it.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Scalar>) -> Self {
        self.0.insert(key.into(), value.into());
        self
    }

    /// A value.
    pub fn get(&self, key: &str) -> Option<&Scalar> {
        self.0.get(key)
    }

    /// The passwords and keys in it, by the names that every builder has for them.
    pub fn secrets(&self) -> impl Iterator<Item = SecretString> {
        let secret = |name: &&str| Some(self.get(name)?.as_text()?.into());
        let given = |secret: &SecretString| !secret.expose_secret().is_empty();
        SECRETS.iter().filter_map(secret).filter(given)
    }

    /// Keys and values, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Scalar)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// For the wire.
    pub fn to_value(&self) -> Value {
        let entry = |(key, value): (&String, &Scalar)| (key.as_str().into(), value.to_value());
        Value::Map(self.0.iter().map(entry).collect())
    }

    /// Reads what another builder sent, or what an artifact has of it ([`GENERATED_DATA`](crate::GENERATED_DATA)); what is
    /// no scalar is left out.
    pub fn read(value: &Value) -> Self {
        let Value::Map(entries) = value else {
            return Self::default();
        };
        let entry = |(key, value): &(Value, Value)| Some((key.as_text()?.to_string(), Scalar::read(value)?));
        Self(entries.iter().filter_map(entry).collect())
    }
}

impl Scalar {
    /// The text, secret or not.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Secret(text) => Some(text.expose_secret()),
            _ => None,
        }
    }

    /// As it stands in a text, secret or not.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Secret(text) => text.expose_secret().to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Secret(text) => text.expose_secret().into(),
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Float(value) => Value::Float(*value),
        }
    }

    /// Any text of another builder's may be a password.
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Str(text) => Some(Self::Secret(text.to_string().into())),
            Value::Bin(bytes) => Some(Self::Secret(String::from_utf8_lossy(bytes).into_owned().into())),
            Value::Bool(value) => Some(Self::Bool(*value)),
            Value::Float(value) => Some(Self::Float(*value)),
            other => other.as_i64().map(Self::Int),
        }
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Scalar {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<SecretString> for Scalar {
    fn from(text: SecretString) -> Self {
        Self::Secret(text)
    }
}

impl From<bool> for Scalar {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Scalar {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u16> for Scalar {
    fn from(value: u16) -> Self {
        Self::Int(value.into())
    }
}
