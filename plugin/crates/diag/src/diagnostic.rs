//! One complaint: what, where, why, and what to write instead.

use serde::Serialize;

use crate::source::{Location, SourceText, Span};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The work cannot go on.
    Error,
    /// It can, but somebody should look.
    Warning,
    /// Good to know.
    Note,
}

/// A marked place with a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The text that the place is in.
    pub source: SourceText,
    /// The place.
    pub span: Span,
    /// The words; may be empty.
    pub text: String,
}

impl Label {
    /// Marks `span` of `source`; spans outside the text are moved inside.
    pub fn new(source: &SourceText, span: Span, text: impl Into<String>) -> Self {
        Self {
            source: source.clone(),
            span: source.clamp(span),
            text: text.into(),
        }
    }

    /// Where it begins.
    pub fn location(&self) -> Location {
        self.source.location(self.span.start)
    }
}

/// A change that would cure the complaint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// What it does, e.g. "did you mean `flavor`?".
    pub message: String,
    /// The text to change.
    pub source: SourceText,
    /// The piece to replace.
    pub span: Span,
    /// What to put there.
    pub replacement: String,
}

/// One complaint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its stable code, e.g. `spec::unknown-field`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence in lower case without a full stop.
    pub message: String,
    /// The place, if it has one.
    pub primary: Option<Label>,
    /// Places that have to do with it.
    pub related: Vec<Label>,
    /// What a person can do.
    pub help: Vec<String>,
    /// A change that would cure it.
    pub patch: Option<Patch>,
}

impl Diagnostic {
    /// An error without a place.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            code,
            severity: Severity::Error,
            message,
            primary: None,
            related: vec![],
            help: vec![],
            patch: None,
        }
    }

    /// A warning without a place.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message)
        }
    }

    /// Points at the place that is wrong.
    #[must_use]
    pub fn at(mut self, source: &SourceText, span: Span, text: impl Into<String>) -> Self {
        self.primary = Some(Label::new(source, span, text));
        self
    }

    /// Points at a place that has to do with it.
    #[must_use]
    pub fn related(mut self, source: &SourceText, span: Span, text: impl Into<String>) -> Self {
        self.related.push(Label::new(source, span, text));
        self
    }

    /// Adds what a person can do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Proposes to write `replacement` at `span`.
    #[must_use]
    pub fn suggest(
        mut self,
        source: &SourceText,
        span: Span,
        replacement: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        let span = source.clamp(span);
        self.patch = Some(Patch {
            message: message.into(),
            source: source.clone(),
            span,
            replacement: replacement.into(),
        });
        self
    }

    /// Whether the work cannot go on.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Where it points.
    pub fn location(&self) -> Option<Location> {
        self.primary.as_ref().map(Label::location)
    }
}

/// Sorts by file in order of first appearance, then by position, and drops repetitions. Complaints without a place
/// come first.
pub fn sort(diagnostics: &mut Vec<Diagnostic>) {
    let mut files: Vec<String> = Vec::new();
    for label in diagnostics.iter().filter_map(|diagnostic| diagnostic.primary.as_ref()) {
        if !files.iter().any(|file| file == label.source.name()) {
            files.push(label.source.name().to_owned());
        }
    }
    let rank = |label: &Label| files.iter().position(|file| file == label.source.name());
    diagnostics.sort_by_key(|diagnostic| {
        let place = diagnostic.primary.as_ref().map(|label| (rank(label), label.span));
        (place, diagnostic.severity, diagnostic.code)
    });
    diagnostics.dedup();
}
