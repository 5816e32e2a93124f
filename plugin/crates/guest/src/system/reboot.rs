//! Does Windows want a restart, and asking for one.

use serde::{Deserialize, Serialize};

use super::Query;
use crate::script::{Script, script};

/// Reads all signals of a pending restart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PendingReboot {}

/// What asks for a restart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Signals that must be obeyed before sysprep.
    #[serde(default)]
    pub hard: Vec<Signal>,
    /// Signals that some programs leave for ever.
    #[serde(default)]
    pub soft: Vec<Signal>,
    /// Servicing processes at work.
    #[serde(default)]
    pub busy: Vec<String>,
    /// Windows Installer is at work.
    #[serde(default)]
    pub msi_mutex: bool,
}

/// One sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// Its name, e.g. `cbs_reboot_pending`.
    pub signal: String,
    /// What was seen.
    #[serde(default)]
    pub detail: String,
}

impl Query for PendingReboot {
    type Answer = Pending;
    const SCRIPT: Script = script!("pending_reboot", "values", "pending");
}

/// Asks Windows to restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RebootRequest {
    /// Why, for the event log; ASCII.
    pub reason: String,
    /// Seconds until it begins, so that this answer still gets out.
    pub delay_seconds: u32,
}

/// What `shutdown.exe` said.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RebootRequested {
    /// Its exit code.
    pub code: u32,
    /// `requested`, or `in_progress` when Windows is going down already.
    pub state: String,
}

impl Query for RebootRequest {
    type Answer = RebootRequested;
    const SCRIPT: Script = script!("reboot_request", "values");
}
