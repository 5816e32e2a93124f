//! Roles, features and capabilities.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answered, Cx, Failure, Step, presence, read};

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
    let changed = items.iter().any(|item| item["state"] != "already");
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
    let state = match (changed, present) {
        (true, true) => "installed",
        (true, false) => "removed",
        (false, _) => "already",
    };
    json!({"id": name, "title": name, "state": state, "code": "0x00000000", "reboot_required": false})
}
