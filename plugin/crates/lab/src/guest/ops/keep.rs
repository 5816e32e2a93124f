//! Looking for what must not stay, logs to bring home, and our own traces.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answered, Cx, Done, Failure, read};
use crate::guest::files::{key, like};
use crate::guest::inspect::contains;

/// Where the machine's environment is kept.
const ENVIRONMENT: &str = "HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Residue {
    secrets: Vec<String>,
    names: Vec<String>,
    roots: Option<Vec<String>>,
    max_file_bytes: u64,
}

/// `residue`.
pub fn residue(cx: &Cx<'_>, input: &Value) -> Answered {
    let wanted: Residue = read(input)?;
    if wanted.secrets.len() != wanted.names.len() {
        return Err(Failure::new("invalid_input", "as many names as secrets"));
    }
    let files: Vec<_> = cx
        .state
        .disk
        .files
        .all()
        .filter(|entry| inside(&entry.path, wanted.roots.as_deref()))
        .collect();
    let mut hits = Vec::new();
    let named = || wanted.secrets.iter().zip(&wanted.names);
    let is_short = |secret: &str| secret.encode_utf16().count() < SHORTEST;
    let short: Vec<&String> = named()
        .filter(|(secret, _)| is_short(secret))
        .map(|(_, name)| name)
        .collect();
    for (secret, name) in named().filter(|(secret, _)| !is_short(secret)) {
        for entry in &files {
            let content = entry
                .content
                .as_ref()
                .filter(|content| content.size() <= wanted.max_file_bytes);
            let count = content.map_or(0, |content| contains(content.kept(), secret));
            if count > 0 {
                hits.push(json!({"name": name, "where": "file", "path": entry.path, "count": count}));
            }
        }
        for (path, bytes) in registry_data(cx) {
            let count = contains(&bytes, secret);
            if count > 0 {
                hits.push(json!({"name": name, "where": "registry", "path": path, "count": count}));
            }
        }
    }
    let values = registry_data(cx).count();
    let result = json!({"scanned_files": files.len(), "scanned_values": values, "hits": hits,
        "skipped_files": 0, "skipped": [], "short": short});
    Ok(Done::after(8.0, result))
}

/// Shorter texts are found everywhere.
const SHORTEST: usize = 6;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Leftovers {
    prefix: String,
    #[expect(
        dead_code,
        reason = "part of the contract; the lab's way in is taken back as a whole"
    )]
    undo_key: String,
    answer_file: String,
    #[expect(dead_code, reason = "part of the contract; the lab counts no bytes")]
    keep: Vec<String>,
}

/// `leftovers`: what the lab's Windows keeps of them.
pub fn leftovers(cx: &Cx<'_>, input: &Value) -> Answered {
    let wanted: Leftovers = read(input)?;
    let disk = &cx.state.disk;
    let ours = |user: &&crate::guest::windows::User| user.name.starts_with(&wanted.prefix);
    let accounts: Vec<&String> = disk.users.values().filter(ours).map(|user| &user.name).collect();
    let folders = disk.users.values().filter(ours).filter(|user| user.profile);
    let profiles: Vec<String> = folders.map(|user| format!("C:\\Users\\{}", user.name)).collect();
    let tasks: Vec<&String> = cx
        .state
        .live
        .tasks
        .keys()
        .filter(|name| name.starts_with(&wanted.prefix))
        .collect();
    let stale = super::system::stale_answers(disk, &wanted.answer_file);
    let answers: Vec<Value> = stale
        .iter()
        .map(|path| json!({"path": path, "secret": false}))
        .collect();
    let none: [&str; 0] = [];
    let sum = json!({"files": 0, "bytes": 0});
    Ok(Done::after(
        2.0,
        json!({
            "undo": [], "accounts": accounts, "profiles": profiles, "certificates": [], "listeners": [],
            "winrm": {"basic": false, "unencrypted": false}, "token_filter": null, "firewall_rules": [], "tasks": tasks,
            "answer_files": answers, "winlogon": none, "histories": none, "transcripts": none, "script_events": 0,
            "ssh_host_keys": none, "first_boot": none, "temp": sum, "dumps": none, "logs": sum, "update_cache": sum,
            "user_files": [], "cloudbase_state": disk.cloudbase.instances, "wsus": none, "upgrade_folders": none,
            "hibernation": false, "hosts": none, "agents": [], "problems": [],
        }),
    ))
}

