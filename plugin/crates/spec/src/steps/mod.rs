//! Steps in map form, with those of other files in place.
//!
//! A step is a mapping with one operation (`install_msi`, `reboot`, …); the fields that every step has (`name`,
//! `timeout`, `retries`, `on_failure`, `when`, `only_if`) stand beside the operation or inside its options.
//! `- use: FILE` stands for the steps of another file.

mod common;
mod expand;
mod parse;
mod slug;
mod used;

pub use reseal_guest::Step;

pub(crate) use expand::{Expander, Frame, Steps};

/// The fields that stand beside `use`.
pub(crate) const USE_FIELDS: [&str; 4] = ["use", "with", "when", "name"];

/// The sections of a file of steps.
pub(crate) const PART_FIELDS: [&str; 3] = ["description", "variables", "steps"];
