//! A condition that only the guest can answer: `only_if`.

use serde::{Deserialize, Serialize};

use super::Query;
use crate::script::{Script, script};

/// Asks whether a PowerShell condition holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// PowerShell whose last output is true or false. May hold `${name}` of sensitive variables until it is revealed.
    pub script: String,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct ConditionHolds {
    /// It holds.
    pub value: bool,
}

impl Query for Condition {
    type Answer = ConditionHolds;
    const SCRIPT: Script = script!("condition", "values");
}
