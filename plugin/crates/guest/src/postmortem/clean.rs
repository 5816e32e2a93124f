//! Takes from a line what forums, mail programs and web pages have put around it.

/// The line as Windows wrote it, as far as that can be told: without quote marks, entities, tags and escapes.
pub(super) fn clean(line: &str) -> String {
    let line = line.trim_matches(['\r', '\0', '\u{feff}', '\u{200b}']);
    let line = if line.contains('&') {
        entities(line)
    } else {
        line.to_owned()
    };
    let line = if line.contains('<') { without_tags(&line) } else { line };
    let line = if line.contains('\\') {
        unescape(&line.replace("\\r\\n", " "))
    } else {
        line
    };
    let line: String = line.chars().map(plain).collect();
    unquote(&line).trim_end().to_owned()
}

/// Letters that typographers put in the places of plain ones.
fn plain(letter: char) -> char {
    match letter {
        '\u{2018}' | '\u{2019}' => '\'',
        '\u{201c}' | '\u{201d}' => '"',
        '\u{a0}' | '\u{3000}' => ' ',
        other => other,
    }
}

/// The ampersand comes last, so that `&amp;lt;` stays the text that somebody quoted.
fn entities(line: &str) -> String {
    const NAMES: [(&str, &str); 7] = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ];
    NAMES
        .iter()
        .fold(line.to_owned(), |text, (name, letter)| text.replace(name, letter))
}

const TAGS: [&str; 14] = [
    "br",
    "p",
    "li",
    "td",
    "tr",
    "div",
    "span",
    "code",
    "pre",
    "strong",
    "b",
    "em",
    "i",
    "blockquote",
];

/// `<br />` goes, and so does what is closed in the same line (`<Data>…</Data>`); `<null>` and `<Date>` are the log's own.
fn without_tags(line: &str) -> String {
    let folded = line.to_lowercase();
    let mut parts = line.split('<');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let name: String = part
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        match part.split_once('>') {
            Some((_, rest)) if TAGS.contains(&name.as_str()) || folded.contains(&format!("</{name}>")) => {
                text.push(' ');
                text.push_str(rest);
            }
            _ => {
                text.push('<');
                text.push_str(part);
            }
        }
    }
    text
}

/// Strings of programs double the backslash, Markdown puts one before its own marks.
fn unescape(line: &str) -> String {
    let line = line.replace("\\\\", "\\");
    let mut text = String::with_capacity(line.len());
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let marks = letters.peek().is_some_and(|next| "<>_[]*`#|'\"".contains(*next));
        if letter != '\\' || !marks {
            text.push(letter);
        }
    }
    text
}

/// `> > | # ` before a line is somebody's quoting.
fn unquote(line: &str) -> &str {
    let indented = line.trim_start();
    let bare = indented.trim_start_matches(['>', '|', '#', '*', '`', ' ', '\t']);
    if bare.len() < indented.len() { bare } else { line }
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn what_others_put_around_a_line_goes() {
        let check = |given: &str, expect: &str| assert_eq!(clean(given), expect, "{given}");
        check("> > SYSPRP a\r", "SYSPRP a");
        check(
            "&gt; C:\\\\Windows\\\\System32 &amp; more",
            "C:\\Windows\\System32 & more",
        );
        check(
            "\\<Date\\> \\<Time\\>, Error SYSPRP x  ",
            "<Date> <Time>, Error SYSPRP x",
        );
        check("mode <null><br />", "mode <null>");
        check("<Data>SYSPRP x <null></Data>", " SYSPRP x <null>");
        check("\"err\":\"SYSPRP a\\r\\nSYSPRP b\"", "\"err\":\"SYSPRP a SYSPRP b\"");
        check("<p>couldn\u{2019}t</p>", " couldn't");
        check(
            "# 2024-12-14 14:08:40, Error SYSPRP x",
            "2024-12-14 14:08:40, Error SYSPRP x",
        );
        check("\u{feff}plain", "plain");
    }
}
