//! Actions by their registered names.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::action::{Action, ActionError, ErasedAction, FailureClass};

/// Looks actions up by the stable names that plans use.
#[derive(Clone, Default)]
pub struct Registry(BTreeMap<&'static str, Arc<dyn ErasedAction>>);

impl Registry {
    /// Adds an action.
    pub fn add(&mut self, name: &'static str, action: impl Action + 'static) {
        self.0.insert(name, Arc::new(action));
    }

    /// The names of all actions.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    pub(crate) fn get(&self, name: &str) -> Result<&dyn ErasedAction, ActionError> {
        let missing = || {
            ActionError::new(FailureClass::Internal, format!("this version has no action `{name}`"))
                .hint("the plan was made by another version of Reseal; resume with that one, or `reseal cleanup`")
        };
        Ok(self.0.get(name).ok_or_else(missing)?.as_ref())
    }
}
