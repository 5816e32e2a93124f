//! The events of a build, their file, and the fold from events to state.
//!
//! What the journal cannot express did not happen: progress, report, resume and cleanup are all functions of the same
//! file. It is an intent log, not a debug log: the guest's output and the ticks of a wait go to observers only.
//!
//! - [`event`]: what can happen, and which event may follow which state.
//! - [`state`]: the fold.
//! - [`file`]: JSON Lines on disk, one directory per build, with a lock.
//! - [`keyring`]: the few secrets that a resume needs, beside the journal, owner-only.
//!
//! This is the only crate below the binary that touches files: its own.

pub mod event;
pub mod file;
pub mod keyring;
pub mod run;
pub mod state;

pub use event::{Entry, Event, FailureRecord, Outcome, StepHead, Unwinding};
pub use file::{Journal, JournalError};
pub use keyring::Keyring;
pub use run::RunDir;
pub use state::{BuildState, StepState};
