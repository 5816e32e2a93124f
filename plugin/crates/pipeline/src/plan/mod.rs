//! The plan: a pure function of spec and facts.

mod builder;
mod guest;
pub mod ids;
mod limits;
mod machine;
mod verify;

use reseal_engine::Plan;
use reseal_machine::ImageId;
use reseal_spec::Spec;

use crate::facts::{Facts, LocalFacts};
use crate::problem::Problem;
use builder::Builder;

/// What a plan is, beside its steps: for people and for `plan --json`.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Planned {
    /// The steps.
    pub plan: Plan,
    /// Warnings.
    pub problems: Vec<Problem>,
    /// How many restarts are expected at the most.
    pub restarts: u32,
    /// Set when the newest image of this spec has the same content.
    pub unchanged: Option<crate::facts::Built>,
}

impl Planned {
    /// Gives the steps that have no place of their own the place of their section, where `place` knows it.
    pub fn place(&mut self, place: impl Fn(&str) -> Option<reseal_spec::Origin>) {
        for step in self.plan.steps.iter_mut().filter(|step| step.origin.is_none()) {
            let section = ids::section(&step.id).and_then(&place);
            step.origin = section.as_ref().map(builder::origin);
        }
    }
}

/// What the caller decides.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// Build although the image exists; replace one of the same name.
    pub force: bool,
    /// Hash of what decides the image's content; see [`content`].
    pub content: String,
    /// The runner's addresses in CIDR form, for the security group, when the spec names none.
    pub runner: Vec<String>,
    /// Whether others work in the guest too: the provisioners of a Packer template.
    pub provisioners: bool,
}

/// Makes the plan, or says why there is none: everything that is wrong at once.
///
/// # Errors
/// The problems, errors and warnings together, when one of them is an error.
pub fn plan(spec: &Spec, facts: &Facts, choices: &Choices) -> Result<Planned, Vec<Problem>> {
    let problems = limits::check(spec, facts, choices);
    if problems.iter().any(|problem| !problem.warning) {
        return Err(problems);
    }
    let mut plan = Plan::new(spec.name.clone(), steps(spec, facts, choices));
    // What others do is not known here: such an image is never the same as one without them, nor as another with them.
    plan.content = if choices.provisioners {
        format!("provisioned-{}", choices.content)
    } else {
        choices.content.clone()
    };
    let newest = facts.newest.clone();
    let unchanged =
        newest.filter(|built| !choices.force && !choices.content.is_empty() && built.fingerprint == choices.content);
    Ok(Planned {
        restarts: guest::restarts(spec),
        unchanged,
        plan,
        problems,
    })
}

/// A part of a spec that can be done in a machine that somebody else has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// `files` and `software`.
    Software,
    /// `unattend`, `cloudbase_init` and `generalize`; the machine stays up.
    Generalize,
}

/// Plans one part of a spec for a machine that somebody else has made and connected.
pub fn visit(spec: &Spec, local: &LocalFacts, part: Part) -> Plan {
    let mut builder = Builder::default();
    guest::visit(&mut builder, spec, local, part);
    Plan::new(spec.name.clone(), builder.steps)
}

/// Plans the proof of an image that is there.
///
/// # Errors
/// What the cloud's limits forbid.
pub fn proof(spec: &Spec, facts: &Facts, choices: &Choices, image: &ImageId) -> Result<Plan, Vec<Problem>> {
    let problems = limits::check(spec, facts, choices);
    if problems.iter().any(|problem| !problem.warning) {
        return Err(problems);
    }
    let mut builder = Builder::default();
    machine::keys(&mut builder, spec, choices);
    verify::prove_image(&mut builder, spec, facts, image);
    Ok(Plan::new(spec.name.clone(), builder.steps))
}

/// The hash of what decides an image's content. `spec` must have been loaded with fixed build facts (date, id), or the
/// hash would change from day to day.
pub fn content(spec: &Spec, facts: &Facts) -> String {
    let mut spec = spec.clone();
    // How the image is called and who may use it does not change what is in it.
    spec.image.name.clear();
    spec.image.alias = None;
    Plan::new("", steps(&spec, facts, &Choices::default())).fingerprint
}

fn steps(spec: &Spec, facts: &Facts, choices: &Choices) -> Vec<reseal_engine::Step> {
    let mut builder = Builder::default();
    machine::start(&mut builder, spec, facts, choices);
    guest::prepare(&mut builder, spec, &facts.files, choices);
    machine::capture(&mut builder, spec, facts);
    if spec.verify.boot {
        verify::prove(&mut builder, spec, facts);
    }
    machine::publish(&mut builder, spec, facts, choices);
    builder.steps
}
