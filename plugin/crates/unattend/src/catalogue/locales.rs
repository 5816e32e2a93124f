//! Language tags and input profiles.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use super::load::rows;

/// A language as Windows names it.
#[derive(Debug, PartialEq, Eq)]
pub struct Locale {
    /// The tag, e.g. `ko-KR`.
    pub tag: &'static str,
    /// Four hexadecimal digits.
    pub lcid: &'static str,
    /// The input profile that comes with it.
    pub input: &'static str,
    /// What language packs there are.
    pub pack: &'static str,
    /// Its English name.
    pub name: &'static str,
}

/// What is wrong with a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagFault {
    /// It cannot be a tag, or its country does not exist; perhaps this was meant.
    Wrong(Option<&'static str>),
    /// Language and country exist, but the pair is not in the table.
    Unlisted,
    /// A keyboard without a language.
    OnlyKeyboard,
}

/// All languages.
pub fn locales() -> &'static [Locale] {
    static LOCALES: OnceLock<Vec<Locale>> = OnceLock::new();
    LOCALES.get_or_init(|| {
        rows(include_str!("../../data/locales.tsv"))
            .skip(1)
            .map(|cells| Locale {
                tag: cells.get(0),
                lcid: cells.get(1),
                input: cells.get(2),
                pack: cells.get(4),
                name: cells.get(5),
            })
            .collect()
    })
}

struct Index {
    tags: HashMap<String, &'static Locale>,
    languages: HashSet<&'static str>,
    regions: HashSet<&'static str>,
    lcids: HashSet<&'static str>,
    keyboards: HashSet<String>,
}

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| Index {
        tags: locales()
            .iter()
            .map(|one| (one.tag.to_ascii_lowercase(), one))
            .collect(),
        languages: locales().iter().filter_map(|one| one.tag.split('-').next()).collect(),
        regions: locales().iter().filter_map(|one| one.tag.rsplit('-').next()).collect(),
        lcids: locales().iter().map(|one| one.lcid).collect(),
        keyboards: rows(include_str!("../../data/keyboards.tsv"))
            .skip(1)
            .map(|cells| cells.get(0).to_ascii_lowercase())
            .collect(),
    })
}

/// Checks a language tag such as `en-US`.
pub fn check_tag(tag: &str) -> Option<TagFault> {
    let tag = tag.trim();
    let lower = tag.to_ascii_lowercase();
    if index().tags.contains_key(&lower) {
        return None;
    }
    let parts: Vec<&str> = tag.split('-').collect();
    let known = |set: &HashSet<&'static str>, part: &str| set.iter().any(|one| one.eq_ignore_ascii_case(part));
    match parts.as_slice() {
        [language, .., region] if known(&index().languages, language) => {
            let exists = known(&index().regions, region) || region.len() == 3 && region.parse::<u16>().is_ok();
            Some(if exists {
                TagFault::Unlisted
            } else {
                TagFault::Wrong(guess(&lower))
            })
        }
        [language] if known(&index().languages, language) => Some(TagFault::Unlisted),
        _ => Some(TagFault::Wrong(guess(&lower))),
    }
}

/// The tag that a wrong one may have meant.
fn guess(lower: &str) -> Option<&'static str> {
    let repaired = lower.replace('_', "-").replace("-uk", "-gb").replace("-kor", "-kr");
    if let Some(locale) = index().tags.get(repaired.split('.').next().unwrap_or("")) {
        return Some(locale.tag);
    }
    let near = |tags: Vec<&'static str>| reseal_diag::nearest(&repaired, tags);
    let language = repaired.split('-').next().unwrap_or("");
    let own: Vec<&'static str> = locales()
        .iter()
        .map(|one| one.tag)
        .filter(|tag| tag.split('-').next() == Some(language))
        .collect();
    match own.as_slice() {
        [only] => Some(*only),
        [] => near(locales().iter().map(|one| one.tag).collect()),
        _ => near(own),
    }
}

/// Checks one profile of `InputLocale`: a tag, or `0412:00000412`, or `0412:{…}{…}`. `Err` says what is wrong; the
/// weaker `Ok(false)` that the keyboard is not in the table.
pub fn check_input(profile: &str) -> Result<bool, TagFault> {
    let profile = profile.trim();
    let Some((language, keyboard)) = profile.split_once(':') else {
        if index().keyboards.contains(profile.to_ascii_lowercase().as_str()) {
            return Err(TagFault::OnlyKeyboard);
        }
        return match check_tag(profile) {
            None => Ok(true),
            Some(TagFault::Unlisted) => Ok(false),
            Some(wrong) => Err(wrong),
        };
    };
    let hex = |text: &str, digits| text.len() == digits && text.chars().all(|c| c.is_ascii_hexdigit());
    if keyboard.starts_with('{') {
        let closed = keyboard.ends_with('}') && keyboard.matches('{').count() == 2;
        return if hex(language, 4) && closed {
            Ok(true)
        } else {
            Err(TagFault::Wrong(None))
        };
    }
    if !hex(language, 4) || !hex(keyboard, 8) {
        return Err(TagFault::Wrong(None));
    }
    let known = index().lcids.contains(language.to_ascii_lowercase().as_str())
        && index().keyboards.contains(&keyboard.to_ascii_lowercase());
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_judged_mildly() {
        assert_eq!(check_tag("ko-KR"), None);
        assert_eq!(check_tag("EN-us"), None);
        assert_eq!(check_tag("en-DE"), Some(TagFault::Unlisted));
        assert_eq!(check_tag("en-UK"), Some(TagFault::Wrong(Some("en-GB"))));
        assert_eq!(check_tag("ko_KR"), Some(TagFault::Wrong(Some("ko-KR"))));
        assert_eq!(check_tag("Korean"), Some(TagFault::Wrong(None)));
    }

    #[test]
    fn profiles_are_tags_or_pairs() {
        assert_eq!(check_input("ko-KR"), Ok(true));
        assert_eq!(check_input("0412:00000412"), Ok(true));
        assert_eq!(
            check_input("0412:{A028AE76-01B1-46C2-99C4-ACD9858AE02F}{B5FE1F02-D5F2-4445-9C03-C568F23C99A1}"),
            Ok(true)
        );
        assert_eq!(check_input("0412:412"), Err(TagFault::Wrong(None)));
    }

    #[test]
    fn defaults_are_themselves_right() {
        for locale in locales() {
            for profile in locale.input.split(';').filter(|profile| !profile.is_empty()) {
                assert!(check_input(profile).is_ok(), "{} {profile}", locale.tag);
            }
        }
    }
}
