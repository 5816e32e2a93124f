//! Made-up Windows, each with one thing wrong, and what is to be found in it.

use reseal_guest::preflight::{Options, Severity};
use serde_json::{Value, json};

use super::super::world::{World, service};
use super::pending::{pending_finding, pending_sources};

pub(super) const CBS: &str = r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing";
pub(super) const UPDATE: &str = r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update";
pub(super) const NAMES: &str = r"HKLM:\SYSTEM\CurrentControlSet\Control\ComputerName";
pub(super) const TCPIP: &str = r"HKLM:\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters";
pub(super) const EXTERNAL: &str = r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Setup\SysPrepExternal";
pub(super) const SETUP: &str = r"HKLM:\SYSTEM\Setup";
pub(super) const POLICIES: &str = r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System";
pub(super) const STORE: &str = r"HKLM:\SOFTWARE\Policies\Microsoft\WindowsStore";

/// An app package that is installed for one user.
pub(super) fn app() -> Value {
    json!([{"PackageFullName": "Contoso.App_1.0_x64__abc", "Name": "Contoso.App", "Version": "1.0", "PackageFamilyName": "Contoso.App_abc",
        "IsFramework": false, "IsResourcePackage": false, "NonRemovable": false, "SignatureKind": "Store",
        "PackageUserInformation": [{"InstallState": "Installed", "UserSecurityId": {"Sid": "S-1-5-21-1-2-3-1001"}}]}])
}

