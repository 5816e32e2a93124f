//! `environment`: variables of the machine or of the account, and the search path.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answered, Cx, Failure, Step, read};
use crate::guest::windows::RegistryKey;

/// Where an account's variables are. They go when the build's account goes.
const OF_USER: &str = "HKCU\\Environment";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Environment {
    scope: String,
    set: BTreeMap<String, String>,
    remove: Vec<String>,
    path: PathChange,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PathChange {
    prepend: Vec<String>,
    append: Vec<String>,
    remove: Vec<String>,
}

/// `environment`.
pub fn environment(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Environment = read(input)?;
    let detail = format!("environment of the {}", wanted.scope);
    let disk = &mut cx.state.disk;
    let changed = match wanted.scope.as_str() {
        "machine" => change(&mut disk.environment, wanted),
        "user" => {
            let fresh = || RegistryKey {
                path: OF_USER.to_owned(),
                values: BTreeMap::new(),
            };
            let key = disk.registry.entry(OF_USER.to_lowercase()).or_insert_with(fresh);
            let mut variables = texts(key);
            let changed = change(&mut variables, wanted);
            let stored = variables
                .into_iter()
                .map(|(name, value)| (name, ("string".to_owned(), json!(value))));
            key.values = stored.collect();
            changed
        }
        other => return Err(Failure::new("invalid_input", format!("the scope is `{other}`"))),
    };
    Step::either(changed, detail).done()
}

fn texts(key: &RegistryKey) -> BTreeMap<String, String> {
    let values = key.values.iter();
    values
        .map(|(name, (_, data))| (name.clone(), data.as_str().unwrap_or_default().to_owned()))
        .collect()
}

/// Whether anything is another now.
fn change(variables: &mut BTreeMap<String, String>, wanted: Environment) -> bool {
    let before = variables.clone();
    for (name, value) in wanted.set {
        put(variables, &name, value);
    }
    for name in &wanted.remove {
        variables.retain(|known, _| !known.eq_ignore_ascii_case(name));
    }
    let PathChange {
        prepend,
        append,
        remove,
    } = wanted.path;
    if !(prepend.is_empty() && append.is_empty() && remove.is_empty()) {
        let known = variables.iter().find(|(name, _)| name.eq_ignore_ascii_case("Path"));
        let path = known.map(|(_, path)| path.clone()).unwrap_or_default();
        put(variables, "Path", edited(&path, &prepend, &append, &remove));
    }
    *variables != before
}

/// Names have no case; the first spelling stays.
fn put(variables: &mut BTreeMap<String, String>, name: &str, value: String) {
    let known = variables.keys().find(|known| known.eq_ignore_ascii_case(name)).cloned();
    variables.insert(known.unwrap_or_else(|| name.to_owned()), value);
}

/// The new search path; entries that are there already move to where they are wanted.
fn edited(path: &str, prepend: &[String], append: &[String], remove: &[String]) -> String {
    let same = |folder: &str| folder.trim().trim_end_matches('\\').to_lowercase();
    let named: Vec<String> = [prepend, append, remove]
        .concat()
        .iter()
        .map(|folder| same(folder))
        .collect();
    let kept = path
        .split(';')
        .filter(|part| !part.trim().is_empty() && !named.contains(&same(part)));
    let first = prepend.iter().map(String::as_str);
    let all: Vec<&str> = first.chain(kept).chain(append.iter().map(String::as_str)).collect();
    all.join(";")
}
