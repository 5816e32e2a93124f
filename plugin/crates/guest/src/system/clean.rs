//! Leaving nothing behind: hygiene, search for residue, logs, our own traces.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Query;
use crate::script::{Script, script};

/// What to clean before the image is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Temporary folders of Windows and of the accounts.
    Temp,
    /// Crash dumps and error reports.
    CrashDumps,
    /// The recycle bin.
    RecycleBin,
    /// Prefetch files.
    Prefetch,
    /// All event logs.
    EventLogs,
    /// Superseded components (`StartComponentCleanup /ResetBase`); slow, and updates can no longer be removed.
    ComponentStore,
    /// Downloads of Windows Update.
    UpdateCache,
    /// The cache of Delivery Optimization.
    DeliveryOptimization,
    /// Histories and transcripts of PowerShell.
    PowershellHistory,
    /// What was typed into Run and into the address bar of Explorer, by accounts that are loaded.
    RunHistory,
    /// Old answer files.
    AnswerFiles,
    /// Automatic logon and its password.
    Winlogon,
    /// Old logs of Windows and Setup.
    Logs,
    /// The id under which WSUS knows this machine.
    WsusId,
    /// SSH host keys; the server makes new ones.
    SshHostKeys,
    /// `C:\Windows.old` and upgrade leftovers.
    WindowsOld,
    /// Shadow copies and restore points.
    ShadowCopies,
    /// The hibernation file.
    Hibernation,
    /// Trims the free space (thin disks).
    Trim,
    /// Fills the free space with zeros; for disks that cannot be trimmed.
    ZeroFree,
}

impl Category {
    /// Its word under `generalize: cleanup:` of a spec.
    pub fn in_spec(self) -> &'static str {
        match self {
            Self::Temp => "temp",
            Self::CrashDumps => "crash_dumps",
            Self::RecycleBin => "recycle_bin",
            Self::Prefetch => "prefetch",
            Self::DeliveryOptimization => "delivery_optimization",
            Self::EventLogs => "event_logs",
            Self::ComponentStore => "component_store",
            Self::UpdateCache => "update_cache",
            Self::PowershellHistory | Self::RunHistory => "history",
            Self::AnswerFiles => "answer_files",
            Self::Winlogon => "winlogon",
            Self::Logs => "logs",
            Self::WsusId => "wsus_id",
            Self::SshHostKeys => "ssh_host_keys",
            Self::WindowsOld => "windows_old",
            Self::ShadowCopies => "shadow_copies",
            Self::Hibernation => "hibernation",
            Self::Trim => "trim",
            Self::ZeroFree => "zero_free",
        }
    }

    /// What stays of it is worth a warning: it may hold a secret, or clones would share it. Of the others something is
    /// always in use.
    fn matters(self) -> bool {
        use Category::{
            AnswerFiles, CrashDumps, PowershellHistory, RunHistory, SshHostKeys, WindowsOld, Winlogon, WsusId,
        };
        matches!(
            self,
            AnswerFiles | CrashDumps | PowershellHistory | RunHistory | SshHostKeys | WindowsOld | Winlogon | WsusId
        )
    }
}

/// Cleans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hygiene {
    /// What, in this order.
    pub categories: Vec<Category>,
    /// Paths that must stay.
    pub keep: Vec<String>,
    /// The limit of the whole.
    pub timeout_seconds: u64,
}

/// What was cleaned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HygieneResult {
    /// Each category's end.
    pub categories: Vec<CategoryResult>,
    /// Free bytes on C: now.
    pub free_bytes: u64,
}

/// One category's end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryResult {
    /// Which.
    pub category: Category,
    /// It ended well.
    pub done: bool,
    /// Bytes that were freed.
    pub freed: u64,
    /// Things that were removed.
    pub removed: u64,
    /// Things that could not be removed (in use).
    pub failed: u64,
    /// The first of them by name.
    #[serde(default)]
    pub left: Vec<String>,
    /// In words.
    pub detail: String,
}

impl CategoryResult {
    /// What to warn of, if anything.
    pub fn warning(&self) -> Option<String> {
        let name = self.category.in_spec().replace('_', " ");
        let detail = match self.detail.as_str() {
            "" => String::new(),
            detail => format!(" ({detail})"),
        };
        if !self.done {
            return Some(format!("{name}: not cleaned{detail}"));
        }
        let missed = self.failed > 0 && self.category.matters();
        missed.then(|| format!("{name}: {} could not be removed: {}", self.failed, self.left.join(", ")))
    }
}

