//! U001: well-formed XML.
//!
//! Slips that can be mended in thought are mended in a copy, so that the other rules still see the file. Where that moves
//! bytes, the copy remembers, and findings are moved back.

use reseal_diag::Span;
use roxmltree::{Document, Error, TextPos};

use super::template;
use crate::finding::Finding;

/// How many slips are mended at most.
const LIMIT: usize = 20;

/// A text that is well-formed.
pub(super) struct Mended {
    /// The text.
    pub(super) text: String,
    /// Where blanks were put in, in bytes of the original, sorted.
    inserted: Vec<usize>,
}

impl Mended {
    /// The place in the original.
    fn original(&self, offset: usize) -> usize {
        let before = self
            .inserted
            .iter()
            .enumerate()
            .filter(|(count, at)| **at + count < offset)
            .count();
        offset - before
    }

    fn original_span(&self, span: Span) -> Span {
        Span::new(self.original(span.start), self.original(span.end))
    }

    /// Moves a finding in the mended text to where it is in the original.
    pub(super) fn move_back(&self, finding: &mut Finding) {
        if self.inserted.is_empty() {
            return;
        }
        finding.span = self.original_span(finding.span);
        if let Some((span, _)) = &mut finding.related {
            *span = self.original_span(*span);
        }
        if let Some(fix) = &mut finding.fix {
            fix.span = self.original_span(fix.span);
        }
    }

    fn mend(&mut self, slip: &Slip) -> Option<()> {
        if slip.span.start == slip.span.end {
            let original = self.original(slip.span.start);
            self.inserted.push(original);
            self.inserted.sort_unstable();
            self.text.insert(slip.span.start, ' ');
        } else {
            self.text = blank(&self.text, slip.span)?;
        }
        Some(())
    }
}

/// Complains about what is not well-formed; returns a text that is, if one can be had.
pub(super) fn check(text: &str, findings: &mut Vec<Finding>) -> Option<Mended> {
    let mut mended = Mended {
        text: text.to_owned(),
        inserted: vec![],
    };
    if Document::parse(text).is_err()
        && let Some(veiled) = template::veil(text)
    {
        mended.text = veiled;
    }
    for _ in 0..LIMIT {
        let Err(error) = Document::parse(&mended.text) else {
            return Some(mended);
        };
        let at = offset(&mended.text, error.pos());
        let slip = find_slip(&mended.text, &error, at);
        let mut found = match &slip {
            Some(slip) => slip.finding.clone(),
            None => finding(&mended.text, &error, at),
        };
        mended.move_back(&mut found);
        findings.push(found);
        mended.mend(&slip?)?;
    }
    None
}

struct Slip {
    finding: Finding,
    /// What to blank out so that reading can go on; where it is empty, a blank is put in.
    span: Span,
}

