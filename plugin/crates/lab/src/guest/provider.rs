//! A disk as a provider ships it: generalized, with Cloudbase-Init waiting for the first boot.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::files::Files;
use super::profile::Profile;
use super::sysprep_log;
use super::windows::{ADMINISTRATORS, Appx, Cloudbase, License, Locale, Pending, Setup, User, WinRm, Windows};

/// Where Cloudbase-Init keeps its answer file.
pub const CLOUDBASE_ANSWER: &str = "C:\\Program Files\\Cloudbase Solutions\\Cloudbase-Init\\conf\\Unattend.xml";
/// Where Setup reads the answer file at the first boot.
pub const PANTHER_ANSWER: &str = "C:\\Windows\\Panther\\unattend.xml";
/// What runs before the log-on screen of a clone.
pub const SETUP_COMPLETE: &str = "C:\\Windows\\Setup\\Scripts\\SetupComplete.cmd";
/// Cloudbase-Init's log.
pub const CLOUDBASE_LOG: &str = "C:\\Program Files\\Cloudbase Solutions\\Cloudbase-Init\\log\\cloudbase-init.log";

/// The configuration of Cloudbase-Init's service.
pub const CLOUDBASE_CONF: &str = "C:\\Program Files\\Cloudbase Solutions\\Cloudbase-Init\\conf\\cloudbase-init.conf";
/// The configuration of its run inside the specialize pass.
pub const CLOUDBASE_UNATTEND_CONF: &str =
    "C:\\Program Files\\Cloudbase Solutions\\Cloudbase-Init\\conf\\cloudbase-init-unattend.conf";

const GIB: u64 = 1 << 30;

/// The services of a stock server: name, start, running.
const SERVICES: [(&str, &str, bool); 32] = [
    ("WinRM", "AutoDelayed", true),
    ("wuauserv", "Manual", false),
    ("TrustedInstaller", "Manual", false),
    ("sppsvc", "AutoDelayed", false),
    ("CryptSvc", "Auto", true),
    ("AppXSvc", "Manual", false),
    ("BITS", "Manual", false),
    ("W32Time", "Manual", true),
    ("cloudbase-init", "Manual", false),
    ("BFE", "Auto", true),
    ("Dhcp", "Auto", true),
    ("DiagTrack", "Auto", true),
    ("Dnscache", "Auto", true),
    ("EventLog", "Auto", true),
    ("gpsvc", "Auto", true),
    ("LanmanServer", "Auto", true),
    ("LanmanWorkstation", "Auto", true),
    ("MapsBroker", "AutoDelayed", false),
    ("mpssvc", "Auto", true),
    ("MSDTC", "AutoDelayed", true),
    ("msiserver", "Manual", false),
    ("Netlogon", "Manual", false),
    ("RemoteRegistry", "Auto", false),
    ("Schedule", "Auto", true),
    ("seclogon", "Manual", false),
    ("Spooler", "Auto", true),
    ("TermService", "Manual", true),
    ("UsoSvc", "AutoDelayed", true),
    ("VSS", "Manual", false),
    ("WinDefend", "Auto", true),
    ("Winmgmt", "Auto", true),
    ("WpnService", "Auto", true),
];

const FEATURES: [&str; 10] = [
    "FileAndStorage-Services",
    "Storage-Services",
    "NET-Framework-45-Features",
    "NET-Framework-45-Core",
    "NET-WCF-Services45",
    "NET-WCF-TCP-PortSharing45",
    "PowerShellRoot",
    "PowerShell",
    "PowerShell-V2",
    "WoW64-Support",
];

/// The disk of an image with this name, generalized some weeks before `now`.
pub fn disk(image_name: &str, now: Timestamp) -> Windows {
    let profile = Profile::of_image(image_name);
    let made = now.checked_sub(SignedDuration::from_hours(24 * 30)).unwrap_or(now);
    let mut windows = bare(profile, made);
    for (name, start, running) in SERVICES {
        windows.put_service(name, start, running);
    }
    accounts(&mut windows);
    files(&mut windows, made);
    appx(&mut windows);
    windows
}

/// A disk that is not one of Windows: no firmware starts it.
pub fn blank(now: Timestamp) -> Windows {
    let mut windows = bare(Profile::of_image(""), now);
    windows.bootable = false;
    windows
}

