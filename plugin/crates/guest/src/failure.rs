//! How an operation says no.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::outcome::Item;

/// A failure with a name that code can match on and words that a person can act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct StepFailure {
    /// The error kind of `ops/README.md`, e.g. `hash_mismatch`, `exit_code`, `not_detected`.
    pub kind: String,
    /// What happened, with the meaning of the exit code where there is one.
    pub message: String,
    /// The exit code, when a program ended with one that is not success.
    #[serde(default)]
    pub code: Option<u32>,
    /// The `HRESULT` of the exception, as `0x80070005`.
    #[serde(default)]
    pub hresult: Option<String>,
    /// What to do about it.
    #[serde(default)]
    pub hint: Option<String>,
    /// Files in the guest that tell more.
    #[serde(default)]
    pub logs: Vec<String>,
    /// What happened to the single things, where the operation has several.
    #[serde(default)]
    pub items: Vec<Item>,
    /// The line of the script, for our own mistakes.
    #[serde(default)]
    pub line: Option<u32>,
}

impl StepFailure {
    /// A failure that we find ourselves.
    pub fn new(kind: &str, message: impl Into<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            message: message.into(),
            code: None,
            hresult: None,
            hint: None,
            logs: Vec::new(),
            items: Vec::new(),
            line: None,
        }
    }

    /// Reads the `error` object of an answer.
    pub fn from_error(error: &Value) -> Self {
        let text = |key: &str| error.get(key).and_then(Value::as_str).map(str::to_owned);
        Self {
            kind: text("kind").unwrap_or_else(|| "unexpected".to_owned()),
            message: text("message").unwrap_or_else(|| "the guest gave no reason".to_owned()),
            code: error
                .get("code")
                .and_then(Value::as_i64)
                .and_then(crate::exit_codes::normalize),
            hresult: text("hresult"),
            hint: text("hint"),
            logs: crate::outcome::texts(error.get("logs")),
            items: crate::outcome::items(error.get("items")),
            line: error
                .get("line")
                .and_then(Value::as_u64)
                .and_then(|line| u32::try_from(line).ok()),
        }
    }
}
