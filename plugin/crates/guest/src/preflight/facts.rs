//! What `preflight` answers; every fact may be unknown.

use serde::{Deserialize, Serialize};

use crate::system::Pending;

/// Everything that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The account has its full token.
    pub elevated: Option<bool>,
    /// The account's SID.
    pub user_sid: Option<String>,
    /// The logon came over the network.
    pub network_logon: Option<bool>,
    /// `LocalAccountTokenFilterPolicy` is 1: local administrators keep their full token over the network.
    pub token_filter: Option<bool>,
    /// State of the task scheduler's service.
    pub scheduler: Option<String>,
    /// PowerShell's language mode.
    pub language_mode: Option<String>,
    /// The guest's clock.
    pub now_utc: Option<String>,
    /// The build number.
    pub build: Option<u32>,
    /// The edition.
    pub edition: Option<String>,
    /// `Server`, `Server Core` or `Client`.
    pub installation_type: Option<String>,
    /// 1 client, 2 domain controller, 3 server.
    pub product_type: Option<u32>,
    /// `ImageState`.
    pub image_state: Option<String>,
    /// `GeneralizationState`; 7 on a healthy machine.
    pub generalization_state: Option<i64>,
    /// `CleanupState`; 2 on a healthy machine.
    pub cleanup_state: Option<i64>,
    /// 1 in audit mode.
    pub audit_boot: Option<i64>,
    /// Setup or its last phase, OOBE, has not ended.
    pub setup_in_progress: Option<bool>,
    /// How many `sysprep.exe` run.
    pub sysprep_running: Option<u32>,
    /// How often sysprep may still run.
    pub rearm_count: Option<i64>,
    /// `SkipRearm` is set in the registry, where an answer file never sets it.
    pub skip_rearm_left: Option<bool>,
    /// How the product key was sold, e.g. `Volume:GVLK` or `TIMEBASED_EVAL`.
    pub license_channel: Option<String>,
    /// 1 licensed.
    pub license_status: Option<u32>,
    /// State of the licensing service after it was asked to start.
    pub sppsvc: Option<String>,
    /// Its start type.
    pub sppsvc_start: Option<String>,
    /// What asks for a restart, and what is at work.
    pub pending: Option<Pending>,
    /// Programs that install something at this moment.
    pub installers: Option<Vec<String>>,
    /// Windows Installer has begun something and not ended it.
    pub msi_unfinished: Option<bool>,
    /// `enabled_idle`, `in_use`, `disabled` or `unsupported`.
    pub reserved_storage: Option<String>,
    /// App packages.
    pub appx: Option<AppxFacts>,
    /// Start type of the app service.
    pub appx_service: Option<String>,
    /// Store policies.
    pub store: Option<StoreFacts>,
    /// Volumes that BitLocker knows.
    pub bitlocker: Option<Vec<BitlockerVolume>>,
    /// In a domain.
    pub domain_joined: Option<bool>,
    /// Domain or work group.
    pub domain: Option<String>,
    /// Joined to Microsoft Entra ID.
    pub entra_joined: Option<bool>,
    /// Instances of SQL Server that are set up.
    pub sql_instances: Option<Vec<String>>,
    /// Installed roles and features that matter.
    pub roles: Option<Vec<String>>,
    /// Virtual switches of Hyper-V.
    pub hyperv_switches: Option<u32>,
    /// `applicationHost.config` has encrypted passwords.
    pub iis_encrypted_credentials: Option<bool>,
    /// `Source OS` keys of in-place upgrades.
    pub upgrade_keys: Option<u32>,
    /// `C:\Windows.old` exists.
    pub windows_old: Option<bool>,
    /// Answer files that Setup would find by itself.
    pub answer_files: Option<Vec<String>>,
    /// Answer files on removable drives.
    pub media_answer_files: Option<Vec<String>>,
    /// Other makers' sysprep providers.
    pub external_providers: Option<Vec<Provider>>,
    /// Services that disturb.
    pub services: Option<Vec<ServiceFact>>,
    /// Defender for Endpoint is onboarded.
    pub sense_onboarded: Option<bool>,
    /// User profiles.
    pub profiles: Option<Vec<Profile>>,
    /// Free bytes on C:.
    pub free_bytes: Option<u64>,
    /// Exit code of `bcdedit`.
    pub bcd: Option<i64>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// App packages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AppxFacts {
    /// This Windows has apps.
    pub available: bool,
    /// Packages that make sysprep fail.
    pub blockers: Vec<AppxBlocker>,
}

/// A package that makes sysprep fail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AppxBlocker {
    /// Its full name.
    pub full_name: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// `not_provisioned`.
    pub why: String,
    /// SIDs of the users that have it.
    pub users: Vec<String>,
}

/// Store policies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoreFacts {
    /// 2 keeps the store from updating apps.
    pub auto_download: Option<i64>,
    /// 1 keeps Windows from adding apps.
    pub consumer_features_disabled: Option<i64>,
}

/// A volume that BitLocker knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BitlockerVolume {
    /// `C:`
    pub drive: String,
    /// 0 decrypted, 1 encrypted, 2 encrypting, 3 decrypting, 4 and 5 paused.
    pub conversion: i64,
    /// How much is encrypted.
    pub percent: i64,
    /// 1 protected.
    pub protection: i64,
}

/// Another maker's sysprep provider.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provider {
    /// `Cleanup`, `Generalize` or `Specialize`.
    pub pass: String,
    /// The value's name.
    pub name: String,
    /// `dll,entry point`.
    pub command: String,
    /// The library is there; unknown from older scripts.
    pub found: Option<bool>,
    /// The library is hidden, so that sysprep cannot load it.
    pub hidden: bool,
}

/// A service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceFact {
    /// Its short name.
    pub name: String,
    /// `running` or `stopped`.
    pub state: String,
    /// `Auto`, `Manual` or `Disabled`.
    pub start: String,
}

/// A user profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// The user's SID.
    pub sid: String,
    /// The folder.
    pub path: String,
    /// In use.
    pub loaded: bool,
    /// The folder is there; unknown from older scripts.
    pub exists: Option<bool>,
}

/// A fact that could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Problem {
    /// Its name.
    pub fact: String,
    /// Why.
    pub message: String,
}
