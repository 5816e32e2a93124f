//! What is on a disk with Windows on it: the state that survives power.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::files::Files;
use super::profile::Profile;
use crate::winrm::computer::Certified;
use crate::winrm::ntlm::keys::{Key, nt_hash};

/// SID of the local administrators' group.
pub const ADMINISTRATORS: &str = "S-1-5-32-544";
/// SID of the system.
pub const SYSTEM: &str = "S-1-5-18";

/// A local account.
#[derive(Debug, Clone)]
pub struct User {
    /// Its name.
    pub name: String,
    /// The last part of its SID.
    pub rid: u32,
    /// The NT hash of its password; `None` for an empty one, with which nobody logs on over the network.
    pub nt_hash: Option<Key>,
    /// Whether it may log on.
    pub enabled: bool,
    /// SIDs of its local groups.
    pub groups: BTreeSet<String>,
    /// Its full name.
    pub full_name: String,
    /// Its description.
    pub description: String,
    /// Whether it has a profile folder.
    pub profile: bool,
}

/// An installed program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The key under `Uninstall`; a product code for MSI packages.
    pub id: String,
    /// `DisplayName`.
    pub name: String,
    /// `DisplayVersion`.
    pub version: String,
    /// `Publisher`.
    pub publisher: Option<String>,
    /// Whether Windows Installer knows it.
    pub msi: bool,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// `Auto`, `AutoDelayed`, `Manual`, `Disabled`.
    pub start: String,
    /// Whether it runs.
    pub running: bool,
}

/// A package of the Store's kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appx {
    /// Its full name.
    pub full_name: String,
    /// Whether it is provisioned for all users.
    pub provisioned: bool,
    /// SIDs of the users that have it.
    pub users: BTreeSet<String>,
}

/// Signals of a pending reboot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pending {
    /// Component based servicing wants one.
    pub cbs: bool,
    /// Windows Update wants one.
    pub update: bool,
    /// Files to be moved at the next start.
    pub renames: Vec<String>,
}

/// The state of Setup and sysprep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// `ImageState`.
    pub image_state: &'static str,
    /// `SysprepStatus\GeneralizationState`.
    pub generalization: u32,
    /// `SysprepStatus\CleanupState`.
    pub cleanup: u32,
    /// `HKLM\SYSTEM\Setup\SetupType`.
    pub setup_type: u32,
    /// `HKLM\SYSTEM\Setup\CmdLine`.
    pub cmd_line: &'static str,
    /// When `Sysprep_succeeded.tag` was written, if it is there.
    pub tag: Option<Timestamp>,
    /// An oobeSystem pass has failed before; only a new image helps.
    pub failed: bool,
}

/// `IMAGE_STATE_COMPLETE`.
pub const COMPLETE: &str = "IMAGE_STATE_COMPLETE";
/// `IMAGE_STATE_UNDEPLOYABLE`.
pub const UNDEPLOYABLE: &str = "IMAGE_STATE_UNDEPLOYABLE";
/// `IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE`.
pub const GENERALIZED: &str = "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE";
/// `IMAGE_STATE_SPECIALIZE_RESEAL_TO_OOBE`.
pub const SPECIALIZED: &str = "IMAGE_STATE_SPECIALIZE_RESEAL_TO_OOBE";

impl Setup {
    /// Installed and never touched.
    pub fn complete() -> Self {
        Self {
            image_state: COMPLETE,
            generalization: 7,
            cleanup: 2,
            setup_type: 0,
            cmd_line: "",
            tag: None,
            failed: false,
        }
    }

    /// Generalized at `tag`.
    pub fn generalized(tag: Timestamp) -> Self {
        Self {
            image_state: GENERALIZED,
            generalization: 4,
            cleanup: 2,
            setup_type: 2,
            cmd_line: "oobe\\windeploy.exe",
            tag: Some(tag),
            failed: false,
        }
    }
}

/// WinRM's configuration.
#[derive(Clone)]
pub struct WinRm {
    /// The listener on 5985.
    pub http: bool,
    /// The listener on 5986.
    pub https: Option<Arc<Certified>>,
    /// SHA-256 of the listener's certificate.
    pub thumbprint: Option<String>,
    /// `Service/Auth/Basic`.
    pub basic: bool,
    /// `LocalAccountTokenFilterPolicy`: administrators other than RID 500 have a full token over the network.
    pub full_token: bool,
}

/// The task by which the bootstrap keeps its listener.
#[derive(Clone)]
pub struct Guard {
    /// The task's name.
    pub task: String,
    /// Its folder.
    pub folder: String,
    /// The certificate that it puts back.
    pub https: Arc<Certified>,
    /// SHA-256 of it.
    pub thumbprint: String,
}

/// The licence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct License {
    /// `LicenseStatus`.
    pub status: u32,
    /// `KeyManagementServiceMachine`.
    pub kms_host: Option<String>,
    /// `RemainingWindowsReArmCount`.
    pub rearm: u32,
}

/// Languages and formats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locale {
    /// Of programs without Unicode.
    pub system: String,
    /// Of formats.
    pub user: String,
    /// Of the display.
    pub ui: String,
    /// Of the keyboard.
    pub input: String,
    /// The registry id of the time zone.
    pub time_zone: String,
}

