//! `${name}` in texts, and the marks by which other people's templates name what a tool fills in later.

/// Whether the text holds a `${name}`.
pub(crate) fn has_secret(text: &str) -> bool {
    text.split("${").skip(1).any(|rest| rest.contains('}'))
}

/// The text if it is empty or nothing but placeholders, else three stars.
pub(crate) fn masked(text: &str) -> &str {
    if text.is_empty() {
        return text;
    }
    let only = text.starts_with("${")
        && text
            .split("${")
            .skip(1)
            .all(|rest| rest.ends_with('}') && rest.matches('}').count() == 1);
    if only { text } else { "***" }
}

/// Whether a tool will replace the text, or a piece of it, before Setup reads it. Such texts cannot be judged.
pub(crate) fn is_template(text: &str) -> bool {
    const PAIRS: &[(&str, &str)] = &[
        ("{{", "}}"),
        ("${", "}"),
        ("$(", ")"),
        ("#{", "}"),
        ("<%", "%>"),
        ("[[", "]]"),
        ("@@", "@@"),
        ("{%", "%}"),
        ("__", "__"),
        ("%%", "%%"),
        ("<<", ">>"),
    ];
    let pair = |(open, close): &(&str, &str)| text.split_once(open).is_some_and(|(_, rest)| rest.contains(close));
    PAIRS.iter().any(pair) || between(text, '%') || between_signs(text) || between_dashes(text) || is_instruction(text)
}

/// Whether the text between elements tells a template engine which of them to take.
pub(crate) fn is_branch(text: &str) -> bool {
    let marks = ["{%", "%{", "{{", "@@"];
    let directive = |line: &str| {
        [
            "#if", "#else", "#end", "%if", "%else", "%end", "% if", "% else", "% end",
        ]
        .iter()
        .any(|word| line.starts_with(word))
    };
    marks.iter().any(|mark| text.contains(mark)) || text.lines().map(str::trim).any(directive)
}

/// `%NAME%`.
fn between(text: &str, mark: char) -> bool {
    let mut pieces = text.split(mark).skip(1);
    let word = |piece: &str| {
        !piece.is_empty()
            && piece
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'))
    };
    let last = text.ends_with(mark);
    let count = text.matches(mark).count();
    count >= 2 && (pieces.any(word) || last && count == 2 && text.starts_with(mark))
}

/// `@NAME@`, `#NAME#`, `<NAME>`; in a password the signs are nothing special, so the whole text must look like it.
fn between_signs(text: &str) -> bool {
    let word = |inner: &str| {
        !inner.is_empty()
            && inner
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' '))
    };
    let inside = |(open, close): &(char, char)| {
        let inner = text.trim().strip_prefix(*open)?.strip_suffix(*close)?;
        Some(inner.trim_matches([*open, *close]))
    };
    [('@', '@'), ('#', '#'), ('<', '>')].iter().filter_map(inside).any(word)
}

/// `--NAME--`.
fn between_dashes(text: &str) -> bool {
    let inner = text.trim().strip_prefix("--").and_then(|rest| rest.strip_suffix("--"));
    inner.is_some_and(|inner| !inner.is_empty() && inner.chars().all(|c| c.is_alphanumeric() || c == '_'))
}

/// Words that stand for "put your own here".
fn is_instruction(text: &str) -> bool {
    let lower = text.trim().to_ascii_lowercase();
    let whole = [
        "changeme",
        "change_me",
        "replaceme",
        "replace_me",
        "todo",
        "tbd",
        "{0}",
        "{1}",
        "{2}",
        "...",
    ];
    let starts = [
        "your-", "your_", "your ", "insert-", "insert_", "insert ", "replace-", "replace_", "replace ", "enter ",
        "$env:",
    ];
    whole.contains(&lower.as_str())
        || (lower.len() > 2 && lower.chars().all(|c| c == '*'))
        || starts.iter().any(|start| lower.starts_with(start))
        || (lower.starts_with('$') && lower.len() > 1 && lower.chars().skip(1).all(|c| c.is_alphanumeric() || c == '_'))
        || (lower.starts_with('{') && lower.ends_with('}') && !lower.contains('-') && !lower.contains(':'))
        || (lower.starts_with('[') && lower.ends_with(']'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_many_tools_are_seen() {
        for text in [
            "{{ .Password }}",
            "%ARCH%",
            "${var}",
            "@@NAME@@",
            "__KEY__",
            "$(x)",
            "CHANGEME",
            "@hostname@",
            "$Name",
            "{tz}",
            "[ComputerName]",
            "#NAME#",
            "##PASSWORD##",
            "<your key>",
            "********",
            "--COMPUTER--",
        ] {
            assert!(is_template(text), "{text}");
        }
        for text in [
            "true",
            "100%",
            "Pa$$w0rd!",
            "a@b",
            "UTC",
            "*",
            "win-%",
            "P@ssw0rd@",
            "#1@home!",
            "**",
            "--",
            "pc--1",
            "Korea Standard Time",
            "",
        ] {
            assert!(!is_template(text), "{text}");
        }
    }

    #[test]
    fn only_placeholders_are_shown() {
        assert_eq!(masked("${a}${b.c}"), "${a}${b.c}");
        assert_eq!(masked("x${a}"), "***");
        assert_eq!(masked("${a}x"), "***");
        assert_eq!(masked("secret"), "***");
        assert!(has_secret("a ${b} c") && !has_secret("a $b {c}"));
    }
}
