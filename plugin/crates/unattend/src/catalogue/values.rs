//! Which texts a setting takes.

use super::{Setting, Type};

/// The texts that are allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values {
    /// Nothing is known.
    Any,
    /// One of these words or, where a piece is a range, a number in it.
    OneOf(Vec<Allowed>),
    /// A text of so many characters.
    Length(usize, usize),
    /// Five groups of five characters.
    ProductKey,
    /// A drive letter in a range.
    Letter(char, char),
}

/// A piece of [`Values::OneOf`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// A word.
    Word(&'static str),
    /// A number between these.
    Range(i64, i64),
}

impl Values {
    /// Reads a cell of the table.
    pub(super) fn read(cell: &'static str) -> Self {
        if cell.is_empty() {
            return Self::Any;
        }
        if cell.starts_with("format:") {
            return Self::ProductKey;
        }
        if let Some(length) = cell.strip_prefix("len") {
            return Self::read_length(length);
        }
        match cell.split_once("..") {
            Some((from, to)) if from.chars().all(char::is_alphabetic) => Self::Letter(first(from), first(to)),
            _ => Self::OneOf(cell.split('|').map(Allowed::read).collect()),
        }
    }

    fn read_length(text: &str) -> Self {
        let number = |text: &str| text.trim().parse().unwrap_or(usize::MAX);
        match text.split_once("..") {
            Some((from, to)) => Self::Length(number(from), number(to)),
            None => Self::Length(0, number(text.trim_start_matches("<="))),
        }
    }

    /// The words that may be written, for suggestions.
    pub fn words(&self) -> Vec<&'static str> {
        match self {
            Self::OneOf(pieces) => pieces
                .iter()
                .filter_map(|piece| match piece {
                    Allowed::Word(word) => Some(*word),
                    Allowed::Range(..) => None,
                })
                .collect(),
            _ => vec![],
        }
    }
}

fn first(text: &str) -> char {
    text.chars().next().unwrap_or('C')
}

impl Allowed {
    fn read(piece: &'static str) -> Self {
        let Some((from, to)) = piece.split_once("..") else {
            return Self::Word(piece);
        };
        let bound = |text: &str, open| text.parse().unwrap_or(open);
        Self::Range(bound(from, i64::MIN), bound(to, i64::MAX))
    }

    fn fits(&self, text: &str, number: Option<i64>) -> bool {
        match self {
            Self::Word(word) => {
                word.eq_ignore_ascii_case(text) || (number.is_some() && word.parse::<i64>().ok() == number)
            }
            Self::Range(from, to) => number.is_some_and(|number| (*from..=*to).contains(&number)),
        }
    }
}

impl std::fmt::Display for Allowed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Word(word) => write!(f, "`{word}`"),
            Self::Range(from, i64::MAX) => write!(f, "{from} or more"),
            Self::Range(from, to) => write!(f, "{from} to {to}"),
        }
    }
}

/// Why a text does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueFault {
    /// What is wrong, continuing "`Setting` …".
    pub message: String,
    /// What could stand there.
    pub suggestion: Option<&'static str>,
}

fn fault(message: impl Into<String>) -> ValueFault {
    ValueFault {
        message: message.into(),
        suggestion: None,
    }
}

/// Blanks that Setup does not trim, and marks without width.
const INVISIBLE: &[char] = &['\u{a0}', '\u{200b}', '\u{200e}', '\u{200f}', '\u{2060}', '\u{feff}'];

/// Says why Setup would refuse `text` for `setting`. Empty texts and placeholders are the caller's to judge.
pub fn check_value(setting: &Setting, text: &str) -> Option<ValueFault> {
    let trimmed = text.trim();
    if !matches!(setting.value, None | Some(Type::Text | Type::Path)) && text.contains(INVISIBLE) {
        return Some(fault("holds a character that is not seen, as copies from web pages do"));
    }
    check_type(setting, trimmed).or_else(|| check_values(setting, text, trimmed))
}

fn check_type(setting: &Setting, text: &str) -> Option<ValueFault> {
    match setting.value? {
        Type::Boolean => check_boolean(text),
        Type::Integer => number(text).is_none().then(|| not_a_number(text)),
        Type::Unsigned => match number(text) {
            Some(0..) => None,
            _ => Some(not_a_number(text)),
        },
        Type::Guid => (!is_guid(text)).then(|| ValueFault {
            message: format!("takes a GUID such as `{{01234567-89ab-cdef-0123-456789abcdef}}`, not `{text}`"),
            suggestion: None,
        }),
        Type::Text | Type::Path | Type::Enum => None,
    }
}

fn check_boolean(text: &str) -> Option<ValueFault> {
    let known = ["true", "false", "1", "0"];
    if known.iter().any(|one| one.eq_ignore_ascii_case(text)) {
        return None;
    }
    let suggestion = match text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "enabled" | "ture" | "tru" | "y" | "t" => Some("true"),
        "no" | "off" | "disabled" | "flase" | "fals" | "n" | "f" => Some("false"),
        _ => None,
    };
    Some(ValueFault {
        message: format!("takes `true` or `false`, not `{}`", short(text)),
        suggestion,
    })
}

fn not_a_number(text: &str) -> ValueFault {
    ValueFault {
        message: format!("takes a whole number, not `{}`", short(text)),
        suggestion: None,
    }
}

