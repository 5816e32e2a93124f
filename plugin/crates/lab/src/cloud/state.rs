//! What the project has, and what it was given.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::access::Token;
use super::ids::Ids;
use super::mode::Mode;

/// Everything that changes.
pub(crate) struct State {
    pub(crate) ids: Ids,
    /// All tokens ever given out.
    pub(crate) tokens: BTreeMap<String, Token>,
}

impl State {
    /// A project with nothing but its `default` security group.
    pub(crate) fn new(mode: Mode, seed: u64, now: Timestamp) -> Self {
        let _ = (mode, now);
        Self { ids: Ids::new(seed), tokens: BTreeMap::new() }
    }
}
