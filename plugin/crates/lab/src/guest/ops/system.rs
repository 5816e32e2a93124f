//! What a build asks about the computer, and what it does to it by itself.

use serde::Deserialize;
use serde_json::{Value, json};

use super::store;
use super::{Answered, Cx, Done, Failure, Then, read};
use crate::guest::machine::{Guest, after};
use crate::guest::provider::PANTHER_ANSWER;
use crate::guest::windows::{BitLocker, SPECIALIZED, Windows};

/// `identity`.
pub fn identity(cx: &Cx<'_>) -> Answered {
    let disk = &cx.state.disk;
    let profile = &disk.profile;
    let user = disk
        .users
        .values()
        .find(|user| disk.sid(user) == cx.sid)
        .map(|user| user.name.to_lowercase());
    let user = user.unwrap_or_else(|| "system".to_owned());
    Ok(Done::after(
        1.5,
        json!({
            "computer_name": disk.computer_name, "product_name": profile.product_name, "caption": profile.caption(),
            "edition_id": profile.edition_id, "installation_type": profile.installation_type, "build": profile.build,
            "ubr": profile.ubr, "display_version": profile.display_version.unwrap_or_default(),
            "release_id": profile.release_id, "product_type": 3, "architecture": "AMD64", "process_64bit": true,
            "ui_culture": disk.locale.ui, "system_locale": disk.locale.system, "oem_code_page": profile.code_page,
            "time_zone": disk.locale.time_zone, "now_utc": cx.now.to_string(),
            "boot_utc": cx.state.live.told_boot.to_string(), "boot_id": disk.boot_id, "domain_joined": false,
            "domain": "WORKGROUP", "model": "OpenStack Nova",
            "user": format!("{}\\{user}", disk.computer_name.to_lowercase()), "user_sid": cx.sid,
            "machine_sid": disk.machine_sid, "elevated": cx.faults().armed("filtered-token").is_none(), "language_mode": language_mode(cx),
            "ps_version": profile.powershell(), "dotnet_release": profile.dotnet_release, "free_bytes": disk.free_bytes(),
        }),
    ))
}

