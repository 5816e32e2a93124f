//! What a template has told a component, checked when Packer prepares it and kept until it runs.

use std::sync::{Mutex, PoisonError};

use reseal_packer::{BoxError, Configs, CoreVariables};

use super::Rim;
use super::document::Opened;
use super::order::{Order, Unclear};
use crate::cli::open;

/// An order, and what Packer says with it.
#[derive(Default)]
pub(super) struct Kept(Mutex<Option<(Order, CoreVariables)>>);

impl Kept {
    /// Remembers a checked order.
    pub(super) fn keep(&self, order: Order, core: CoreVariables) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((order, core));
    }

    /// Remembers what is right, and says what is wrong. What is not known yet, Packer asks again when everything is.
    pub(super) fn unless_wrong(
        &self,
        checked: Result<Order, Unclear>,
        core: CoreVariables,
        rim: &Rim,
    ) -> Result<(), BoxError> {
        match checked {
            Ok(order) => self.keep(order, core),
            Err(Unclear::Unknown) => {}
            Err(Unclear::Wrong(errors)) => return Err(rim.scrubber.text(&errors.join("\n\n")).into()),
        }
        Ok(())
    }

    /// What was remembered.
    pub(super) fn get(&self) -> Result<(Order, CoreVariables), BoxError> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        kept.ok_or_else(|| "Packer runs a component that it has not prepared".into())
    }
}

/// Reads the spec that an order means; says its warnings. Nothing is contacted.
pub(super) fn check(order: &Order, configs: &Configs, rim: &Rim) -> Result<Vec<String>, Unclear> {
    let wrong = |why| Unclear::Wrong(vec![why]);
    let opened = Opened::read(order, &configs.core.build_name, rim, open::build_facts()).map_err(wrong)?;
    let (errors, warnings) = opened.complaints();
    if !errors.is_empty() {
        return Err(Unclear::Wrong(errors));
    }
    opened.chosen(order).map_err(wrong)?;
    Ok(warnings)
}
