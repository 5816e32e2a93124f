//! Features, registry, services, environment, firewall, accounts.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answered, Cx, Failure, Step, read};
use crate::guest::cloudbase::good_password;
use crate::guest::windows::RegistryKey;

#[derive(Deserialize)]
struct Change {
    names: Vec<String>,
    #[serde(default)]
    include_management_tools: bool,
    #[serde(default)]
    include_all_sub_features: bool,
    state: String,
}

/// What roles bring with them.
const PARTS: [(&str, &[&str], &[&str], &str); 4] = [
    (
        "Web-Server",
        &[
            "Web-WebServer",
            "Web-Common-Http",
            "Web-Default-Doc",
            "Web-Static-Content",
        ],
        &["Web-Mgmt-Tools", "Web-Mgmt-Console"],
        "W3SVC",
    ),
    ("DNS", &[], &["RSAT-DNS-Server"], "DNS"),
    ("DHCP", &[], &["RSAT-DHCP"], "DHCPServer"),
    ("Windows-Server-Backup", &[], &[], ""),
];

/// Features that the lab's Windows has beside [`PARTS`].
const KNOWN: [&str; 31] = [
    "NET-Framework-45-ASPNET",
    "NET-Framework-Core",
    "NET-Framework-Features",
    "Telnet-Client",
    "Failover-Clustering",
    "Hyper-V",
    "RSAT",
    "RSAT-AD-PowerShell",
    "RSAT-AD-Tools",
    "AD-Domain-Services",
    "FS-FileServer",
    "FS-Resource-Manager",
    "Web-Asp-Net45",
    "Web-Net-Ext45",
    "Web-ISAPI-Ext",
    "Web-ISAPI-Filter",
    "Web-Http-Redirect",
    "Web-Http-Logging",
    "Web-Windows-Auth",
    "Web-Basic-Auth",
    "Web-Filtering",
    "Web-WebSockets",
    "Web-Mgmt-Console",
    "Web-Scripting-Tools",
    "Web-Dyn-Compression",
    "Web-Stat-Compression",
    "Web-Http-Errors",
    "Containers",
    "SNMP-Service",
    "Windows-Defender",
    "PowerShell-V2",
];

/// `windows_feature`, `optional_feature`, `capability`.
pub fn features(cx: &mut Cx<'_>, op: &str, input: &Value) -> Answered {
    let wanted: Change = read(input)?;
    let present = presence(&wanted.state)?;
    let server = op == "windows_feature";
    for name in &wanted.names {
        if unknown(cx, op, name) {
            return Err(Failure::new(
                "unknown_feature",
                format!("`{name}` is not the name of a feature"),
            ));
        }
    }
    if op == "capability" && !cx.detached {
        return Err(Failure::new("access_denied", "Access is denied.").hresult(0x8007_0005));
    }
    let mut all = BTreeSet::new();
    for name in &wanted.names {
        all.extend(with_parts(name, &wanted, present && server));
    }
    let items: Vec<Value> = all.iter().map(|name| item(cx, name, server, present)).collect();
    let changed = items.iter().any(|item| item["state"] == "installed");
    let services = PARTS.iter().filter(|(name, ..)| all.contains(*name) && server);
    for (.., service) in services.filter(|(.., service)| !service.is_empty()) {
        if present {
            cx.state.disk.put_service(service, "Auto", true);
        } else {
            cx.state.disk.services.remove(&service.to_lowercase());
        }
    }
    let reboot = changed && (!present || wanted.names.iter().any(|name| name == "Hyper-V"));
    cx.state.disk.pending.cbs |= reboot;
    let seconds = if changed { 45.0 } else { 3.0 };
    Step {
        items,
        reboot_required: reboot,
        seconds,
        ..Step::either(changed, wanted.names.join(", "))
    }
    .done()
}

fn presence(state: &str) -> Result<bool, Failure> {
    match state {
        "present" => Ok(true),
        "absent" => Ok(false),
        other => Err(Failure::new("invalid_input", format!("the state is `{other}`"))),
    }
}

