//! Source texts, spans, labels and suggestions; renders a diagnostic as rustc does.
//!
//! A [`Diagnostic`] says what is wrong, where, and what could stand there instead. It holds its [`SourceText`]s, so
//! it can be passed on without a side table and rendered anywhere: as text ([`render()`]), or as JSON ([`json`]).
//!
//! Nothing here reads files or knows what a spec is. Start reading at [`diagnostic`].

pub mod codes;
pub mod diagnostic;
pub mod json;
pub mod render;
pub mod source;
pub mod suggest;

pub use codes::CodePage;
pub use diagnostic::{Diagnostic, Label, Patch, Severity, sort};
pub use render::{Look, render, render_all};
pub use source::{Location, SourceText, Span};
pub use suggest::nearest;
