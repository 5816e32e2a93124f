//! Lenient looks into foreign JSON: absent, null and of the wrong type are the same thing, namely nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

/// A string, not empty.
pub(crate) fn text(value: &Value, key: &str) -> Option<String> {
    value
        .get(key)?
        .as_str()
        .filter(|text| !text.is_empty())
        .map(ToOwned::to_owned)
}

/// A whole number, also one that was written as a string.
pub(crate) fn number(value: &Value, key: &str) -> Option<u64> {
    match value.get(key)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A whole number of 32 bits; 0 when there is none, the largest when it is larger.
pub(crate) fn small(value: &Value, key: &str) -> u32 {
    number(value, key).map_or(0, |number| u32::try_from(number).unwrap_or(u32::MAX))
}

/// A truth value, also one that was written as a string (Cinder's `bootable`).
pub(crate) fn flag(value: &Value, key: &str) -> bool {
    match value.get(key) {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    }
}

/// The members of a list, or nothing.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).map_or(&[], items)
}

/// The members of a value that is a list.
pub(crate) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A flat map of strings; values of other types are left out.
pub(crate) fn strings(value: &Value, key: &str) -> BTreeMap<String, String> {
    let pairs = value.get(key).and_then(Value::as_object).into_iter().flatten();
    pairs
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// A moment; without a zone it is UTC, as all services mean it.
pub(crate) fn time(value: &Value, key: &str) -> Option<Timestamp> {
    moment(value.get(key)?.as_str()?)
}

/// See [`time`].
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    let zoned = text.parse::<Timestamp>().ok();
    zoned.or_else(|| {
        text.parse::<DateTime>()
            .ok()?
            .to_zoned(TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp())
    })
}
