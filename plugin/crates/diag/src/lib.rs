//! Source texts, spans, labels and suggestions; renders a diagnostic as rustc does.