/// A registry key: its path and its values by name.
#[derive(Debug, Clone, Default)]
pub struct RegistryKey {
    /// The path as it was first written.
    pub path: String,
    /// Values: kind and data as the operation `registry` has them.
    pub values: BTreeMap<String, (String, Value)>,
}

/// Cloudbase-Init on this disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cloudbase {
    /// Whether it is installed.
    pub present: bool,
    /// `Auto`, `Manual`, `Disabled`.
    pub start: String,
    /// Instance ids whose plugins have run.
    pub instances: Vec<String>,
    /// The account that it cares for.
    pub username: String,
}

/// A drive's encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BitLocker {
    /// 0 decrypted, 1 encrypted, 3 decrypting.
    pub conversion: u32,
    /// How much of it is encrypted.
    pub percent: u32,
}

/// Everything on the disk.
#[derive(Clone)]
pub struct Windows {
    /// Which Windows.
    pub profile: Profile,
    /// The computer's name.
    pub computer_name: String,
    /// The machine's SID.
    pub machine_sid: String,
    /// The next RID.
    pub next_rid: u32,
    /// Files.
    pub files: Files,
    /// Registry keys that were written, by lower-case path.
    pub registry: BTreeMap<String, RegistryKey>,
    /// Accounts by lower-case name.
    pub users: BTreeMap<String, User>,
    /// Installed programs.
    pub products: Vec<Product>,
    /// Roles and features that are there.
    pub features: BTreeSet<String>,
    /// Optional features and capabilities that are there.
    pub optional: BTreeSet<String>,
    /// Services by lower-case name.
    pub services: BTreeMap<String, Service>,
    /// Environment variables of the machine.
    pub environment: BTreeMap<String, String>,
    /// Firewall rules by name, as the operation gave them.
    pub firewall: BTreeMap<String, Value>,
    /// Packages of the Store's kind.
    pub appx: Vec<Appx>,
    /// Installed updates.
    pub updates: BTreeSet<String>,
    /// Signals of a pending reboot.
    pub pending: Pending,
    /// The boot counter.
    pub boot_id: u64,
    /// Whether firmware finds something to start on it.
    pub bootable: bool,
    /// How often a client has generalized it here. The first boot of such a disk is that of a clone.
    pub sealed: u32,
    /// Setup and sysprep.
    pub setup: Setup,
    /// WinRM.
    pub winrm: WinRm,
    /// What keeps the build's listener.
    pub guard: Option<Guard>,
    /// The licence.
    pub license: License,
    /// Languages.
    pub locale: Locale,
    /// Cloudbase-Init.
    pub cloudbase: Cloudbase,
    /// The drive's encryption, where the feature is there.
    pub bitlocker: Option<BitLocker>,
    /// Size of C:, bytes.
    pub c_bytes: u64,
    /// Windows' own files, bytes.
    pub base_bytes: u64,
    /// Free space behind C:, bytes.
    pub unallocated: u64,
    /// The oldest entry of the System log.
    pub oldest_event: Timestamp,
    /// Texts of PowerShell scripts whose condition an installation has made true, by hash.
    pub satisfied: BTreeSet<String>,
}

impl Windows {
    /// A user's SID.
    pub fn sid(&self, user: &User) -> String {
        format!("{}-{}", self.machine_sid, user.rid)
    }

    /// An account by name.
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.get(&name.to_lowercase())
    }

    /// Makes or changes an account: name, password and groups.
    pub fn put_user(&mut self, name: &str, password: Option<&str>, groups: &[&str]) {
        let key = name.to_lowercase();
        let known = self.users.get(&key).map(|user| user.rid);
        let rid = known.unwrap_or(self.next_rid);
        if known.is_none() {
            self.next_rid += 1;
        }
        let user = self.users.entry(key).or_insert_with(|| User::new(name, rid));
        if let Some(password) = password {
            user.nt_hash = (!password.is_empty()).then(|| nt_hash(password));
        }
        user.groups.extend(groups.iter().map(|group| (*group).to_owned()));
    }

    /// A service's state; starts are spelt `Auto`, `AutoDelayed`, `Manual`, `Disabled`.
    pub fn put_service(&mut self, name: &str, start: &str, running: bool) {
        let service = Service {
            name: name.to_owned(),
            start: start.to_owned(),
            running,
        };
        self.services.insert(name.to_lowercase(), service);
    }

    /// Whether any signal says that a reboot is due.
    pub fn reboot_pending(&self) -> bool {
        self.pending.cbs || self.pending.update
    }

    /// Free bytes on C:.
    pub fn free_bytes(&self) -> u64 {
        self.c_bytes
            .saturating_sub(self.base_bytes)
            .saturating_sub(self.files.used())
    }
}

impl User {
    /// An enabled account without password and groups.
    pub fn new(name: &str, rid: u32) -> Self {
        Self {
            name: name.to_owned(),
            rid,
            nt_hash: None,
            enabled: true,
            groups: BTreeSet::new(),
            full_name: String::new(),
            description: String::new(),
            profile: false,
        }
    }
}