fn inside(path: &str, roots: Option<&[String]>) -> bool {
    roots.is_none_or(|roots| roots.iter().any(|root| key(path).starts_with(&key(root))))
}

/// Every value of the registry with its bytes. The machine's environment is a key like any other.
fn registry_data<'a>(cx: &'a Cx<'_>) -> impl Iterator<Item = (String, Vec<u8>)> + 'a {
    let keys = cx.state.disk.registry.values();
    let values = keys.flat_map(|key| {
        key.values
            .iter()
            .map(|(name, (kind, data))| (format!("{}, {name}", key.path), bytes(kind, data)))
    });
    let variables = cx.state.disk.environment.iter();
    values.chain(variables.map(|(name, value)| (format!("{ENVIRONMENT}, {name}"), value.as_bytes().to_vec())))
}

fn bytes(kind: &str, data: &Value) -> Vec<u8> {
    match data {
        Value::String(text) if kind == "binary" => hex::decode(text).unwrap_or_default(),
        Value::String(text) => text.as_bytes().to_vec(),
        Value::Array(texts) => {
            let texts: Vec<&str> = texts.iter().filter_map(Value::as_str).collect();
            texts.join("\n").into_bytes()
        }
        other => other.to_string().into_bytes(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Logs {
    extra: Vec<String>,
}

/// `collect_logs`.
pub fn logs(cx: &Cx<'_>, input: &Value) -> Answered {
    let wanted: Logs = read(input)?;
    let kind = |path: &str| {
        let path = key(path);
        let places = [
            ("c:\\windows\\system32\\sysprep\\panther\\", "sysprep"),
            ("c:\\windows\\panther\\", "setup"),
            ("c:\\windows\\logs\\cbs\\", "cbs"),
            ("c:\\windows\\logs\\dism\\", "dism"),
            (
                "c:\\program files\\cloudbase solutions\\cloudbase-init\\log\\",
                "cloudbase",
            ),
        ];
        let place = places.iter().find(|(place, _)| {
            path.starts_with(place) && path.rsplit_once('.').is_some_and(|(_, extension)| extension == "log")
        });
        place
            .map(|(_, kind)| *kind)
            .or_else(|| wanted.extra.iter().any(|extra| like(&path, extra)).then_some("other"))
    };
    let files = cx.state.disk.files.all().filter_map(|entry| {
        let (kind, content) = (kind(&entry.path)?, entry.content.as_ref()?);
        let modified = entry.written.to_string();
        Some(json!({"path": entry.path, "size": content.size(), "modified_utc": modified, "kind": kind}))
    });
    Ok(Done::after(1.0, json!({"files": files.collect::<Vec<_>>()})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cleanup {
    work: Vec<String>,
    task_prefix: String,
}

/// `cleanup_self`.
pub fn cleanup(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Cleanup = read(input)?;
    let tasks: Vec<String> = cx
        .state
        .live
        .tasks
        .keys()
        .filter(|name| name.starts_with(&wanted.task_prefix))
        .cloned()
        .collect();
    cx.state
        .live
        .tasks
        .retain(|name, _| !name.starts_with(&wanted.task_prefix));
    if cx
        .state
        .disk
        .guard
        .as_ref()
        .is_some_and(|guard| guard.task.starts_with(&wanted.task_prefix))
    {
        cx.state.disk.guard = None;
    }
    let folders: Vec<&String> = wanted
        .work
        .iter()
        .filter(|path| !cx.state.disk.files.remove(path).is_empty())
        .collect();
    Ok(Done::after(
        1.0,
        json!({"tasks": tasks, "folders": folders, "left": []}),
    ))
}
