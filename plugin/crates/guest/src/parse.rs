//! From a JSON value to a typed step, with mistakes that can be shown at their place.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{StepError, StepErrorKind};

/// Deserializes with a path to the mistake.
pub(crate) fn parse<T: DeserializeOwned>(value: Value) -> Result<T, StepError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = path_text(error.path());
        translate(path, &error.into_inner().to_string())
    })
}

fn path_text(path: &serde_path_to_error::Path) -> String {
    let text = path.to_string();
    if text == "." { String::new() } else { text }
}

/// Sorts serde's sentence into our kinds.
fn translate(path: String, message: &str) -> StepError {
    let quoted = backticked(message);
    let first = quoted.first().cloned().unwrap_or_default();
    let rest = quoted.get(1..).unwrap_or_default().to_vec();
    if message.starts_with("unknown field ") {
        let message = format!("unknown field `{first}`");
        StepError {
            path: with_field(path, &first),
            kind: StepErrorKind::UnknownField,
            message,
            allowed: rest,
        }
    } else if message.starts_with("unknown variant ") {
        let message = format!("`{first}` is not one of the possible values");
        StepError {
            path,
            kind: StepErrorKind::Invalid,
            message,
            allowed: rest,
        }
    } else if message.starts_with("missing field ") {
        let message = format!("`{first}` is missing");
        StepError {
            path,
            kind: StepErrorKind::Missing,
            message,
            allowed: vec![first],
        }
    } else if message.starts_with("invalid type: ") || message.starts_with("invalid length") {
        StepError {
            path,
            kind: StepErrorKind::WrongType,
            message: plain(message),
            allowed: Vec::new(),
        }
    } else {
        StepError {
            path,
            kind: StepErrorKind::Invalid,
            message: message.to_owned(),
            allowed: Vec::new(),
        }
    }
}

/// Makes sure that the path of an unknown field ends with it.
fn with_field(path: String, field: &str) -> String {
    if path.is_empty() {
        field.to_owned()
    } else if path == field || path.ends_with(&format!(".{field}")) {
        path
    } else {
        format!("{path}.{field}")
    }
}

/// `invalid type: string "x", expected u32` in words of YAML.
fn plain(message: &str) -> String {
    let words = [
        ("invalid type: ", "found "),
        ("a sequence", "a list"),
        ("sequence", "a list"),
        ("unit value", "nothing"),
        ("null", "nothing"),
        ("a map", "a mapping"),
        ("expected map", "expected a mapping"),
        ("found map", "found a mapping"),
        ("expected u32", "expected a whole number"),
        ("expected u64", "expected a whole number"),
    ];
    words
        .iter()
        .fold(message.to_owned(), |text, (from, to)| text.replacen(from, to, 1))
}

/// All words in backticks.
fn backticked(message: &str) -> Vec<String> {
    message.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
