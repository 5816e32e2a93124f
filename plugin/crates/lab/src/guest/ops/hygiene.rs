//! Cleaning before capture: the categories of the guest script, and nothing for words that it does not know.

use serde::Deserialize;
use serde_json::{Value, json};

use super::registry::forget;
use super::{Answered, Cx, Done, Failure, read};
use crate::guest::files::{Content, key, like};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hygiene {
    categories: Vec<String>,
    keep: Vec<String>,
    timeout_seconds: f64,
}

/// What one category removes.
struct Category {
    name: &'static str,
    seconds: f64,
    /// Files, as patterns; `*` also stands for folders.
    files: &'static [&'static str],
    /// Values of the registry: keys, as patterns, and names; no names are all of them.
    values: &'static [(&'static str, &'static [&'static str])],
}

const fn files(name: &'static str, files: &'static [&'static str]) -> Category {
    Category {
        name,
        seconds: 5.0,
        files,
        values: &[],
    }
}

const fn tool(name: &'static str, seconds: f64) -> Category {
    Category {
        name,
        seconds,
        files: &[],
        values: &[],
    }
}

const CATEGORIES: &[Category] = &[
    files(
        "temp",
        &["C:\\Windows\\Temp\\*", "C:\\Users\\*\\AppData\\Local\\Temp\\*"],
    ),
    files(
        "crash_dumps",
        &[
            "C:\\Windows\\Minidump\\*",
            "C:\\Windows\\LiveKernelReports\\*",
            "C:\\Windows\\MEMORY.DMP",
            "C:\\ProgramData\\Microsoft\\Windows\\WER\\Report*\\*",
            "C:\\Users\\*\\AppData\\Local\\CrashDumps\\*",
        ],
    ),
    files("recycle_bin", &["C:\\$Recycle.Bin\\*"]),
    files("prefetch", &["C:\\Windows\\Prefetch\\*"]),
    tool("event_logs", 5.0),
    tool("component_store", 900.0),
    files("update_cache", &["C:\\Windows\\SoftwareDistribution\\Download\\*"]),
    files(
        "delivery_optimization",
        &[
            "C:\\Windows\\ServiceProfiles\\NetworkService\\AppData\\Local\\Microsoft\\Windows\\DeliveryOptimization\\Cache\\*",
        ],
    ),
    files(
        "powershell_history",
        &[
            "C:\\Users\\*\\AppData\\Roaming\\Microsoft\\Windows\\PowerShell\\PSReadLine\\*",
            "C:\\Users\\*\\Documents\\PowerShell_transcript.*",
        ],
    ),
    Category {
        values: &[
            (
                "HK?U\\*software\\microsoft\\windows\\currentversion\\explorer\\RunMRU",
                &[],
            ),
            (
                "HKU\\*software\\microsoft\\windows\\currentversion\\explorer\\RunMRU",
                &[],
            ),
            (
                "HK?U\\*software\\microsoft\\windows\\currentversion\\explorer\\TypedPaths",
                &[],
            ),
            (
                "HKU\\*software\\microsoft\\windows\\currentversion\\explorer\\TypedPaths",
                &[],
            ),
        ],
        ..tool("run_history", 1.0)
    },
    files(
        "answer_files",
        &[
            "C:\\Windows\\Panther\\Unattend\\*",
            "C:\\Windows\\Panther\\unattend.xml",
            "C:\\Windows\\Panther\\unattend-original.xml",
            "C:\\Windows\\System32\\Sysprep\\unattend.xml",
            "C:\\unattend.xml",
            "C:\\Autounattend.xml",
        ],
    ),
    Category {
        values: &[(
            "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon",
            &[
                "DefaultPassword",
                "AutoAdminLogon",
                "AutoLogonCount",
                "DefaultUserName",
                "DefaultDomainName",
            ],
        )],
        ..tool("winlogon", 1.0)
    },
    files(
        "logs",
        &[
            "C:\\Windows\\Logs\\CBS\\*",
            "C:\\Windows\\Logs\\DISM\\*",
            "C:\\Windows\\Logs\\MoSetup\\*",
            "C:\\Windows\\Logs\\NetSetup\\*",
            "C:\\Windows\\Logs\\WindowsUpdate\\*",
            "C:\\Windows\\Panther\\*.log",
            "C:\\Program Files\\Cloudbase Solutions\\Cloudbase-Init\\log\\*.log",
        ],
    ),
    Category {
        values: &[(
            "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate",
            &["SusClientId", "SusClientIdValidation", "AccountDomainSid", "PingID"],
        )],
        ..tool("wsus_id", 1.0)
    },
    files("ssh_host_keys", &["C:\\ProgramData\\ssh\\ssh_host_*"]),
    files(
        "windows_old",
        &["C:\\Windows.old\\*", "C:\\$WinREAgent\\*", "C:\\$Windows.~BT\\*"],
    ),
    tool("shadow_copies", 10.0),
    tool("hibernation", 2.0),
    tool("trim", 60.0),
    tool("zero_free", 600.0),
];

/// `hygiene`.
pub fn hygiene(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Hygiene = read(input)?;
    let mut seconds = 1.0;
    let mut results = Vec::new();
    for name in &wanted.categories {
        let category = CATEGORIES.iter().find(|category| category.name == name);
        let category =
            category.ok_or_else(|| Failure::new("invalid_input", format!("There is no category '{name}'.")))?;
        seconds += category.seconds;
        let done = seconds <= wanted.timeout_seconds;
        let (freed, removed) = if done {
            clean(cx, category, &wanted.keep)
        } else {
            (0, 0)
        };
        let detail = if done { "" } else { "it did not end within the limit" };
        results.push(
            json!({"category": name, "done": done, "freed": freed, "removed": removed, "failed": 0, "left": [], "detail": detail}),
        );
    }
    let free = cx.state.disk.free_bytes();
    Ok(Done::after(
        seconds.min(wanted.timeout_seconds),
        json!({"categories": results, "free_bytes": free}),
    ))
}

fn clean(cx: &mut Cx<'_>, category: &Category, keep: &[String]) -> (u64, usize) {
    if category.name == "event_logs" {
        cx.state.disk.oldest_event = cx.now;
    }
    let kept = |path: &str| {
        let path = key(path);
        keep.iter()
            .any(|keep| path.starts_with(&key(keep)) || key(keep).starts_with(&path))
    };
    let fits = |path: &str| category.files.iter().any(|pattern| like(path, pattern)) && !kept(path);
    let disk = &mut cx.state.disk;
    let gone: Vec<String> = disk
        .files
        .all()
        .map(|entry| entry.path.clone())
        .filter(|path| fits(path))
        .collect();
    let removed: Vec<_> = gone.iter().flat_map(|path| disk.files.remove(path)).collect();
    let freed = removed
        .iter()
        .filter_map(|entry| entry.content.as_ref())
        .map(Content::size)
        .sum();
    let values: usize = category
        .values
        .iter()
        .map(|(key, names)| forget(disk, key, names))
        .sum();
    (freed, removed.len() + values)
}
