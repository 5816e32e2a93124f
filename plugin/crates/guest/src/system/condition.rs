//! A condition that only the guest can answer: `only_if`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Query;
use crate::call::{Call, RunAs};
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

/// A condition looks at something; one that takes longer waits for something that does not come.
const LIMIT: Duration = Duration::from_mins(10);

impl Query for Condition {
    type Answer = ConditionHolds;
    const SCRIPT: Script = script!("condition", "values");

    /// In a task of its own, because only a task has an end that somebody else decides.
    fn call(&self) -> Call {
        Call::detached(Self::SCRIPT, self.input(), RunAs::User, LIMIT)
    }
}
