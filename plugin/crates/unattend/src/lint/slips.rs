//! U001: slips that make a file ill-formed and can be mended in thought.

use reseal_diag::Span;
use roxmltree::Error;

use super::tags;
use crate::finding::Finding;
use crate::secrets::is_setting;
use crate::xml::WCM;

/// A slip, and an edit after which reading can go on.
pub(super) struct Slip {
    /// The complaint.
    pub(super) finding: Finding,
    /// What to blank out so that reading can go on.
    pub(super) span: Span,
    /// What to put in at its beginning.
    pub(super) insert: String,
}

impl Slip {
    fn blanked(finding: Finding, span: Span) -> Self {
        let insert = String::new();
        Self { finding, span, insert }
    }
}

/// Names the slip behind the reader's complaint, if it is one of those that people make.
pub(super) fn find(text: &str, error: &Error, at: usize) -> Option<Slip> {
    late_declaration(text)
        .or_else(|| ampersand(text, error, at))
        .or_else(|| double_hyphen(text, at))
        .or_else(|| open_quote(text))
        .or_else(|| no_quotes(text, error, at))
        .or_else(|| same_attribute(text, error, at))
        .or_else(|| crowded_attributes(text, at))
        .or_else(|| bare_less(text, at))
        .or_else(|| open_tag(text, at))
        .or_else(|| unknown_prefix(text, error, at))
        .or_else(|| mismatch(text, error))
}

/// Something before `<?xml …?>`.
fn late_declaration(text: &str) -> Option<Slip> {
    let text_start = text.trim_start_matches('\u{feff}');
    let skipped = text.len() - text_start.len();
    let at = text_start.find("<?xml ")? + skipped;
    if at == skipped {
        return None;
    }
    let end = text.get(at..)?.find("?>")? + at + 2;
    let span = Span::new(at, end);
    let finding = Finding::error("U001", span, "the XML declaration is not the first thing in the file")
        .help("remove what stands before it; not even a blank line or a comment may");
    Some(Slip::blanked(finding, span))
}

/// A bare `&`.
fn ampersand(text: &str, error: &Error, at: usize) -> Option<Slip> {
    let entity = matches!(
        error,
        Error::MalformedEntityReference(_) | Error::UnknownEntityReference(..)
    );
    let bare = |from: usize| -> Option<usize> {
        let mut rest = from;
        loop {
            let found = text.get(rest..)?.find('&')? + rest;
            if !is_reference(text.get(found..)?) {
                return Some(found);
            }
            rest = found + 1;
        }
    };
    let line = text.get(..at)?.rfind('\n').map_or(0, |before| before + 1);
    let found = if entity { bare(line).or_else(|| bare(0)) } else { None }?;
    let run = text.get(found..)?.bytes().take_while(|byte| *byte == b'&').count();
    let count = if is_reference(text.get(found + run - 1..)?) {
        run - 1
    } else {
        run
    }
    .max(1);
    let span = Span::new(found, found + count);
    let finding = Finding::error("U001", span, "a bare `&` is not allowed in XML")
        .help("write `&amp;`")
        .fix(span, "&amp;".repeat(count), "escape it");
    Some(Slip::blanked(finding, span))
}

fn is_reference(text: &str) -> bool {
    let Some((name, _)) = text.trim_start_matches('&').split_once(';') else {
        return false;
    };
    ["amp", "lt", "gt", "quot", "apos"].contains(&name)
        || name.strip_prefix('#').is_some_and(|number| {
            let hex = number
                .strip_prefix('x')
                .is_some_and(|hex| hex.chars().all(|c| c.is_ascii_hexdigit()));
            hex || number.chars().all(|c| c.is_ascii_digit())
        })
}

/// `--` inside a comment.
fn double_hyphen(text: &str, at: usize) -> Option<Slip> {
    let mut from = 0;
    while let Some(open) = text.get(from..)?.find("<!--").map(|found| found + from) {
        let body = open + 4;
        let close = text.get(body..)?.find("-->")? + body;
        let inner = text.get(body..close)?;
        let found = inner
            .find("--")
            .or_else(|| inner.ends_with('-').then(|| inner.len() - 1));
        if let Some(found) = found.filter(|_| (open..=close + 3).contains(&at)) {
            let finding = Finding::error(
                "U001",
                Span::new(body + found, body + found + 2),
                "a comment may not contain `--`, nor end in a hyphen",
            )
            .help(if inner.contains("<!--") {
                "comments cannot stand in each other: end the outer one first"
            } else {
                "reword the comment; Setup refuses the whole file because of it"
            });
            let span = Span::new(body, close);
            return Some(Slip::blanked(finding, span));
        }
        from = close + 3;
    }
    None
}

