//! U001: start and end tags that do not go together, and where an end tag would have to stand.

use reseal_diag::{Span, nearest};

use crate::finding::Finding;

/// What is wrong, and an edit after which reading can go on.
pub(super) struct Mismatch {
    /// The complaint.
    pub(super) finding: Finding,
    /// What to blank out; may be empty.
    pub(super) blank: Span,
    /// What to put in at the beginning of that; may be empty.
    pub(super) insert: String,
}

/// A tag; comments, `CDATA` and processing instructions are none.
#[derive(Clone, Copy)]
struct Tag<'t> {
    name: &'t str,
    span: Span,
    closes: bool,
}

impl Tag<'_> {
    fn name_span(&self) -> Span {
        let start = self.span.start + if self.closes { 2 } else { 1 };
        Span::new(start, start + self.name.len())
    }
}

/// The first pair of tags that does not match.
pub(super) fn check(text: &str) -> Option<Mismatch> {
    let tags = read(text)?;
    let mut open: Vec<usize> = Vec::new();
    for (index, tag) in tags.iter().enumerate() {
        if !tag.closes {
            open.push(index);
            continue;
        }
        let top = *open.last()?;
        if tags.get(top)?.name == tag.name {
            open.pop();
            continue;
        }
        let outer = open
            .iter()
            .any(|at| tags.get(*at).is_some_and(|one| one.name == tag.name));
        return if outer {
            unclosed(text, &tags, top, index)
        } else {
            wrong_end(&tags, top, index)
        };
    }
    unclosed(text, &tags, *open.last()?, tags.len())
}

/// All tags that are not closed in themselves; `None` when one of them has no end.
fn read(text: &str) -> Option<Vec<Tag<'_>>> {
    let mut tags = Vec::new();
    let mut at = 0;
    while let Some(found) = text.get(at..)?.find('<') {
        let start = at + found;
        let rest = text.get(start..)?;
        let length = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")]
            .iter()
            .find(|(open, _)| rest.starts_with(open))
            .map(|(_, close)| rest.find(close).map(|end| end + close.len()));
        at = start
            + match length {
                Some(length) => length?,
                None => tag_length(rest)?,
            };
        if length.is_none() {
            tags.extend(tag(text.get(start..at)?, start));
        }
    }
    Some(tags)
}

/// Up to the `>` that is not in quotes.
fn tag_length(rest: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in rest.char_indices() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '>') => return Some(at + 1),
            (None, '"' | '\'') => quote = Some(c),
            _ => {}
        }
    }
    None
}

fn tag(text: &str, start: usize) -> Option<Tag<'_>> {
    let inner = text.strip_prefix('<')?;
    let closes = inner.starts_with('/');
    let inner = inner.strip_prefix('/').unwrap_or(inner);
    let name = inner.split(|c: char| c.is_whitespace() || "/>".contains(c)).next()?;
    (closes || !text.ends_with("/>")).then_some(Tag {
        name,
        span: Span::new(start, start + text.len()),
        closes,
    })
}

