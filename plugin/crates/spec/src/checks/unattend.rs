//! The answer file, by its own crate's rules.

use reseal_unattend::{Target, Windows};

use super::Complain;
use crate::model::Spec;

pub(super) fn check(spec: &Spec, complain: &mut Complain<'_>) {
    let target = Target::sysprep(windows(spec));
    for problem in reseal_unattend::check(&spec.unattend, &target) {
        let mut diagnostic = problem.diagnostic;
        if let Some(option) = problem.option {
            let span = complain.document.value_span(&format!("/unattend{option}"));
            diagnostic = diagnostic.at(&complain.document.source, span, "");
        }
        complain.diagnostics.push(diagnostic);
    }
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