fn unknown(cx: &Cx<'_>, op: &str, name: &str) -> bool {
    match op {
        "windows_feature" => {
            let parts = PARTS
                .iter()
                .any(|(role, parts, tools, _)| *role == name || parts.contains(&name) || tools.contains(&name));
            !(parts || KNOWN.contains(&name) || cx.state.disk.features.contains(name))
        }
        "capability" => !name.contains("~~~~"),
        _ => name.is_empty() || name.contains(' '),
    }
}

fn with_parts(name: &str, wanted: &Change, add: bool) -> Vec<String> {
    let mut names = vec![name.to_owned()];
    if let Some((_, parts, tools, _)) = PARTS.iter().find(|(role, ..)| *role == name).filter(|_| add) {
        names.extend(parts.iter().map(|part| (*part).to_owned()));
        if wanted.include_management_tools || wanted.include_all_sub_features {
            names.extend(tools.iter().map(|tool| (*tool).to_owned()));
        }
    }
    names
}

fn item(cx: &mut Cx<'_>, name: &str, server: bool, present: bool) -> Value {
    let set = if server {
        &mut cx.state.disk.features
    } else {
        &mut cx.state.disk.optional
    };
    let changed = if present {
        set.insert(name.to_owned())
    } else {
        set.remove(name)
    };
    let state = if changed { "installed" } else { "already" };
    json!({"id": name, "title": name, "state": state, "code": "0x00000000", "reboot_required": false})
}

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
    const HIVES: [&str; 10] = [
        "HKLM",
        "HKCU",
        "HKCR",
        "HKU",
        "HKCC",
        "HKEY_LOCAL_MACHINE",
        "HKEY_CURRENT_USER",
        "HKEY_CLASSES_ROOT",
        "HKEY_USERS",
        "HKEY_CURRENT_CONFIG",
    ];
    let wanted: Registry = read(input)?;
    let hive = wanted.key.split(['\\', ':']).next().unwrap_or_default();
    if !HIVES.contains(&hive.to_uppercase().as_str()) {
        return Err(Failure::new("unknown_hive", format!("`{hive}` is not a hive")));
    }
    if ![32, 64].contains(&wanted.view) {
        return Err(Failure::new("invalid_input", "the view is 32 or 64"));
    }
    let place = wanted.key.to_lowercase();
    if !presence(&wanted.state)? {
        let there = cx.state.disk.registry.remove(&place).is_some();
        return Step::either(there, wanted.key).done();
    }
    let new = !cx.state.disk.registry.contains_key(&place);
    let fresh = || RegistryKey {
        path: wanted.key.clone(),
        values: BTreeMap::new(),
    };
    let key = cx.state.disk.registry.entry(place).or_insert_with(fresh);
    let mut changed = new;
    for value in wanted.values {
        changed |= put(key, value)?;
    }
    Step::either(changed, wanted.key).done()
}

fn put(key: &mut RegistryKey, value: RegistryValue) -> Result<bool, Failure> {
    let fits = match value.kind.as_str() {
        "string" | "expand_string" => value.data.is_string(),
        "dword" => value.data.as_u64().is_some_and(|number| u32::try_from(number).is_ok()),
        "qword" => value.data.as_str().is_some_and(|text| text.parse::<u64>().is_ok()),
        "multi_string" => value
            .data
            .as_array()
            .is_some_and(|list| list.iter().all(Value::is_string)),
        "binary" => value.data.as_str().is_some_and(|text| hex::decode(text).is_ok()),
        "absent" => return Ok(key.values.remove(&value.name).is_some()),
        _ => false,
    };
    if !fits {
        return Err(Failure::new(
            "invalid_input",
            format!("the data of `{}` are not a {}", value.name, value.kind),
        ));
    }
    let now = (value.kind, value.data);
    Ok(key.values.insert(value.name, now.clone()) != Some(now))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    id: String,
    start: Option<String>,
    state: Option<String>,
    #[expect(dead_code, reason = "services of the lab obey at once")]
    wait_seconds: f64,
}

