//! A plan as a document: what would be carried out, with what is known about it.

use std::collections::BTreeMap;

use reseal_engine::Plan;
use reseal_pipeline::facts::Built;
use reseal_pipeline::problem::Problem;
use reseal_spec::model::SkippedStep;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::session::Prepared;

/// One build of a spec, planned.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PlanDocument<'a> {
    /// The spec's name, with its matrix suffix.
    name: &'a str,
    /// Whether the built-in lab answered in place of the cloud.
    offline: bool,
    /// How many restarts of Windows are expected at the most.
    restarts: u32,
    /// The image of an earlier build with the same content: there is nothing to do.
    unchanged: Option<&'a Built>,
    /// What is different from the lock beside the spec, a line each; null without a lock.
    lock_differences: Option<&'a [String]>,
    /// Warnings that only facts of the cloud could bring up.
    problems: &'a [Problem],
    /// The chosen value of each list of the matrix.
    matrix: &'a BTreeMap<String, String>,
    /// The variables that are not sensitive.
    variables: &'a BTreeMap<String, Value>,
    /// Steps that their `when` excludes.
    skipped: &'a [SkippedStep],
    /// The steps.
    plan: &'a Plan,
}

impl<'a> PlanDocument<'a> {
    pub(super) fn of(prepared: &'a Prepared, offline: bool) -> Self {
        let (planned, spec) = (&prepared.planned, &prepared.spec);
        Self {
            name: &planned.plan.name,
            offline,
            restarts: planned.restarts,
            unchanged: planned.unchanged.as_ref(),
            lock_differences: prepared.differences.as_deref(),
            problems: &planned.problems,
            matrix: &spec.matrix,
            variables: &spec.variables,
            skipped: &spec.skipped,
            plan: &planned.plan,
        }
    }
}
