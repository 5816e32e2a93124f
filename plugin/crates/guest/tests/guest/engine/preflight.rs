//! Preflight in made-up Windows: nothing is found in a healthy one, and each broken one has its finding.

use std::collections::BTreeSet;

use reseal_guest::Remedy;
use reseal_guest::preflight::{Facts, Options, RULES, Severity, judge};
use reseal_guest::system::{Fixes, Preflight, PreflightFix, PreflightUndo, Query as _};
use serde_json::{Value, json};

use super::world::{World, service};
use super::{Batch, Platform, Said, winps};

/// The findings of a case.
fn found(said: &Said, options: &Options) -> (Facts, Vec<(&'static str, Severity)>) {
    let facts = Preflight::read(said.answer()).unwrap();
    let findings = judge(&facts, options);
    let codes = findings
        .iter()
        .map(|finding| (finding.code, finding.severity))
        .collect();
    (facts, codes)
}

const CBS: &str = r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing";
const UPDATE: &str = r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update";
const NAMES: &str = r"HKLM:\SYSTEM\CurrentControlSet\Control\ComputerName";
const TCPIP: &str = r"HKLM:\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters";
const EXTERNAL: &str = r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Setup\SysPrepExternal";
const SETUP: &str = r"HKLM:\SYSTEM\Setup";
const POLICIES: &str = r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System";
const STORE: &str = r"HKLM:\SOFTWARE\Policies\Microsoft\WindowsStore";

/// An app package that is installed for one user.
fn app() -> Value {
    json!([{"PackageFullName": "Contoso.App_1.0_x64__abc", "Name": "Contoso.App", "Version": "1.0", "PackageFamilyName": "Contoso.App_abc",
        "IsFramework": false, "IsResourcePackage": false, "NonRemovable": false, "SignatureKind": "Store",
        "PackageUserInformation": [{"InstallState": "Installed", "UserSecurityId": {"Sid": "S-1-5-21-1-2-3-1001"}}]}])
}

/// A Windows with one thing wrong, and what is to be found in it.
type Case = (&'static str, World, &'static [(&'static str, Severity)]);

fn account_cases() -> Vec<Case> {
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
fn state_cases() -> Vec<Case> {
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
fn encrypted(drive: &str) -> Value {
    json!([{"DriveLetter": drive, "ProtectionStatus": 1, "status": 1}])
}

/// A Windows for desktops, which has a store.
fn client() -> World {
    World::healthy().cim("Win32_OperatingSystem", json!([{"ProductType": 1}]))
}

// Long because one row after the other is what it is.
fn work_cases() -> Vec<Case> {
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
fn software_cases() -> Vec<Case> {
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
fn drives() -> Value {
    json!([
        {"DeviceID": "C:", "DriveType": 3, "FreeSpace": 30_000_000_000_u64},
        {"DeviceID": "E:", "DriveType": 5, "FreeSpace": 0},
        {"DeviceID": "F:", "DriveType": 3, "FreeSpace": 0},
    ])
}

// Long because one row after the other is what it is.
fn disk_cases() -> Vec<Case> {
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
        (
            "no folder",
            well().cim(
                "Win32_UserProfile",
                json!([{"SID": "S-1-5-21-9", "LocalPath": "/nowhere/x", "Loaded": false, "Special": false}]),
            ),
            &[("P050", Warning)],
        ),
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

/// What depends on the answer file or on the runner's clock.
fn asked_cases() -> Vec<(Case, Options)> {
    use Severity::{Info, Warning};
    let skip = Options {
        skip_rearm: true,
        ..Options::default()
    };
    let late = Options {
        now_epoch: Some(0),
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
        (("clock", World::healthy(), &[("P036", Warning)]), late),
    ]
}

/// Every Windows of these tests, with what it is judged by.
fn all_cases() -> Vec<(Case, Options)> {
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

#[test]
fn every_rule_has_a_world_that_breaks_it() {
    let cases = all_cases();
    let shown: BTreeSet<&str> = cases
        .iter()
        .flat_map(|((_, _, expected), _)| expected.iter().map(|(code, _)| *code))
        .collect();
    let rules: BTreeSet<&str> = RULES.iter().map(|rule| rule.code).collect();
    assert_eq!(
        shown, rules,
        "each rule needs a case in which the script's answer breaks it"
    );
}

#[test]
fn every_broken_windows_has_its_finding() {
    let Some(winps) = winps("every_broken_windows_has_its_finding") else {
        return;
    };
    let cases = all_cases();
    let mut batch = Batch::new(Platform::Linux);
    for ((name, world, _), _) in &cases {
        batch.add_in(world, name, Preflight::SCRIPT, Preflight::default().input());
    }
    let said = batch.run(&winps);
    for ((name, _, expected), options) in &cases {
        let (facts, codes) = found(&said[*name], options);
        assert_eq!(codes, *expected, "{name}: {facts:#?}");
    }
}

/// The cure that a rule offers, in the world that breaks the rule: afterwards the same question finds it no more.
#[test]
fn what_is_cured_is_found_no_more() {
    let Some(winps) = winps("what_is_cured_is_found_no_more") else {
        return;
    };
    let mut batch = Batch::new(Platform::Linux);
    let mut cured = Vec::new();
    for ((name, world, expected), _) in all_cases() {
        let world = match name {
            // A cure asks for the system's drive by its letter, which is a folder here.
            "bitlocker" => world.cim("Win32_EncryptableVolume", encrypted("{root}")),
            _ => world,
        };
        for (code, _) in expected {
            let rule = RULES.iter().find(|rule| rule.code == *code).unwrap();
            let Some(Remedy::Fix(fix)) = rule.remedy else { continue };
            batch.add_in(&world, name, PreflightFix::SCRIPT, PreflightFix::new(vec![fix]).input());
            batch.add(
                &format!("{name}, cured"),
                Preflight::SCRIPT,
                Preflight::default().input(),
            );
            cured.push((name, *code, fix));
        }
    }
    let said = batch.run(&winps);
    for (name, code, fix) in &cured {
        let one = PreflightFix::read(said[*name].answer()).unwrap().fixes.remove(0);
        assert_eq!((one.fix, one.done, one.changed), (*fix, true, true), "{name}: {one:?}");
        let (facts, codes) = found(&said[&format!("{name}, cured")], &Options::default());
        assert_eq!(codes, [], "{name} ({code}): {facts:#?}");
    }
    let shown: BTreeSet<Fixes> = cured.iter().map(|(_, _, fix)| *fix).collect();
    let offered: BTreeSet<Fixes> = RULES.iter().filter_map(|rule| fix_of(rule.remedy)).collect();
    assert_eq!(shown, offered, "each cure that a rule offers is shown to cure");
}

fn fix_of(remedy: Option<Remedy>) -> Option<Fixes> {
    match remedy {
        Some(Remedy::Fix(fix)) => Some(fix),
        _ => None,
    }
}

/// Each source of a pending restart, by its name.
// Long because every source of the table is a case.
fn pending_sources() -> Vec<(&'static str, World)> {
    let well = World::healthy;
    let session = r"HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager";
    let rename = json!(["\\??\\C:\\a.dll", "", "\\??\\C:\\b.dll", "!\\??\\C:\\c.dll"]);
    vec![
        (
            "cbs_reboot_pending",
            well().key(&format!(r"{CBS}\RebootPending"), json!({})),
        ),
        (
            "cbs_reboot_in_progress",
            well().key(&format!(r"{CBS}\RebootInProgress"), json!({})),
        ),
        (
            "cbs_packages_pending",
            well().key(&format!(r"{CBS}\PackagesPending"), json!({})),
        ),
        (
            "cbs_sessions_pending",
            well().key(&format!(r"{CBS}\SessionsPending"), json!({"Exclusive": 1})),
        ),
        (
            "wu_reboot_required",
            well().key(&format!(r"{UPDATE}\RebootRequired"), json!({})),
        ),
        (
            "wu_post_reboot_reporting",
            well().key(&format!(r"{UPDATE}\PostRebootReporting"), json!({})),
        ),
        ("winsxs_pending", well().file("Windows/WinSxS/pending.xml", "")),
        (
            "computer_rename",
            well()
                .key(&format!(r"{NAMES}\ActiveComputerName"), json!({"ComputerName": "A"}))
                .key(&format!(r"{NAMES}\ComputerName"), json!({"ComputerName": "B"})),
        ),
        (
            "host_name",
            well().key(TCPIP, json!({"Hostname": "a", "NV Hostname": "b"})),
        ),
        (
            "domain_join",
            well().key(
                r"HKLM:\SYSTEM\CurrentControlSet\Services\Netlogon",
                json!({"JoinDomain": 1}),
            ),
        ),
        (
            "server_manager",
            well().key(
                r"HKLM:\SOFTWARE\Microsoft\ServerManager",
                json!({"CurrentRebootAttempts": 1}),
            ),
        ),
        (
            "feature_pending",
            well().list(
                "features",
                json!([{"FeatureName": "TelnetClient", "State": "EnablePending"}]),
            ),
        ),
        (
            "file_rename",
            well().key(session, json!({"PendingFileRenameOperations": rename})),
        ),
        (
            "file_rename_2",
            well().key(session, json!({"PendingFileRenameOperations2": rename})),
        ),
        (
            "update_exe",
            well().key(r"HKLM:\SOFTWARE\Microsoft\Updates", json!({"UpdateExeVolatile": 1})),
        ),
        (
            "dvd_signal",
            well().key(
                r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\RunOnce",
                json!({"DVDRebootSignal": "x"}),
            ),
        ),
    ]
}

/// Sources that sysprep does not mind.
const SOFT: [&str; 4] = ["file_rename", "file_rename_2", "update_exe", "dvd_signal"];

fn pending_finding(signal: &str) -> &'static [(&'static str, Severity)] {
    if SOFT.contains(&signal) {
        &[("P012", Severity::Info)]
    } else {
        &[("P011", Severity::Error)]
    }
}

#[test]
fn every_source_of_a_pending_restart_is_named() {
    let Some(winps) = winps("every_source_of_a_pending_restart_is_named") else {
        return;
    };
    let sources = pending_sources();
    let mut batch = Batch::new(Platform::Linux);
    for (signal, world) in &sources {
        batch.add_in(world, signal, Preflight::SCRIPT, Preflight::default().input());
    }
    let said = batch.run(&winps);
    for (signal, _) in &sources {
        let (facts, _) = found(&said[*signal], &Options::default());
        let pending = facts.pending.clone().unwrap();
        let named: BTreeSet<&str> = pending
            .hard
            .iter()
            .chain(&pending.soft)
            .map(|one| one.signal.as_str())
            .collect();
        assert_eq!(named, BTreeSet::from([*signal]), "{pending:?}");
        let message = judge(&facts, &Options::default()).remove(0).message;
        assert!(message.contains(&format!("{signal} (")), "{message}");
    }
}

#[test]
// Long because one start of the engine serves many operations.
fn cures_cure() {
    let Some(winps) = winps("cures_cure") else { return };
    let bitlocker = json!([{"DriveLetter": null, "ProtectionStatus": 1, "status": 1}]);
    let stuck = json!({"name": "WSearch", "status": "Running", "start": "Automatic", "dependents": [], "stuck": true});
    let well = World::healthy;
    let cases: Vec<(&str, World, Fixes, bool)> = vec![
        ("appx", well().list("appx", app()), Fixes::Appx, true),
        (
            "files",
            well().file("unattend.xml", "").key(SETUP, json!({"UnattendFile": "x"})),
            Fixes::AnswerFiles,
            true,
        ),
        (
            "providers",
            well()
                .key(
                    &format!(r"{EXTERNAL}\Cleanup"),
                    json!({"{1}": "gone.dll,A", "{2}": "there.dll,B"}),
                )
                .file("Windows/System32/there.dll", ""),
            Fixes::Providers,
            true,
        ),
        (
            "services",
            well().list(
                "services",
                json!([
                    service("WSearch", "Running"),
                    service("sppsvc", "Stopped"),
                    service("CryptSvc", "Running")
                ]),
            ),
            Fixes::Services,
            true,
        ),
        (
            "stuck",
            well().list(
                "services",
                json!([stuck, service("sppsvc", "Running"), service("CryptSvc", "Running")]),
            ),
            Fixes::Services,
            false,
        ),
        ("store", well(), Fixes::Store, true),
        ("reserved", well(), Fixes::ReservedStorage, true),
        (
            "nothing encrypted",
            well().cim("Win32_EncryptableVolume", bitlocker),
            Fixes::Bitlocker,
            true,
        ),
    ];
    let mut batch = Batch::new(Platform::Linux);
    for (name, world, fix, _) in &cases {
        batch.add_in(world, name, PreflightFix::SCRIPT, PreflightFix::new(vec![*fix]).input());
    }
    let said = batch.run(&winps);
    for (name, _, fix, done) in &cases {
        let one = PreflightFix::read(said[*name].answer()).unwrap().fixes.remove(0);
        assert_eq!((one.fix, one.done), (*fix, *done), "{name}: {one:?}");
    }
    let fixed = |name: &str| PreflightFix::read(said[name].answer()).unwrap().fixes.remove(0);
    assert_eq!(fixed("appx").detail, "1 packages removed");
    assert!(!batch.root("files").join("unattend.xml").exists());
    assert_eq!(fixed("files").detail, "2 removed");
    assert_eq!(
        fixed("providers").detail,
        "removed Cleanup gone.dll,A",
        "the one that is there stays"
    );
    assert_eq!(fixed("services").detail, "WSearch stopped, sppsvc started");
    assert!(
        fixed("stuck").detail.contains("WSearch is not Stopped after"),
        "{:?}",
        fixed("stuck")
    );
    assert!(fixed("store").changed);
    let calls = std::fs::read_to_string(batch.root("reserved").join("Windows/System32/calls.txt")).unwrap();
    assert!(calls.contains("/Set-ReservedStorageState /State:Disabled"), "{calls}");
}

/// What a cure changed for a while goes back to what it was, with its notes, and the notes of a build stay.
#[test]
fn what_was_changed_for_a_while_is_taken_back() {
    let Some(winps) = winps("what_was_changed_for_a_while_is_taken_back") else {
        return;
    };
    let mut batch = Batch::new(Platform::Linux);
    let way_in = json!({"kind": "value", "path": POLICIES, "name": "LocalAccountTokenFilterPolicy", "existed": false, "data": null});
    let worlds = [
        ("untouched", client()),
        (
            "set before",
            client().key(STORE, json!({"AutoDownload": 4, "Other": 1})),
        ),
        (
            "in a build",
            client().key(UNDO, json!({"0000": way_in.to_string(), "0005": way_in.to_string()})),
        ),
    ];
    let facts = || Preflight::default().input();
    let look = |batch: &mut Batch, name: String| {
        batch.add(&name, super::script("condition"), json!({"script": WHAT_IS_LEFT}));
    };
    for (name, world) in &worlds {
        batch.add_in(
            world,
            name,
            PreflightFix::SCRIPT,
            PreflightFix::new(vec![Fixes::Store]).input(),
        );
        batch.add(&format!("{name}, cured"), Preflight::SCRIPT, facts());
        for round in ["undo", "undo again"] {
            batch.add(
                &format!("{name}, {round}"),
                PreflightUndo::SCRIPT,
                PreflightUndo::default().input(),
            );
        }
        batch.add(&format!("{name}, after"), Preflight::SCRIPT, facts());
        look(&mut batch, format!("{name}, left"));
    }
    let said = batch.run(&winps);
    for (name, before, left) in [
        ("untouched", None, "left:  /"),
        ("set before", Some(4), "left:  / Other"),
        ("in a build", None, "left: 0000+0005 /"),
    ] {
        let store = |when: &str| {
            let (facts, _) = found(&said[&format!("{name}, {when}")], &Options::default());
            facts.store.unwrap().auto_download
        };
        assert_eq!((store("cured"), store("after")), (Some(2), before), "{name}");
        let undone = |round: &str| {
            PreflightUndo::read(said[&format!("{name}, {round}")].answer())
                .unwrap()
                .changes
        };
        let names: Vec<String> = undone("undo").iter().map(|change| change.name.clone()).collect();
        assert_eq!(
            names,
            ["DisableWindowsConsumerFeatures", "AutoDownload"],
            "{name}: the last change first"
        );
        assert!(
            undone("undo")
                .iter()
                .all(|change| change.done && change.fix == Fixes::Store)
        );
        assert_eq!(undone("undo again"), [], "{name}");
        let left_over = &said[&format!("{name}, left")];
        assert_eq!(left_over.result()["value"], json!(true), "a key without notes goes too");
        let log = &left_over.log;
        assert!(log.iter().any(|line| line.trim_end() == left), "{name}: {log:?}");
    }
}

const UNDO: &str = r"HKLM:\SOFTWARE\Reseal\Undo";

/// The notes, and the values beside `AutoDownload`.
const WHAT_IS_LEFT: &str = r"$names = { param($Path) $key = Get-Item -LiteralPath $Path -ErrorAction SilentlyContinue; if ($null -ne $key) { $key.GetValueNames() } }
$notes = @(& $names 'HKLM:\SOFTWARE\Reseal\Undo') -join '+'
$others = @(& $names 'HKLM:\SOFTWARE\Policies\Microsoft\WindowsStore' | Where-Object { $_ -ne 'AutoDownload' }) -join '+'
[Console]::Out.WriteLine(('left: ' + $notes + ' / ' + $others))
(Test-Path -LiteralPath 'HKLM:\SOFTWARE\Reseal') -eq [bool]$notes";

#[test]
fn every_rule_has_its_page_once() {
    let tables = [RULES, reseal_guest::leftovers::RULES];
    let mut codes: Vec<&str> = tables.into_iter().flatten().map(|rule| rule.code).collect();
    codes.sort_unstable();
    let count = codes.len();
    codes.dedup();
    assert_eq!(codes.len(), count);
    for rule in tables.into_iter().flatten() {
        assert!(!rule.title.ends_with('.') && !rule.cure.ends_with('.'), "{}", rule.code);
        assert!(rule.meaning.len() > 50 && rule.meaning.ends_with('.'), "{}", rule.code);
        assert!(rule.text().contains(rule.cure), "{}", rule.code);
    }
    let appx = RULES.iter().find(|rule| rule.code == "P016").unwrap();
    assert!(appx.text().contains("generalize: { fix: [appx] }"), "{}", appx.text());
}
