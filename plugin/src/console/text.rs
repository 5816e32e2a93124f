//! Words, widths and quantities as people read them.

use std::time::Duration;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// `1 step`, `2 steps`.
pub fn plural(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

/// The text, filled with spaces up to a width in columns; Hangul takes two.
pub fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(missing))
}

/// The text, cut to a width in columns, with a mark when something is missing.
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    kept
}

/// A duration in at most two units: `0.4s`, `12s`, `2m 05s`, `1h 02m`, `3d 4h`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 if duration.subsec_millis() == 0 => "0s".to_owned(),
        0 => format!("0.{}s", (duration.subsec_millis() / 100).max(1)),
        1..60 => format!("{seconds}s"),
        60..3600 if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3600..86400 if seconds % 3600 < 60 => format!("{}h", seconds / 3600),
        3600..86400 => format!("{}h {:02}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d {}h", seconds / 86400, seconds % 86400 / 3600),
    }
}

/// A number of bytes: `512 B`, `1.5 MiB`.
pub fn bytes(count: u64) -> String {
    if count < 1024 {
        return format!("{count} B");
    }
    let (mut scale, mut unit) = (1024_u64, "KiB");
    for next in ["MiB", "GiB", "TiB"] {
        if count / scale < 1024 {
            break;
        }
        (scale, unit) = (scale * 1024, next);
    }
    let tenths = u128::from(count) * 10 / u128::from(scale);
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// The text with lines of at most so many columns; lines that begin with a space are examples and stay.
pub fn wrap(text: &str, width: usize) -> String {
    let lines: Vec<String> = text.lines().map(|line| wrap_line(line, width)).collect();
    lines.join("\n")
}

fn wrap_line(line: &str, width: usize) -> String {
    if line.starts_with(' ') || line.width() <= width.saturating_add(width / 4) {
        return line.to_owned();
    }
    broken(line, width)
}

/// The text in lines of at most so many columns, all but the first begun with as many spaces. Only a word that is longer
/// than a line is left as it is: it may be a path or a command that somebody copies.
pub fn fold(text: &str, width: usize, indent: usize) -> String {
    let room = width.saturating_sub(indent).max(20);
    let next = format!("\n{}", " ".repeat(indent));
    broken(text, room).replace('\n', &next)
}

fn broken(line: &str, width: usize) -> String {
    let mut wrapped = String::new();
    let mut column = 0;
    for word in line.split(' ') {
        if column > 0 && column + 1 + word.width() > width {
            wrapped.push('\n');
            column = 0;
        } else if column > 0 {
            wrapped.push(' ');
            column += 1;
        }
        wrapped.push_str(word);
        column += word.width();
    }
    wrapped
}

/// The text without anything that would move a terminal's cursor, colour it or ring its bell.
pub fn tame(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\t' => clean.push_str("    "),
            '\u{1b}' => skip_sequence(&mut chars),
            c if c.is_control() => {}
            c => clean.push(c),
        }
    }
    clean
}

/// Skips what follows an escape character: `[`, parameters, one letter; or a single character.
fn skip_sequence(chars: &mut std::str::Chars<'_>) {
    if chars.next() == Some('[') {
        for c in chars.by_ref() {
            if ('\u{40}'..='\u{7e}').contains(&c) {
                break;
            }
        }
    }
}

/// The word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hangul_takes_two_columns() {
        assert_eq!(pad("한글", 6), "한글  ");
        assert_eq!(pad("abcd", 2), "abcd");
        assert_eq!(cut("한국어 이미지", 7), "한국어…");
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
    }

    #[test]
    fn long_lines_are_wrapped_and_examples_are_not() {
        assert_eq!(wrap("한글 둘 셋 넷 다섯", 8), "한글 둘\n셋 넷\n다섯");
        assert_eq!(wrap("    an example that is long", 8), "    an example that is long");
        assert_eq!(wrap("short\n\nlines", 8), "short\n\nlines");
    }

    #[test]
    fn what_is_folded_stands_below_itself() {
        assert_eq!(
            fold("하나 둘 셋 넷 다섯 여섯 일곱", 26, 6),
            "하나 둘 셋 넷 다섯\n      여섯 일곱"
        );
        let path = r"C:\Windows\System32\Sysprep\Panther\setuperr.log";
        assert_eq!(fold(path, 26, 6), path);
        assert_eq!(fold("short", 80, 6), "short");
    }

    #[test]
    fn quantities_are_short() {
        let check = |millis: u64, expect: &str| assert_eq!(duration(Duration::from_millis(millis)), expect);
        check(0, "0s");
        check(40, "0.1s");
        check(400, "0.4s");
        check(12_345, "12s");
        check(125_000, "2m 05s");
        check(1_200_000, "20m");
        check(3_720_000, "1h 02m");
        check(7_200_000, "2h");
        check(90_000_000, "1d 1h");
        let check = |count: u64, expect: &str| assert_eq!(bytes(count), expect);
        check(512, "512 B");
        check(1024, "1.0 KiB");
        check(1_572_864, "1.5 MiB");
        check(u64::MAX, "16777215.9 TiB");
    }

    #[test]
    fn a_guest_cannot_steer_the_terminal() {
        assert_eq!(tame("a\u{1b}[31;1mred\u{1b}[0m\tb\u{7}\r"), "ared    b");
        assert_eq!(tame("\u{1b}"), "");
        assert_eq!(tame("안녕"), "안녕");
    }

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(quoted("a/b-c_1.yaml"), "a/b-c_1.yaml");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("내 이미지"), "'내 이미지'");
    }
}
