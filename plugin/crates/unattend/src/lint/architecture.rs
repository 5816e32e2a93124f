//! U005: architectures that do not go together, or not with the image.

use std::collections::HashMap;

use super::is_convenience;
use crate::document::{AnswerFile, Part};
use crate::finding::Finding;
use crate::target::{Architecture, Pass, Target};
use crate::xml::{self, name_span, span};

/// Checks components against the image, or, when that is not known, against each other.
pub(super) fn check(file: &AnswerFile<'_, '_>, target: &Target, findings: &mut Vec<Finding>) {
    match target.architecture {
        Some(image) => check_image(file, image, findings),
        None => check_neighbours(file, findings),
    }
    check_wow(file, findings);
}

fn check_image(file: &AnswerFile<'_, '_>, image: Architecture, findings: &mut Vec<Finding>) {
    for part in &file.parts {
        // Windows PE may be a 32-bit one for a 64-bit image.
        let foreign = part.pass != Pass::WindowsPe
            && part
                .architecture
                .is_some_and(|own| own != image && own != Architecture::Wow64);
        if foreign && !has_twin(file, part, image) {
            findings.push(
                Finding::error(
                    "U005",
                    place(part),
                    format!("the component is for {}, and the image is {image}", written(part)),
                )
                .help("Setup does not find the component and leaves its settings out, or stops")
                .suggest(place(part), image.word(), "use the image's architecture"),
            );
        }
    }
}

/// Whether the same component stands in the same pass for another architecture too: a file for both.
fn has_twin(file: &AnswerFile<'_, '_>, part: &Part<'_, '_>, image: Architecture) -> bool {
    file.parts.iter().any(|other| {
        other.pass == part.pass && other.name.eq_ignore_ascii_case(part.name) && other.architecture == Some(image)
    })
}

/// One component of another architecture among its neighbours is a slip; pairs for both are not.
fn check_neighbours(file: &AnswerFile<'_, '_>, findings: &mut Vec<Finding>) {
    for group in [true, false] {
        let parts: Vec<&Part<'_, '_>> = file
            .parts
            .iter()
            .filter(|part| (part.pass == Pass::WindowsPe) == group)
            .filter(|part| part.architecture.is_some_and(|own| own != Architecture::Wow64))
            .collect();
        let Some((common, count)) = most_common(&parts) else {
            continue;
        };
        let odd: Vec<&&Part<'_, '_>> = parts.iter().filter(|part| part.architecture != Some(common)).collect();
        if count < 2 || odd.len() * 2 > count {
            continue;
        }
        for part in odd.into_iter().filter(|part| !has_twin(file, part, common)) {
            let said = format!("this component is for {}, all around it for {common}", written(part));
            let finding = if is_convenience(part.name) {
                Finding::hint("U005", place(part), said)
            } else {
                Finding::warning("U005", place(part), said)
            };
            findings.push(
                finding
                    .help("on an image of the other architecture its settings are left out")
                    .suggest(place(part), common.word(), "use the architecture of the others"),
            );
        }
    }
}

fn most_common(parts: &[&Part<'_, '_>]) -> Option<(Architecture, usize)> {
    let mut counts: HashMap<Architecture, usize> = HashMap::new();
    for architecture in parts.iter().filter_map(|part| part.architecture) {
        *counts.entry(architecture).or_default() += 1;
    }
    counts
        .into_iter()
        .max_by_key(|(architecture, count)| (*count, *architecture))
}

/// `wow64` is the 32-bit half of a 64-bit Windows; a 32-bit one has none.
fn check_wow(file: &AnswerFile<'_, '_>, findings: &mut Vec<Finding>) {
    let has = |wanted| file.parts.iter().any(|part| part.architecture == Some(wanted));
    if !has(Architecture::X86) || has(Architecture::Amd64) || has(Architecture::Arm64) {
        return;
    }
    for part in file
        .parts
        .iter()
        .filter(|part| part.architecture == Some(Architecture::Wow64))
    {
        findings.push(
            Finding::warning("U005", place(part), "`wow64` in a file for 32-bit Windows")
                .help("only 64-bit Windows has such components; here the settings are left out"),
        );
    }
}

fn place(part: &Part<'_, '_>) -> reseal_diag::Span {
    xml::attribute(part.node, "processorArchitecture").map_or(name_span(part.node), |one| span(one.range_value()))
}

fn written(part: &Part<'_, '_>) -> &'static str {
    part.architecture.map_or("another", Architecture::word)
}
