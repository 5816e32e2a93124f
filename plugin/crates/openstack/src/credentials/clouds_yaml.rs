//! `clouds.yaml` and `secure.yaml`: one cloud out of them, as one merged value.

use serde_json::{Map, Value};

use super::CredentialsError;

/// Looks up a file's text: by the plain names below, or by a path that the user wrote.
pub(super) type Files<'a> = &'a dyn Fn(&str) -> Option<String>;

const CLOUDS: &str = "clouds.yaml";
const SECURE: &str = "secure.yaml";
const PUBLIC: &str = "clouds-public.yaml";

/// The cloud called `name`. Without a name: the only one there is, or none.
pub(super) fn pick(files: Files<'_>, name: Option<&str>) -> Result<Option<Value>, CredentialsError> {
    let clouds = section(files, CLOUDS, "clouds")?;
    let secrets = section(files, SECURE, "clouds")?;
    let Some(name) = name.map(ToOwned::to_owned).or_else(|| only_name(&clouds)) else {
        return Ok(None);
    };
    let mut cloud = Value::Object(Map::new());
    let known = [&clouds, &secrets]
        .into_iter()
        .filter_map(|section| section.get(&name))
        .collect::<Vec<_>>();
    if known.is_empty() {
        return Err(unknown(&name, &clouds));
    }
    if let Some(profile) = known.iter().find_map(|part| part.get("profile")?.as_str()) {
        let vendors = section(files, PUBLIC, "public-clouds")?;
        if let Some(vendor) = vendors.get(profile) {
            merge(&mut cloud, vendor);
        }
    }
    for part in known {
        merge(&mut cloud, part);
    }
    Ok(Some(cloud))
}

/// One section of one file; empty when the file is not there.
fn section(files: Files<'_>, file: &str, key: &str) -> Result<Map<String, Value>, CredentialsError> {
    let Some(text) = files(file) else { return Ok(Map::new()) };
    let value: Value = serde_yaml::from_str(&text).map_err(|error| unreadable(file, &error))?;
    match value.get(key) {
        Some(Value::Object(section)) => Ok(section.clone()),
        _ => Ok(Map::new()),
    }
}

/// Only the place is told: the text of a parser's error may quote a password.
fn unreadable(file: &str, error: &serde_yaml::Error) -> CredentialsError {
    let place = error.location().map_or_else(String::new, |at| {
        format!(" at line {}, column {}", at.line(), at.column())
    });
    CredentialsError {
        message: format!("`{file}` is not readable YAML{place}"),
        missing: Vec::new(),
        hints: Vec::new(),
    }
}

fn unknown(name: &str, clouds: &Map<String, Value>) -> CredentialsError {
    let known = clouds
        .keys()
        .map(|key| format!("`{key}`"))
        .collect::<Vec<_>>()
        .join(", ");
    let hint = if known.is_empty() {
        "no `clouds.yaml` was found in `./`, `~/.config/openstack/` or `/etc/openstack/`; `OS_CLIENT_CONFIG_FILE` names another place".to_owned()
    } else {
        format!("`clouds.yaml` has {known}")
    };
    CredentialsError {
        message: format!("there is no cloud called `{name}`"),
        missing: Vec::new(),
        hints: vec![hint],
    }
}

fn only_name(clouds: &Map<String, Value>) -> Option<String> {
    let mut names = clouds.keys();
    names.next().filter(|_| names.next().is_none()).cloned()
}

/// Lays `over` on `base`: maps are merged, everything else is replaced.
fn merge(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                merge(base.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over.clone(),
    }
}
