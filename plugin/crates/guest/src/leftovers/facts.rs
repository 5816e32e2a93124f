//! What `leftovers` answers; every fact may be unknown.

use serde::{Deserialize, Serialize};

use crate::preflight::Problem;

/// Everything that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// What the sysprep wrapper takes back by itself.
    pub undo: Option<Vec<Undo>>,
    /// Local accounts with our prefix.
    pub accounts: Option<Vec<String>>,
    /// Profile folders with our prefix.
    pub profiles: Option<Vec<String>>,
    /// Certificates of the machine that have a private key.
    pub certificates: Option<Vec<Certificate>>,
    /// WinRM's listeners.
    pub listeners: Option<Vec<Listener>>,
    /// How WinRM lets in.
    pub winrm: Option<WinRmPolicy>,
    /// `LocalAccountTokenFilterPolicy` is 1.
    pub token_filter: Option<bool>,
    /// Firewall rules with our prefix.
    pub firewall_rules: Option<Vec<String>>,
    /// Scheduled tasks with our prefix.
    pub tasks: Option<Vec<String>>,
    /// Answer files that Setup would find.
    pub answer_files: Option<Vec<AnswerFileLeft>>,
    /// Values of automatic logon.
    pub winlogon: Option<Vec<String>>,
    /// Histories of PowerShell.
    pub histories: Option<Vec<String>>,
    /// Transcripts of PowerShell.
    pub transcripts: Option<Vec<String>>,
    /// Events in PowerShell's log, which keeps whole scripts.
    pub script_events: Option<u64>,
    /// SSH host keys.
    pub ssh_host_keys: Option<Vec<String>>,
    /// Commands that run at the next logon.
    pub first_boot: Option<Vec<String>>,
    /// Temporary files.
    pub temp: Option<Sum>,
    /// Crash dumps.
    pub dumps: Option<Vec<String>>,
    /// Old logs.
    pub logs: Option<Sum>,
    /// Downloads of Windows Update.
    pub update_cache: Option<Sum>,
    /// Files of people.
    pub user_files: Option<Vec<UserFiles>>,
    /// Machines that Cloudbase-Init remembers.
    pub cloudbase_state: Option<Vec<String>>,
    /// Values by which WSUS knows this machine.
    pub wsus: Option<Vec<String>>,
    /// Folders of an older Windows.
    pub upgrade_folders: Option<Vec<String>>,
    /// The hibernation file is there.
    pub hibernation: Option<bool>,
    /// Lines of the hosts file.
    pub hosts: Option<Vec<String>>,
    /// Programs that keep this machine's identity.
    pub agents: Option<Vec<Agent>>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// A change that is taken back after sysprep.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Undo {
    /// `value`, `listener`, `certificate`, `firewall`, `task`, `folder` or `service`.
    pub kind: String,
    /// Its name, thumbprint or path.
    pub name: String,
}

/// A certificate with its private key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Certificate {
    /// Its SHA-1.
    pub thumbprint: String,
    /// Whose.
    pub subject: String,
}

/// A listener of WinRM.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Listener {
    /// `HTTP` or `HTTPS`.
    pub transport: String,
    /// Where.
    pub port: String,
    /// Its certificate.
    pub thumbprint: String,
}

/// How WinRM lets in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WinRmPolicy {
    /// Basic authentication.
    pub basic: bool,
    /// Without encryption.
    pub unencrypted: bool,
}

/// An answer file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AnswerFileLeft {
    /// Where.
    pub path: String,
    /// It has a password, plain or obscured.
    pub secret: bool,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sum {
    /// Files.
    pub files: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Files of people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UserFiles {
    /// Where.
    pub folder: String,
    /// Files.
    pub files: u64,
    /// Bytes.
    pub bytes: u64,
}

/// A program that keeps this machine's identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Agent {
    /// The program.
    pub name: String,
    /// What shows it.
    pub path: String,
}
