//! The answer file, by its own crate's rules.

use reseal_diag::Span;
use reseal_unattend::{Target, Windows};

use super::Complain;
use crate::model::Spec;
use crate::route;
use crate::yaml::Document;

pub(super) fn check(spec: &Spec, complain: &mut Complain<'_>) {
    let target = Target::sysprep(windows(spec));
    for problem in reseal_unattend::check(&spec.unattend, &target) {
        let mut diagnostic = problem.diagnostic;
        if let Some(option) = problem.option {
            let span = span(complain.document, &format!("/unattend{option}"), &diagnostic.message);
            diagnostic = diagnostic.at(&complain.document.source, span, "");
        }
        complain.diagnostics.push(diagnostic);
    }
}

/// The value when the message quotes it, else the nearest key around it that the message names, else the value.
fn span(document: &Document, at: &str, message: &str) -> Span {
    let value = document.value_span(at);
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let written = document.source.slice(value).trim_matches(['"', '\'']);
    if quoted.contains(&written) {
        return value;
    }
    let mut route = Some(at);
    while let Some(here) = route {
        if document.place(here).is_some() && quoted.contains(&route::last(here).as_str()) {
            return document.key_span(here);
        }
        route = route::parent(here);
    }
    value
}

/// Which Windows it is, as far as the spec tells: by the image's `os_version`, else by the base image's name.
fn windows(spec: &Spec) -> Option<Windows> {
    let version = spec
        .image
        .properties
        .get("os_version")
        .map(String::as_str)
        .unwrap_or_default();
    let name = spec.base.image.name.as_deref().unwrap_or_default();
    [version, name].into_iter().find_map(|text| {
        [
            ("2016", Windows::Server2016),
            ("2019", Windows::Server2019),
            ("2022", Windows::Server2022),
            ("2025", Windows::Server2025),
        ]
        .into_iter()
        .find(|(year, _)| text.contains(year))
        .map(|(_, windows)| windows)
    })
}
