//! U015 and U019: settings that do not belong into an image from which many machines are made.

use crate::catalogue::is_true;
use crate::document::AnswerFile;
use crate::finding::Finding;
use crate::target::{Context, Pass, Target};
use crate::xml::{self, name_span, text_span};

/// Checks what a golden image should not hold. Everything here works, so nothing is more than a hint.
pub(super) fn check(file: &AnswerFile<'_, '_>, target: &Target, findings: &mut Vec<Finding>) {
    check_risks(file, findings);
    if target.context == Context::Sysprep {
        check_belongings(file, findings);
    }
}

/// Component, path, the value that is doubtful, what is said, what to do.
type Risk = (&'static str, &'static str, &'static str, &'static str, &'static str);

const RISKS: &[Risk] = &[
    (
        "Microsoft-Windows-Shell-Setup",
        "CopyProfile",
        "true",
        "`CopyProfile` copies the Administrator's profile to all users",
        "it fails when another profile confuses it; set it only when it is needed",
    ),
    (
        "Microsoft-Windows-Shell-Setup",
        "OOBE/UnattendEnableRetailDemo",
        "true",
        "the machine becomes a shop's demonstration model",
        "leave it out of images",
    ),
    (
        "Microsoft-Windows-Security-SPP",
        "SkipRearm",
        "1",
        "all machines of the image keep one client id, and KMS counts them as one",
        "leave it out of the last generalize",
    ),
    (
        "Microsoft-Windows-LUA-Settings",
        "EnableLUA",
        "false",
        "user account control is off; Store programs do not start then",
        "leave it on",
    ),
];

fn check_risks(file: &AnswerFile<'_, '_>, findings: &mut Vec<Finding>) {
    for (component, path, value, said, help) in RISKS {
        for entry in file.everywhere(component, path) {
            let text = xml::text(entry.node);
            let meant = if *value == "true" {
                is_true(&text)
            } else {
                text.trim().eq_ignore_ascii_case(value)
            };
            if meant {
                findings.push(Finding::hint("U015", text_span(entry.node), *said).help(*help));
            }
        }
    }
}

/// Components, and why they belong to one machine rather than to an image.
const BELONGINGS: &[(&str, &str)] = &[
    (
        "Microsoft-Windows-UnattendedJoin",
        "every machine of the image joins a domain or workgroup by itself",
    ),
    (
        "Microsoft-Windows-TCPIP",
        "every machine of the image gets the same network settings",
    ),
    (
        "Microsoft-Windows-DNS-Client",
        "every machine of the image gets the same DNS settings",
    ),
];

fn check_belongings(file: &AnswerFile<'_, '_>, findings: &mut Vec<Finding>) {
    for (component, said) in BELONGINGS {
        if let Some(part) = file.part(Pass::Specialize, component) {
            let place =
                xml::attribute(part.node, "name").map_or(name_span(part.node), |name| xml::span(name.range_value()));
            findings
                .push(Finding::hint("U019", place, *said).help("leave this to the cloud's agent or to the deployment"));
        }
    }
}
