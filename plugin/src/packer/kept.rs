//! What a template has told a component, checked when Packer prepares it and kept until it runs.

use std::sync::{Mutex, PoisonError};

use reseal_packer::{BoxError, Configs};

use super::Rim;
use super::document::Opened;
use super::order::{Order, Unclear};
use crate::cli::open;

/// What Packer has configured a component with.
#[derive(Default)]
pub(super) struct Kept(Mutex<Option<Configs>>);

impl Kept {
    /// Remembers a configuration that was checked.
    pub(super) fn keep(&self, configs: Configs) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(configs);
    }

    /// Remembers what is right, and says what is wrong. What is not known yet, Packer asks again when everything is.
    pub(super) fn unless_wrong(
        &self,
        checked: Result<Order, Unclear>,
        configs: Configs,
        rim: &Rim,
    ) -> Result<(), BoxError> {
        match checked {
            Ok(_) => self.keep(configs),
            Err(Unclear::Unknown) => {}
            Err(Unclear::Wrong(errors)) => return Err(rim.scrubber.text(&errors.join("\n\n")).into()),
        }
        Ok(())
    }

    /// What was remembered.
    pub(super) fn get(&self) -> Result<Configs, BoxError> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        kept.ok_or_else(|| "Packer runs a component that it has not prepared".into())
    }
}

/// Reads the spec that an order means; says its warnings. Nothing is contacted. From here on nobody sees the values that
/// Packer hides.
pub(super) fn check(order: &Order, configs: &Configs, rim: &Rim) -> Result<Vec<String>, Unclear> {
    configs.core.secrets().for_each(|secret| rim.scrubber.learn(&secret));
    let wrong = |why| Unclear::Wrong(vec![why]);
    let opened = Opened::read(order, &configs.core.build_name, rim, open::build_facts()).map_err(wrong)?;
    let (errors, warnings) = opened.complaints();
    if !errors.is_empty() {
        return Err(Unclear::Wrong(errors));
    }
    opened.chosen(order).map_err(wrong)?;
    Ok(warnings)
}
