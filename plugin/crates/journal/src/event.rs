//! What can happen to a build.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of the journal's format. Readers refuse newer ones.
pub const FORMAT: u32 = 1;

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Format version of this line.
    pub v: u32,
    /// Position, from 0, without gaps.
    pub seq: u64,
    /// When it was written.
    pub time: Timestamp,
    /// What happened.
    pub event: Event,
}

/// What happened. Free of secrets: everything in it may be attached to a support ticket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// The first event: the build and the list of all its steps.
    BuildStarted {
        /// The build's id.
        build: String,
        /// The spec's name (with its matrix suffix).
        name: String,
        /// The plan's fingerprint.
        fingerprint: String,
        /// The version of the tool that wrote this.
        tool: String,
        /// All steps, in order.
        steps: Vec<StepHead>,
    },
    /// Another process goes on with the build.
    BuildResumed {
        /// The version of the tool.
        tool: String,
    },
    /// About to act. After a crash this means: perhaps it happened.
    StepStarted {
        /// The step's id.
        step: String,
        /// From 1.
        attempt: u32,
    },
    /// It happened.
    StepSucceeded {
        /// The step's id.
        step: String,
        /// What later steps need of it.
        output: Value,
    },
    /// It was not needed.
    StepSkipped {
        /// The step's id.
        step: String,
        /// Why not.
        reason: String,
    },
    /// It did not happen, or not wholly.
    StepFailed {
        /// The step's id.
        step: String,
        /// Which attempt.
        attempt: u32,
        /// Why.
        failure: FailureRecord,
        /// What follows: another attempt, the next step in spite of it, or the end.
        then: AfterFailure,
    },
    /// The image is active and verified: from here on the build has succeeded whatever happens to the tidying.
    Committed,
    /// Taking back what must not stay.
    UnwindStarted {
        /// After what.
        after: Unwinding,
    },
    /// About to take a step back.
    UndoStarted {
        /// The step's id.
        step: String,
    },
    /// Taken back.
    UndoSucceeded {
        /// The step's id.
        step: String,
    },
    /// Could not be taken back; the build is stuck until somebody tries again.
    UndoFailed {
        /// The step's id.
        step: String,
        /// Why.
        failure: FailureRecord,
    },
    /// Everything is kept as it is for somebody to look; `resume` or `cleanup` goes on.
    BuildHeld {
        /// Why.
        reason: String,
    },
    /// The last event.
    BuildClosed {
        /// How it ended.
        outcome: Outcome,
    },
}

/// A step as the first event lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepHead {
    /// Its id, e.g. `guest/03-example-agent`.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// Hash of action, parameters and everything before.
    pub fingerprint: String,
}

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AfterFailure {
    /// Another attempt.
    Retry,
    /// The next step; the spec says `on_failure: continue`.
    Continue,
    /// The build fails.
    Abort,
}

/// What is being taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unwinding {
    /// Temporary things after a good build.
    Success,
    /// Everything after a failed one.
    Failure,
    /// Everything, because a person asked for it.
    Cleanup,
}

/// How a build ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The image is there and nothing else.
    Succeeded,
    /// Nothing is there.
    Failed,
    /// A person had it cleaned up.
    CleanedUp,
}

/// Why something failed, as data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailureRecord {
    /// The class that decides the exit code, e.g. `install`.
    pub class: String,
    /// What failed, a lower-case fragment.
    pub message: String,
    /// The causes below, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// What the guest or the cloud said, line by line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<String>,
    /// What a person can do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
}