/// An end tag of another name than what is open, and of nothing else that is.
fn wrong_end(tags: &[Tag<'_>], top: usize, index: usize) -> Option<Mismatch> {
    let (open, end) = (tags.get(top)?, tags.get(index)?);
    let closes = |at: usize, name| tags.get(at).is_some_and(|one| one.closes && one.name == name);
    let twice = closes(index.saturating_sub(1), end.name);
    let alike = nearest(end.name, [open.name]).is_some();
    if twice || closes(index + 1, open.name) && !alike {
        return Some(stray_end(open, end));
    }
    let said = format!("`</{}>` stands where `</{}>` is expected", end.name, open.name);
    let message = "end the element by its own name";
    let finding = Finding::error("U001", end.span, said)
        .help("the names of start and end tag differ; small and capital letters count here")
        .related(open.name_span(), format!("`<{}>` is opened here", open.name));
    let finding = if alike {
        finding.fix(end.name_span(), open.name, message)
    } else {
        finding.suggest(end.name_span(), open.name, message)
    };
    Some(Mismatch {
        finding,
        blank: end.span,
        insert: format!("</{}>", open.name),
    })
}

fn stray_end(open: &Tag<'_>, end: &Tag<'_>) -> Mismatch {
    let finding = Finding::error("U001", end.span, format!("`</{}>` closes nothing", end.name))
        .help("remove it, or put its start tag where it belongs")
        .related(
            open.name_span(),
            format!("only `<{}>` and what is around it is open", open.name),
        )
        .suggest(end.span, "", "remove it");
    Mismatch {
        finding,
        blank: end.span,
        insert: String::new(),
    }
}

/// An element that is still open when something around it, or the file, ends.
fn unclosed(text: &str, tags: &[Tag<'_>], top: usize, index: usize) -> Option<Mismatch> {
    let open = tags.get(top)?;
    let place = missing_end(text, tags, top, index)?;
    let written = text.get(open.span.end..place)?;
    // Nothing but its own text is in it: then the line of the start tag is the one to look at.
    let shown = match tags.get(index) {
        _ if !written.contains('<') => open.name_span(),
        _ => tags
            .iter()
            .find(|tag| tag.span.start >= place)
            .map_or(Span::new(text.trim_end().len(), text.len()), Tag::name_span),
    };
    let end = format!("</{}>", open.name);
    let said = format!("`<{}>` is not closed", open.name);
    let finding = Finding::error("U001", shown, said)
        .help(format!(
            "`{end}` is missing; Setup says where it noticed, which may be much later"
        ))
        .suggest(Span::new(place, place), end.clone(), "close it");
    let finding = if shown == open.name_span() {
        match tags.get(index) {
            Some(other) => finding.related(other.span, format!("`</{}>` comes before its end", other.name)),
            None => finding,
        }
    } else {
        finding.related(open.name_span(), "it is opened here")
    };
    Some(Mismatch {
        finding,
        blank: Span::new(place, place),
        insert: end,
    })
}

/// Where the end tag was probably meant: after the text of an element without children, else before the first tag that
/// can be none of its children, else before what closes too early.
fn missing_end(text: &str, tags: &[Tag<'_>], top: usize, index: usize) -> Option<usize> {
    let open = tags.get(top)?;
    let limit = tags.get(index).map_or(text.trim_end().len(), |tag| tag.span.start);
    let first = tags.get(top + 1).map_or(limit, |tag| tag.span.start).min(limit);
    let own = text.get(open.span.end..first)?.split('<').next()?;
    if !own.trim().is_empty() {
        return Some(open.span.end + own.trim_end().len());
    }
    let depth = indentation(text, open.span.start);
    let outside = |tag: &&Tag<'_>| {
        let as_deep = depth
            .zip(indentation(text, tag.span.start))
            .is_some_and(|(own, other)| other <= own);
        !tag.closes && (tag.name == open.name || as_deep)
    };
    let sibling = tags.get(top + 1..index)?.iter().find(outside);
    Some(sibling.map_or(limit, |tag| tag.span.start))
}

/// How far a tag is indented, when it is the first on its line.
fn indentation(text: &str, at: usize) -> Option<usize> {
    let line = text.get(..at)?.rsplit('\n').next()?;
    line.trim().is_empty().then_some(line.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said, and the text after the edit.
    fn mended(text: &str) -> (String, String) {
        let mismatch = check(text).unwrap();
        let (before, rest) = text.split_at(mismatch.blank.start);
        let after = rest.get(mismatch.blank.end - mismatch.blank.start..).unwrap();
        (mismatch.finding.message, format!("{before}{}{after}", mismatch.insert))
    }

    #[test]
    fn the_place_of_a_missing_end_tag_is_found() {
        let cases = [
            ("<a><b>1<c>2</c></a>", "<a><b>1</b><c>2</c></a>"),
            ("<a>\n <b>\n <c>2</c>\n</a>", "<a>\n <b>\n </b><c>2</c>\n</a>"),
            ("<a><b><c/></a>", "<a><b><c/></b></a>"),
            ("<a><b><c>1</c><b></b></a>", "<a><b><c>1</c></b><b></b></a>"),
            (
                "<a><!-- </a> --><b x='>'>1</b>\n",
                "<a><!-- </a> --><b x='>'>1</b></a>\n",
            ),
        ];
        for (text, wanted) in cases {
            let (said, got) = mended(text);
            assert_eq!(got, wanted);
            assert!(said.ends_with("is not closed"), "{said}");
        }
    }

    #[test]
    fn wrong_and_stray_end_tags_are_told_apart() {
        let (said, got) = mended("<Disk><Order>1</order></Disk>");
        assert_eq!(said, "`</order>` stands where `</Order>` is expected");
        assert_eq!(got, "<Disk><Order>1</Order></Disk>");
        let (said, got) = mended("<Disk><Order>1</Order></Extend></Disk>");
        assert_eq!(said, "`</Extend>` closes nothing");
        assert_eq!(got, "<Disk><Order>1</Order></Disk>");
        let (_, got) = mended("<Disk><Order>1</Order></Order><Size>2</Size></Disk>");
        assert_eq!(got, "<Disk><Order>1</Order><Size>2</Size></Disk>");
        assert!(check("<a></a></a>").is_none() && check("<a").is_none() && check("").is_none());
    }
}
