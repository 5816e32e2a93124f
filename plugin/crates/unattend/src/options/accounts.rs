//! Passwords and accounts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

/// A password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Password {
    /// The password, as the `${name}` of a sensitive variable. It may not be written out in a spec.
    #[serde(serialize_with = "only_placeholders")]
    pub value: String,
    /// How it stands in the file.
    #[serde(default)]
    pub form: PasswordForm,
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Password")
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}

/// Writes a value that is nothing but placeholders, the only kind that `check` lets pass; anything else might be the
/// secret itself and becomes `***`.
pub(super) fn only_placeholders<S: Serializer>(value: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(crate::placeholder::masked(value))
}

/// How a password stands in the answer file. Neither way protects it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PasswordForm {
    /// In base64, so that it does not meet the eye; anybody can turn it back.
    #[default]
    Obscured,
    /// As it is.
    Plain,
}

/// An account to create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LocalAccount {
    /// Its name, at most 20 characters.
    pub name: String,
    /// Its password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
    /// The groups that it belongs to, by their English names.
    #[serde(default = "users")]
    pub groups: Vec<String>,
    /// The name that people see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

fn users() -> Vec<String> {
    vec!["Users".to_owned()]
}

/// Log-on without asking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AutoLogon {
    /// Who is logged on.
    pub username: String,
    /// The account's password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
    /// The account's domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// How many times; Windows adds one more.
    pub count: u32,
}
