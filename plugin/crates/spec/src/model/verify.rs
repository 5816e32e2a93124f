//! `verify:` — the proof that the image starts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::file::StepMap;
use super::units::Limit;

/// How the image is proved before it gets its name: a second machine is started from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Verify {
    /// Start a machine from the image and watch its first boot.
    pub boot: bool,
    /// Name or id of the flavour of that machine. Without it the build machine's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flavor: Option<String>,
    /// How long the first boot and all checks may take, for example `30m`.
    pub timeout: Limit,
    /// Steps that must succeed in that machine, written as in `software`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<StepMap>,
}

impl Default for Verify {
    fn default() -> Self {
        Self {
            boot: false,
            flavor: None,
            timeout: Limit::minutes(30),
            checks: Vec::new(),
        }
    }
}
