//! What serde can complain about, kept apart instead of in one sentence.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

/// One mistake of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// A field that is not known.
    UnknownField {
        field: String,
        allowed: &'static [&'static str],
    },
    /// A field that must be there.
    MissingField(&'static str),
    /// A word that is not one of those allowed.
    UnknownWord {
        word: String,
        allowed: &'static [&'static str],
    },
    /// A value of another type.
    WrongType { found: String, expected: String },
    /// Anything else; the text may begin with a code in brackets.
    Other(String),
}

/// A mistake at a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// Where; for unknown and missing fields the mapping around them.
    pub route: String,
    pub mistake: Mistake,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownField { field, .. } => write!(f, "unknown field `{field}`"),
            Self::MissingField(field) => write!(f, "`{field}` is missing"),
            Self::UnknownWord { word, .. } => write!(f, "`{word}` is not possible here"),
            Self::WrongType { found, expected } => write!(f, "expected {expected}, found {found}"),
            Self::Other(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Mistake {}

impl de::Error for Mistake {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Other(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::WrongType {
            found: in_words(&found),
            expected: expected_in_words(expected),
        }
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_variant(word: &str, allowed: &'static [&'static str]) -> Self {
        Self::UnknownWord {
            word: word.to_owned(),
            allowed,
        }
    }

    fn unknown_field(field: &str, allowed: &'static [&'static str]) -> Self {
        Self::UnknownField {
            field: field.to_owned(),
            allowed,
        }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::MissingField(field)
    }
}

/// What was found, as a person who writes YAML would say it.
fn in_words(found: &Unexpected<'_>) -> String {
    match found {
        Unexpected::Str(text) => format!("the text `{text}`"),
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(value) => format!("the number {value}"),
        Unexpected::Signed(value) => format!("the number {value}"),
        Unexpected::Float(value) => format!("the number {value}"),
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a mapping".to_owned(),
        other => other.to_string(),
    }
}

fn expected_in_words(expected: &dyn Expected) -> String {
    let text = expected.to_string();
    match text.as_str() {
        "a string" => "text".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        "u8" | "u16" | "u32" | "u64" | "i8" | "i16" | "i32" | "i64" => "a whole number".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a mapping".to_owned(),
        _ if text.starts_with("struct ") => "a mapping".to_owned(),
        _ if text.starts_with("enum ") || text == "string or map" => "a word".to_owned(),
        _ => text,
    }
}
