//! `connect:` — how the guest is reached.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::units::Limit;

/// How the guest is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Connect {
    /// WinRM, the only way.
    #[serde(default)]
    pub winrm: Winrm,
}

/// WinRM settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Winrm {
    /// How the account is proved.
    pub auth: Auth,
    /// What carries the messages.
    pub transport: Transport,
    /// When the guest's certificate is believed.
    pub trust: Trust,
    /// How long the guest may take from the start of the machine until it answers, for example `20m`.
    pub timeout: Limit,
    /// The account to use. Without it the build makes a one-time account, or takes the one that the cloud tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Where the account's password comes from.
    pub way_in: WayIn,
    /// The TCP port. Without it 5986 for https and 5985 for http.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

impl Default for Winrm {
    fn default() -> Self {
        Self {
            auth: Auth::Negotiate,
            transport: Transport::Https,
            trust: Trust::Pinned,
            timeout: Limit::minutes(20),
            username: None,
            way_in: WayIn::Auto,
            port: None,
        }
    }
}

impl Winrm {
    /// The TCP port in use.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.transport {
            Transport::Https => 5986,
            Transport::Http => 5985,
        })
    }
}

/// How the account is proved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// Negotiate (NTLM): the password does not cross the wire, messages are sealed.
    #[default]
    Negotiate,
    /// Basic: the password crosses the wire, so only over https.
    Basic,
}

/// What carries the messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// TLS.
    #[default]
    Https,
    /// Plain HTTP; the messages themselves are sealed by Negotiate.
    Http,
}

/// When the guest's certificate is believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Trust {
    /// The build makes the certificate itself and believes only that one.
    #[default]
    Pinned,
    /// The runner's certificate authorities.
    System,
    /// Nothing is checked.
    Insecure,
    /// A certificate authority from a PEM file, relative to the spec.
    Ca(String),
    /// The certificate with this SHA-256 fingerprint.
    Sha256(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustMap {
    ca: Option<String>,
    sha256: Option<String>,
}

/// Where the account's password comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WayIn {
    /// The cloud's instance password where it is offered, else user data. On NHN Cloud always user data.
    #[default]
    Auto,
    /// A user-data script makes a one-time account and an HTTPS listener.
    UserData,
    /// The password that the guest posts, encrypted, to the cloud.
    ServerPassword,
}

impl Serialize for Trust {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let entry = |serializer: S, key: &str, value: &str| {
            let mut map = serializer.serialize_map(Some(1))?;
            map.serialize_entry(key, value)?;
            map.end()
        };
        match self {
            Self::Pinned => serializer.serialize_str("pinned"),
            Self::System => serializer.serialize_str("system"),
            Self::Insecure => serializer.serialize_str("insecure"),
            Self::Ca(file) => entry(serializer, "ca", file),
            Self::Sha256(hash) => entry(serializer, "sha256", hash),
        }
    }
}

impl<'de> Deserialize<'de> for Trust {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "`pinned`, `system`, `insecure`, or a mapping with one of `ca`, `sha256`";
        let word = |word: &str| match word {
            "pinned" => Some(Self::Pinned),
            "system" => Some(Self::System),
            "insecure" => Some(Self::Insecure),
            _ => None,
        };
        let read = super::file::word_or_map(
            deserializer,
            expected,
            &["pinned", "system", "insecure"],
            |text| word(text).map(Ok),
            |map: TrustMap| match (map.ca, map.sha256) {
                (Some(file), None) => Ok(Self::Ca(file)),
                (None, Some(hash)) => Ok(Self::Sha256(hash)),
                _ => Err(format!("expected {expected}")),
            },
        )?;
        read.map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Trust {
    fn schema_name() -> Cow<'static, str> {
        "Trust".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "When the guest's certificate is believed.",
            "anyOf": [
                { "const": "pinned", "description": "The build makes the certificate itself and believes only that one." },
                { "const": "system", "description": "The runner's certificate authorities." },
                { "const": "insecure", "description": "Nothing is checked." },
                { "type": "object", "additionalProperties": false, "required": ["ca"], "properties": {
                    "ca": { "type": "string", "description": "PEM file of a certificate authority, relative to the spec." } } },
                { "type": "object", "additionalProperties": false, "required": ["sha256"], "properties": {
                    "sha256": { "type": "string", "pattern": "^[0-9A-Fa-f]{64}$|\\$\\{",
                        "description": "SHA-256 fingerprint of the guest's certificate, 64 hexadecimal digits." } } }
            ]
        })
    }
}
