//! YAML: one reader says what is written, another says where.

mod map;
pub(crate) mod mask;
mod refuse;

use std::collections::HashMap;

use reseal_diag::{Diagnostic, SourceText, Span};
use serde_json::Value;

use crate::codes;
use crate::route;

/// Where a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its key, when it is a member of a mapping.
    pub key: Option<Span>,
    /// The value itself.
    pub value: Span,
    /// Whether the value is a scalar.
    pub scalar: bool,
}

/// A text that could be read as YAML.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    /// The text.
    pub source: SourceText,
    /// Places by route.
    places: HashMap<String, Place>,
    /// What is written.
    pub value: Value,
}

impl Document {
    /// Reads a text. There is no document when it is not YAML or uses something that could change its meaning
    /// unseen (anchors, tags, several documents).
    pub(crate) fn read(source: &SourceText) -> (Option<Self>, Vec<Diagnostic>) {
        let (places, mut diagnostics, readable) = map::read(source);
        if !readable {
            return (None, diagnostics);
        }
        match serde_yaml::from_str::<Value>(map::without_bom(source.text()).0) {
            Ok(value) => {
                let document = Self {
                    source: source.clone(),
                    places,
                    value,
                }
                .without_secrets();
                mask::replace(&mut diagnostics, source, &document.source);
                (Some(document), diagnostics)
            }
            Err(error) => {
                let at = error.location().map_or(0, |location| location.index());
                let message = format!("this is not YAML: {error}");
                diagnostics.push(Diagnostic::error(codes::YAML, message).at(source, Span::new(at, at + 1), ""));
                (None, diagnostics)
            }
        }
    }

    /// The same with the defaults of sensitive variables blotted out of its text.
    fn without_secrets(mut self) -> Self {
        let variables = self
            .value
            .get("variables")
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        let sensitive = variables.filter(|(_, variable)| variable.get("sensitive") == Some(&Value::Bool(true)));
        let secrets: Vec<Span> = sensitive
            .flat_map(|(name, _)| {
                let at = route::member("/variables", name);
                ["default", "allowed"].map(|field| self.place(&route::member(&at, field)))
            })
            .flatten()
            .map(|place| place.value)
            .filter(|span| !matches!(self.source.slice(*span), "\"\"" | "''" | ""))
            .collect();
        if !secrets.is_empty() {
            self.source = mask::spans(&self.source, &secrets);
        }
        self
    }

    /// The place of a route, if it is written.
    pub(crate) fn place(&self, route: &str) -> Option<Place> {
        self.places.get(route).copied()
    }

    /// The place of the nearest thing around a route that is written.
    pub(crate) fn around(&self, route: &str) -> Place {
        let mut route = route;
        loop {
            match (self.place(route), route::parent(route)) {
                (Some(place), _) => return place,
                (None, Some(parent)) => route = parent,
                (None, None) => {
                    return Place {
                        key: None,
                        value: Span::new(0, 0),
                        scalar: false,
                    };
                }
            }
        }
    }

    /// What to mark when a value is meant: the value if it is a scalar, else its key or its first line.
    pub(crate) fn value_span(&self, route: &str) -> Span {
        let place = self.around(route);
        match place.key {
            Some(key) if !place.scalar => key,
            _ => self.first_line(place.value),
        }
    }

    /// What to mark when a key is meant; the value for items of lists.
    pub(crate) fn key_span(&self, route: &str) -> Span {
        let place = self.around(route);
        place.key.unwrap_or_else(|| self.first_line(place.value))
    }

    /// A piece of a scalar's text, or the whole scalar when it cannot be found as such.
    pub(crate) fn piece_span(&self, route: &str, piece: &str) -> Span {
        let whole = self.around(route).value;
        match self.source.slice(whole).find(piece) {
            Some(at) if !piece.is_empty() => Span::new(whole.start + at, whole.start + at + piece.len()),
            _ => self.value_span(route),
        }
    }

    fn first_line(&self, span: Span) -> Span {
        let text = self.source.slice(span);
        let line = text.lines().next().unwrap_or("").trim_end();
        Span::new(span.start, span.start + line.len())
    }

    #[cfg(test)]
    pub(crate) fn places(&self) -> &HashMap<String, Place> {
        &self.places
    }
}

#[cfg(test)]
mod tests;