/// `name="a"language="b"`: a blank is missing.
fn crowded_attributes(text: &str, fault: usize) -> Option<Slip> {
    let tags = text.match_indices('<').filter_map(|(start, _)| {
        let length = text.get(start..)?.find('>')?;
        Some((start, text.get(start..start + length)?))
    });
    for (start, tag) in tags {
        let here = (start..=start + tag.len()).contains(&fault);
        let Some(found) = crowded(tag).filter(|_| here) else {
            continue;
        };
        let at = start + found;
        let finding = Finding::error(
            "U001",
            Span::new(at, at + 1),
            "a blank is missing between two attributes",
        )
        .help("this is not well-formed XML, even if some reader bears with it")
        .fix(Span::new(at, at), " ", "separate them");
        return Some(Slip {
            finding,
            span: Span::new(at, at),
            insert: " ".to_owned(),
        });
    }
    None
}

/// The place in a tag where an attribute follows a quote without a blank.
fn crowded(tag: &str) -> Option<usize> {
    let mut quote: Option<char> = None;
    let mut closed = false;
    for (at, c) in tag.char_indices() {
        match quote {
            Some(open) if c == open => {
                quote = None;
                closed = true;
            }
            Some(_) => {}
            None if c == '"' || c == '\'' => {
                quote = Some(c);
                closed = false;
            }
            None if closed && c.is_alphabetic() => return Some(at),
            None => closed = false,
        }
    }
    None
}

/// Prefixes that files use without declaring them, and what they stand for.
const PREFIXES: &[(&str, &str)] = &[
    ("wcm", WCM),
    ("xsi", "http://www.w3.org/2001/XMLSchema-instance"),
    ("cpi", "urn:schemas-microsoft-com:cpi"),
];

/// `wcm:action` without `xmlns:wcm`.
fn unknown_prefix(text: &str, error: &Error, at: usize) -> Option<Slip> {
    let Error::UnknownNamespace(prefix, _) = error else {
        return None;
    };
    let known = PREFIXES.iter().find(|(one, _)| one == prefix);
    let uri = known.map_or("urn:unknown", |(_, uri)| *uri);
    let root = root_name(text)?;
    let insert = format!(" xmlns:{prefix}=\"{uri}\"");
    let written = text
        .get(at..)?
        .find(&format!("{prefix}:"))
        .map_or(at, |found| at + found);
    let span = Span::new(written, written + prefix.len());
    let said = format!("not well-formed XML: the prefix `{prefix}` is not declared");
    let finding = Finding::error("U001", span, said);
    let finding = match known {
        Some(_) => {
            finding
                .help(format!("declare it on the root element:{insert}"))
                .fix(root, insert.clone(), "declare it")
        }
        None => finding.help(format!("declare it: `xmlns:{prefix}=\"…\"`")),
    };
    Some(Slip {
        finding,
        span: root,
        insert,
    })
}

/// The place right after the name in the first start tag.
fn root_name(text: &str) -> Option<Span> {
    let name = |start: usize| {
        text.get(start + 1..)
            .filter(|rest| rest.starts_with(char::is_alphabetic))
    };
    let (start, rest) = text
        .match_indices('<')
        .find_map(|(start, _)| Some((start, name(start)?)))?;
    let length = rest.find(|c: char| c.is_whitespace() || "/>".contains(c))?;
    let at = start + 1 + length;
    Some(Span::new(at, at))
}

/// Tags that do not go together.
fn mismatch(text: &str, error: &Error) -> Option<Slip> {
    let structural = matches!(
        error,
        Error::UnexpectedCloseTag(..) | Error::UnclosedRootNode | Error::UnexpectedEndOfStream
    );
    let found = tags::check(text).filter(|_| structural)?;
    Some(Slip {
        finding: found.finding,
        span: found.blank,
        insert: found.insert,
    })
}

/// A value whose closing quote is missing, so that it runs into the next attribute or out of its tag.
fn open_quote(text: &str) -> Option<Slip> {
    let mut at = 0;
    while let Some(found) = text.get(at..)?.find(['=', '<']) {
        let start = at + found + 1;
        let rest = text.get(start..)?;
        at = start;
        if rest.starts_with("!--") {
            at += rest.find("-->")?;
            continue;
        }
        let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            continue;
        };
        if !in_tag(text.get(..start)?) {
            continue;
        }
        let value = rest.get(1..)?.split(quote).next()?;
        if let Some(length) = overrun(value) {
            return Some(close_quote(text, start, start + 1 + length, quote));
        }
        at = (start + 2 + value.len()).min(text.len());
    }
    None
}

/// Whether a tag is open at the end of the text.
fn in_tag(before: &str) -> bool {
    before
        .rfind('<')
        .is_some_and(|open| before.get(open..).is_some_and(|tag| !tag.contains('>')))
}

