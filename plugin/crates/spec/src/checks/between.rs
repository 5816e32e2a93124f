//! How the builds of one spec get along.

use std::collections::BTreeMap;

use reseal_diag::Diagnostic;

use crate::codes;
use crate::model::{Spec, SpecStep};
use crate::yaml::Document;

/// Complains about what is equal and must not be.
pub(crate) fn between(document: &Document, specs: &[Spec], diagnostics: &mut Vec<Diagnostic>) {
    let mut images: BTreeMap<&str, &Spec> = BTreeMap::new();
    for spec in specs {
        if let Some(other) = images.insert(&spec.image.name, spec) {
            diagnostics.push(same_image(document, other, spec));
        }
        same_names(&spec.software, diagnostics, document);
        same_names(&spec.checks, diagnostics, document);
    }
}

fn same_image(document: &Document, one: &Spec, other: &Spec) -> Diagnostic {
    let names: Vec<String> = other.matrix.keys().map(|name| format!("${{matrix.{name}}}")).collect();
    let message = format!("`{}` and `{}` would make images of the same name", one.name, other.name);
    Diagnostic::error(codes::SAME_IMAGE, message)
        .at(&document.source, document.value_span("/image/name"), "")
        .help(format!(
            "put the matrix into the name: {}",
            crate::template::quoted(names.iter().map(String::as_str))
        ))
}

/// Two steps with the same `name`.
fn same_names(steps: &[SpecStep], diagnostics: &mut Vec<Diagnostic>, document: &Document) {
    let mut seen: BTreeMap<&str, &SpecStep> = BTreeMap::new();
    let named = |step: &&SpecStep| step.origin.file == document.source.name() && step.label != step.step.summary();
    for step in steps.iter().filter(named) {
        let Some(first) = seen.insert(&step.label, step) else {
            continue;
        };
        let place = |step: &SpecStep| document.value_span(&step.origin.route);
        let message = format!("two steps are called `{}`", step.label);
        diagnostics.push(
            Diagnostic::warning(codes::SAME_NAME, message)
                .at(&document.source, place(step), "and this one")
                .related(&document.source, place(first), "this one")
                .help("give them a `name` each, so that logs and reports can be told apart"),
        );
    }
}
