//! Puts steps together, one readable line each.

use reseal_engine::{Leaves, Origin, Policy, Step};
use serde::Serialize;

/// Collects steps.
#[derive(Default)]
pub(super) struct Builder {
    pub(super) steps: Vec<Step>,
}

impl Builder {
    /// Adds a step; the returned reference is for what is unusual about it.
    pub(super) fn add(
        &mut self,
        id: impl Into<String>,
        title: impl Into<String>,
        action: &str,
        leaves: Leaves,
        params: &impl Serialize,
    ) -> &mut Step {
        let index = self.steps.len();
        self.steps.push(Step {
            id: id.into(),
            title: title.into(),
            action: action.to_owned(),
            params: serde_json::to_value(params).unwrap_or_default(),
            leaves,
            policy: Policy::default(),
            origin: None,
            fingerprint: String::new(),
            commits: false,
        });
        &mut self.steps[index]
    }
}

/// The place in the spec, as the engine keeps it.
pub(super) fn origin(origin: &reseal_spec::Origin) -> Origin {
    Origin {
        file: origin.file.clone(),
        line: origin.line,
        column: origin.column,
        route: origin.route.clone(),
    }
}
