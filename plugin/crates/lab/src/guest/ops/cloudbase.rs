//! `cloudbase_prepare` and `first_boot`: Cloudbase-Init before the capture, and how far a clone has come.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answered, Cx, Done, Failure, read};
use crate::guest::machine::WinRmState;
use crate::guest::provider::{CLOUDBASE_CONF, CLOUDBASE_LOG, CLOUDBASE_UNATTEND_CONF, SETUP_COMPLETE};
use crate::guest::windows::{COMPLETE, Windows};

/// The settings that the operation tells; a configuration may hold keys, and so it tells no others.
const SETTINGS: [&str; 14] = [
    "plugins",
    "metadata_services",
    "username",
    "inject_user_password",
    "first_logon_behaviour",
    "rename_admin_user",
    "activate_windows",
    "set_kms_product_key",
    "kms_host",
    "set_avma_product_key",
    "volumes_to_extend",
    "netbios_host_name_compatibility",
    "allow_reboot",
    "stop_service_on_exit",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Prepare {
    service: String,
    change: bool,
    set: BTreeMap<String, String>,
}

/// `cloudbase_prepare`: the service waits for SetupComplete.cmd, and forgets the machines it has seen.
pub fn prepare(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Prepare = read(input)?;
    known(&wanted.service)?;
    let before = cx.state.disk.cloudbase.start.clone();
    let present = cx.state.disk.cloudbase.present;
    let (mut done, mut removed, mut set) = ("none", 0, Vec::new());
    if present && wanted.change {
        set = configure(cx, &wanted.set);
        done = setup_complete(cx);
        "Manual".clone_into(&mut cx.state.disk.cloudbase.start);
        cx.state.disk.put_service("cloudbase-init", "Manual", true);
        removed = std::mem::take(&mut cx.state.disk.cloudbase.instances).len();
    }
    let behind = cx
        .faults()
        .armed("recovery-partition")
        .map(|_| json!({"type": "Recovery", "bytes": 554_696_704}));
    let disk = &cx.state.disk;
    let result = json!({
        "present": present, "start_mode_before": present.then_some(before),
        "start_mode": present.then(|| disk.cloudbase.start.clone()), "setup_complete": done,
        "starts_after_setup": starts(disk), "state_removed": removed, "set": set,
        "config": configuration(disk, CLOUDBASE_CONF), "unattend_config": configuration(disk, CLOUDBASE_UNATTEND_CONF),
        "behind": behind.into_iter().collect::<Vec<_>>(), "license": license(disk), "warnings": [],
    });
    Ok(Done::after(9.0, result))
}

fn known(service: &str) -> Result<(), Failure> {
    match service {
        "cloudbase-init" => Ok(()),
        other => Err(Failure::new(
            "invalid_input",
            format!("the lab has no service `{other}` of the kind"),
        )),
    }
}

/// Whether SetupComplete.cmd puts the service back and starts it.
fn starts(disk: &Windows) -> bool {
    let script = disk.files.text(SETUP_COMPLETE).unwrap_or_default().to_lowercase();
    script.contains("config cloudbase-init start=") && script.contains("start cloudbase-init")
}

fn setup_complete(cx: &mut Cx<'_>) -> &'static str {
    if starts(&cx.state.disk) {
        return "kept";
    }
    let lines = "sc.exe config cloudbase-init start= auto\r\nnet start cloudbase-init\r\n";
    let old = cx.state.disk.files.text(SETUP_COMPLETE).map(ToOwned::to_owned);
    let text = old.as_ref().map_or(lines.to_owned(), |old| format!("{old}\r\n{lines}"));
    cx.state.disk.files.write_text(SETUP_COMPLETE, &text, cx.now);
    if old.is_some() { "extended" } else { "created" }
}

/// The file's settings by name; it has one section.
fn values(disk: &Windows, path: &str) -> Option<BTreeMap<String, String>> {
    let text = disk.files.text(path)?;
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    Some(
        pairs
            .map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned()))
            .collect(),
    )
}

fn configuration(disk: &Windows, path: &str) -> Value {
    let values = values(disk, path);
    let found = values.is_some();
    let told: Map<String, Value> = values
        .unwrap_or_default()
        .into_iter()
        .filter(|(name, _)| SETTINGS.contains(&name.as_str()))
        .map(|(name, value)| (name, Value::String(value)))
        .collect();
    json!({"path": path, "found": found, "values": told})
}

fn configure(cx: &mut Cx<'_>, wanted: &BTreeMap<String, String>) -> Vec<String> {
    let mut values = values(&cx.state.disk, CLOUDBASE_CONF).unwrap_or_default();
    let differs = |(name, value): &(&String, &String)| values.get(*name) != Some(*value);
    let changed: Vec<String> = wanted.iter().filter(differs).map(|(name, _)| name.clone()).collect();
    values.extend(wanted.clone());
    if !changed.is_empty() {
        let lines: Vec<String> = values
            .iter()
            .map(|(name, value)| format!("{name}={value}\r\n"))
            .collect();
        let text = format!("[DEFAULT]\r\n{}", lines.concat());
        cx.state.disk.files.write_text(CLOUDBASE_CONF, &text, cx.now);
    }
    changed
}

/// The licence as the operations tell it.
pub fn license(disk: &Windows) -> Value {
    let license = &disk.license;
    let channel = if license.kms_host.is_some() || license.status != 1 {
        "Volume:GVLK"
    } else {
        "Retail"
    };
    json!({
        "status": license.status, "description": "Windows(R) Operating System, VOLUME_KMSCLIENT channel",
        "channel": channel, "grace_minutes": if license.status == 1 { 259_200 } else { 0 },
        "kms_host": license.kms_host.clone().unwrap_or_default(),
    })
}

/// The log from its last beginning on.
fn last_run(disk: &Windows) -> &str {
    let log = disk.files.text(CLOUDBASE_LOG).unwrap_or_default();
    log.rsplit("Executing plugins for").next().unwrap_or_default()
}

/// Cloudbase-Init as the operations tell it.
pub fn state(cx: &Cx<'_>) -> Value {
    let cloudbase = &cx.state.disk.cloudbase;
    let done = cloudbase.instances.contains(&cx.guest.birth.server_id);
    let started = cloudbase.start == "Auto" && cx.state.live.winrm == WinRmState::Up;
    json!({
        "present": cloudbase.present, "start_mode": cloudbase.present.then(|| cloudbase.start.clone()),
        "running": started && !done, "instances": cloudbase.instances, "plugins_done": done,
        "password_set": done && last_run(&cx.state.disk).contains("Password succesfully updated"),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FirstBoot {
    service: String,
}

/// `first_boot`.
pub fn first_boot(cx: &Cx<'_>, input: &Value) -> Answered {
    let wanted: FirstBoot = read(input)?;
    known(&wanted.service)?;
    let disk = &cx.state.disk;
    let logs = [
        "C:\\Windows\\Panther\\setuperr.log",
        "C:\\Windows\\Panther\\UnattendGC\\setuperr.log",
    ];
    let errors: Vec<&str> = logs
        .into_iter()
        .filter(|path| disk.files.text(path).is_some_and(|text| !text.is_empty()))
        .collect();
    Ok(Done::after(
        0.6,
        json!({
            "image_state": disk.setup.image_state, "generalization_state": disk.setup.generalization,
            "setup_in_progress": disk.setup.image_state != COMPLETE,
            "boot_utc": cx.state.live.told_boot.to_string(), "now_utc": cx.now.to_string(), "cloudbase": state(cx),
            "setup_errors": errors,
        }),
    ))
}
