//! What is reachable, layer by layer, and which layer fails.

use crate::OpenStackConfig;

/// One layer's verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The layer, e.g. `authentication`.
    pub name: String,
    /// Whether it works.
    pub ok: bool,
    /// What was seen.
    pub detail: String,
    /// What a person can do about it.
    pub hint: Option<String>,
}

/// Looks from the network upwards and stops where nothing above can work.
pub async fn check(_config: OpenStackConfig) -> Vec<Check> {
    Vec::new()
}