impl Query for Hygiene {
    type Answer = HygieneResult;
    const SCRIPT: Script = script!("hygiene", "values", "process", "services", "places", "answer_files");
}

/// Searches known places for texts that must not be in the image. The texts go in, only counts and places come out.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Residue {
    /// What must not be there.
    pub secrets: Vec<String>,
    /// What to call each of them in the answer.
    pub names: Vec<String>,
    /// Folders to search; `None` for the usual ones.
    pub roots: Option<Vec<String>>,
    /// Larger files are passed over.
    pub max_file_bytes: u64,
}

impl std::fmt::Debug for Residue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Residue")
            .field("names", &self.names)
            .field("roots", &self.roots)
            .finish_non_exhaustive()
    }
}

/// Where something was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResidueResult {
    /// Files that were read.
    pub scanned_files: u64,
    /// Registry values that were read.
    pub scanned_values: u64,
    /// What was found.
    pub hits: Vec<Hit>,
    /// Files and folders that were not read.
    #[serde(default)]
    pub skipped_files: u64,
    /// The first of them by name.
    #[serde(default)]
    pub skipped: Vec<Skipped>,
    /// Names of secrets that are too short to be searched for.
    #[serde(default)]
    pub short: Vec<String>,
}

/// A file that was not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Where.
    pub path: String,
    /// `too_large` or `unreadable`.
    pub why: String,
}

impl ResidueResult {
    /// What the search does not know.
    pub fn gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        if !self.short.is_empty() {
            gaps.push(format!("too short to be searched for: {}", self.short.join(", ")));
        }
        if self.skipped_files > 0 {
            let first = self.skipped.iter().take(5);
            let named: Vec<String> = first
                .map(|one| format!("{} ({})", one.path, one.why.replace('_', " ")))
                .collect();
            gaps.push(format!(
                "{} files were not searched: {}",
                self.skipped_files,
                named.join(", ")
            ));
        }
        gaps
    }
}

/// One find.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// The secret's name.
    pub name: String,
    /// `file`, `registry`, `event_log` or `task`.
    #[serde(rename = "where")]
    pub place: String,
    /// The exact place.
    pub path: String,
    /// How often.
    pub count: u64,
}

impl Query for Residue {
    type Answer = ResidueResult;
    const SCRIPT: Script = script!("residue", "values");
}

/// Looks for everything that a build can leave in an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leftovers {
    /// How the names of builds' accounts, tasks and rules begin.
    pub prefix: String,
    /// Where the bootstrap wrote down what it changed.
    pub undo_key: String,
    /// The image's own answer file, which is no leftover.
    pub answer_file: String,
    /// Folders that are still needed.
    pub keep: Vec<String>,
}

impl Leftovers {
    /// The usual places; `keep` is the build's own folder.
    pub fn new(keep: String) -> Self {
        Self {
            prefix: "reseal-".to_owned(),
            undo_key: super::generalize::UNDO_KEY.to_owned(),
            answer_file: super::UNATTEND_PATH.to_owned(),
            keep: vec![keep],
        }
    }
}

impl Query for Leftovers {
    type Answer = crate::leftovers::Facts;
    const SCRIPT: Script = script!("leftovers", "values", "facts", "places", "answer_files");
}

/// Lists the logs that are worth bringing home.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CollectLogs {
    /// More paths; wildcards in the last part.
    pub extra: Vec<String>,
}

/// The logs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logs {
    /// The files that exist.
    pub files: Vec<LogFile>,
}

/// One log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogFile {
    /// Where.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Last change.
    pub modified_utc: String,
    /// `sysprep`, `setup`, `cbs`, `dism`, `cloudbase`, `installer` or `other`.
    pub kind: String,
}

impl Query for CollectLogs {
    type Answer = Logs;
    const SCRIPT: Script = script!("collect_logs", "values");
}

/// Removes our tasks and folders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CleanupSelf {
    /// Our folders.
    pub work: Vec<String>,
    /// How our tasks' names begin; never empty.
    pub task_prefix: String,
}

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleanupSelfResult {
    /// Tasks that are gone.
    pub tasks: Vec<String>,
    /// Folders that are gone.
    pub folders: Vec<String>,
    /// What could not be removed.
    pub left: Vec<String>,
}

impl Query for CleanupSelf {
    type Answer = CleanupSelfResult;
    const SCRIPT: Script = script!("cleanup_self", "values", "tasks");
}
