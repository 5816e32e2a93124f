//! Values of Packer's configuration language: read from JSON, written for both protocol generations.
//!
//! Packer sends options as JSON with their type, and has replaced what it does not know yet (a data source that was not
//! executed) by placeholders, see [`UNKNOWN`]. Sensitive values arrive as ordinary ones; Packer hides them in what it
//! prints and says the names of the variables, see [`CoreVariables`](crate::CoreVariables).

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::hcl::{Generation, ObjectSpec, Spec, Type as Attribute};
use crate::msgpack::Value;

/// What `packer validate` sends instead of text that is not known yet. Numbers are then 0, truth values false, lists
/// and maps empty.
pub const UNKNOWN: &str = "<unknown>";

/// Values deeper than this are refused.
const MAX_DEPTH: u32 = 64;

/// A type of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Type {
    String,
    Number,
    Bool,
    List(Box<Self>),
    Map(Box<Self>),
    Object(BTreeMap<String, Self>),
}

/// Why something is no value.
#[derive(Debug, thiserror::Error)]
pub enum CtyError {
    /// The bytes are no JSON.
    #[error("a configuration is not JSON")]
    Json(#[from] serde_json::Error),
    /// The JSON is not a value with its type.
    #[error("a configuration has no `value` that is an object")]
    Shape,
    /// A value does not have its type.
    #[error("`{path}` is not {expected}")]
    Mismatch {
        /// Where in the value.
        path: String,
        /// What should be there.
        expected: &'static str,
    },
    /// A name that the type does not have.
    #[error("`{0}` is not part of the output")]
    Unexpected(String),
    /// Nested too deeply.
    #[error("the value is nested too deeply")]
    Depth,
}

/// Reads `{"value": …, "type": …}`, whose value must be an object, or null for no options at all.
pub(crate) fn read_object(bytes: &[u8]) -> Result<Map<String, Json>, CtyError> {
    let Json::Object(mut pair) = serde_json::from_slice(bytes)? else {
        return Err(CtyError::Shape);
    };
    match pair.remove("value") {
        Some(Json::Object(value)) => Ok(value),
        Some(Json::Null) => Ok(Map::new()),
        _ => Err(CtyError::Shape),
    }
}

impl From<&Attribute> for Type {
    fn from(kind: &Attribute) -> Self {
        match kind {
            Attribute::String | Attribute::Json => Self::String,
            Attribute::Number => Self::Number,
            Attribute::Bool => Self::Bool,
            Attribute::List(element) => Self::List(Box::new(element.as_ref().into())),
            Attribute::Map(element) => Self::Map(Box::new(element.as_ref().into())),
        }
    }
}

impl From<&ObjectSpec> for Type {
    /// The type of what a body is decoded to.
    fn from(spec: &ObjectSpec) -> Self {
        let implied = |(name, spec): (&str, &Spec)| {
            let kind = match spec {
                Spec::Attribute { kind, .. } => kind.into(),
                Spec::Block { nested, .. } => nested.into(),
                Spec::Blocks { nested } => Self::List(Box::new(nested.into())),
            };
            (name.to_owned(), kind)
        };
        Self::Object(spec.iter().map(implied).collect())
    }
}

impl Type {
    /// The type as JSON, as cty writes it.
    pub(crate) fn to_json(&self) -> Json {
        match self {
            Self::String => "string".into(),
            Self::Number => "number".into(),
            Self::Bool => "bool".into(),
            Self::List(element) => Json::Array(vec!["list".into(), element.to_json()]),
            Self::Map(element) => Json::Array(vec!["map".into(), element.to_json()]),
            Self::Object(kinds) => {
                let kinds = kinds.iter().map(|(name, kind)| (name.clone(), kind.to_json()));
                Json::Array(vec!["object".into(), Json::Object(kinds.collect())])
            }
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::String => "text",
            Self::Number => "a number",
            Self::Bool => "true or false",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Object(_) => "an object",
        }
    }

    /// Checks that a value has this type, and fills in null for the attributes that an object lacks.
    pub(crate) fn conform(&self, value: &Json) -> Result<Json, CtyError> {
        self.conform_at(value, "output", MAX_DEPTH)
    }

