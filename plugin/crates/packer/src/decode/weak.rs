//! Conversions between simple values, the way Go's plugins convert what a JSON template says.

use serde_json::{Number, Value as Json};

use crate::hcl::Type;
use crate::interpolate::literal;

/// Text, a number or a truth value as another of them. An empty text is no number and no truth value: it counts as left
/// out.
pub(super) fn scalar(kind: &Type, value: &Json, path: &str) -> Result<Json, String> {
    match (kind, value) {
        (Type::String, Json::String(_)) | (Type::Bool, Json::Bool(_)) => Ok(value.clone()),
        (Type::String, Json::Bool(value)) => Ok(if *value { "1" } else { "0" }.into()),
        (Type::String, Json::Number(number)) => Ok(decimal(number).into()),
        (Type::Number, Json::Number(number)) => Ok(whole(number)),
        (Type::Number, Json::Bool(value)) => Ok(i32::from(*value).into()),
        (Type::Bool, Json::Number(number)) => Ok((number.as_f64() != Some(0.0)).into()),
        (Type::Number | Type::Bool, Json::String(text)) if text.is_empty() => Ok(Json::Null),
        (Type::Number, Json::String(text)) => parsed(text)
            .ok_or_else(|| format!("cannot parse '{path}' as int: strconv.ParseInt: parsing {text:?}: invalid syntax")),
        (Type::Bool, Json::String(text)) => truth(text).ok_or_else(|| {
            format!("cannot parse '{path}' as bool: strconv.ParseBool: parsing {text:?}: invalid syntax")
        }),
        // Not the value, as Go has it: it may be secret.
        _ => Err(format!(
            "'{path}' expected type '{}', got unconvertible type '{}'",
            wanted(kind),
            go_type(value)
        )),
    }
}

/// What Go makes of a null where a value must be.
pub(super) fn zero(kind: &Type) -> Json {
    match kind {
        Type::String => "".into(),
        Type::Number => 0.into(),
        Type::Bool => false.into(),
        Type::List(_) => Json::Array(vec![]),
        Type::Map(_) => Json::Object(serde_json::Map::new()),
        Type::Json => Json::Null,
    }
}

/// JSON in a text, if it is a map or a list.
pub(super) fn compound(text: &str) -> Option<Json> {
    let begins = text.trim_start().starts_with(['{', '[']);
    begins.then(|| serde_json::from_str(text).ok()).flatten()
}

/// The numbers of JSON templates are floating-point; whole ones are whole again here.
pub(super) fn whole(number: &Number) -> Json {
    let text = number
        .as_f64()
        .filter(|_| number.is_f64())
        .map(|float| float.to_string());
    match text.and_then(|text| text.parse::<i64>().ok()) {
        Some(whole) => whole.into(),
        None => Json::Number(number.clone()),
    }
}

/// Never with an exponent.
fn decimal(number: &Number) -> String {
    match number.as_f64().filter(|_| number.is_f64()) {
        Some(float) => float.to_string(),
        None => number.to_string(),
    }
}

fn parsed(text: &str) -> Option<Json> {
    let whole = literal::ungrouped(text).and_then(|digits| literal::integer(&digits));
    let float = || {
        text.parse::<f64>()
            .ok()
            .and_then(Number::from_f64)
            .map(|number| self::whole(&number))
    };
    whole.map(Json::from).or_else(float)
}

fn truth(text: &str) -> Option<Json> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true.into()),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false.into()),
        _ => None,
    }
}

fn wanted(kind: &Type) -> &'static str {
    match kind {
        Type::Number => "int",
        Type::Bool => "bool",
        _ => "string",
    }
}

/// Go's name of what a value is.
fn go_type(value: &Json) -> &'static str {
    match value {
        Json::Null => "nil",
        Json::Bool(_) => "bool",
        Json::Number(_) => "float64",
        Json::String(_) => "string",
        Json::Array(_) => "[]interface {}",
        Json::Object(_) => "map[interface {}]interface {}",
    }
}

/// Go's word for the sort of a value.
pub(super) fn sort(value: &Json) -> &'static str {
    match value {
        Json::Array(_) => "slice",
        Json::Object(_) => "map",
        other => go_type(other),
    }
}