/// `service`.
pub fn service(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Service = read(input)?;
    let Some(service) = cx.state.disk.services.get_mut(&wanted.id.to_lowercase()) else {
        return Err(Failure::new(
            "unknown_service",
            format!("`{}` is not a service", wanted.id),
        ));
    };
    let before = service.clone();
    match wanted.start.as_deref() {
        Some("automatic") => "Auto".clone_into(&mut service.start),
        Some("automatic_delayed") => "AutoDelayed".clone_into(&mut service.start),
        Some("manual") => "Manual".clone_into(&mut service.start),
        Some("disabled") => "Disabled".clone_into(&mut service.start),
        Some(other) => return Err(Failure::new("invalid_input", format!("start is `{other}`"))),
        None => {}
    }
    let restarted = wanted.state.as_deref() == Some("restarted");
    match wanted.state.as_deref() {
        Some("running" | "restarted") => service.running = true,
        Some("stopped") => service.running = false,
        Some(other) => return Err(Failure::new("invalid_input", format!("state is `{other}`"))),
        None => {}
    }
    let changed = *service != before || restarted;
    if wanted.id.eq_ignore_ascii_case("cloudbase-init") {
        cx.state.disk.cloudbase.start.clone_from(&service.start);
    }
    Step {
        seconds: 2.0,
        ..Step::either(changed, wanted.id)
    }
    .done()
}

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
    let before = cx.state.disk.environment.clone();
    let variables = &mut cx.state.disk.environment;
    for (name, value) in wanted.set {
        variables.insert(name, value);
    }
    for name in &wanted.remove {
        variables.retain(|known, _| !known.eq_ignore_ascii_case(name));
    }
    let path = variables.get("Path").cloned().unwrap_or_default();
    let unwanted: Vec<&String> = wanted
        .path
        .remove
        .iter()
        .chain(&wanted.path.prepend)
        .chain(&wanted.path.append)
        .collect();
    let kept = path
        .split(';')
        .filter(|part| !part.is_empty() && !unwanted.iter().any(|one| one.eq_ignore_ascii_case(part)));
    let all = wanted
        .path
        .prepend
        .iter()
        .map(String::as_str)
        .chain(kept)
        .chain(wanted.path.append.iter().map(String::as_str));
    let path = all.collect::<Vec<_>>().join(";");
    variables.insert("Path".to_owned(), path);
    let changed = *variables != before;
    Step::either(changed, format!("environment of the {}", wanted.scope)).done()
}

#[derive(Deserialize)]
struct Firewall {
    rule: String,
    state: String,
}

/// `firewall`.
pub fn firewall(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Firewall = read(input)?;
    let rules = &mut cx.state.disk.firewall;
    let changed = if presence(&wanted.state)? {
        rules.insert(wanted.rule.clone(), input.clone()).as_ref() != Some(input)
    } else {
        rules.remove(&wanted.rule).is_some()
    };
    Step {
        seconds: 1.0,
        ..Step::either(changed, wanted.rule)
    }
    .done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserInput {
    account: String,
    password: Option<String>,
    full_name: Option<String>,
    description: Option<String>,
    groups: Vec<String>,
    #[expect(dead_code, reason = "nothing expires in the lab")]
    password_never_expires: bool,
    enabled: bool,
    state: String,
}

/// `user`.
pub fn user(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: UserInput = read(input)?;
    let key = wanted.account.to_lowercase();
    if !presence(&wanted.state)? {
        let there = cx.state.disk.users.remove(&key).is_some();
        return Step::either(there, wanted.account).done();
    }
    if let Some(group) = wanted
        .groups
        .iter()
        .find(|group| group.starts_with("S-") && !group.starts_with("S-1-5-32-"))
    {
        return Err(Failure::new("unknown_group", format!("`{group}` is not a local group")));
    }
    let new = !cx.state.disk.users.contains_key(&key);
    let password = wanted.password.as_deref();
    if password.is_some_and(|password| !good_password(password, &wanted.account)) || (new && password.is_none()) {
        let message = "The password does not meet the password policy requirements.";
        return Err(Failure::new("password_refused", message).hresult(0x8007_08c5));
    }
    let groups: Vec<&str> = wanted.groups.iter().map(String::as_str).collect();
    cx.state.disk.put_user(&wanted.account, password, &groups);
    if let Some(user) = cx.state.disk.users.get_mut(&key) {
        user.enabled = wanted.enabled;
        user.full_name = wanted.full_name.unwrap_or_default();
        user.description = wanted.description.unwrap_or_default();
    }
    Step {
        seconds: 1.0,
        ..Step::either(new || password.is_some(), wanted.account)
    }
    .done()
}
