//! U010, U011 and U026: computer names, time zones and product keys.

use crate::catalogue::{ZoneName, find_zone, guess_zone, kms_owner, short, zones_at_offset_of};
use crate::document::{AnswerFile, Entry};
use crate::finding::Finding;
use crate::placeholder::is_template;
use crate::target::{Context, Pass, Target};
use crate::xml::{self, text_span};

const SHELL: &str = "Microsoft-Windows-Shell-Setup";

/// Checks names, zones and keys.
pub(super) fn check(file: &AnswerFile<'_, '_>, target: &Target, findings: &mut Vec<Finding>) {
    for entry in file.everywhere(SHELL, "ComputerName") {
        check_name(&entry, target, findings);
    }
    for entry in file.everywhere("Microsoft-Windows-Deployment", "AuditComputerName/Name") {
        check_name(
            &entry,
            &Target {
                context: Context::Auto,
                ..*target
            },
            findings,
        );
    }
    for entry in file.everywhere(SHELL, "TimeZone") {
        findings.extend(check_zone(&entry));
    }
    for entry in file.everywhere(SHELL, "ProductKey") {
        findings.extend(check_key(&entry, target));
    }
}

fn check_name(entry: &Entry<'_, '_>, target: &Target, findings: &mut Vec<Finding>) {
    let text = xml::text(entry.node);
    let name = text.trim();
    if name.is_empty() || name == "*" || is_template(name) {
        return;
    }
    let place = text_span(entry.node);
    if let Some(fault) = name_fault(name) {
        findings.push(
            Finding::error(
                "U010",
                place,
                format!("`{}` is not a computer name: {fault}", short(name)),
            )
            .help("use letters, digits and hyphens, 15 at most; or `*` for a random name"),
        );
    } else if target.context == Context::Sysprep && entry.pass == Pass::Specialize {
        findings.push(
            Finding::hint(
                "U010",
                place,
                "all machines made of this image get the same name at first",
            )
            .help("write `*`, and let the cloud's agent set the name"),
        );
    }
}

/// What Windows has against a computer name. Its length is a matter of the setting's value.
pub(crate) fn name_fault(name: &str) -> Option<String> {
    const REFUSED: &str = "{|}~[\\]^':;<=>?@!\"#$%()+/.,*&`";
    if let Some(bad) = name.chars().find(|c| c.is_whitespace() || REFUSED.contains(*c)) {
        let shown = if bad.is_whitespace() {
            "a blank".to_owned()
        } else {
            format!("`{bad}`")
        };
        return Some(format!("{shown} is not allowed"));
    }
    name.chars()
        .all(|c| c.is_ascii_digit())
        .then(|| "it has digits only".to_owned())
}

fn check_zone(entry: &Entry<'_, '_>) -> Option<Finding> {
    let text = xml::text(entry.node);
    let name = text.trim();
    if name.is_empty() || is_template(name) {
        return None;
    }
    let place = text_span(entry.node);
    let said = match find_zone(name) {
        Some(ZoneName::Id(_)) => return None,
        Some(ZoneName::Iana(zone)) => {
            let finding = Finding::error(
                "U011",
                place,
                format!("`{name}` is an IANA name, which Windows does not know"),
            );
            return Some(finding.fix(place, zone.id, "use Windows' id for it"));
        }
        None => Finding::error("U011", place, format!("there is no time zone `{}`", short(name)))
            .help("Setup wants the id that `tzutil /l` shows, not the name in the Control Panel; others it leaves out"),
    };
    if let Some(zone) = guess_zone(name) {
        return Some(said.suggest(place, zone.id, format!("did you mean `{}`?", zone.id)));
    }
    let there = zones_at_offset_of(name);
    if there.is_empty() {
        return Some(said);
    }
    Some(said.help(format!("as far from UTC are `{}`", there.join("`, `"))))
}

fn check_key(entry: &Entry<'_, '_>, target: &Target) -> Option<Finding> {
    let text = xml::text(entry.node);
    let owner = kms_owner(&text)?;
    let windows = target.windows.filter(|windows| !owner.windows.contains(windows))?;
    let place = text_span(entry.node);
    Some(
        Finding::warning(
            "U026",
            place,
            format!(
                "this is the KMS client key of {}, and the image is {windows}",
                owner.name
            ),
        )
        .help("a key that does not fit the edition stops the specialize pass"),
    )
}
