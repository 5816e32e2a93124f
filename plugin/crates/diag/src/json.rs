//! Diagnostics as JSON, for editors and CI: places counted from 1, columns in characters.

use serde::Serialize;

use crate::diagnostic::{Diagnostic, Label, Patch, Severity};

/// One diagnostic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Its code.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// Where.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What a person can do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub help: Vec<String>,
    /// Other places that have to do with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Place>,
    /// A change that would cure it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<Suggestion>,
}

/// A piece of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file.
    pub file: String,
    /// First line.
    pub line: usize,
    /// First character.
    pub column: usize,
    /// Last line.
    pub end_line: usize,
    /// The character after the last.
    pub end_column: usize,
    /// A few words about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label: String,
}

/// A change of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// What it does.
    pub message: String,
    /// The piece to replace.
    #[serde(flatten)]
    pub place: Place,
    /// What to put there.
    pub replacement: String,
}

impl From<&Label> for Place {
    fn from(label: &Label) -> Self {
        let start = label.location();
        let end = label.source.location(label.span.end);
        Self {
            file: start.file,
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            label: label.text.clone(),
        }
    }
}

impl From<&Patch> for Suggestion {
    fn from(patch: &Patch) -> Self {
        let place = Place::from(&Label::new(&patch.source, patch.span, ""));
        Self {
            message: patch.message.clone(),
            place,
            replacement: patch.replacement.clone(),
        }
    }
}

impl From<&Diagnostic> for Report {
    fn from(diagnostic: &Diagnostic) -> Self {
        Self {
            code: diagnostic.code,
            severity: diagnostic.severity,
            message: diagnostic.message.clone(),
            place: diagnostic.primary.as_ref().map(Place::from),
            help: diagnostic.help.clone(),
            related: diagnostic.related.iter().map(Place::from).collect(),
            suggestion: diagnostic.patch.as_ref().map(Suggestion::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceText, Span};

    #[test]
    fn columns_are_characters_from_one() {
        let source = SourceText::new("spec.yaml", "a\n한: bc\n");
        let start = source.text().find("bc").unwrap();
        let diagnostic = Diagnostic::error("spec::x", "no")
            .at(&source, Span::new(start, start + 2), "this")
            .help("do that");
        let place = Report::from(&diagnostic).place.unwrap();
        assert_eq!(
            (place.line, place.column, place.end_line, place.end_column),
            (2, 4, 2, 6)
        );
    }
}
