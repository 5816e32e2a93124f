//! A complaint about a spec that only facts of the cloud could bring up.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whose fault it is; it decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// The spec asks for what this kind of cloud never allows.
    Spec,
    /// The cloud does not have what the spec asks for, or has too little of it.
    Cloud,
}

/// One complaint, with its place in the spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Problem {
    /// Whose fault.
    pub kind: ProblemKind,
    /// A stable code that `explain` knows.
    pub code: &'static str,
    /// JSON pointer in the spec.
    pub route: String,
    /// What is wrong, a lower-case fragment.
    pub message: String,
    /// What to do.
    pub help: Vec<String>,
    /// True when the plan can go on in spite of it.
    pub warning: bool,
}

impl Problem {
    /// A complaint that stops the plan.
    pub fn new(kind: ProblemKind, route: &str, message: impl Into<String>) -> Self {
        let code = match kind {
            ProblemKind::Spec => "plan::limit",
            ProblemKind::Cloud => "plan::not-there",
        };
        Self {
            kind,
            code,
            route: route.to_owned(),
            message: message.into(),
            help: vec![],
            warning: false,
        }
    }

    /// Gives it another code.
    #[must_use]
    pub fn code(mut self, code: &'static str) -> Self {
        self.code = code;
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: String) -> Self {
        self.help.push(help);
        self
    }

    /// Only warns.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.warning = true;
        self
    }

    /// Adds the names that are near to the wanted one, or a few of all.
    #[must_use]
    pub fn near(self, wanted: &str, names: &[&str]) -> Self {
        let lower = wanted.to_lowercase();
        let mut near: Vec<&&str> = names
            .iter()
            .filter(|name| share(&lower, &name.to_lowercase()) * 2 >= lower.len())
            .collect();
        near.sort_by_key(|name| std::cmp::Reverse(share(&lower, &name.to_lowercase())));
        let shown: Vec<String> = if near.is_empty() {
            names.iter().take(6).map(|name| format!("`{name}`")).collect()
        } else {
            near.iter().take(4).map(|name| format!("`{name}`")).collect()
        };
        if shown.is_empty() {
            self
        } else {
            self.help(format!("there are {}", shown.join(", ")))
        }
    }
}

/// How many leading characters two names share.
fn share(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count()
}
