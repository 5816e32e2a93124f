//! Who watches: the console, the log, Packer's Ui.

use std::time::Duration;

use reseal_journal::Entry;
use reseal_machine::communicator::Stream;
use serde::Serialize;

/// Something worth showing that is not worth journalling.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "signal", rename_all = "snake_case")]
pub enum Signal {
    /// A sentence about the step.
    Note {
        /// The step's id.
        step: String,
        /// The sentence.
        text: String,
    },
    /// Something that a person should look at, though the build goes on.
    Warning {
        /// The step's id.
        step: String,
        /// The sentence.
        text: String,
    },
    /// A wait goes on.
    Waiting {
        /// The step's id.
        step: String,
        /// The wait's name.
        what: String,
        /// What was seen at the last look.
        seen: String,
        /// How long it has lasted.
        elapsed: Duration,
        /// How long it may last.
        limit: Duration,
    },
    /// A transfer goes on.
    Progress {
        /// The step's id.
        step: String,
        /// What is being moved.
        what: String,
        /// Bytes so far.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// The guest said something.
    Output {
        /// The step's id.
        step: String,
        /// Which pipe.
        stream: Stream,
        /// The text.
        text: String,
    },
}

/// Sees everything that happens. Called from the engine's task; must be quick.
pub trait Observer: Send + Sync {
    /// Something was journalled.
    fn event(&self, entry: &Entry);
    /// Something else happened.
    fn signal(&self, signal: &Signal);
}

/// Looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Observer for Nobody {
    fn event(&self, _entry: &Entry) {}
    fn signal(&self, _signal: &Signal) {}
}
