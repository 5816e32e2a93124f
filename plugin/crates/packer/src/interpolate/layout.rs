//! Times in Go's layouts, which write the moment "Mon Jan 2 15:04:05 2006" the way it should look, and in `strftime`'s.
//! Always in UTC.

use jiff::Zoned;

/// The pieces of a layout, longer ones before those that they begin with, and what they stand for in `strftime`.
const PIECES: [(&str, &str); 35] = [
    ("January", "%B"),
    ("Jan", "%b"),
    ("Monday", "%A"),
    ("Mon", "%a"),
    ("MST", "UTC"),
    ("2006", "%Y"),
    ("002", "%j"),
    ("01", "%m"),
    ("02", "%d"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("15", "%H"),
    ("__2", "%_3j"),
    ("_2006", "_%Y"),
    ("_2", "%e"),
    ("1", "%-m"),
    ("2", "%-d"),
    ("3", "%-I"),
    ("4", "%-M"),
    ("5", "%-S"),
    ("PM", "%p"),
    ("pm", "%P"),
    ("-07:00:00", "+00:00:00"),
    ("-070000", "+000000"),
    ("-07:00", "+00:00"),
    ("-0700", "+0000"),
    ("-07", "+00"),
    ("Z07:00:00", "Z"),
    ("Z070000", "Z"),
    ("Z07:00", "Z"),
    ("Z0700", "Z"),
    ("Z07", "Z"),
    ("%", "%%"),
];

/// A moment in a layout of Go's.
pub(super) fn go(layout: &str, moment: &Zoned) -> String {
    let mut out = String::new();
    let mut rest = layout;
    while let Some(first) = rest.chars().next() {
        if let Some((fraction, after)) = fraction(rest, moment) {
            out.push_str(&fraction);
            rest = after;
        } else if let Some((shown, after)) = piece(rest) {
            out.push_str(&moment.strftime(shown).to_string());
            rest = after;
        } else {
            out.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    out
}

/// The piece at the beginning. `Jan` and `Mon` are none where a word goes on ("Janus", "Month").
fn piece(layout: &str) -> Option<(&'static str, &str)> {
    PIECES.iter().find_map(|(piece, shown)| {
        let after = layout.strip_prefix(piece)?;
        let goes_on = matches!(*piece, "Jan" | "Mon") && after.starts_with(|c: char| c.is_ascii_lowercase());
        (!goes_on).then_some((*shown, after))
    })
}

/// `.000` or `,000` is a fraction of a second, `.999` the same without zeros at its end.
fn fraction<'a>(layout: &'a str, moment: &Zoned) -> Option<(String, &'a str)> {
    let digits = layout.strip_prefix(['.', ','])?;
    let kind = digits.chars().next().filter(|digit| matches!(digit, '0' | '9'))?;
    let after = digits.trim_start_matches(kind);
    if after.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let count = (digits.len() - after.len()).min(9);
    let nanoseconds = format!("{:09}", moment.subsec_nanosecond());
    let shown: String = nanoseconds.chars().take(count).collect();
    let shown = if kind == '9' {
        shown.trim_end_matches('0')
    } else {
        &shown
    };
    let point = if shown.is_empty() { "" } else { layout.get(..1)? };
    Some((format!("{point}{shown}"), after))
}

/// A moment in a format of `strftime`, with the letters that Packer knows; what else stands after `%` stays.
pub(super) fn strftime(format: &str, moment: &Zoned) -> String {
    let mut out = String::new();
    let mut characters = format.chars();
    while let Some(c) = characters.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match characters.next() {
            Some('%') | None => out.push('%'),
            Some('Z') => out.push_str("UTC"),
            Some('L') => out.push_str(&go(".000", moment)),
            Some(letter) if "BbmAadHIMSYypz".contains(letter) => {
                out.push_str(&moment.strftime(&format!("%{letter}")).to_string());
            }
            Some(letter) => out.extend(['%', letter]),
        }
    }
    out
}
