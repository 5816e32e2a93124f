//! Says what Windows Setup would make of an answer file.
//!
//! A file that is not well-formed is read as far as it can be repaired in thought, so that one slip does not hide the
//! others. An error is what Setup refuses or surely ignores, a warning what is most likely not meant, and a hint
//! (note) what works but is good to know: a file that is in use and works has hints at most.

mod accounts;
mod addresses;
mod architecture;
mod commands;
mod disks;
mod exclusive;
mod frame;
mod image;
mod lists;
mod locale;
mod names;
mod oobe;
mod parse;
mod passwords;
mod slips;
mod tags;
mod template;
mod tree;

pub(crate) use accounts::account_fault;
pub(crate) use frame::TOKEN;
pub(crate) use names::name_fault;
use reseal_diag::{Severity, SourceText};

use crate::document::AnswerFile;
use crate::finding::Finding;
use crate::target::{Context, Pass, Target};

/// Checks an answer file; the findings come in the order of the text.
pub fn lint(source: &SourceText, target: &Target) -> Vec<Finding> {
    lint_text(source.text(), target)
}

/// As [`lint`], for a text without a name.
pub fn lint_text(text: &str, target: &Target) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(mended) = parse::check(text, &mut findings) {
        let mut inner = Vec::new();
        if let Ok(document) = roxmltree::Document::parse(&mended.text) {
            check_document(&document, target, &mut inner);
        }
        findings.extend(inner.into_iter().map(|mut finding| {
            mended.move_back(&mut finding);
            finding
        }));
    }
    findings.sort_by_key(|finding| (finding.span, finding.severity, finding.code));
    findings.dedup();
    findings
}

/// Whether any finding is an error.
pub fn has_errors(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Error)
}

/// Components that make a machine nicer and on which nothing depends. Makers of files put them into passes and
/// architectures where they are not read, and nobody notices.
pub(super) fn is_convenience(component: &str) -> bool {
    [
        "Microsoft-Windows-EnhancedStorage-Adm",
        "Microsoft-Windows-IE-InternetExplorer",
        "Microsoft-Windows-OutOfBoxExperience",
        "Microsoft-Windows-SQMAPI",
    ]
    .iter()
    .any(|one| one.eq_ignore_ascii_case(component))
}

fn check_document(document: &roxmltree::Document<'_>, target: &Target, findings: &mut Vec<Finding>) {
    if frame::check_root(document.root_element(), findings) {
        let file = AnswerFile::read(document);
        check(&file, &resolve(&file, target), findings);
    }
}

fn check(file: &AnswerFile<'_, '_>, target: &Target, findings: &mut Vec<Finding>) {
    frame::check(file, target, findings);
    architecture::check(file, target, findings);
    tree::check(file, target, findings);
    lists::check(file, findings);
    names::check(file, target, findings);
    locale::check(file, findings);
    passwords::check(file, findings);
    accounts::check(file, findings);
    addresses::check(file, findings);
    exclusive::check(file, findings);
    commands::check(file, findings);
    disks::check(file, findings);
    oobe::check(file, target, findings);
    image::check(file, target, findings);
}

/// A file with a windowsPE pass is for an installation from media; nothing else tells a context.
fn resolve(file: &AnswerFile<'_, '_>, target: &Target) -> Target {
    let mut target = *target;
    if target.context == Context::Auto && file.has_pass(Pass::WindowsPe) {
        target.context = Context::Setup;
    }
    target
}