fn find_slip(text: &str, error: &Error, at: usize) -> Option<Slip> {
    late_declaration(text)
        .or_else(|| ampersand(text, error, at))
        .or_else(|| double_hyphen(text, at))
        .or_else(|| crowded_attributes(text, at))
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
    Some(Slip { finding, span })
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
    Some(Slip { finding, span })
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
            .help("reword the comment; Setup refuses the whole file because of it");
            let span = Span::new(body, close);
            return Some(Slip { finding, span });
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

fn blank(text: &str, span: Span) -> Option<String> {
    let mut mended = String::with_capacity(text.len());
    mended.push_str(text.get(..span.start)?);
    mended.extend(
        text.get(span.range())?
            .bytes()
            .map(|byte| if byte == b'\n' { '\n' } else { ' ' }),
    );
    mended.push_str(text.get(span.end..)?);
    Some(mended)
}

fn finding(text: &str, error: &Error, at: usize) -> Finding {
    let end = text
        .get(at..)
        .and_then(|rest| rest.chars().next())
        .map_or(at, |c| at + c.len_utf8());
    let span = Span::new(at, end);
    match error {
        Error::DtdDetected => {
            let at = text.find("<!DOCTYPE").unwrap_or(0);
            Finding::error(
                "U001",
                Span::new(at, at + 9),
                "an answer file may not have a document type",
            )
            .help("remove the `<!DOCTYPE …>` line")
        }
        Error::UnexpectedCloseTag(expected, found, _) => unexpected_close(text, at, span, expected, found),
        Error::UnknownNamespace(prefix, _) => Finding::error(
            "U001",
            span,
            format!("not well-formed XML: the prefix `{prefix}` is not declared"),
        )
        .help(match prefix.as_str() {
            "wcm" => format!("declare it on the root element: `xmlns:wcm=\"{}\"`", crate::xml::WCM),
            _ => format!("declare it: `xmlns:{prefix}=\"…\"`"),
        }),
        other => Finding::error("U001", span, format!("not well-formed XML: {}", describe(other))),
    }
}

fn unexpected_close(text: &str, at: usize, span: Span, expected: &str, found: &str) -> Finding {
    let said = format!("not well-formed XML: `</{found}>` stands where `</{expected}>` is expected");
    let finding = Finding::error("U001", span, said).help("an element is not closed, or its names differ");
    match last_open(text.get(..at).unwrap_or(""), expected) {
        Some(open) => finding.related(open, format!("`<{expected}>` is opened here")),
        None => finding,
    }
}

/// The innermost start tag of this name that nothing closes.
fn last_open(text: &str, name: &str) -> Option<Span> {
    let mut open = Vec::new();
    for (at, _) in text.match_indices('<') {
        let rest = text.get(at + 1..)?;
        let tag = rest.split('>').next().unwrap_or(rest);
        let closes = tag.starts_with('/');
        let written = tag.trim_start_matches('/');
        let own = written
            .split(|c: char| c.is_whitespace() || c == '/')
            .next()
            .unwrap_or("");
        if own != name {
            continue;
        }
        if closes {
            open.pop();
        } else if !tag.ends_with('/') {
            open.push(Span::new(at + 1, at + 1 + own.len()));
        }
    }
    open.pop()
}

/// The parser's words without the place, which we show ourselves.
fn describe(error: &Error) -> String {
    let words = error.to_string();
    let place = format!(" at {}", error.pos());
    words.replace(&place, "")
}

fn offset(text: &str, pos: TextPos) -> usize {
    let row = usize::try_from(pos.row).unwrap_or(1).saturating_sub(1);
    let column = usize::try_from(pos.col).unwrap_or(1).saturating_sub(1);
    let start = text.match_indices('\n').map(|(at, _)| at + 1).nth(row.wrapping_sub(1));
    let start = if row == 0 { 0 } else { start.unwrap_or(text.len()) };
    let line = text.get(start..).unwrap_or("");
    let within = line.char_indices().nth(column).map_or(line.len(), |(at, _)| at);
    start + within
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> (Vec<String>, bool) {
        let mut findings = Vec::new();
        let mended = check(text, &mut findings);
        (
            findings.into_iter().map(|finding| finding.message).collect(),
            mended.is_some(),
        )
    }

    #[test]
    fn slips_are_named_and_mended() {
        let (messages, mended) = codes("\n<?xml version=\"1.0\"?><a><b c=\"1\"d=\"2\">x & y</b><!-- a -- b --></a>");
        assert_eq!(
            messages,
            [
                "the XML declaration is not the first thing in the file",
                "a blank is missing between two attributes",
                "a bare `&` is not allowed in XML",
                "a comment may not contain `--`, nor end in a hyphen",
            ]
        );
        assert!(mended);
    }

    #[test]
    fn what_cannot_be_mended_is_said_once() {
        for text in [
            "",
            "<a>",
            "<a></b>",
            "text",
            "<a><b></a>",
            "\u{feff}",
            "<!DOCTYPE a><a/>",
        ] {
            let (messages, mended) = codes(text);
            assert_eq!((messages.len(), mended), (1, false), "{text:?} {messages:?}");
        }
        assert!(codes("\u{feff}<?xml version=\"1.0\"?><a/>").1);
    }
}
