//! A plan: what will be done, in order, as data.

use std::time::Duration;

use reseal_journal::StepHead;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The version of the plan's format.
pub const FORMAT: u32 = 1;

/// A build as a list. A list, not a graph: Windows image builds are a queue, and a list can be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// Format version.
    pub format: u32,
    /// The spec's name, with its matrix suffix.
    pub name: String,
    /// Hash of all steps.
    pub fingerprint: String,
    /// Hash of what decides the image's content, without names that change from day to day; equal contents need not be
    /// built again.
    #[serde(default)]
    pub content: String,
    /// The steps.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Readable and unique, e.g. `guest/03-example-agent`.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// The action's registered name, e.g. `cloud.server`.
    pub action: String,
    /// The action's parameters. Secrets stand in them as `${name}` only.
    pub params: Value,
    /// What becomes of its product.
    pub leaves: Leaves,
    /// How patiently it is run.
    #[serde(default)]
    pub policy: Policy,
    /// Where in the spec it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Hash of action, parameters and the fingerprint before.
    #[serde(default)]
    pub fingerprint: String,
    /// The image is good once this step is done: from here on the build has succeeded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub commits: bool,
}

/// What becomes of a step's product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Leaves {
    /// A check or a wait leaves nothing.
    Nothing,
    /// Undone in any case: key pair, address, server, volume.
    Temporary,
    /// Kept after success, undone after failure: the image.
    Product,
    /// Goes with its container: anything done inside the guest.
    Contained,
}

/// How patiently a step is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Policy {
    /// Attempts after the first.
    #[serde(default)]
    pub retries: u32,
    /// The limit of one attempt, in seconds; actions have their own default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u64>,
    /// Go on with the next step when this one fails.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub continue_on_failure: bool,
}

impl Default for Policy {
    /// One attempt, the action's own limit, abort on failure.
    fn default() -> Self {
        Self {
            retries: 0,
            timeout_seconds: None,
            continue_on_failure: false,
        }
    }
}

impl Policy {
    /// The limit of one attempt.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout_seconds.map(Duration::from_secs)
    }
}

/// A place in the spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// The file.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// JSON pointer, e.g. `/software/3`.
    pub route: String,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl Plan {
    /// Puts the steps together and computes all fingerprints.
    pub fn new(name: impl Into<String>, mut steps: Vec<Step>) -> Self {
        let mut before = String::new();
        for step in &mut steps {
            step.fingerprint = fingerprint(&before, step);
            before.clone_from(&step.fingerprint);
        }
        Self {
            format: FORMAT,
            name: name.into(),
            content: before.clone(),
            fingerprint: before,
            steps,
        }
    }

    /// A step by its id.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// The list that goes into the journal's first event.
    pub fn heads(&self) -> Vec<StepHead> {
        let head = |step: &Step| StepHead {
            id: step.id.clone(),
            title: step.title.clone(),
            fingerprint: step.fingerprint.clone(),
        };
        self.steps.iter().map(head).collect()
    }
}

fn fingerprint(before: &str, step: &Step) -> String {
    let mut hash = Sha256::new();
    for part in [before, &step.action, &step.params.to_string()] {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn step(id: &str, params: Value) -> Step {
        Step {
            id: id.into(),
            title: id.into(),
            action: "a".into(),
            params,
            leaves: Leaves::Nothing,
            policy: Policy::default(),
            origin: None,
            fingerprint: String::new(),
            commits: false,
        }
    }

    #[test]
    fn a_change_shows_in_every_later_fingerprint_and_titles_do_not_count() {
        let first = Plan::new("n", vec![step("1", json!(1)), step("2", json!(2))]);
        let renamed = Plan::new("n", vec![step("one", json!(1)), step("two", json!(2))]);
        assert_eq!(first.fingerprint, renamed.fingerprint);
        let changed = Plan::new("n", vec![step("1", json!(7)), step("2", json!(2))]);
        assert_ne!(first.steps[1].fingerprint, changed.steps[1].fingerprint);
    }
}