/// Where a value should have ended that holds more than a value.
fn overrun(value: &str) -> Option<usize> {
    if value.contains('<') {
        let end = value.find('>')?;
        return Some(value.get(..end)?.trim_end_matches('/').len());
    }
    let next = value.strip_suffix('=')?;
    let name = next.rfind(char::is_whitespace)?;
    Some(next.get(..name)?.trim_end().len())
}

fn close_quote(text: &str, start: usize, end: usize, quote: char) -> Slip {
    let name = attribute_before(text, start);
    let finding = Finding::error(
        "U001",
        Span::new(start, end),
        format!("the value of `{name}` has no closing quote"),
    )
    .fix(Span::new(end, end), quote.to_string(), "close it");
    Slip {
        finding,
        span: Span::new(end, end),
        insert: quote.to_string(),
    }
}

/// The name of the attribute whose value begins at a place.
fn attribute_before(text: &str, at: usize) -> &str {
    let before = text.get(..at).unwrap_or("").trim_end_matches('=').trim_end();
    before.rsplit(char::is_whitespace).next().unwrap_or("")
}

/// `pass=specialize`.
fn no_quotes(text: &str, error: &Error, at: usize) -> Option<Slip> {
    let Error::InvalidChar2("a quote", ..) = error else {
        return None;
    };
    let rest = text.get(at..)?;
    let length = rest.find(|c: char| c.is_whitespace() || "/>".contains(c))?;
    let value = rest.get(..length)?;
    let span = Span::new(at, at + length);
    let quoted = format!("\"{value}\"");
    let said = format!("the value of `{}` is not in quotes", attribute_before(text, at));
    let finding = Finding::error("U001", span, said).fix(span, quoted.clone(), "put it in quotes");
    Some(Slip {
        finding,
        span,
        insert: quoted,
    })
}

/// `language="neutral" language="neutral"`.
fn same_attribute(text: &str, error: &Error, at: usize) -> Option<Slip> {
    let Error::DuplicatedAttribute(name, _) = error else {
        return None;
    };
    let rest = text.get(at..)?;
    let open = rest.find(['"', '\''])?;
    let quote = rest.get(open..)?.chars().next()?;
    let length = open + 2 + rest.get(open + 1..)?.find(quote)?;
    let span = Span::new(at, at + length);
    let finding = Finding::error("U001", span, format!("the attribute `{name}` stands twice in the tag"))
        .help("keep one of them")
        .suggest(span, "", "remove this one");
    Some(Slip::blanked(finding, span))
}

/// A `<` that begins no tag.
fn bare_less(text: &str, at: usize) -> Option<Slip> {
    let found = text.get(..at)?.rfind('<').filter(|found| at - found <= 1)?;
    let next = text.get(found + 1..)?.chars().next()?;
    if next.is_alphabetic() || "/!?_".contains(next) {
        return None;
    }
    let span = Span::new(found, found + 1);
    let finding = Finding::error("U001", span, "a bare `<` is not allowed in XML")
        .help("write `&lt;`")
        .fix(span, "&lt;", "escape it");
    Some(Slip::blanked(finding, span))
}

/// Whether a name is one of the language: another may be the text of an element, and that a secret.
fn is_name(name: &str) -> bool {
    ["unattend", "settings", "component", "servicing", "package"].contains(&name) || is_setting(name)
}

/// `<OOBE` with the next tag right behind it.
fn open_tag(text: &str, at: usize) -> Option<Slip> {
    let before = text.get(..at)?;
    let start = before.rfind('<')?;
    let tag = before.get(start + 1..)?;
    if !text.get(at..)?.starts_with('<') || tag.contains('>') || tag.starts_with(['!', '?']) {
        return None;
    }
    let name = tag.split(char::is_whitespace).next().filter(|name| !name.is_empty())?;
    // The text of the element runs into the name: `<PasswordSecret</Password>`.
    let known = text
        .get(at..)?
        .strip_prefix("</")
        .and_then(|rest| rest.split(|c: char| c.is_whitespace() || "</>".contains(c)).next())
        .filter(|other| !other.is_empty() && name.starts_with(other));
    let name = known.unwrap_or(name);
    let length = if tag.contains('=') {
        tag.trim_end().len()
    } else {
        name.len()
    };
    let end = start + 1 + length;
    let opened = name
        .strip_prefix('/')
        .is_some_and(|name| before.contains(&format!("<{name}>")));
    let said = if known.is_some() || opened || is_name(name.trim_start_matches('/')) {
        format!("the tag `<{name}` has no `>`")
    } else {
        "this tag has no `>`".to_owned()
    };
    let finding = Finding::error("U001", Span::new(start, end), said).suggest(Span::new(end, end), ">", "end it");
    Some(Slip {
        finding,
        span: Span::new(end, end),
        insert: ">".to_owned(),
    })
}
