//! U012: languages and keyboards.

use crate::catalogue::{TagFault, check_input, check_tag, short};
use crate::document::{AnswerFile, Entry};
use crate::finding::Finding;
use crate::placeholder::is_template;
use crate::xml::{self, text_span};

/// Checks the settings of the two International components.
pub(super) fn check(file: &AnswerFile<'_, '_>, findings: &mut Vec<Finding>) {
    let international =
        |entry: &&Entry<'_, '_>| entry.component.name.starts_with("Microsoft-Windows-International-Core");
    for entry in file.entries.iter().filter(international) {
        let text = xml::text(entry.node);
        let text = text.trim();
        if text.is_empty() || is_template(text) {
            continue;
        }
        match entry.setting.name {
            "InputLocale" => findings.extend(check_inputs(entry, text)),
            "SystemLocale" | "UserLocale" | "UILanguage" | "UILanguageFallback" => {
                findings.extend(check_one(entry, text));
            }
            _ => {}
        }
    }
}

fn check_one(entry: &Entry<'_, '_>, tag: &str) -> Option<Finding> {
    Some(finding(entry, tag, &check_tag(tag)?))
}

fn check_inputs(entry: &Entry<'_, '_>, text: &str) -> Option<Finding> {
    text.split(';')
        .filter(|profile| !profile.trim().is_empty())
        .find_map(|profile| match check_input(profile) {
            Ok(true) => None,
            Ok(false) => Some(finding(entry, profile, &TagFault::Unlisted)),
            Err(fault) => Some(finding(entry, profile, &fault)),
        })
}

fn finding(entry: &Entry<'_, '_>, tag: &str, fault: &TagFault) -> Finding {
    let place = text_span(entry.node);
    let whole = xml::text(entry.node).trim() == tag;
    match fault {
        TagFault::Unlisted => Finding::hint(
            "U012",
            place,
            if tag.contains(':') {
                format!("`{}` is not in the list of languages and keyboards", short(tag))
            } else {
                format!("`{}` is not in the list of languages", short(tag))
            },
        )
        .help("newer Windows may know it; then this is nothing"),
        TagFault::OnlyKeyboard => Finding::hint(
            "U012",
            place,
            format!("`{}` is a keyboard without its language", short(tag)),
        )
        .help("write both, such as `0409:00000409`; installers that copy it from the registry leave the language out"),
        TagFault::Wrong(guess) => {
            let finding = Finding::warning(
                "U012",
                place,
                format!("`{}` is not a language that Windows knows", short(tag)),
            )
            .help(match entry.setting.name {
                "InputLocale" => "write a tag such as `ko-KR`, or language and keyboard such as `0412:00000412`",
                _ => "write a tag such as `ko-KR`",
            });
            match guess.filter(|_| whole) {
                Some(guess) => finding.suggest(place, guess, format!("did you mean `{guess}`?")),
                None => finding,
            }
        }
    }
}
