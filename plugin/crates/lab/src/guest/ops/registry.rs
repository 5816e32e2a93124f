//! `registry`: keys and values, where Windows has them and under the names that it compares without regard to case.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Answered, Cx, Failure, Step, presence, read};
use crate::guest::files::like;
use crate::guest::windows::{RegistryKey, Windows};

/// The root keys that the operation knows. The long names are not among them.
const HIVES: [&str; 5] = ["HKLM", "HKCU", "HKCR", "HKU", "HKCC"];

/// What no administrator may change.
const CLOSED: [&str; 3] = ["hklm\\sam", "hklm\\security", "hklm\\bcd00000000"];

/// The longest name of one key.
const LONGEST_KEY: usize = 255;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registry {
    key: String,
    view: u32,
    state: String,
    values: Vec<RegistryValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegistryValue {
    name: String,
    kind: String,
    data: Value,
}

/// `registry`.
pub fn registry(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Registry = read(input)?;
    let place = place(&wanted.key, wanted.view)?;
    let disk = &mut cx.state.disk;
    if !presence(&wanted.state)? {
        return Step::either(remove(disk, &place), wanted.key).done();
    }
    let new = !disk.registry.contains_key(&place.to_lowercase());
    let only_removals = !wanted.values.is_empty() && wanted.values.iter().all(|value| value.kind == "absent");
    if new && only_removals {
        return Step::already(wanted.key).done();
    }
    let fresh = || RegistryKey {
        path: place.clone(),
        values: BTreeMap::new(),
    };
    let key = disk.registry.entry(place.to_lowercase()).or_insert_with(fresh);
    let mut changed = new && wanted.values.is_empty();
    for value in wanted.values {
        changed |= put(key, value)?;
    }
    Step::either(changed, wanted.key).done()
}

/// Where a key is: with the usual spelling of its root, and on the side that the view names.
fn place(key: &str, view: u32) -> Result<String, Failure> {
    let (hive, path) = key.split_once('\\').unwrap_or((key, ""));
    let hive = hive.trim_end_matches(':').to_uppercase();
    if !HIVES.contains(&hive.as_str()) {
        return Err(Failure::new("unknown_hive", format!("There is no root key {hive}.")));
    }
    if ![32, 64].contains(&view) {
        return Err(Failure::new("invalid_input", "the view is 32 or 64"));
    }
    let path = path.trim_matches('\\');
    let parts: Vec<&str> = path.split('\\').collect();
    if path.is_empty()
        || parts
            .iter()
            .any(|part| part.is_empty() || part.chars().count() > LONGEST_KEY)
    {
        return Err(Failure::thrown("The parameter is incorrect."));
    }
    let place = format!("{hive}\\{path}");
    let below = place.to_lowercase();
    if CLOSED.iter().any(|closed| is_within(&below, closed)) {
        let message = "Access to the registry key is denied.";
        return Err(Failure::new("access_denied", message).hresult(0x8007_0005));
    }
    // Only whole hives stand directly below the root of the machine.
    if parts.len() == 1
        && ["HKLM", "HKU"].contains(&hive.as_str())
        && !["software", "system"].contains(&parts.concat().to_lowercase().as_str())
    {
        return Err(Failure::thrown("The parameter is incorrect."));
    }
    let redirected =
        view == 32 && is_within(&below, "hklm\\software") && !is_within(&below, "hklm\\software\\wow6432node");
    Ok(match path.split_once('\\') {
        Some((_, rest)) if redirected => format!("{hive}\\SOFTWARE\\WOW6432Node\\{rest}"),
        _ => place,
    })
}

fn is_within(place: &str, key: &str) -> bool {
    place
        .strip_prefix(key)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('\\'))
}

/// A key goes with everything below it.
fn remove(disk: &mut Windows, place: &str) -> bool {
    let place = place.to_lowercase();
    let before = disk.registry.len();
    disk.registry.retain(|key, _| !is_within(key, &place));
    disk.registry.len() < before
}

/// Removes values; how many. The key may be a pattern; no names are all of them.
pub(super) fn forget(disk: &mut Windows, key: &str, names: &[&str]) -> usize {
    let mut count = 0;
    let keys = disk.registry.iter_mut().filter(|(place, _)| like(place, key));
    for (_, found) in keys {
        let before = found.values.len();
        let wanted = |name: &String| names.is_empty() || names.iter().any(|one| one.eq_ignore_ascii_case(name));
        found.values.retain(|name, _| !wanted(name));
        count += before - found.values.len();
    }
    count
}

/// Sets or removes one value; whether that changed anything.
fn put(key: &mut RegistryKey, value: RegistryValue) -> Result<bool, Failure> {
    let known = key.values.keys().find(|name| name.eq_ignore_ascii_case(&value.name));
    let name = known.cloned().unwrap_or(value.name);
    if value.kind == "absent" {
        return Ok(key.values.remove(&name).is_some());
    }
    if !fits(&value.kind, &value.data) {
        return Err(Failure::new(
            "invalid_input",
            format!("the data of `{name}` are not a {}", value.kind),
        ));
    }
    let now = (value.kind, value.data);
    Ok(key.values.insert(name, now.clone()) != Some(now))
}

fn fits(kind: &str, data: &Value) -> bool {
    match kind {
        "string" | "expand_string" => data.is_string(),
        "dword" => data.as_u64().is_some_and(|number| u32::try_from(number).is_ok()),
        "qword" => data.as_str().is_some_and(|text| text.parse::<u64>().is_ok()),
        "multi_string" => data.as_array().is_some_and(|list| list.iter().all(Value::is_string)),
        "binary" => data.as_str().is_some_and(|text| hex::decode(text).is_ok()),
        _ => false,
    }
}
