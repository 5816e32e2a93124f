//! What no single field can say: how sections fit together, and what the cloud is known to refuse.

mod between;
mod generalize;
mod image;
mod machine;
mod nhn;
mod places;
mod unattend;

use reseal_diag::Diagnostic;

use crate::codes;
use crate::load::Files;
use crate::model::{Provider, Spec};
use crate::yaml::Document;

pub(crate) use between::between;

/// A place to complain from.
pub(crate) struct Complain<'a> {
    pub document: &'a Document,
    pub diagnostics: &'a mut Vec<Diagnostic>,
}

impl Complain<'_> {
    /// An error about the value at a route.
    fn error(&mut self, code: &'static str, at: &str, message: impl Into<String>, help: &str) {
        self.push(Diagnostic::error(code, message), at, help);
    }

    /// A warning about the value at a route.
    fn warning(&mut self, code: &'static str, at: &str, message: impl Into<String>, help: &str) {
        self.push(Diagnostic::warning(code, message), at, help);
    }

    fn push(&mut self, diagnostic: Diagnostic, at: &str, help: &str) {
        let diagnostic = diagnostic.at(&self.document.source, self.document.value_span(at), "");
        self.diagnostics.push(if help.is_empty() {
            diagnostic
        } else {
            diagnostic.help(help)
        });
    }
}

/// `reseal: 1`.
pub(crate) fn version(document: &Document, diagnostics: &mut Vec<Diagnostic>) {
    match document.value.get("reseal") {
        Some(version) if version.as_u64() == Some(1) => {}
        Some(_) => {
            let span = document.value_span("/reseal");
            let message = "this program reads version 1 of the format";
            let diagnostic = Diagnostic::error(codes::VERSION, message).at(&document.source, span, "");
            diagnostics.push(diagnostic.suggest(&document.source, span, "1", "the only version there is"));
        }
        None => {
            let diagnostic = crate::shape::missing_field(document, "", "reseal");
            diagnostics.push(diagnostic.help("begin the spec with the format's version: `reseal: 1`"));
        }
    }
}

/// Everything about one build.
pub(crate) fn spec(document: &Document, spec: &Spec, files: &dyn Files, diagnostics: &mut Vec<Diagnostic>) {
    let mut complain = Complain { document, diagnostics };
    places::check(spec, files, &mut complain);
    machine::check(spec, &mut complain);
    image::check(spec, &mut complain);
    unattend::check(spec, &mut complain);
    generalize::check(spec, &mut complain);
    if spec.cloud.provider == Provider::Nhn {
        nhn::check(spec, &mut complain);
    }
}
