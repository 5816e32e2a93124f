//! U001: well-formed XML.
//!
//! Slips that can be mended in thought are mended in a copy, so that the other rules still see the file. Where that moves
//! bytes, the copy remembers, and findings are moved back.

use reseal_diag::Span;
use roxmltree::{Document, Error, TextPos};

use super::slips::{self, Slip};
use super::template;
use crate::finding::Finding;

/// How many slips are mended at most.
const LIMIT: usize = 20;

/// A text that is well-formed.
pub(super) struct Mended {
    /// The text.
    pub(super) text: String,
    /// Where something was put in, in bytes of the original, and how much; sorted.
    inserted: Vec<(usize, usize)>,
}

impl Mended {
    /// The place in the original.
    fn original(&self, offset: usize) -> usize {
        let mut shift = 0;
        for (at, length) in &self.inserted {
            if offset <= at + shift {
                break;
            }
            if offset < at + shift + length {
                return *at;
            }
            shift += length;
        }
        offset - shift
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
        self.text = blank(&self.text, slip.span)?;
        if !slip.insert.is_empty() {
            let original = self.original(slip.span.start);
            self.inserted.push((original, slip.insert.len()));
            self.inserted.sort_by_key(|(at, _)| *at);
            self.text.insert_str(slip.span.start, &slip.insert);
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
        let slip = slips::find(&mended.text, &error, at);
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
        Error::InvalidString("-->", _) => {
            let open = text.rfind("<!--").unwrap_or(at);
            Finding::error("U001", Span::new(open, open + 4), "this comment is not closed")
                .help("write `-->` after it; all that follows is taken for a part of it")
        }
        other => Finding::error("U001", span, format!("not well-formed XML: {}", describe(other))),
    }
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
        for text in ["", "text", "<a", "<a></a></a>", "\u{feff}", "<!DOCTYPE a><a/>"] {
            let (messages, mended) = codes(text);
            assert_eq!((messages.len(), mended), (1, false), "{text:?} {messages:?}");
        }
        assert!(codes("\u{feff}<?xml version=\"1.0\"?><a/>").1);
    }

    #[test]
    fn slips_in_tags_are_named_and_mended() {
        let cases = [
            ("<a b=\"1 c=\"2\"/>", "the value of `b` has no closing quote"),
            ("<a b='1>\n<c d='2'/></a>", "the value of `b` has no closing quote"),
            ("<a b=1/>", "the value of `b` is not in quotes"),
            ("<a b='1' b='2'/>", "the attribute `b` stands twice in the tag"),
            ("<a>1 < 2</a>", "a bare `<` is not allowed in XML"),
            ("<a><b true</b></a>", "the tag `<b` has no `>`"),
            ("<a><b>1</b\n</a>", "the tag `</b` has no `>`"),
        ];
        for (text, said) in cases {
            let (messages, mended) = codes(text);
            assert_eq!((messages, mended), (vec![said.to_owned()], true), "{text}");
        }
    }

    #[test]
    fn open_elements_and_prefixes_are_mended() {
        for text in ["<a>", "<a></b>", "<a><b></a>", "<a p:x=''/>"] {
            let (messages, mended) = codes(text);
            assert_eq!((messages.len(), mended), (1, true), "{text:?} {messages:?}");
        }
    }

    #[test]
    fn places_move_back_over_everything_put_in() {
        let text = "<a><b>1<c w:x=''>2 & 3</c></a>";
        let mended = check(text, &mut Vec::new()).unwrap();
        let at = mended.text.find("3</c>").unwrap();
        assert_eq!(mended.original(at), text.find("3</c>").unwrap());
        assert_eq!(mended.original(0), 0);
        assert_eq!(mended.original(mended.text.len()), text.len());
    }
}
