//! U016: a first boot that would stop and wait for somebody.

use crate::catalogue::is_true;
use crate::document::AnswerFile;
use crate::finding::Finding;
use crate::placeholder::is_template;
use crate::target::{Context, Pass, Target, Windows};
use crate::xml::name_span;

const SHELL: &str = "Microsoft-Windows-Shell-Setup";
const INTERNATIONAL: &str = "Microsoft-Windows-International-Core";

/// Checks whether all that the first boot asks for is answered.
pub(super) fn check(file: &AnswerFile<'_, '_>, target: &Target, findings: &mut Vec<Finding>) {
    if target.context == Context::Offline || stays_in_audit_mode(file) {
        return;
    }
    let skips = says_true(file, "OOBE/SkipMachineOOBE");
    if !skips {
        check_password_page(file, target, findings);
        check_licence_page(file, target, findings);
        check_language_page(file, target, findings);
    }
}

/// The file sends the machine to audit mode, where none of this is asked.
fn stays_in_audit_mode(file: &AnswerFile<'_, '_>) -> bool {
    file.text(Pass::OobeSystem, "Microsoft-Windows-Deployment", "Reseal/Mode")
        .is_some_and(|mode| mode.eq_ignore_ascii_case("Audit"))
}

fn says_true(file: &AnswerFile<'_, '_>, path: &str) -> bool {
    file.text(Pass::OobeSystem, SHELL, path)
        .is_some_and(|text| is_true(&text) || is_template(&text))
}

/// The `OOBE` element, or its component: where a missing page setting would stand.
fn place(file: &AnswerFile<'_, '_>) -> Option<reseal_diag::Span> {
    let oobe = file
        .at(Pass::OobeSystem, SHELL, "OOBE")
        .next()
        .map(|entry| name_span(entry.node));
    oobe.or_else(|| file.part(Pass::OobeSystem, SHELL).map(|part| name_span(part.node)))
}

fn is_server(file: &AnswerFile<'_, '_>, target: &Target) -> bool {
    match target.windows {
        Some(windows) => windows.is_server(),
        None => ["Microsoft-Windows-ServerManager-SvrMgrNc", "Microsoft-Windows-IE-ESC"]
            .iter()
            .any(|name| file.part(Pass::Specialize, name).is_some()),
    }
}

/// A server without a password shows "Customize settings" until somebody types one.
fn check_password_page(file: &AnswerFile<'_, '_>, target: &Target, findings: &mut Vec<Finding>) {
    let Some(place) = place(file) else { return };
    let given = file
        .at(Pass::OobeSystem, SHELL, "UserAccounts/AdministratorPassword")
        .next()
        .is_some()
        || says_true(file, "OOBE/HideLocalAccountScreen");
    if given || !is_server(file, target) {
        return;
    }
    let said = "a server stops here and asks for the Administrator's password";
    let finding = match target.windows {
        Some(_) => Finding::warning("U016", place, said),
        None => Finding::hint("U016", place, said),
    };
    findings.push(finding.help("set `HideLocalAccountScreen` to `true`, or give `UserAccounts/AdministratorPassword`"));
}

fn check_licence_page(file: &AnswerFile<'_, '_>, target: &Target, findings: &mut Vec<Finding>) {
    let Some(oobe) = file.at(Pass::OobeSystem, SHELL, "OOBE").next() else {
        return;
    };
    if says_true(file, "OOBE/HideEULAPage") {
        return;
    }
    let said = "the first boot stops at the licence terms";
    let place = name_span(oobe.node);
    let finding = if target.context == Context::Sysprep {
        Finding::warning("U016", place, said)
    } else {
        Finding::hint("U016", place, said)
    };
    findings.push(finding.help("set `HideEULAPage` to `true`"));
}

/// Language and region are asked for unless all four are given in this pass.
fn check_language_page(file: &AnswerFile<'_, '_>, target: &Target, findings: &mut Vec<Finding>) {
    let Some(shell) = place(file) else { return };
    let names = ["InputLocale", "SystemLocale", "UILanguage", "UserLocale"];
    let has = |name: &&str| file.at(Pass::OobeSystem, INTERNATIONAL, name).next().is_some();
    let missing: Vec<&str> = names.iter().copied().filter(|name| !has(name)).collect();
    let part = file.part(Pass::OobeSystem, INTERNATIONAL);
    let client = target
        .windows
        .is_none_or(|one| matches!(one, Windows::Windows10 | Windows::Windows11));
    let finding = match (missing.as_slice(), part) {
        ([], _) => return,
        (_, Some(part)) if target.context == Context::Sysprep => Finding::warning(
            "U016",
            name_span(part.node),
            format!("{} is missing, so Windows asks for it", missing.join(", ")),
        ),
        (_, Some(part)) => Finding::hint(
            "U016",
            name_span(part.node),
            format!("{} is missing, so Windows may ask for it", missing.join(", ")),
        ),
        (_, None) if target.context == Context::Sysprep || !client => Finding::hint(
            "U016",
            shell,
            "language and region are not given, so Windows may ask for them",
        ),
        (_, None) => return,
    };
    findings.push(finding.help(format!("give all four in {INTERNATIONAL}, pass oobeSystem")));
}
