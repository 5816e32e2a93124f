//! From a JSON value to a type, with every mistake and its place.
//!
//! Serde stops at the first mistake. [`read`] takes the wrong piece out and tries again, until what is left fits; so
//! one section with five mistakes gives five complaints.

mod mistake;
mod node;
mod repair;
mod report;

pub(crate) use repair::read;
pub(crate) use report::{choice, missing_field, report, unknown_field, wrong_type};
