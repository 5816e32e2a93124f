//! `generalize:` and `cloudbase_init:` — what happens between the last step and the image.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::Limit;

/// How sysprep is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Generalize {
    /// What may be cured when the check before sysprep finds it. What is not named here is only reported.
    pub fix: Vec<Fix>,
    /// Codes of what the check before sysprep finds and the build goes on in spite of, for example `P010`. Such findings are
    /// still told, as warnings.
    pub accept: Vec<String>,
    /// How long sysprep may take until the machine is off, for example `40m`.
    pub timeout: Limit,
    /// What is cleaned up before.
    pub cleanup: Vec<Cleanup>,
    /// How sysprep treats hardware.
    pub mode: GeneralizeMode,
}

impl Default for Generalize {
    fn default() -> Self {
        Self {
            fix: Vec::new(),
            accept: Vec::new(),
            timeout: Limit::minutes(40),
            cleanup: vec![
                Cleanup::Temp,
                Cleanup::CrashDumps,
                Cleanup::RecycleBin,
                Cleanup::Prefetch,
            ],
            mode: GeneralizeMode::Full,
        }
    }
}

/// A cure that the build may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fix {
    /// Remove Store apps that are installed for a user but not provisioned for all.
    Appx,
    /// Switch BitLocker off and wait until the drive is decrypted.
    Bitlocker,
    /// Set services that sysprep needs to their usual start mode.
    Services,
    /// Keep the Store from updating apps during the build.
    Store,
    /// Remove answer files that an earlier run left.
    AnswerFiles,
    /// Release reserved storage.
    ReservedStorage,
    /// Remove entries of other makers' sysprep libraries that are no longer there.
    Providers,
}

/// Something that need not be in the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cleanup {
    /// Temporary folders of Windows and of the accounts.
    Temp,
    /// Event logs.
    EventLogs,
    /// Superseded components (`DISM /StartComponentCleanup`); takes long.
    ComponentStore,
    /// Downloaded updates.
    UpdateCache,
    /// Histories and transcripts of PowerShell, and what was typed into Run.
    History,
    /// Dumps and error reports.
    CrashDumps,
    /// The recycle bin.
    RecycleBin,
    /// The cache of delivery optimisation.
    DeliveryOptimization,
    /// Prefetch files.
    Prefetch,
    /// Answer files that earlier runs left.
    AnswerFiles,
    /// Automatic logon and its password.
    Winlogon,
    /// Old logs of Windows and Setup.
    Logs,
    /// The id under which WSUS knows the machine.
    WsusId,
    /// SSH host keys; the server makes new ones at its start.
    SshHostKeys,
    /// `C:\Windows.old` and other leftovers of upgrades.
    WindowsOld,
    /// Shadow copies and restore points.
    ShadowCopies,
    /// The hibernation file.
    Hibernation,
    /// Tell the disk which blocks are free (thin disks).
    Trim,
    /// Fill the free space with zeros, for disks that cannot be told; takes long and lets a thin disk grow meanwhile.
    ZeroFree,
}

/// How sysprep treats hardware.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GeneralizeMode {
    /// Devices are found anew: the image starts on any flavour.
    #[default]
    Full,
    /// `/mode:vm`: quicker first boot, only on the same hypervisor.
    Vm,
}

/// What becomes of Cloudbase-Init in the image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CloudbaseInit {
    /// How it is made ready for the first boot of the image.
    pub mode: CloudbaseMode,
    /// The name of its service.
    pub service: String,
    /// Settings for the section `DEFAULT` of its `cloudbase-init.conf`, for example `activate_windows: "true"` or
    /// `kms_host: kms.example.com`. Only with the mode `setup_complete`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
}

impl Default for CloudbaseInit {
    fn default() -> Self {
        Self {
            mode: CloudbaseMode::SetupComplete,
            service: "cloudbase-init".to_owned(),
            set: BTreeMap::new(),
        }
    }
}

/// How Cloudbase-Init is made ready.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CloudbaseMode {
    /// Its service starts on demand, `SetupComplete.cmd` starts it, and what it remembers of this machine is
    /// forgotten: the first boot activates, injects the password and extends the drive.
    #[default]
    SetupComplete,
    /// It is left as it is.
    Keep,
}
