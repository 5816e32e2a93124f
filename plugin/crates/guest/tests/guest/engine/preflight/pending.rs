//! Made-up Windows that wait for a restart, one for each source that says so.

use reseal_guest::preflight::Severity;
use serde_json::json;

use super::super::world::World;
use super::cases::{CBS, NAMES, TCPIP, UPDATE};

/// Each source of a pending restart, by its name.
// Long because every source of the table is a case.
pub(super) fn pending_sources() -> Vec<(&'static str, World)> {
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
pub(super) const SOFT: [&str; 4] = ["file_rename", "file_rename_2", "update_exe", "dvd_signal"];

pub(super) fn pending_finding(signal: &str) -> &'static [(&'static str, Severity)] {
    if SOFT.contains(&signal) {
        &[("P012", Severity::Info)]
    } else {
        &[("P011", Severity::Error)]
    }
}
