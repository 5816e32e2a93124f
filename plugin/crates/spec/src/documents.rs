//! The spec and the files of steps that it uses, by route.

use std::sync::Arc;

use reseal_diag::{Location, Span};

use crate::model::Origin;
use crate::route;
use crate::yaml::Document;

/// All documents of a spec; the first is the spec itself.
#[derive(Debug, Default)]
pub(crate) struct Documents(Vec<Arc<Document>>);

impl Documents {
    pub(crate) fn push(&mut self, document: Arc<Document>) {
        self.0.push(document);
    }

    /// The document with this path.
    pub(crate) fn named(&self, path: &str) -> Option<&Arc<Document>> {
        self.0.iter().find(|document| document.source.name() == path)
    }

    /// The document that a route is in, and the pointer inside it.
    fn find<'a>(&self, route: &'a str) -> Option<(&Arc<Document>, &'a str)> {
        let (file, pointer) = route::split(route);
        let document = match file {
            None => self.0.first(),
            Some(file) => self.named(file),
        };
        Some((document?, pointer))
    }

    /// Where the key (or the item) of a route is written, or the nearest thing around it.
    pub(crate) fn locate(&self, route: &str) -> Option<Location> {
        let (document, pointer) = self.find(route)?;
        Some(document.source.location(document.key_span(pointer).start))
    }

    /// The source and the place of a route, for diagnostics that others make.
    pub(crate) fn mark(&self, route: &str) -> Option<(reseal_diag::SourceText, Span)> {
        let (document, pointer) = self.find(route)?;
        Some((document.source.clone(), document.value_span(pointer)))
    }

    /// The place of a route that is written in the spec or its parts.
    pub(crate) fn place(&self, route: &str) -> Option<Origin> {
        let (document, pointer) = self.find(route)?;
        document.value.pointer(pointer)?;
        let is_spec = self.0.first().is_some_and(|spec| Arc::ptr_eq(spec, document));
        Some(origin(document, pointer, is_spec))
    }

    pub(crate) fn line_text(&self, file: &str, line: usize) -> Option<&str> {
        self.named(file)?.source.line_text(line)
    }
}

/// The origin of a pointer in a document; `spec` tells whether the document is the spec itself.
pub(crate) fn origin(document: &Document, pointer: &str, is_spec: bool) -> Origin {
    let location = document.source.location(document.key_span(pointer).start);
    let route = if is_spec {
        pointer.to_owned()
    } else {
        format!("{}#{pointer}", location.file)
    };
    Origin {
        route,
        file: location.file,
        line: location.line,
        column: location.column,
    }
}
