//! The store's policies: what keeps it from updating apps, for a while, and back.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answered, Cx, Done, read};
use crate::guest::windows::{RegistryKey, Windows};

/// Each policy: its key, its value, and the number that holds the store.
const POLICIES: [(&str, &str, u32); 2] = [
    ("HKLM\\SOFTWARE\\Policies\\Microsoft\\WindowsStore", "AutoDownload", 2),
    (
        "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\CloudContent",
        "DisableWindowsConsumerFeatures",
        1,
    ),
];

/// Where the values stand that were there before.
const NOTES: &str = "HKLM\\SOFTWARE\\Reseal\\Undo";

fn key<'a>(disk: &'a mut Windows, path: &str) -> &'a mut RegistryKey {
    let fresh = || RegistryKey {
        path: path.to_owned(),
        values: BTreeMap::new(),
    };
    disk.registry.entry(path.to_lowercase()).or_insert_with(fresh)
}

fn number(disk: &Windows, path: &str, name: &str) -> Option<Value> {
    let key = disk.registry.get(&path.to_lowercase())?;
    key.values.get(name).map(|(_, data)| data.clone())
}

/// As `preflight` tells them.
pub(super) fn policies(disk: &Windows) -> Value {
    let [download, consumer] = POLICIES.map(|(path, name, _)| number(disk, path, name));
    json!({"auto_download": download, "consumer_features_disabled": consumer})
}

/// Sets both, with a note of what was there. Says whether anything was changed.
pub(super) fn hold(disk: &mut Windows) -> bool {
    let mut changed = false;
    for (path, name, held) in POLICIES {
        let before = number(disk, path, name);
        if before != Some(json!(held)) {
            let note = ("string".to_owned(), json!(before));
            key(disk, NOTES).values.insert(name.to_owned(), note);
            let value = ("dword".to_owned(), json!(held));
            key(disk, path).values.insert(name.to_owned(), value);
            changed = true;
        }
    }
    changed
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Undo {
    #[expect(dead_code, reason = "part of the contract; the lab keeps its notes in one place")]
    undo_key: String,
}

/// `preflight_undo`.
pub(super) fn undo(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let _: Undo = read(input)?;
    let changes = release(&mut cx.state.disk);
    Ok(Done::after(0.5, json!({"changes": changes})))
}

/// Puts both back to what they were, the last first, and forgets the notes.
pub(in crate::guest) fn release(disk: &mut Windows) -> Vec<Value> {
    let notes = disk.registry.remove(&NOTES.to_lowercase()).unwrap_or_default().values;
    let mut changes = Vec::new();
    for (path, name, _) in POLICIES.into_iter().rev() {
        let Some((_, before)) = notes.get(name) else { continue };
        let values = &mut key(disk, path).values;
        let detail = if before.is_null() {
            values.remove(name);
            "not set any more".to_owned()
        } else {
            values.insert(name.to_owned(), ("dword".to_owned(), before.clone()));
            format!("back to {before}")
        };
        let path = path.replacen("HKLM", "HKLM:", 1);
        changes.push(json!({"fix": "store", "path": path, "name": name, "done": true, "detail": detail}));
    }
    changes
}
