//! Rust text without what only looks like code, and its functions. Rough: good enough to count lines.

/// A function as it stands in a file.
pub(super) struct Function {
    pub(super) name: String,
    /// Where it begins, from 1.
    pub(super) line: usize,
    /// How many lines it has.
    pub(super) lines: usize,
    /// A comment in it or directly above says why it is long.
    pub(super) excused: bool,
}

/// What excuses a long file or function, in a comment.
pub(super) const EXCUSE: &str = "Long because";

/// The text with the contents of comments, strings and characters blanked; lines stay where they are.
pub(super) fn blank(text: &str) -> String {
    let mut blanked = String::with_capacity(text.len());
    let mut rest = text;
    let mut word_before = false;
    while let Some(first) = rest.chars().next() {
        let length = opaque(rest, word_before).unwrap_or(0);
        if length == 0 {
            blanked.push(first);
            word_before = first.is_alphanumeric() || first == '_';
            rest = rest.strip_prefix(first).unwrap();
        } else {
            let (hidden, after) = rest.split_at(length);
            blanked.extend(hidden.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = after;
            word_before = false;
        }
    }
    blanked
}

/// How many bytes at the beginning are a comment or a literal.
fn opaque(rest: &str, word_before: bool) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(rest.find("*/").map_or(rest.len(), |end| end + 2));
    }
    if rest.starts_with('"') {
        return Some(quoted(rest, '"'));
    }
    if !word_before && let Some(length) = raw(rest) {
        return Some(length);
    }
    let mut chars = rest.strip_prefix('\'')?.chars();
    let (first, second) = (chars.next()?, chars.next()?);
    (first == '\\' || second == '\'').then(|| quoted(rest, '\''))
}

/// The length of a literal up to its closing quote.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a raw string, if one begins here.
fn raw(rest: &str) -> Option<usize> {
    let after = ["r", "br", "cr"].iter().find_map(|mark| rest.strip_prefix(mark))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    after.trim_start_matches('#').strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let begin = rest.find('"')? + 1;
    let body = rest.split_at(begin).1;
    Some(body.find(&end).map_or(rest.len(), |at| begin + at + end.len()))
}

/// All functions with a body, also those within others.
pub(super) fn functions(text: &str) -> Vec<Function> {
    let blanked = blank(text);
    let (lines, code): (Vec<&str>, Vec<&str>) = (text.lines().collect(), blanked.lines().collect());
    let mut found = Vec::new();
    for (at, line) in code.iter().enumerate() {
        let Some(name) = named(line) else { continue };
        let Some(lasts) = body(&code[at..]) else { continue };
        let above = lines[..at].iter().rev().take_while(|line| is_head(line));
        let excused = above.chain(&lines[at..at + lasts]).any(|line| line.contains(EXCUSE));
        found.push(Function {
            name,
            line: at + 1,
            lines: lasts,
            excused,
        });
    }
    found
}

/// The name of the function whose signature begins in this line.
fn named(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "fn")?;
    let name: String = words
        .get(at + 1)?
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    (!name.is_empty()).then_some(name)
}

/// Lines from a signature to the closing brace; `None` without a body.
fn body(code: &[&str]) -> Option<usize> {
    let (mut braces, mut round) = (0_usize, 0_usize);
    for (at, line) in code.iter().enumerate() {
        for c in line.chars() {
            match c {
                '(' | '[' => round += 1,
                ')' | ']' => round = round.saturating_sub(1),
                ';' if braces == 0 && round == 0 => return None,
                '{' => braces += 1,
                '}' if braces == 1 => return Some(at + 1),
                '}' => braces = braces.saturating_sub(1),
                _ => {}
            }
        }
    }
    None
}

/// Comments and attributes above a function.
fn is_head(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("//") || line.starts_with("#[")
}

#[test]
fn the_scanner_sees_through_strings_comments_and_lifetimes() {
    let text = "fn a<'x>(c: char) -> &'x str {\n    if c == '{' || c == '\\'' { \"}}\" } else { r#\"}\"#  } // }\n}\nfn b() {}\n";
    let found: Vec<_> = functions(text)
        .iter()
        .map(|f| (f.name.clone(), f.line, f.lines))
        .collect();
    assert_eq!(found, [("a".to_owned(), 1, 3), ("b".to_owned(), 4, 1)]);
    assert_eq!(blank("let a = \"x\"; // y\n").trim_end(), "let a =    ;");
}

#[test]
fn an_excuse_counts_only_where_it_stands() {
    let text = "// Long because it is.\nfn a() {\n}\nfn b() {\n    // Long because of c.\n}\nfn d();\nfn e() {\n}\n";
    let found: Vec<_> = functions(text).iter().map(|f| (f.name.clone(), f.excused)).collect();
    assert_eq!(
        found,
        [("a".to_owned(), true), ("b".to_owned(), true), ("e".to_owned(), false)]
    );
}
