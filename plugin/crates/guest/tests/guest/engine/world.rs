//! A made-up Windows that operations meet in the engine on Linux: healthy, and changed in one point for each case.

use std::path::Path;

use serde_json::{Value, json};

/// The commands that read and change the made-up Windows.
pub(super) const SCRIPT: &str = concat!(include_str!("world.ps1"), "\n", include_str!("world_types.ps1"));

/// A Windows: a value for `Enter-World`, and files below its root.
#[derive(Debug, Clone)]
pub(super) struct World {
    /// What the commands tell; `{root}` in it is where the world is.
    pub(super) told: Value,
    /// Files by their path below the root, with forward slashes.
    pub(super) files: Vec<(String, String)>,
    /// Files of which only the size matters.
    pub(super) sizes: Vec<(String, u64)>,
}

const VERSION: &str = r"HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion";
const STATUS: &str = r"HKLM:\SYSTEM\Setup\Status";

const EVENT_LOGS: [&str; 3] = ["System", "Windows PowerShell", SCRIPT_LOG];
/// The log in which PowerShell keeps whole scripts.
pub(super) const SCRIPT_LOG: &str = "Microsoft-Windows-PowerShell/Operational";

/// Programs of Windows: the command lines that they know, and what each of them does to the world below `$root`.
const TOOLS: [(&str, &str); 5] = [
    ("bcdedit", r"'/enum {current}') ;;"),
    (
        "dism",
        r#"'/English /Online /Cleanup-Image /StartComponentCleanup /ResetBase /Quiet') ;;
'/English /Online /Set-ReservedStorageState /State:Disabled')
printf '%s\n' 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\ReserveManager|ShippedWithReserves|0' >"$here/registry.txt" ;;"#,
    ),
    ("powercfg", "'/h off') rm -f \"$root/hiberfil.sys\" ;;"),
    ("vssadmin", "'delete shadows /all /quiet') ;;"),
    ("defrag", "\"$root /L\") ;;"),
];

/// A program that notes how it was called, and refuses what it does not know.
fn tool(cases: &str) -> String {
    format!(
        "#!/bin/sh\nhere=$(cd \"$(dirname \"$0\")\" && pwd)\nroot=$(cd \"$here/../..\" && pwd)\n\
         printf '%s\\n' \"$(basename \"$0\") $*\" >>\"$here/calls.txt\"\ncase \"$*\" in\n{cases}\n\
         *) echo refused >>\"$here/calls.txt\"; exit 87 ;;\nesac\nexit 0\n"
    )
}

impl World {
    /// A server that nothing is wrong with.
    pub(super) fn healthy() -> Self {
        let told = json!({
            "registry": {
                VERSION: {"CurrentBuildNumber": "20348", "EditionID": "ServerStandard", "InstallationType": "Server"},
                r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Setup\State": {"ImageState": "IMAGE_STATE_COMPLETE"},
                r"HKLM:\SYSTEM\Setup": {"SetupType": 0, "CmdLine": "", "SystemSetupInProgress": 0, "OOBEInProgress": 0},
                STATUS: {"AuditBoot": 0},
                format!(r"{STATUS}\SysprepStatus"): {"GeneralizationState": 7, "CleanupState": 2},
                r"HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager": {},
                r"HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon": {"Shell": "explorer.exe"},
                r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System": {"LocalAccountTokenFilterPolicy": 1},
            },
            "cim": {
                "Win32_OperatingSystem": [{"ProductType": 3}],
                "SoftwareLicensingService": [{"RemainingWindowsReArmCount": 1001}],
                "SoftwareLicensingProduct": [{"LicenseStatus": 1, "ProductKeyChannel": "Volume:GVLK"}],
                "Win32_ComputerSystem": [{"PartOfDomain": false, "Domain": "WORKGROUP"}],
                "Win32_LogicalDisk": [{"DeviceID": "C:", "DriveType": 3, "FreeSpace": 30_000_000_000_u64}],
                "Win32_EncryptableVolume": [],
                "Win32_UserProfile": [],
                "Win32_Service": [
                    {"Name": "sppsvc", "StartMode": "Auto", "State": "Running"},
                    {"Name": "AppXSvc", "StartMode": "Manual", "State": "Stopped"},
                    {"Name": "CryptSvc", "StartMode": "Auto", "State": "Running"},
                    {"Name": "wuauserv", "StartMode": "Manual", "State": "Stopped"},
                ],
            },
            "services": [service("sppsvc", "Running"), service("Schedule", "Running"), service("CryptSvc", "Running"), service("WSearch", "Stopped")],
            "processes": [], "appx": [], "provisioned": [], "roles": [], "features": [], "switches": [],
            "accounts": [{"Name": "Administrator"}], "firewall": [{"Name": "WINRM-HTTP-In-TCP"}], "tasks": [{"TaskName": "Backup"}],
            "listeners": [{"Transport": "HTTP", "Port": "5985", "CertificateThumbprint": ""}], "certificates": [],
            "event_logs": EVENT_LOGS.map(|name| json!({"name": name, "events": 0, "recorded": false})),
            "identity": {"name": "VM\\Administrator", "sid": "S-1-5-21-1-2-3-500", "elevated": true, "groups": ["S-1-5-32-544", "S-1-5-2"]},
            "mutexes": [], "language_mode": "FullLanguage", "free": 1 << 30,
            "wsman": {r"WSMan:\localhost\Service\Auth\Basic": "false", r"WSMan:\localhost\Service\AllowUnencrypted": "false"},
            "updates": [],
        });
        let files = TOOLS.map(|(name, cases)| (format!("Windows/System32/{name}.exe"), tool(cases)));
        Self {
            told,
            files: files.into(),
            sizes: Vec::new(),
        }
    }

