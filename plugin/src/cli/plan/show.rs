//! A plan as a table.

use reseal_engine::plan::Leaves;
use reseal_engine::{Plan, Step};
use reseal_spec::Spec;
use reseal_spec::model::{Origin, SkippedStep};

use crate::console::plural;
use crate::console::table::Table;
use crate::console::text::cut;
use crate::session::Prepared;

/// Titles are cut to this width.
const TITLE: usize = 60;

/// The table, with what matters around it.
pub(super) fn lines(prepared: &Prepared, offline: bool) -> Vec<String> {
    let plan = &prepared.planned.plan;
    let with = if offline {
        " (with the lab's answers, not the cloud's)"
    } else {
        ""
    };
    let mut lines = vec![
        format!("{}: {}{with}", plan.name, plural(plan.steps.len(), "step")),
        String::new(),
    ];
    let mut table = Table::with_head(&["", "step", "what", "line"]);
    for step in &plan.steps {
        let origin = step.origin.as_ref();
        let origin = origin.map(|origin| format!("{}:{}", origin.file, origin.line));
        table.row(vec![
            sign(step).to_owned(),
            step.id.clone(),
            cut(&step.title, TITLE),
            origin.unwrap_or_default(),
        ]);
    }
    lines.extend(table.lines());
    lines.extend(prepared.spec.skipped.iter().map(skipped));
    lines.push(String::new());
    lines.push("+ stays, ~ is created and removed again".to_owned());
    lines.extend(chosen(&prepared.spec));
    lines.push(format!("restarts     {} at the most", prepared.planned.restarts));
    lines.push(format!("creates      image `{}`", prepared.spec.image.name));
    lines.push(format!("for a while  {}", titles(plan, Leaves::Temporary)));
    lines.push(format!("content      {}", plan.content));
    lines.extend(lock(prepared.differences.as_deref()));
    lines.push(match &prepared.planned.unchanged {
        Some(built) => format!(
            "unchanged    since image `{}` ({}): nothing to do",
            built.name, built.id
        ),
        None => "unchanged    no: there is something to do".to_owned(),
    });
    lines
}

/// A step that its condition excludes, in the words of the spec.
fn skipped(step: &SkippedStep) -> String {
    let Origin { file, line, .. } = &step.origin;
    format!(
        "left out     {} `{}`: `when: {}` is false ({file}:{line})",
        step.id_slug, step.label, step.when
    )
}

/// What this build was made for: its values of the matrix, and the variables that anybody may see.
fn chosen(spec: &Spec) -> Vec<String> {
    let matrix = spec.matrix.iter().map(|(name, value)| format!("{name}={value}"));
    let matrix: Vec<String> = matrix.collect();
    let variables = spec.variables.iter().map(|(name, value)| format!("{name}={value}"));
    let variables: Vec<String> = variables.collect();
    let line =
        |what: &str, values: &[String]| (!values.is_empty()).then(|| format!("{what:<12} {}", values.join(", ")));
    line("matrix", &matrix)
        .into_iter()
        .chain(line("variables", &variables))
        .collect()
}

fn lock(differences: Option<&[String]>) -> Vec<String> {
    match differences {
        None => vec!["lock         none yet".to_owned()],
        Some([]) => vec!["lock         the same".to_owned()],
        Some(lines) => lines.iter().map(|line| format!("lock         {line}")).collect(),
    }
}

fn sign(step: &Step) -> &'static str {
    match step.leaves {
        Leaves::Product => "+",
        Leaves::Temporary => "~",
        Leaves::Nothing | Leaves::Contained => "",
    }
}

fn titles(plan: &Plan, leaves: Leaves) -> String {
    let steps = plan.steps.iter().filter(|step| step.leaves == leaves);
    let ids: Vec<&str> = steps.map(|step| step.id.as_str()).collect();
    if ids.is_empty() {
        "nothing".to_owned()
    } else {
        ids.join(", ")
    }
}