fn bare(profile: Profile, made: Timestamp) -> Windows {
    let language = profile.language.to_owned();
    Windows {
        computer_name: "WIN-RIBN7SM07BK".to_owned(),
        machine_sid: new_sid(),
        next_rid: 1001,
        files: Files::default(),
        registry: BTreeMap::new(),
        users: BTreeMap::new(),
        products: Vec::new(),
        features: FEATURES.iter().map(|name| (*name).to_owned()).collect(),
        optional: BTreeSet::new(),
        services: BTreeMap::new(),
        environment: BTreeMap::from([("Path".to_owned(), "C:\\Windows\\system32;C:\\Windows".to_owned())]),
        firewall: BTreeMap::new(),
        appx: Vec::new(),
        updates: BTreeSet::new(),
        pending: Pending::default(),
        boot_id: 2,
        sealed: 0,
        bootable: true,
        setup: Setup::generalized(made),
        winrm: WinRm {
            http: true,
            https: None,
            thumbprint: None,
            basic: false,
            full_token: false,
        },
        guard: None,
        license: License {
            status: 5,
            kms_host: None,
            rearm: 1001,
        },
        locale: Locale {
            system: language.clone(),
            user: language.clone(),
            ui: language.clone(),
            input: language,
            time_zone: "Pacific Standard Time".to_owned(),
        },
        cloudbase: Cloudbase {
            present: true,
            start: "Manual".to_owned(),
            instances: Vec::new(),
            username: "Administrator".to_owned(),
        },
        bitlocker: None,
        c_bytes: 40 * GIB,
        base_bytes: if profile.desktop() { 14 * GIB } else { 8 * GIB },
        unallocated: 0,
        oldest_event: made,
        satisfied: BTreeSet::new(),
        profile,
    }
}

/// A fresh machine SID.
pub fn new_sid() -> String {
    let [a, b, c]: [u32; 3] = rand::random();
    format!("S-1-5-21-{}-{}-{}", a | 1, b | 1, c | 1)
}

fn accounts(windows: &mut Windows) {
    for (name, rid, enabled) in [
        ("Administrator", 500, true),
        ("Guest", 501, false),
        ("DefaultAccount", 503, false),
    ] {
        let mut user = User::new(name, rid);
        user.enabled = enabled;
        if rid == 500 {
            user.groups.insert(ADMINISTRATORS.to_owned());
            user.profile = true;
        }
        windows.users.insert(name.to_lowercase(), user);
    }
}

fn files(windows: &mut Windows, made: Timestamp) {
    let answer = include_str!("data/cloudbase-unattend.xml").replace('\n', "\r\n");
    let files = &mut windows.files;
    for folder in [
        "C:\\Windows\\Temp",
        "C:\\Windows\\System32\\Sysprep\\Panther",
        "C:\\Users\\Administrator",
    ] {
        files.folder(folder, made);
    }
    files.write_text(CLOUDBASE_ANSWER, &answer, made);
    files.write_text(
        CLOUDBASE_CONF,
        &include_str!("data/cloudbase-init.conf").replace('\n', "\r\n"),
        made,
    );
    let unattend = include_str!("data/cloudbase-init-unattend.conf").replace('\n', "\r\n");
    files.write_text(CLOUDBASE_UNATTEND_CONF, &unattend, made);
    files.write_text(PANTHER_ANSWER, &answer, made);
    let start = "sc config cloudbase-init start= auto && net start cloudbase-init\r\n";
    files.write_text(SETUP_COMPLETE, start, made);
    let panther = "C:\\Windows\\System32\\Sysprep\\Panther";
    files.write_text(&format!("{panther}\\setupact.log"), &sysprep_log::of_old(made), made);
    files.write_text(&format!("{panther}\\setuperr.log"), "", made);
}

fn appx(windows: &mut Windows) {
    let mut names = vec!["Microsoft.SecHealthUI_1000.26100.1.0_x64__8wekyb3d8bbwe"];
    if !windows.profile.desktop() {
        names.clear();
    }
    let packages = names.into_iter().map(|name| Appx {
        full_name: name.to_owned(),
        provisioned: true,
        users: BTreeSet::new(),
    });
    windows.appx = packages.collect();
}
