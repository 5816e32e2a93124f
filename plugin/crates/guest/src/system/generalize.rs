//! Preflight, its cures, and sysprep itself.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use super::tasks::TaskStarted;
use super::{Query, read};
use crate::call::{Call, RunAs};
use crate::failure::StepFailure;
use crate::preflight::{AppxFacts, Facts};
use crate::script::{LIBRARIES_HERE, Script, libraries, script};

/// Asks everything that would make sysprep fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Preflight {
    /// Look at app packages.
    pub appx: bool,
    /// Look at the licence (slow).
    pub license: bool,
}

impl Default for Preflight {
    fn default() -> Self {
        Self {
            appx: true,
            license: true,
        }
    }
}

impl Query for Preflight {
    type Answer = Facts;
    const SCRIPT: Script = script!(
        "preflight",
        "values",
        "facts",
        "services",
        "pending",
        "appx",
        "providers",
        "answer_files",
    );

    /// A PowerShell that is not let answer has told one fact by that.
    fn read(answer: &Value) -> Result<Facts, StepFailure> {
        match read::<Self>(answer) {
            Err(failure) if failure.kind == RESTRICTED => Ok(Facts {
                language_mode: Some("ConstrainedLanguage".to_owned()),
                ..Facts::default()
            }),
            other => other,
        }
    }
}

/// The error of every operation under a policy that keeps PowerShell from calling .NET.
const RESTRICTED: &str = "restricted_language";

/// Asks for the app packages that would make sysprep fail, and for nothing else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct AppxBlockers {}

impl Query for AppxBlockers {
    type Answer = AppxFacts;
    const SCRIPT: Script = script!("appx_blockers", "values", "appx");
}

/// What can be cured in the guest before sysprep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fixes {
    /// Remove app packages that are installed for a user but not provisioned.
    Appx,
    /// Decrypt the system volume.
    Bitlocker,
    /// Stop services that disturb sysprep; start those that it needs.
    Services,
    /// Keep the store from updating apps meanwhile.
    Store,
    /// Remove old answer files.
    AnswerFiles,
    /// Switch reserved storage off.
    ReservedStorage,
    /// Remove entries of other makers' sysprep libraries that are no longer there.
    Providers,
}

impl Fixes {
    /// Its name in a spec and in the scripts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Appx => "appx",
            Self::Bitlocker => "bitlocker",
            Self::Services => "services",
            Self::Store => "store",
            Self::AnswerFiles => "answer_files",
            Self::ReservedStorage => "reserved_storage",
            Self::Providers => "providers",
        }
    }

    /// What it changes for a while only, so that somebody has to take it back: a build does after sysprep.
    pub fn leaves(self) -> Option<&'static str> {
        match self {
            Self::Store => Some("the policies `AutoDownload` and `DisableWindowsConsumerFeatures`"),
            _ => None,
        }
    }
}

/// Cures what preflight found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PreflightFix {
    /// What to cure.
    pub fixes: Vec<Fixes>,
    /// App packages to remove, by full name; empty means all that preflight would name.
    pub packages: Vec<String>,
    /// The limit of the whole (decrypting takes long).
    pub timeout_seconds: u64,
    /// Where changes that are for the build only are written down.
    pub undo_key: String,
}

impl PreflightFix {
    /// These cures, with an hour for the whole.
    pub fn new(fixes: Vec<Fixes>) -> Self {
        Self {
            fixes,
            packages: Vec::new(),
            timeout_seconds: 3600,
            undo_key: UNDO_KEY.to_owned(),
        }
    }
}

/// The cures' ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixResults {
    /// One for each.
    pub fixes: Vec<FixResult>,
}

/// One cure's end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixResult {
    /// Which.
    pub fix: Fixes,
    /// It is cured now.
    pub done: bool,
    /// Something was changed for it.
    pub changed: bool,
    /// In words.
    pub detail: String,
}

impl Query for PreflightFix {
    type Answer = FixResults;
    const SCRIPT: Script = script!(
        "preflight_fix",
        "values",
        "undo",
        "services",
        "appx",
        "process",
        "providers",
        "answer_files",
    );

    /// In a task of its own: decrypting takes long, and so may a service that does not stop.
    fn call(&self) -> Call {
        let limit = Duration::from_secs(self.timeout_seconds) + Duration::from_mins(10);
        Call::detached(Self::SCRIPT, self.input(), RunAs::User, limit)
    }
}

/// Takes back what cures have changed for a while only. What a build has noted for itself stays noted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PreflightUndo {
    /// Where the changes are written down.
    pub undo_key: String,
}

impl Default for PreflightUndo {
    fn default() -> Self {
        Self {
            undo_key: UNDO_KEY.to_owned(),
        }
    }
}

/// What was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    /// One for each change, the last first.
    pub changes: Vec<UndoneChange>,
}

/// A value of the registry that is as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoneChange {
    /// The cure that had changed it.
    pub fix: Fixes,
    /// The key.
    pub path: String,
    /// The value.
    pub name: String,
    /// It is as it was.
    pub done: bool,
    /// In words.
    pub detail: String,
}

impl Query for PreflightUndo {
    type Answer = Undone;
    const SCRIPT: Script = script!("preflight_undo", "values", "undo");
}