fn check_values(setting: &Setting, raw: &str, text: &str) -> Option<ValueFault> {
    match &setting.values {
        Values::Any => None,
        Values::Length(from, to) => check_length(raw, *from, *to),
        Values::ProductKey if is_product_key(text) || stands_for_key(text) => None,
        Values::ProductKey => Some(fault(
            "is not a product key: five groups of five letters and digits, joined by hyphens",
        )),
        Values::Letter(from, to) => {
            let letter = text.trim_end_matches(':');
            let fits = letter.len() == 1 && letter.chars().all(|c| (*from..=*to).contains(&c.to_ascii_uppercase()));
            if fits {
                None
            } else {
                Some(fault(format!(
                    "takes a drive letter from {from} to {to}, not `{}`",
                    short(text)
                )))
            }
        }
        Values::OneOf(pieces) => check_pieces(setting, pieces, text),
    }
}

fn check_length(text: &str, from: usize, to: usize) -> Option<ValueFault> {
    // Windows counts UTF-16 units.
    let length = text.encode_utf16().count();
    if length > to {
        return Some(fault(format!(
            "is {length} characters long, and Setup takes at most {to}"
        )));
    }
    if length < from {
        Some(fault(format!(
            "is {length} characters long, and Setup wants at least {from}"
        )))
    } else {
        None
    }
}

fn check_pieces(setting: &Setting, pieces: &[Allowed], text: &str) -> Option<ValueFault> {
    if setting.value == Some(Type::Boolean) {
        return None;
    }
    let number = number(text);
    if pieces.iter().any(|piece| piece.fits(text, number)) || is_sum_of_bits(pieces, number) {
        return None;
    }
    let allowed: Vec<String> = pieces.iter().map(ToString::to_string).collect();
    let words = setting.values.words();
    Some(ValueFault {
        message: format!("takes {}, not `{}`", allowed.join(", "), short(text)),
        suggestion: reseal_diag::nearest(text, words.iter().copied())
            .and_then(|near| words.into_iter().find(|word| *word == near)),
    })
}

/// Some settings list bits whose sum is written.
fn is_sum_of_bits(pieces: &[Allowed], number: Option<i64>) -> bool {
    let bits: Option<Vec<i64>> = pieces
        .iter()
        .map(|piece| match piece {
            Allowed::Word(word) => word.parse::<i64>().ok().filter(|bit| *bit > 0 && bit & (bit - 1) == 0),
            Allowed::Range(..) => None,
        })
        .collect();
    let all = bits.filter(|bits| bits.len() >= 4).map(|bits| bits.iter().sum::<i64>());
    number.zip(all).is_some_and(|(number, all)| (0..=all).contains(&number))
}

/// A number as Setup reads it: decimal, or hexadecimal after `0x`.
pub(crate) fn number(text: &str) -> Option<i64> {
    let text = text.trim();
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => i64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Whether a text reads as true.
pub(crate) fn is_true(text: &str) -> bool {
    let text = text.trim();
    text == "1" || text.eq_ignore_ascii_case("true")
}

fn is_guid(text: &str) -> bool {
    let inner = text.trim_start_matches('{').trim_end_matches('}');
    let groups: Vec<&str> = inner.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && inner.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

/// Whether a text has the shape of a product key.
pub(crate) fn is_product_key(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.len() == 5
        && groups
            .iter()
            .all(|group| group.len() == 5 && group.chars().all(|c| c.is_ascii_alphanumeric()))
}

/// Whether a text is no attempt at a key, but a word that a tool or a person is to replace: `TEST_CDKEY`, `none`.
fn stands_for_key(text: &str) -> bool {
    let digits = text.chars().any(|c| c.is_ascii_digit());
    text.contains(['_', ' ']) || (!digits && text.len() < 25 && text.matches('-').count() < 3)
}

/// The beginning of a text, for messages.
pub(crate) fn short(text: &str) -> String {
    let one_line: String = text
        .chars()
        .take(40)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(40).is_some() {
        format!("{one_line}…")
    } else {
        one_line
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalogue;
    use super::*;

    fn check(component: &str, path: &str, text: &str) -> Option<String> {
        let setting = catalogue().component(component).unwrap().setting(path).unwrap();
        check_value(setting, text).map(|fault| fault.message)
    }

    #[test]
    fn values_are_checked_by_type_and_list() {
        let shell = "Microsoft-Windows-Shell-Setup";
        let good = [
            ("OOBE/HideEULAPage", "True"),
            ("OOBE/ProtectYourPC", "3"),
            ("OOBE/NetworkLocation", "work"),
            ("ProductKey", "VDYBN-27WPP-V4HQT-9VMD4-VMK7H"),
            ("ComputerName", "fifteen-chars-x"),
            ("FirstLogonCommands/SynchronousCommand/Order", " 500 "),
        ];
        for (path, text) in good {
            assert_eq!(check(shell, path, text), None, "{path} {text}");
        }
        let bad = [
            ("OOBE/HideEULAPage", "yes", "takes `true` or `false`, not `yes`"),
            ("OOBE/ProtectYourPC", "4", "takes `1`, `2`, `3`, not `4`"),
            (
                "ComputerName",
                "sixteen-chars-xy",
                "is 16 characters long, and Setup takes at most 15",
            ),
            (
                "FirstLogonCommands/SynchronousCommand/Order",
                "501",
                "takes 1 to 500, not `501`",
            ),
            (
                "FirstLogonCommands/SynchronousCommand/Order",
                "one",
                "takes a whole number, not `one`",
            ),
        ];
        for (path, text, message) in bad {
            assert_eq!(check(shell, path, text).as_deref(), Some(message));
        }
    }

    #[test]
    fn every_default_is_an_allowed_value() {
        for component in catalogue().components() {
            for setting in component.all() {
                for default in setting
                    .default
                    .split('|')
                    .map(|part| part.split('@').next().unwrap_or(""))
                {
                    if default.is_empty() {
                        continue;
                    }
                    let fault = check_value(setting, default);
                    assert_eq!(fault, None, "{} {}", component.name, setting.path);
                }
            }
        }
    }
}
