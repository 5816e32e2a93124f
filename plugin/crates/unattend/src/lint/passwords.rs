//! U013 and U018: obscured and plain passwords; U027: what Setup has deleted.

use crate::catalogue::{Kind, is_true};
use crate::document::{AnswerFile, Entry};
use crate::finding::Finding;
use crate::password;
use crate::placeholder::is_template;
use crate::xml::{self, text_span};

/// What Setup leaves behind of a secret in its copy of the file.
const DELETED: &str = "*SENSITIVE*DATA*DELETED*";

/// Checks all secrets.
pub(super) fn check(file: &AnswerFile<'_, '_>, findings: &mut Vec<Finding>) {
    for entry in &file.entries {
        let setting = entry.setting;
        if setting.kind == Kind::Container && setting.child("PlainText").is_some() {
            findings.extend(check_password(entry));
        } else if setting.secret && setting.name != "ProductKey" && setting.name != "Key" && setting.name != "Value" {
            findings.extend(check_bare(entry));
        }
    }
}

fn check_password(entry: &Entry<'_, '_>) -> Option<Finding> {
    let node = xml::child(entry.node, "Value")?;
    let value = xml::text(node);
    let value = value.trim();
    if value.is_empty() || is_template(value) {
        return None;
    }
    let place = text_span(node);
    if value == DELETED {
        return Some(deleted(place));
    }
    let plain = xml::text_at(entry.node, "PlainText").is_none_or(|text| is_true(&text));
    let decoded = password::decode(value);
    if plain {
        Some(check_plain(entry, decoded.as_deref(), place))
    } else {
        check_obscured(entry, decoded.as_deref(), place)
    }
}

fn deleted(place: reseal_diag::Span) -> Finding {
    Finding::warning(
        "U027",
        place,
        "Setup has deleted this secret; the text here would be taken for the password",
    )
    .help("the file is a copy from `Panther`; use the file it was made of")
}

fn check_plain(entry: &Entry<'_, '_>, decoded: Option<&str>, place: reseal_diag::Span) -> Finding {
    if decoded.is_some_and(|text| text.ends_with("Password")) {
        let finding = Finding::warning("U013", place, "the value is obscured, but `PlainText` does not say so");
        return finding.help("write `<PlainText>false</PlainText>`; as it is, the long value itself is the password");
    }
    plain_secret(entry, place)
}

fn plain_secret(entry: &Entry<'_, '_>, place: reseal_diag::Span) -> Finding {
    Finding::hint(
        "U018",
        place,
        format!(
            "`{}` holds a password that anybody who has the file can read",
            entry.setting.name
        ),
    )
    .help("copies stay in `Panther` and in the image; let the cloud's agent set a password instead")
}

fn check_obscured(entry: &Entry<'_, '_>, decoded: Option<&str>, place: reseal_diag::Span) -> Option<Finding> {
    let element = entry.setting.name;
    let suffix = password::suffix(element);
    let Some(text) = decoded else {
        return Some(
            Finding::error("U013", place, "the password cannot be decoded")
                .help("it must be base64 of the UTF-16 text of password and suffix")
                .help("or write it plainly and set `PlainText` to `true`"),
        );
    };
    if !text.ends_with(suffix) {
        return Some(
            Finding::error(
                "U013",
                place,
                format!("the obscured password does not end in `{suffix}`"),
            )
            .help(format!(
                "`{element}` wants base64 of the UTF-16 text of the password followed by `{suffix}`"
            )),
        );
    }
    let borrowed = suffix == "Password" && text.ends_with("AdministratorPassword");
    borrowed.then(|| {
        Finding::warning("U013", place, "this was obscured for `AdministratorPassword`")
            .help("here Setup strips `Password` only, so that the password would end in `Administrator`")
    })
}

/// Secrets that have no `PlainText`: credentials and domain-join data.
fn check_bare(entry: &Entry<'_, '_>) -> Option<Finding> {
    let text = xml::text(entry.node);
    let text = text.trim();
    if text.is_empty() || is_template(text) || !entry.setting.name.contains("Password") {
        return None;
    }
    let place = text_span(entry.node);
    Some(if text == DELETED {
        deleted(place)
    } else {
        plain_secret(entry, place)
    })
}
