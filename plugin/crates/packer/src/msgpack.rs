//! MessagePack as Go's `net/rpc` codec for Packer writes and reads it.
//!
//! Our own hundred lines instead of a crate, for three properties that the wire demands: strings that are not UTF-8 (the
//! output of a command), limits on bytes, values and depth before anything is allocated, and a scanner that can be fed
//! piece by piece.

mod read;
mod text;
mod write;

use std::fmt;

pub(crate) use read::MessageReader;
pub use read::MsgpackError;
#[cfg(test)]
pub(crate) use read::{Limits, parse};
pub use text::Text;

/// Any MessagePack value. `Debug` tells only the length of texts and bytes, which may be secret.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// Nothing; Go reads it as the zero value of whatever it expects.
    Nil,
    /// A truth value.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// An integer from one of the unsigned formats.
    Uint(u64),
    /// A floating-point number.
    Float(f64),
    /// A string, which may hold any bytes.
    Str(Text),
    /// Bytes. In a list of configurations they are a cty value as JSON.
    Bin(Vec<u8>),
    /// A list.
    List(Vec<Self>),
    /// A map, in the order of the wire.
    Map(Vec<(Self, Self)>),
    /// An extension, e.g. a time stamp (type -1).
    Ext(i8, Vec<u8>),
}

impl Value {
    /// A map with the names of a Go structure's fields as keys.
    pub fn record<const N: usize>(fields: [(&str, Self); N]) -> Self {
        Self::Map(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }

    /// A list of strings.
    pub fn texts<T: Into<Text>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(texts.into_iter().map(|text| Self::Str(text.into())).collect())
    }

    /// The value under a key of a map; the last one wins, as in Go.
    pub fn field(&self, name: &str) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        let named = |(key, _): &&(Self, Self)| key.as_text().is_some_and(|key| key.as_bytes() == name.as_bytes());
        entries.iter().rev().find(named).map(|(_, value)| value)
    }

    /// The string, or the bytes where Go took them for one.
    pub fn as_text(&self) -> Option<&Text> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of a list; nothing for nil.
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            Self::Nil => Some(&[]),
            _ => None,
        }
    }

    /// The integer, whatever its format.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Uint(number) => i64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// The integer if it is not negative; nil is 0, as in Go.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Nil => Some(0),
            Self::Int(number) => u64::try_from(*number).ok(),
            Self::Uint(number) => Some(*number),
            _ => None,
        }
    }

    /// The same value for those who think in JSON. Bytes and strings become text; extensions become null.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Self::Nil | Self::Ext(..) => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(value) => Json::from(*value),
            Self::Uint(value) => Json::from(*value),
            Self::Float(value) => Json::from(*value),
            Self::Str(text) => Json::String(text.to_string()),
            Self::Bin(bytes) => Json::String(String::from_utf8_lossy(bytes).into_owned()),
            Self::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Self::Map(entries) => Json::Object(entries.iter().map(json_entry).collect()),
        }
    }
}

fn json_entry((key, value): &(Value, Value)) -> (String, serde_json::Value) {
    let key = match key.to_json() {
        serde_json::Value::String(key) => key,
        other => other.to_string(),
    };
    (key, value.to_json())
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("Nil"),
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Uint(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Str(text) => text.fmt(f),
            Self::Bin(bytes) => write!(f, "Bin({} bytes)", bytes.len()),
            Self::List(items) => items.fmt(f),
            Self::Map(entries) => f
                .debug_map()
                .entries(entries.iter().map(|(key, value)| (key, value)))
                .finish(),
            Self::Ext(kind, bytes) => write!(f, "Ext({kind}, {} bytes)", bytes.len()),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text.into())
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Self::Str(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(i64::from(number))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

#[cfg(test)]
mod tests;