/// A Windows with one thing wrong, and what is to be found in it.
pub(super) type Case = (&'static str, World, &'static [(&'static str, Severity)]);

pub(super) fn account_cases() -> Vec<Case> {
    use Severity::{Error, Warning};
    let well = World::healthy;
    let member = |member: &str, value: Value| well().member("identity", member, value);
    let users = json!(["S-1-5-32-544", "S-1-5-2"]);
    vec![
        ("filtered token", member("elevated", json!(false)), &[("P001", Error)]),
        ("system", member("sid", json!("S-1-5-18")), &[("P002", Warning)]),
        (
            "restricted",
            well().list("language_mode", json!("ConstrainedLanguage")),
            &[("P003", Error)],
        ),
        (
            "filtered next time",
            member("sid", json!("S-1-5-21-1-2-3-1001")).key(POLICIES, json!({"LocalAccountTokenFilterPolicy": 0})),
            &[("P048", Warning)],
        ),
        (
            "never filtered",
            member("groups", json!(["S-1-5-32-544", "S-1-5-4"]))
                .member("identity", "sid", json!("S-1-5-21-1-2-3-1001"))
                .key(POLICIES, json!({"LocalAccountTokenFilterPolicy": 0})),
            &[],
        ),
        (
            "not filtered",
            member("sid", json!("S-1-5-21-1-2-3-1001")).member("identity", "groups", users),
            &[],
        ),
    ]
}

// Long because one row after the other is what it is.
pub(super) fn state_cases() -> Vec<Case> {
    use Severity::{Error, Info, Warning};
    let well = World::healthy;
    let status = r"HKLM:\SYSTEM\Setup\Status";
    vec![
        (
            "old",
            well().key(
                r"HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion",
                json!({"CurrentBuildNumber": "9600"}),
            ),
            &[("P038", Warning)],
        ),
        (
            "scheduler",
            well().list(
                "services",
                json!([service("Schedule", "Stopped"), service("sppsvc", "Running")]),
            ),
            &[("P047", Error)],
        ),
        (
            "failed run",
            well().key(&format!(r"{status}\SysprepStatus"), json!({"GeneralizationState": 3})),
            &[("P004", Error)],
        ),
        (
            "failed cleanup",
            well().key(&format!(r"{status}\SysprepStatus"), json!({"CleanupState": 0})),
            &[("P004", Error)],
        ),
        ("never sealed", well().without(&format!(r"{status}\SysprepStatus")), &[]),
        (
            "undeployable",
            well().key(
                r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Setup\State",
                json!({"ImageState": "IMAGE_STATE_UNDEPLOYABLE"}),
            ),
            &[("P005", Error)],
        ),
        (
            "setup",
            well().key(SETUP, json!({"OOBEInProgress": 1})),
            &[("P049", Error)],
        ),
        (
            "sysprep runs",
            well().list("processes", json!(["sysprep"])),
            &[("P006", Error)],
        ),
        (
            "no rearm",
            well().cim("SoftwareLicensingService", json!([{"RemainingWindowsReArmCount": 0}])),
            &[("P007", Error)],
        ),
        (
            "two rearms",
            well().cim("SoftwareLicensingService", json!([{"RemainingWindowsReArmCount": 2}])),
            &[("P008", Warning)],
        ),
        (
            "licensing",
            well().service("sppsvc", "Disabled", "Stopped"),
            &[("P009", Error)],
        ),
        (
            "expired",
            well().cim(
                "SoftwareLicensingProduct",
                json!([{"LicenseStatus": 5, "ProductKeyChannel": "TIMEBASED_EVAL"}]),
            ),
            &[("P039", Warning)],
        ),
        (
            "not activated",
            well().cim(
                "SoftwareLicensingProduct",
                json!([{"LicenseStatus": 5, "ProductKeyChannel": "Volume:GVLK"}]),
            ),
            &[("P010", Info)],
        ),
        (
            "skip rearm",
            well().key(
                r"HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform",
                json!({"SkipRearm": 1}),
            ),
            &[("P040", Warning)],
        ),
        (
            "domain",
            well().cim(
                "Win32_ComputerSystem",
                json!([{"PartOfDomain": true, "Domain": "corp.example"}]),
            ),
            &[("P020", Error)],
        ),
        (
            "entra",
            well().key(
                r"HKLM:\SYSTEM\CurrentControlSet\Control\CloudDomainJoin\JoinInfo\ab12",
                json!({}),
            ),
            &[("P043", Error)],
        ),
        (
            "upgraded",
            well().key(r"HKLM:\SYSTEM\Setup\Source OS (Updated on 1.1.2024)", json!({})),
            &[("P025", Warning)],
        ),
        (
            "windows.old",
            well().file("Windows.old/x.txt", ""),
            &[("P026", Warning)],
        ),
    ]
}

/// A volume with BitLocker.
pub(super) fn encrypted(drive: &str) -> Value {
    json!([{"DriveLetter": drive, "ProtectionStatus": 1, "status": 1}])
}

/// A Windows for desktops, which has a store.
pub(super) fn client() -> World {
    World::healthy().cim("Win32_OperatingSystem", json!([{"ProductType": 1}]))
}

// Long because one row after the other is what it is.
pub(super) fn work_cases() -> Vec<Case> {
    use Severity::{Error, Wait, Warning};
    let well = World::healthy;
    vec![
        (
            "servicing",
            well().list("processes", json!(["TiWorker", "TrustedInstaller"])),
            &[("P013", Wait)],
        ),
        (
            "installer",
            well().list("processes", json!(["choco"])),
            &[("P042", Wait)],
        ),
        (
            "unfinished",
            well().key(
                r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\InProgress",
                json!({}),
            ),
            &[("P041", Warning)],
        ),
        (
            "reserved",
            well().key(
                r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\ReserveManager",
                json!({"ShippedWithReserves": 1, "ActiveScenario": 2}),
            ),
            &[("P015", Error)],
        ),
        (
            "msi",
            well().list("mutexes", json!([r"Global\_MSIExecute"])),
            &[("P014", Wait)],
        ),
        (
            "msi, under way",
            well().list("mutexes", json!([r"Global\_MSIExecute"])).key(
                r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\InProgress",
                json!({}),
            ),
            &[("P014", Wait)],
        ),
        ("another mutex", well().list("mutexes", json!([r"Global\_Other"])), &[]),
        ("client", client(), &[("P018", Warning)]),
        ("client, policy", client().key(STORE, json!({"AutoDownload": 2})), &[]),
        (
            "client, other policy",
            client().key(STORE, json!({"AutoDownload": 4})),
            &[("P018", Warning)],
        ),
        ("app", well().list("appx", app()), &[("P016", Error)]),
        (
            "provisioned app",
            well()
                .list("appx", app())
                .list("provisioned", json!([{"PackageName": "Contoso.App_1.0_neutral_~_abc"}])),
            &[],
        ),
        (
            "app service",
            well().service("AppXSvc", "Disabled", "Stopped"),
            &[("P017", Error)],
        ),
        (
            "bitlocker",
            well().cim("Win32_EncryptableVolume", encrypted("C:")),
            &[("P019", Error)],
        ),
    ]
}

// Long because one row after the other is what it is.
pub(super) fn software_cases() -> Vec<Case> {
    use Severity::{Error, Info, Warning};
    let well = World::healthy;
    vec![
        (
            "role",
            well().list("roles", json!([{"Name": "DHCP", "InstallState": "Installed"}])),
            &[("P021", Error)],
        ),
        (
            "switch",
            well()
                .list("roles", json!([{"Name": "Hyper-V", "InstallState": "Installed"}]))
                .list("switches", json!([{"Name": "a"}])),
            &[("P022", Error)],
        ),
        (
            "wds",
            well().list("roles", json!([{"Name": "WDS", "InstallState": "Installed"}])),
            &[("P024", Warning)],
        ),
        (
            "sql",
            well().key(
                r"HKLM:\SOFTWARE\Microsoft\Microsoft SQL Server\Instance Names\SQL",
                json!({"MSSQLSERVER": "MSSQL16"}),
            ),
            &[("P044", Warning)],
        ),
        (
            "provider gone",
            well().key(
                &format!(r"{EXTERNAL}\Cleanup"),
                json!({"{1}": "gone.dll,SysPrep_Cleanup"}),
            ),
            &[("P045", Error)],
        ),
        (
            "provider",
            well()
                .key(&format!(r"{EXTERNAL}\Cleanup"), json!({"{1}": "there.dll,Entry"}))
                .file("Windows/System32/there.dll", ""),
            &[("P029", Info)],
        ),
        (
            "sense",
            well().key(
                r"HKLM:\SOFTWARE\Microsoft\Windows Advanced Threat Protection\Status",
                json!({"OnboardingState": 1}),
            ),
            &[("P030", Error)],
        ),
        (
            "search",
            well().service("WSearch", "Auto", "Running"),
            &[("P031", Warning)],
        ),
        (
            "update service",
            well().service("wuauserv", "Disabled", "Stopped"),
            &[("P032", Warning)],
        ),
        (
            "crypto",
            well().service("CryptSvc", "Disabled", "Stopped"),
            &[("P046", Warning)],
        ),
    ]
}

/// The system's drive, an optical one, and a second fixed one.
pub(super) fn drives() -> Value {
    json!([
        {"DeviceID": "C:", "DriveType": 3, "FreeSpace": 30_000_000_000_u64},
        {"DeviceID": "E:", "DriveType": 5, "FreeSpace": 0},
        {"DeviceID": "F:", "DriveType": 3, "FreeSpace": 0},
    ])
}

// Long because one row after the other is what it is.
pub(super) fn disk_cases() -> Vec<Case> {
    use Severity::{Error, Info, Warning};
    let well = World::healthy;
    vec![
        (
            "full",
            well().cim(
                "Win32_LogicalDisk",
                json!([{"DeviceID": "C:", "DriveType": 3, "FreeSpace": 1_000_000_000}]),
            ),
            &[("P033", Error)],
        ),
        (
            "nearly full",
            well().cim(
                "Win32_LogicalDisk",
                json!([{"DeviceID": "C:", "DriveType": 3, "FreeSpace": 5_000_000_000_u64}]),
            ),
            &[("P034", Warning)],
        ),
        (
            "bcd",
            well().file("Windows/System32/bcdedit.exe", "#!/bin/sh\nexit 1\n"),
            &[("P035", Warning)],
        ),
        (
            "answer file",
            well().file("Windows/Panther/unattend-original.xml", ""),
            &[("P027", Warning)],
        ),
        (
            "answer key",
            well().key(SETUP, json!({"UnattendFile": r"C:\x.xml"})),
            &[("P027", Warning)],
        ),
        (
            "media",
            well()
                .cim("Win32_LogicalDisk", drives())
                .file("drives/E/autounattend.xml", ""),
            &[("P051", Warning)],
        ),
        (
            "data drive",
            well()
                .cim("Win32_LogicalDisk", drives())
                .file("drives/F/unattend.xml", ""),
            &[],
        ),
        (
            "unreadable",
            well().list("switches", json!({"throws": "Access is denied."})),
            &[("P037", Warning)],
        ),
        ("no folder", stale_profile(), &[("P050", Warning)]),
        (
            "profile",
            well().cim(
                "Win32_UserProfile",
                json!([{"SID": "S-1-5-21-9", "LocalPath": "/", "Loaded": false, "Special": false}]),
            ),
            &[("P028", Info)],
        ),
        (
            "iis",
            well().file(
                "Windows/System32/inetsrv/config/applicationHost.config",
                "password=\"[enc:x\"",
            ),
            &[("P023", Error)],
        ),
    ]
}

/// A Windows whose list of profiles has an entry without a folder.
pub(super) fn stale_profile() -> World {
    World::healthy().cim(
        "Win32_UserProfile",
        json!([{"SID": "S-1-5-21-9", "LocalPath": "/nowhere/x", "Loaded": false, "Special": false}]),
    )
}

/// What depends on the answer file or on the runner's clock.
pub(super) fn asked_cases() -> Vec<(Case, Options)> {
    use Severity::{Error, Info, Warning};
    let skip = Options {
        skip_rearm: true,
        ..Options::default()
    };
    let late = Options {
        now_epoch: Some(0),
        ..Options::default()
    };
    let copying = Options {
        copy_profile: true,
        ..Options::default()
    };
    let retail = json!([{"LicenseStatus": 1, "ProductKeyChannel": "Retail"}]);
    let used_up = World::healthy()
        .cim("SoftwareLicensingProduct", retail.clone())
        .cim("SoftwareLicensingService", json!([{"RemainingWindowsReArmCount": 0}]));
    vec![
        (("kms", World::healthy(), &[("P052", Warning)]), skip.clone()),
        (
            ("retail", World::healthy().cim("SoftwareLicensingProduct", retail), &[]),
            skip.clone(),
        ),
        (("no rearm wanted", used_up, &[("P007", Info)]), skip),
        (
            ("no folder to copy", stale_profile(), &[("P050", Error)]),
            copying.clone(),
        ),
        (("folder to copy", World::healthy(), &[]), copying),
        (("clock", World::healthy(), &[("P036", Warning)]), late),
    ]
}

/// Every Windows of these tests, with what it is judged by.
pub(super) fn all_cases() -> Vec<(Case, Options)> {
    let plain = [
        account_cases(),
        state_cases(),
        work_cases(),
        software_cases(),
        disk_cases(),
        pending_sources()
            .into_iter()
            .map(|(signal, world)| (signal, world, pending_finding(signal)))
            .collect(),
        vec![("healthy", World::healthy(), &[])],
    ];
    let plain = plain.into_iter().flatten().map(|case| (case, Options::default()));
    plain.chain(asked_cases()).collect()
}
