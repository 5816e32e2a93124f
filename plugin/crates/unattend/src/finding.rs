//! What the linter says, and the edit that would cure it.

use reseal_diag::{Diagnostic, Severity, SourceText, Span};

use crate::secrets;

/// One thing found in an answer file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule, `U001` and so on; see [`CODES`](crate::codes::CODES).
    pub code: &'static str,
    /// How bad it is; a hint is a [`Severity::Note`].
    pub severity: Severity,
    /// Where.
    pub span: Span,
    /// What, in one sentence without a full stop.
    pub message: String,
    /// What to do.
    pub help: Vec<String>,
    /// Another place that has to do with it.
    pub related: Option<(Span, String)>,
    /// A change that would cure it.
    pub fix: Option<Fix>,
}

/// A change to the text of an answer file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it does.
    pub message: String,
    /// The piece to replace.
    pub span: Span,
    /// What to put there.
    pub replacement: String,
    /// Whether it may be applied without asking: the meaning stays, or becomes what the file plainly wanted.
    pub safe: bool,
}

impl Finding {
    fn new(code: &'static str, severity: Severity, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            span,
            message: message.into(),
            help: vec![],
            related: None,
            fix: None,
        }
    }

    /// Setup refuses the file or stops, or a setting certainly has no effect.
    pub(crate) fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, span, message)
    }

    /// Most likely not what was meant.
    pub(crate) fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, span, message)
    }

    /// Works, but good to know.
    pub(crate) fn hint(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, span, message)
    }

    /// Adds what to do.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Points at another place.
    pub(crate) fn related(mut self, span: Span, text: impl Into<String>) -> Self {
        self.related = Some((span, text.into()));
        self
    }

    /// Adds a change that a person should look at.
    pub(crate) fn suggest(mut self, span: Span, replacement: impl Into<String>, message: impl Into<String>) -> Self {
        self.fix = Some(Fix {
            message: message.into(),
            span,
            replacement: replacement.into(),
            safe: false,
        });
        self
    }

    /// Adds a change that may be applied without asking.
    pub(crate) fn fix(self, span: Span, replacement: impl Into<String>, message: impl Into<String>) -> Self {
        let mut this = self.suggest(span, replacement, message);
        if let Some(fix) = &mut this.fix {
            fix.safe = true;
        }
        this
    }

    /// As a diagnostic of `source`, the text that was linted. Its lines are shown: where it may hold secrets, take
    /// [`diagnostics`].
    pub fn diagnostic(&self, source: &SourceText) -> Diagnostic {
        let mut diagnostic = Diagnostic {
            severity: self.severity,
            ..Diagnostic::error(self.code, self.message.clone()).at(source, self.span, "")
        };
        diagnostic.help.clone_from(&self.help);
        if let Some((span, text)) = &self.related {
            diagnostic = diagnostic.related(source, *span, text.clone());
        }
        match &self.fix {
            Some(fix) => diagnostic.suggest(source, fix.span, fix.replacement.clone(), fix.message.clone()),
            None => diagnostic,
        }
    }
}

/// Findings of a text as diagnostics that show none of its secrets: they are veiled in the lines that are shown, and
/// taken out of messages and suggestions.
pub fn diagnostics(findings: &[Finding], name: &str, text: &str) -> Vec<Diagnostic> {
    let source = SourceText::new(name, secrets::veil(text));
    let hidden = secrets::Hidden::of(text);
    let clean = |finding: &Finding| {
        let mut finding = finding.clone();
        finding.message = hidden.without(&finding.message);
        finding.help = finding.help.iter().map(|help| hidden.without(help)).collect();
        if let Some(fix) = &mut finding.fix {
            fix.replacement = hidden.without_any(&fix.replacement);
        }
        finding.diagnostic(&source)
    };
    findings.iter().map(clean).collect()
}

/// Applies the safe fixes of `findings` to the text that they were found in. Fixes that overlap an earlier one are
/// left out; linting the result again finds them.
pub fn fix(text: &str, findings: &[Finding]) -> String {
    let mut fixes: Vec<&Fix> = findings
        .iter()
        .filter_map(|finding| finding.fix.as_ref())
        .filter(|fix| fix.safe)
        .collect();
    fixes.sort_by_key(|fix| (fix.span, fix.replacement.clone()));
    fixes.dedup();
    let mut result = String::with_capacity(text.len() + 256);
    let mut at = 0;
    for fix in fixes {
        let Some(kept) = text.get(at..fix.span.start) else {
            continue;
        };
        result.push_str(kept);
        result.push_str(&fix.replacement);
        at = fix.span.end;
    }
    result.push_str(text.get(at..).unwrap_or(""));
    result
}