/// What the sysprep wrapper must know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SysprepSettings {
    /// The build.
    pub run: String,
    /// The answer file.
    pub answer_file: String,
    /// When sysprep is given up.
    pub timeout_seconds: u64,
    /// How long the proofs may take to appear after sysprep has ended.
    pub verify_seconds: u64,
    /// How long the proofs stand before the machine goes on by itself, when nobody says that they were seen.
    pub linger_seconds: u64,
    /// What to delete after success, beside the wrapper's own folder.
    pub delete: Vec<String>,
    /// The one-time account to remove.
    pub build_account: Option<String>,
    /// Where the bootstrap wrote down what it changed.
    pub undo_key: String,
    /// Shut the machine down after success.
    pub shutdown: bool,
    /// `/mode:vm`: hardware is not looked for again at the first boot.
    pub mode_vm: bool,
}

/// Where the bootstrap writes down what it changed.
pub(crate) const UNDO_KEY: &str = r"HKLM:\SOFTWARE\Reseal";

impl SysprepSettings {
    /// The usual settings for a build.
    pub fn new(run: impl Into<String>, timeout_seconds: u64) -> Self {
        Self {
            run: run.into(),
            answer_file: super::UNATTEND_PATH.to_owned(),
            timeout_seconds,
            verify_seconds: 60,
            linger_seconds: 600,
            delete: Vec::new(),
            build_account: None,
            undo_key: UNDO_KEY.to_owned(),
            shutdown: true,
            mode_vm: false,
        }
    }
}

/// Starts sysprep in a task of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SysprepStart {
    /// The task's name.
    pub task: String,
    /// Its folder, without blanks.
    pub work: String,
    /// The wrapper's text.
    pub wrapper: String,
    /// What it must know.
    pub settings: SysprepSettings,
}

/// The wrapper that runs sysprep, proves its success and shuts the machine down.
const WRAPPER: &str = include_str!("../../ops/sysprep_wrapper.ps1");
const WRAPPER_LIBRARIES: &str = libraries!("values", "evidence", "undo");

impl SysprepStart {
    /// With our own wrapper.
    pub fn new(task: impl Into<String>, work: impl Into<String>, settings: SysprepSettings) -> Self {
        Self {
            task: task.into(),
            work: work.into(),
            wrapper: WRAPPER.replacen(LIBRARIES_HERE, WRAPPER_LIBRARIES, 1),
            settings,
        }
    }
}

impl Query for SysprepStart {
    type Answer = TaskStarted;
    const SCRIPT: Script = script!("sysprep_start", "values", "tasks");
}

/// Looks how sysprep is getting on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SysprepPoll {
    /// The task's name.
    pub task: String,
    /// Its folder.
    pub work: String,
    /// Where to read `setupact.log` from, in bytes.
    pub act_offset: u64,
    /// Where to read `setuperr.log` from, in bytes.
    pub err_offset: u64,
    /// The proofs were seen and written down: the wrapper may clean up and shut the machine down.
    pub seen: bool,
}

/// How sysprep is getting on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SysprepPolled {
    /// The wrapper's last word.
    pub status: Option<Status>,
    /// `running`, `ready` or `missing`.
    pub task_state: String,
    /// What the task scheduler says.
    pub task_result: Option<String>,
    /// How many `sysprep.exe` there are.
    pub sysprep_running: u32,
    /// News of `setupact.log`.
    pub act: LogTail,
    /// News of `setuperr.log`.
    pub err: LogTail,
    /// The proofs at this moment.
    pub evidence: Evidence,
}

/// The wrapper's last word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// `starting`, `generalizing`, `verifying`, `generalized`, `cleaning`, `shutting_down` or `failed`.
    pub phase: String,
    /// When.
    pub utc: String,
    /// Sysprep's process.
    #[serde(default)]
    pub pid: Option<u32>,
    /// Sysprep's exit code; no proof of anything.
    #[serde(default)]
    pub exit_code: Option<i64>,
    /// Why it failed: `timeout`, `not_generalized`, `start_failed` or `wrapper`.
    #[serde(default)]
    pub reason: Option<String>,
    /// The wrapper's own exception.
    #[serde(default)]
    pub error: Option<String>,
    /// The proofs as the wrapper saw them.
    #[serde(default)]
    pub evidence: Option<Evidence>,
}

/// News of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogTail {
    /// Where the next look should read on.
    pub offset: u64,
    /// The text.
    pub text: String,
}

/// The four proofs that a machine is generalized.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    /// The tag file is there, newer than the start where that is known.
    pub tag: bool,
    /// Its time.
    pub tag_utc: Option<String>,
    /// `ImageState`.
    pub image_state: String,
    /// `GeneralizationState`; 4 after success.
    pub generalization_state: Option<i64>,
    /// `CleanupState`.
    pub cleanup_state: Option<i64>,
    /// `SetupType`; 2 after success.
    pub setup_type: Option<i64>,
    /// `CmdLine`; `oobe\windeploy.exe` after success.
    pub cmd_line: String,
    /// All four say yes, by the guest's own reckoning.
    pub good: bool,
}

impl Evidence {
    /// Which proofs are missing; none after a good run. Does not trust `good`.
    pub fn missing(&self) -> Vec<&'static str> {
        let image = self.image_state == "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE";
        let setup = self.setup_type == Some(2) && self.cmd_line.to_ascii_lowercase().contains("windeploy");
        [
            (self.tag, "tag file"),
            (image, "ImageState"),
            (self.generalization_state == Some(4), "GeneralizationState"),
            (setup, "SetupType and CmdLine"),
        ]
        .into_iter()
        .filter_map(|(good, name)| (!good).then_some(name))
        .collect()
    }
}

impl Query for SysprepPoll {
    type Answer = SysprepPolled;
    const SCRIPT: Script = script!("sysprep_poll", "values", "tasks", "evidence");
}
