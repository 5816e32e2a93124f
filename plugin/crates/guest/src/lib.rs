//! The catalogue of things done inside Windows: script, typed options, how to read the answer.
//!
//! Two kinds of things. **Steps** ([`steps`]) are what a spec names under `software:`; their types are what the user
//! writes, their doc comments are what the user reads in the editor. **System operations** ([`system`]) are what a build
//! does by itself: preflight, answer file, sysprep, hygiene, proofs.
//!
//! This crate runs nothing. A [`Call`] says which script to run with which JSON, and the same type reads the JSON that
//! came back. The JSON of every operation is listed in `ops/README.md`; the scripts are in `ops/`.
//!
//! Start reading at [`steps`], then [`call`].

pub mod call;
pub mod catalogue;
pub mod codes;
pub mod detect;
pub mod error;
pub mod exit_codes;
pub mod failure;
pub mod leftovers;
pub mod outcome;
mod parse;
pub mod postmortem;
pub mod preflight;
pub mod promises;
mod rule;
pub mod script;
pub mod source;
pub mod steps;
pub mod sysprep;
pub mod system;
pub mod version;

pub use call::{Call, CallContext, Delivered, Mode, Payload, RunAs};
pub use error::{StepError, StepErrorKind};
pub use failure::StepFailure;
pub use outcome::{Item, ItemState, Outcome};
pub use rule::{Finding, Remedy, Rule, Severity};
pub use script::Script;
pub use source::Source;
pub use steps::{RESERVED_FIELDS, STEP_NAMES, Step, parse_step, reserved_fields, step_schema};