    /// With values under a key of the registry.
    pub(super) fn key(mut self, key: &str, values: Value) -> Self {
        let before = &mut self.told["registry"][key];
        match (before.as_object_mut(), values) {
            (Some(before), Value::Object(values)) => before.extend(values),
            (_, values) => *before = values,
        }
        self
    }

    /// Without a key of the registry.
    pub(super) fn without(mut self, key: &str) -> Self {
        self.told["registry"].as_object_mut().unwrap().remove(key);
        self
    }

    /// With other objects of a CIM class.
    pub(super) fn cim(mut self, class: &str, objects: Value) -> Self {
        self.told["cim"][class] = objects;
        self
    }

    /// With another list.
    pub(super) fn list(mut self, name: &str, list: Value) -> Self {
        self.told[name] = list;
        self
    }

    /// With another state or start mode of a service.
    pub(super) fn service(mut self, name: &str, start: &str, state: &str) -> Self {
        let services = self.told["cim"]["Win32_Service"].as_array_mut().unwrap();
        services.retain(|one| one["Name"] != name);
        services.push(json!({"Name": name, "StartMode": start, "State": state}));
        let services = self.told["services"].as_array_mut().unwrap();
        services.retain(|one| one["name"] != name);
        services.push(service(name, state));
        self
    }

    /// With another member of an object.
    pub(super) fn member(mut self, name: &str, member: &str, value: Value) -> Self {
        self.told[name][member] = value;
        self
    }

    /// With so many events in a log, which refuses to be cleared while it is `recorded`.
    pub(super) fn events(mut self, log: &str, events: u64, recorded: bool) -> Self {
        let logs = self.told["event_logs"].as_array_mut().unwrap();
        logs.retain(|one| one["name"] != log);
        logs.push(json!({"name": log, "events": events, "recorded": recorded}));
        self
    }

    /// With a file of so many bytes.
    pub(super) fn sized(mut self, path: &str, bytes: u64) -> Self {
        self.sizes.push((path.to_owned(), bytes));
        self
    }

    /// With a file.
    pub(super) fn file(mut self, path: &str, text: &str) -> Self {
        self.files.push((path.to_owned(), text.to_owned()));
        self
    }

    /// With a user that has a profile folder below the root; `files` are below it.
    pub(super) fn profile(mut self, root: &str, name: &str, files: &[(&str, &str)]) -> Self {
        let folder = format!("{root}/Users/{name}");
        let profiles = self.told["cim"]["Win32_UserProfile"].as_array_mut().unwrap();
        profiles.push(
            json!({"SID": format!("S-1-5-21-1-2-3-{name}"), "LocalPath": folder, "Loaded": true, "Special": false}),
        );
        self.files.push((format!("Users/{name}/ntuser.ini"), String::new()));
        let below = files
            .iter()
            .map(|(path, text)| (format!("Users/{name}/{path}"), (*text).to_owned()));
        self.files.extend(below);
        self
    }

    /// Writes it below a folder, and answers the file for `Enter-World`.
    pub(super) fn place(&self, root: &Path) -> std::path::PathBuf {
        for (path, text) in &self.files {
            let file = root.join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, text).unwrap();
            if text.starts_with("#!") {
                executable(&file);
            }
        }
        for (path, bytes) in &self.sizes {
            let file = root.join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::File::create(&file).unwrap().set_len(*bytes).unwrap();
        }
        let mut told = self.told.clone();
        told["root"] = json!("{root}");
        let told = told.to_string().replace("{root}", root.to_str().unwrap());
        let file = root.join("world.json");
        std::fs::write(&file, told).unwrap();
        file
    }
}

/// A service as `Get-Service` tells it.
pub(super) fn service(name: &str, status: &str) -> Value {
    json!({"name": name, "status": status, "start": "Automatic", "dependents": [], "stuck": false})
}

#[cfg(unix)]
fn executable(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(not(unix))]
fn executable(_: &Path) {}
