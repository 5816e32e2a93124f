//! What YAML allows and a spec does not, because it can change the meaning of a text unseen.

use reseal_diag::{Diagnostic, SourceText, Span};

use crate::codes;

/// A complaint, and whether the text can be read in spite of it.
pub(super) struct Refusal {
    pub diagnostic: Diagnostic,
    pub fatal: bool,
}

fn fatal(diagnostic: Diagnostic) -> Refusal {
    Refusal {
        diagnostic,
        fatal: true,
    }
}

pub(super) fn not_yaml(source: &SourceText, info: &str, at: usize) -> Refusal {
    let diagnostic = Diagnostic::error(codes::YAML, format!("this is not YAML: {info}"));
    fatal(diagnostic.at(source, Span::new(at, at + 1), "the reader got stuck here"))
}

pub(super) fn several_documents(source: &SourceText, span: Span) -> Refusal {
    let diagnostic = Diagnostic::error(codes::SEVERAL_DOCUMENTS, "a spec is one document");
    fatal(
        diagnostic
            .at(source, span, "a second one begins here")
            .help("put each spec into a file of its own"),
    )
}

pub(super) fn anchor(source: &SourceText, span: Span) -> Refusal {
    let diagnostic = Diagnostic::error(codes::ANCHOR, "anchors and aliases are not allowed in a spec");
    let place = line_of(source, span);
    fatal(
        diagnostic
            .at(source, place, "")
            .help("use a variable, or `use:` with a file of steps"),
    )
}

pub(super) fn tag(source: &SourceText, span: Span) -> Refusal {
    let diagnostic = Diagnostic::error(codes::TAG, "tags are not allowed in a spec");
    fatal(
        diagnostic
            .at(source, line_of(source, span), "")
            .help("leave the `!…` out; the field decides the type"),
    )
}

pub(super) fn merge_key(source: &SourceText, span: Span) -> Refusal {
    let diagnostic = Diagnostic::error(codes::MERGE_KEY, "merge keys are not allowed in a spec");
    fatal(
        diagnostic
            .at(source, span, "")
            .help("write the fields out, or use a variable"),
    )
}

pub(super) fn complex_key(source: &SourceText, span: Span) -> Refusal {
    let diagnostic = Diagnostic::error(codes::COMPLEX_KEY, "a key must be a word");
    let help = "a text that begins with `{` or `[` needs quotes";
    fatal(
        diagnostic
            .at(source, line_of(source, span), "this key is a list or a mapping")
            .help(help),
    )
}

pub(super) fn duplicate_key(source: &SourceText, key: &str, first: Span, second: Span) -> Refusal {
    let diagnostic = Diagnostic::error(codes::DUPLICATE_KEY, format!("`{key}` is given twice"))
        .at(source, second, "and again here")
        .related(source, first, "first here")
        .help("keep one of them; YAML readers disagree about which one counts");
    Refusal {
        diagnostic,
        fatal: false,
    }
}

/// Tabs at the beginning of lines, up to a place, outside of texts over several lines.
pub(super) fn tabs(source: &SourceText, limit: usize, scalars: &[Span]) -> Option<Refusal> {
    let mut start = 0;
    for line in source.text().split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        let tab = line.find('\t').filter(|at| *at < indent).map(|at| start + at);
        let blank = line.trim().is_empty();
        if let Some(tab) = tab.filter(|tab| !blank && *tab <= limit)
            && !scalars.iter().any(|span| span.range().contains(&tab))
        {
            let diagnostic = Diagnostic::error(codes::TAB, "YAML is indented with spaces, not with tabs");
            return Some(fatal(diagnostic.at(source, Span::new(tab, tab + 1), "a tab")));
        }
        start += line.len();
    }
    None
}

/// From the start of a span to the end of its line; events for collections are empty.
fn line_of(source: &SourceText, span: Span) -> Span {
    let line = source.location(span.start).line;
    let end = source.line_span(line).map_or(span.end, |line| line.end);
    Span::new(span.start, end.max(span.start))
}
