//! Texts that diagnostics point into, and places inside them.

use std::ops::Range;
use std::sync::Arc;

/// A piece of a text, in bytes. It always lies on character borders once it has been through [`SourceText::clamp`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// From `start` up to, not including, `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self {
            start,
            end: end.max(start),
        }
    }

    /// As a range.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// From the start of this one to the end of the other.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self::new(self.start, other.end)
    }
}

/// A place as people count: lines and characters from 1.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Location {
    /// The file's name as the user wrote it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A named text. Cloning is cheap.
#[derive(Clone)]
pub struct SourceText(Arc<Inner>);

struct Inner {
    name: String,
    text: String,
    /// The first byte of each line.
    lines: Vec<usize>,
}

impl std::fmt::Debug for SourceText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SourceText({}, {} bytes)", self.0.name, self.0.text.len())
    }
}

impl PartialEq for SourceText {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.0.name == other.0.name && self.0.text == other.0.text)
    }
}

impl Eq for SourceText {}

impl SourceText {
    /// A text under the name that the user knows it by.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let after_breaks = text
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n')
            .map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(after_breaks).collect();
        Self(Arc::new(Inner {
            name: name.into(),
            text,
            lines,
        }))
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The piece that a span covers; empty when the span is not of this text.
    pub fn slice(&self, span: Span) -> &str {
        self.0.text.get(span.range()).unwrap_or("")
    }

    /// Line and column of a byte; places beyond the end are the end.
    pub fn location(&self, offset: usize) -> Location {
        let offset = self.floor(offset);
        let index = self.0.lines.partition_point(|start| *start <= offset).saturating_sub(1);
        let start = self.0.lines.get(index).copied().unwrap_or(0);
        let column = self.slice(Span::new(start, offset)).chars().count() + 1;
        Location {
            file: self.0.name.clone(),
            line: index + 1,
            column,
        }
    }

    /// The text of a line (from 1), without its line break.
    pub fn line_text(&self, line: usize) -> Option<&str> {
        let index = line.checked_sub(1)?;
        let start = *self.0.lines.get(index)?;
        let end = self.0.lines.get(index + 1).copied().unwrap_or(self.0.text.len());
        Some(self.slice(Span::new(start, end)).trim_end_matches(['\n', '\r']))
    }

    /// The span of a whole line (from 1), without its line break.
    pub fn line_span(&self, line: usize) -> Option<Span> {
        let start = *self.0.lines.get(line.checked_sub(1)?)?;
        Some(Span::new(start, start + self.line_text(line)?.len()))
    }

    /// The span, moved onto character borders inside the text.
    #[must_use]
    pub fn clamp(&self, span: Span) -> Span {
        let start = self.floor(span.start);
        let mut end = span.end.clamp(start, self.0.text.len());
        while !self.0.text.is_char_boundary(end) {
            end += 1;
        }
        Span::new(start, end)
    }

    fn floor(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.0.text.len());
        while !self.0.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let source = SourceText::new("a.yaml", "one\n한글: x\r\n");
        let at = source.text().find('x').unwrap();
        assert_eq!(source.location(at).to_string(), "a.yaml:2:5");
        assert_eq!(source.line_text(2), Some("한글: x"));
        assert_eq!(source.line_text(4), None);
        assert_eq!(source.location(999).line, 3);
    }

    #[test]
    fn spans_are_moved_onto_characters() {
        let source = SourceText::new("a", "한글");
        assert_eq!(source.clamp(Span::new(1, 4)), Span::new(0, 6));
        assert_eq!(source.clamp(Span::new(40, 50)), Span::new(6, 6));
    }
}
