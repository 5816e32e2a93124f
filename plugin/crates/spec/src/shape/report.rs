//! Complaints about shapes as diagnostics.

use reseal_diag::{Diagnostic, nearest};

use super::mistake::{Complaint, Mistake};
use crate::codes;
use crate::route;
use crate::template::quoted;
use crate::yaml::Document;

/// The diagnostic of a complaint about a document.
pub(crate) fn report(document: &Document, complaint: &Complaint) -> Diagnostic {
    let at = complaint.route.as_str();
    let message = complaint.mistake.to_string();
    match &complaint.mistake {
        Mistake::UnknownField { field, allowed } => unknown_field(document, at, field, allowed.iter().copied()),
        Mistake::MissingField(field) => missing_field(document, at, field),
        Mistake::UnknownWord { word, allowed } => {
            let diagnostic = Diagnostic::error(codes::BAD_VALUE, message);
            choice(document, at, word, allowed.iter().copied(), diagnostic)
        }
        Mistake::WrongType { expected, .. } => wrong_type(document, at, &message, expected),
        Mistake::Other(text) => {
            let (code, text) = codes::coded(text);
            Diagnostic::error(code, text).at(&document.source, document.value_span(at), "")
        }
    }
}

/// A field that the mapping at `at` does not have.
pub(crate) fn unknown_field<'a>(
    document: &Document,
    at: &str,
    field: &str,
    allowed: impl IntoIterator<Item = &'a str> + Clone,
) -> Diagnostic {
    let span = document.key_span(&route::member(at, field));
    let diagnostic = Diagnostic::error(codes::UNKNOWN_FIELD, format!("unknown field `{field}`"))
        .at(&document.source, span, "not known here")
        .help(format!("allowed here: {}", quoted(allowed.clone())));
    match nearest(field, allowed) {
        Some(meant) => diagnostic.suggest(&document.source, span, meant, format!("did you mean `{meant}`?")),
        None => diagnostic,
    }
}

/// A field that the mapping at `at` must have.
pub(crate) fn missing_field(document: &Document, at: &str, field: &str) -> Diagnostic {
    let what = if at.is_empty() {
        "this spec".to_owned()
    } else {
        format!("`{}`", named(at))
    };
    Diagnostic::error(codes::MISSING_FIELD, format!("`{field}` is missing in {what}")).at(
        &document.source,
        document.key_span(at),
        format!("needs `{field}`"),
    )
}

/// The nearest part of a route that is a name and not a number.
fn named(at: &str) -> String {
    let mut at = at;
    while route::last(at).parse::<usize>().is_ok() {
        match route::parent(at) {
            Some(parent) if !parent.is_empty() => at = parent,
            _ => break,
        }
    }
    route::last(at)
}

/// A word that is none of those allowed.
pub(crate) fn choice<'a>(
    document: &Document,
    at: &str,
    word: &str,
    allowed: impl IntoIterator<Item = &'a str> + Clone,
    diagnostic: Diagnostic,
) -> Diagnostic {
    let span = document.value_span(at);
    let diagnostic = diagnostic
        .at(&document.source, span, "")
        .help(format!("possible here: {}", quoted(allowed.clone())));
    match nearest(word, allowed) {
        Some(meant) if document.source.slice(span).contains(word) => {
            let span = document.piece_span(at, word);
            diagnostic.suggest(&document.source, span, meant, format!("did you mean `{meant}`?"))
        }
        _ => diagnostic,
    }
}

/// A value of another type than `expected`.
pub(crate) fn wrong_type(document: &Document, at: &str, message: &str, expected: &str) -> Diagnostic {
    let span = document.value_span(at);
    let written = document.source.slice(span);
    let diagnostic =
        Diagnostic::error(codes::WRONG_TYPE, message).at(&document.source, span, format!("expected {expected}"));
    let bare = expected == "text" && document.around(at).scalar && !written.is_empty();
    if bare && !written.contains(['"', '\'', '\n', '\\']) {
        return diagnostic
            .help("without quotes YAML takes this for a number, a yes or no, or nothing")
            .suggest(&document.source, span, format!("\"{written}\""), "put it in quotes");
    }
    diagnostic
}