fn language_mode(cx: &Cx<'_>) -> &'static str {
    if cx.faults().armed("constrained-language").is_some() {
        "ConstrainedLanguage"
    } else {
        "FullLanguage"
    }
}

/// The signals of a pending reboot.
pub fn pending(cx: &Cx<'_>) -> Value {
    let pending = &cx.state.disk.pending;
    let signal = |name: &str, detail: &str| json!({"signal": name, "detail": detail});
    let cbs = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\RebootPending";
    let update = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update\\RebootRequired";
    let hard = pending.cbs.then(|| signal("cbs_reboot_pending", cbs)).into_iter();
    let hard: Vec<Value> = hard
        .chain(pending.update.then(|| signal("wu_reboot_required", update)))
        .collect();
    let soft: Vec<Value> = pending.renames.iter().map(|path| signal("file_rename", path)).collect();
    let settling = cx.now < after(cx.state.live.booted, 60.0) && cx.faults().armed("servicing-busy").is_some();
    let busy: Vec<&str> = if settling { vec!["TiWorker"] } else { Vec::new() };
    json!({"hard": hard, "soft": soft, "busy": busy, "msi_mutex": false})
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reboot {
    #[expect(dead_code, reason = "goes into the event log, which the lab does not keep")]
    reason: String,
    delay_seconds: f64,
}

/// `reboot_request`: the connection is gone before the answer is. A real guest often still answers; whoever relies on
/// it is wrong.
pub fn reboot(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Reboot = read(input)?;
    if let Some(code) = cx.faults().strike("reboot-refused") {
        let code = code.parse().unwrap_or(1190);
        if [1190, 1115].contains(&code) {
            return Ok(Done::quick(json!({"code": code, "state": "in_progress"})));
        }
        return Err(Failure {
            code: Some(code),
            ..Failure::new("exit_code", "shutdown.exe refused")
        });
    }
    Guest::restart_in(cx.state, cx.now, wanted.delay_seconds);
    let answers = cx.faults().armed("reboot-answers").is_some();
    let then = if answers { Then::Answer } else { Then::Silence };
    Ok(Done {
        then,
        ..Done::quick(json!({"code": 0, "state": "requested"}))
    })
}

/// `products`.
pub fn products(cx: &Cx<'_>) -> Answered {
    let items = cx.state.disk.products.iter().map(|product| {
        json!({"scope": "machine64", "id": product.id, "name": product.name, "version": product.version,
            "publisher": product.publisher.clone().unwrap_or_default(), "msi": product.msi, "hidden": false})
    });
    Ok(Done::after(1.0, json!({"items": items.collect::<Vec<_>>()})))
}

/// Where answer files lie that another run has left.
const ANSWER_FILES: [&str; 3] = [
    PANTHER_ANSWER,
    "C:\\Windows\\System32\\Sysprep\\unattend.xml",
    "C:\\unattend.xml",
];

/// Those that are there, but for the image's own.
pub fn stale_answers(disk: &Windows, own: &str) -> Vec<&'static str> {
    let present = |path: &&str| !path.eq_ignore_ascii_case(own) && disk.files.content(path).is_some();
    ANSWER_FILES.into_iter().filter(present).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Preflight {
    appx: bool,
    license: bool,
}

/// `preflight`.
pub fn preflight(cx: &Cx<'_>, input: &Value) -> Answered {
    let wanted: Preflight = read(input)?;
    let disk = &cx.state.disk;
    let setup = &disk.setup;
    let armed = |fault: &str| cx.faults().armed(fault).is_some();
    let image_state = if armed("audit-mode") {
        SPECIALIZED
    } else {
        setup.image_state
    };
    let domain = if armed("domain-joined") {
        "corp.example"
    } else {
        "WORKGROUP"
    };
    let service = |name: &str| disk.services.get(&name.to_lowercase());
    let appx = wanted.appx.then(|| apps(cx));
    // The probe starts the service, which runs on demand only.
    let sppsvc = service("sppsvc").map(|service| {
        if service.start == "Disabled" {
            "refused"
        } else {
            "running"
        }
    });
    let bitlocker = disk.bitlocker.iter().map(|drive| {
        json!({"drive": "C:", "conversion": drive.conversion, "percent": drive.percent, "protection": u32::from(drive.conversion == 1)})
    });
    let answer_files = stale_answers(disk, "");
    let services = LISTED.iter().filter_map(|name| service(name)).map(|service| {
        json!({"name": service.name, "state": if service.running { "running" } else { "stopped" }, "start": service.start})
    });
    Ok(Done::after(
        if wanted.license { 12.0 } else { 4.0 },
        json!({
            "elevated": !armed("filtered-token"), "user_sid": cx.sid, "language_mode": language_mode(cx), "now_utc": cx.now.to_string(),
            "build": disk.profile.build, "edition": disk.profile.edition_id, "installation_type": disk.profile.installation_type,
            "product_type": if armed("store-updates") { 1 } else { 3 }, "image_state": image_state, "generalization_state": setup.generalization,
            "cleanup_state": setup.cleanup, "audit_boot": 0,
            "sysprep_running": u32::from(cx.state.live.sysprep.as_ref().is_some_and(|run| run.running)),
            "rearm_count": wanted.license.then_some(disk.license.rearm),
            "license_status": wanted.license.then_some(disk.license.status), "sppsvc": sppsvc,
            "sppsvc_start": service("sppsvc").map(|service| service.start.clone()),
            "pending": pending(cx), "reserved_storage": reserved_storage(cx), "appx": appx,
            "appx_service": service("AppXSvc").map(|service| service.start.clone()),
            "store": store::policies(disk),
            "bitlocker": bitlocker.collect::<Vec<_>>(), "domain_joined": armed("domain-joined"), "domain": domain,
            "roles": roles(cx), "hyperv_switches": 0, "iis_encrypted_credentials": false, "upgrade_keys": u32::from(armed("upgraded")),
            "windows_old": armed("upgraded"), "answer_files": answer_files, "external_providers": providers(cx),
            "services": services.collect::<Vec<_>>(), "sense_onboarded": armed("sense-onboarded"),
            "profiles": profiles(cx), "free_bytes": disk.free_bytes(), "bcd": u32::from(armed("bcd-unreadable")), "problems": [],
        }),
    ))
}

/// Services of which `preflight` tells state and start mode.
const LISTED: [&str; 8] = [
    "WSearch",
    "tiledatamodelsvc",
    "WMPNetworkSvc",
    "Sense",
    "InstallService",
    "wuauserv",
    "CryptSvc",
    "VSS",
];

fn profiles(cx: &Cx<'_>) -> Vec<Value> {
    let disk = &cx.state.disk;
    let owners = disk.users.values().filter(|user| user.profile);
    let there = owners.map(|user| {
        json!({"sid": disk.sid(user), "path": format!("C:\\Users\\{}", user.name), "loaded": false, "exists": true})
    });
    let stale = cx.faults().armed("stale-profile").map(|_| {
        let sid = format!("{}-1099", disk.machine_sid);
        json!({"sid": sid, "path": "C:\\Users\\former", "loaded": false, "exists": false})
    });
    there.chain(stale).collect()
}

fn reserved_storage(cx: &Cx<'_>) -> &'static str {
    match cx.faults().armed("reserved-storage") {
        _ if cx.state.disk.profile.build < 20_348 => "unsupported",
        Some(_) => "in_use",
        None => "enabled_idle",
    }
}

fn roles<'a>(cx: &'a Cx<'_>) -> Vec<&'a String> {
    const ROLES: [&str; 8] = [
        "Web-Server",
        "AD-Domain-Services",
        "DHCP",
        "DNS",
        "Hyper-V",
        "UpdateServices",
        "ADFS-Federation",
        "WDS",
    ];
    cx.state
        .disk
        .features
        .iter()
        .filter(|name| ROLES.contains(&name.as_str()))
        .collect()
}

fn providers(cx: &Cx<'_>) -> Vec<Value> {
    let armed = cx.faults().armed("provider");
    let command = armed.map(|dll| {
        if dll.is_empty() {
            "DscCore.dll,SysPrep_Cleanup".to_owned()
        } else {
            dll
        }
    });
    let entry =
        |command| json!({"pass": "Cleanup", "name": "{00000000-0000-0000-0000-000000000001}", "command": command});
    command.into_iter().map(entry).collect()
}

/// `appx_blockers`.
pub fn appx(cx: &Cx<'_>) -> Answered {
    Ok(Done::after(2.5, apps(cx)))
}

fn apps(cx: &Cx<'_>) -> Value {
    json!({"available": true, "blockers": blockers(cx)})
}

fn blockers(cx: &Cx<'_>) -> Vec<Value> {
    let blocking = cx
        .state
        .disk
        .appx
        .iter()
        .filter(|appx| !appx.provisioned && !appx.users.is_empty());
    let describe = blocking.map(|appx| {
        let mut parts = appx.full_name.split('_');
        json!({"full_name": appx.full_name, "name": parts.next(), "version": parts.next().unwrap_or_default(),
            "why": "not_provisioned", "users": appx.users})
    });
    describe.collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fix {
    fixes: Vec<String>,
    packages: Vec<String>,
    timeout_seconds: f64,
    #[expect(dead_code, reason = "part of the contract; the lab keeps its notes in one place")]
    undo_key: String,
}

/// `preflight_fix`.
pub fn fix(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Fix = read(input)?;
    let mut seconds = 0.5;
    let mut fixes = Vec::new();
    for name in &wanted.fixes {
        let (changed, took, detail) = one_fix(cx, name, &wanted.packages)?;
        seconds += took;
        let done = seconds <= wanted.timeout_seconds;
        fixes.push(json!({"fix": name, "done": done, "changed": changed, "detail": detail}));
    }
    Ok(Done::after(
        seconds.min(wanted.timeout_seconds),
        json!({"fixes": fixes}),
    ))
}

/// Stops what disturbs sysprep, and makes startable what it needs.
fn services(disk: &mut Windows) -> Vec<String> {
    let mut said = Vec::new();
    for name in ["WSearch", "tiledatamodelsvc", "WMPNetworkSvc", "InstallService"] {
        let running = disk.services.get_mut(&name.to_lowercase()).filter(|one| one.running);
        if let Some(service) = running {
            service.running = false;
            said.push(format!("{name} stopped"));
        }
    }
    for name in ["AppXSvc", "wuauserv", "sppsvc", "CryptSvc", "VSS"] {
        let disabled = disk.services.get_mut(&name.to_lowercase());
        if let Some(service) = disabled.filter(|one| one.start == "Disabled") {
            "Manual".clone_into(&mut service.start);
            said.push(format!("{name} enabled"));
        }
    }
    for name in ["sppsvc", "CryptSvc"] {
        let stopped = disk.services.get_mut(&name.to_lowercase()).filter(|one| !one.running);
        if let Some(service) = stopped {
            service.running = true;
            said.push(format!("{name} started"));
        }
    }
    said
}

fn one_fix(cx: &mut Cx<'_>, name: &str, packages: &[String]) -> Result<(bool, f64, String), Failure> {
    let disk = &mut cx.state.disk;
    match name {
        "appx" => {
            let before = disk.appx.len();
            let named = |full_name: &String| packages.is_empty() || packages.contains(full_name);
            disk.appx
                .retain(|appx| appx.provisioned || appx.users.is_empty() || !named(&appx.full_name));
            let gone = before - disk.appx.len();
            Ok((gone > 0, 6.0, format!("{gone} packages removed")))
        }
        "bitlocker" => {
            let percent = disk
                .bitlocker
                .filter(|drive| drive.conversion != 0)
                .map_or(0, |drive| drive.percent.max(1));
            disk.bitlocker = disk.bitlocker.map(|_| BitLocker {
                conversion: 0,
                percent: 0,
            });
            Ok((percent > 0, f64::from(percent) * 6.0, "decrypted".to_owned()))
        }
        "services" => {
            let said = services(disk);
            let detail = if said.is_empty() {
                "nothing to do".to_owned()
            } else {
                said.join(", ")
            };
            Ok((!said.is_empty(), 3.0, detail))
        }
        "store" => Ok((store::hold(disk), 0.5, "automatic downloads are off".to_owned())),
        "answer_files" => {
            let gone = ANSWER_FILES
                .iter()
                .filter(|path| !disk.files.remove(path).is_empty())
                .count();
            Ok((gone > 0, 0.5, format!("{gone} files removed")))
        }
        "reserved_storage" => Ok((true, 10.0, "disabled".to_owned())),
        "providers" => Ok((false, 0.5, "nothing to do".to_owned())),
        other => Err(Failure::new("invalid_input", format!("`{other}` is not a cure"))),
    }
}