    fn conform_at(&self, value: &Json, path: &str, depth: u32) -> Result<Json, CtyError> {
        let depth = depth.checked_sub(1).ok_or(CtyError::Depth)?;
        match (self, value) {
            (_, Json::Null) => Ok(Json::Null),
            (Self::String, Json::String(_)) | (Self::Number, Json::Number(_)) | (Self::Bool, Json::Bool(_)) => {
                Ok(value.clone())
            }
            (Self::List(kind), Json::Array(items)) => {
                let item = |(at, item): (usize, &Json)| kind.conform_at(item, &format!("{path}[{at}]"), depth);
                items
                    .iter()
                    .enumerate()
                    .map(item)
                    .collect::<Result<_, _>>()
                    .map(Json::Array)
            }
            (Self::Map(kind), Json::Object(entries)) => {
                let entry = |(key, value): (&String, &Json)| {
                    Ok((key.clone(), kind.conform_at(value, &format!("{path}.{key}"), depth)?))
                };
                entries
                    .iter()
                    .map(entry)
                    .collect::<Result<_, CtyError>>()
                    .map(Json::Object)
            }
            (Self::Object(kinds), Json::Object(entries)) => object(kinds, entries, path, depth),
            _ => Err(CtyError::Mismatch {
                path: path.to_owned(),
                expected: self.name(),
            }),
        }
    }
}

fn object(
    kinds: &BTreeMap<String, Type>,
    entries: &Map<String, Json>,
    path: &str,
    depth: u32,
) -> Result<Json, CtyError> {
    if let Some(name) = entries.keys().find(|name| !kinds.contains_key(*name)) {
        return Err(CtyError::Unexpected(format!("{path}.{name}")));
    }
    let attribute = |(name, kind): (&String, &Type)| {
        let value = entries.get(name).unwrap_or(&Json::Null);
        Ok((name.clone(), kind.conform_at(value, &format!("{path}.{name}"), depth)?))
    };
    kinds
        .iter()
        .map(attribute)
        .collect::<Result<_, CtyError>>()
        .map(Json::Object)
}

/// The bytes of a data source's output for a generation.
pub(crate) fn encode_output(spec: &ObjectSpec, value: &Json, generation: Generation) -> Result<Vec<u8>, CtyError> {
    let kind = Type::from(spec);
    let value = kind.conform(value)?;
    Ok(match generation {
        Generation::Gob => crate::gob::cty_value(&kind, &value),
        Generation::Protobuf => dynamic(&kind, &value).to_bytes(),
    })
}

/// A value with its type, as cty's own MessagePack has it.
fn dynamic(kind: &Type, value: &Json) -> Value {
    Value::List(vec![Value::Bin(kind.to_json().to_string().into_bytes()), plain(value)])
}

fn plain(value: &Json) -> Value {
    match value {
        Json::Null => Value::Nil,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), ..) => Value::Int(number),
            (_, Some(number), _) => Value::Uint(number),
            (.., number) => Value::Float(number.unwrap_or_default()),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => Value::List(items.iter().map(plain).collect()),
        Json::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| (key.as_str().into(), plain(value)));
            Value::Map(entries.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_value_is_taken_and_the_type_is_not_needed() {
        let bytes = br#"{"value":{"n":null,"ports":[1],"region":"KR1"},"type":["object",{"n":"string"}]}"#;
        let value = read_object(bytes).unwrap();
        assert_eq!(Json::Object(value), json!({"n": null, "ports": [1], "region": "KR1"}));
        assert!(read_object(br#"{"value":null,"type":"dynamic"}"#).unwrap().is_empty());
        for bad in ["{}", "[]", "{\"value\":[]}", "x", ""] {
            assert!(read_object(bad.as_bytes()).is_err(), "{bad}");
        }
        let deep = format!("{{\"value\":{}", "[".repeat(100_000));
        assert!(read_object(deep.as_bytes()).is_err());
    }

    #[test]
    fn an_output_is_what_go_would_send() {
        let spec = ObjectSpec::new().optional("id", Attribute::String);
        let bytes = encode_output(&spec, &json!({"id": "abc"}), Generation::Protobuf).unwrap();
        let expected = [
            &[0x92, 0xc4, 0x1a][..],
            br#"["object",{"id":"string"}]"#,
            &[0x81, 0xa2],
            b"id",
            &[0xa3],
            b"abc",
        ];
        assert_eq!(bytes, expected.concat());
    }

    #[test]
    fn an_output_that_does_not_fit_says_where() {
        let nested = ObjectSpec::new().optional("size", Attribute::Number);
        let spec = ObjectSpec::new()
            .optional("id", Attribute::String)
            .blocks("disk", nested);
        let error = |value: Json| encode_output(&spec, &value, Generation::Gob).unwrap_err().to_string();
        assert_eq!(
            error(json!({"disk": [{"size": "x"}]})),
            "`output.disk[0].size` is not a number"
        );
        assert_eq!(error(json!({"ip": 1})), "`output.ip` is not part of the output");
        assert_eq!(error(json!(7)), "`output` is not an object");
        let filled = Type::from(&spec).conform(&json!({"id": "x"})).unwrap();
        assert_eq!(filled, json!({"disk": null, "id": "x"}));
    }
}
