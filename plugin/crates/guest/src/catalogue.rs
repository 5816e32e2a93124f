//! All scripts in one list, for whoever checks or imitates them.

use crate::script::Script;
use crate::steps::STEP_SCRIPTS;
use crate::system::SYSTEM_SCRIPTS;

/// Every operation's script, steps first. `reboot` has none of its own.
pub fn scripts() -> Vec<Script> {
    STEP_SCRIPTS.iter().chain(SYSTEM_SCRIPTS).copied().collect()
}
