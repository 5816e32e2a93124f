//! Putting values into texts.

use reseal_diag::{Diagnostic, nearest};
use serde_json::Value;

use super::scope::{Scope, in_text};
use crate::codes;
use crate::route;
use crate::template::{self, Piece, TemplateError};
use crate::yaml::Document;

/// What becomes of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// They stay templates: sensitive variables as `${name}`, a literal `${` as `$${`.
    Template,
    /// They are final; sensitive variables are refused.
    Final,
}

/// Fills the values of one scope into a document's texts.
pub(crate) struct Filler<'a> {
    pub document: &'a Document,
    pub scope: &'a Scope,
    pub form: Form,
    pub diagnostics: &'a mut Vec<Diagnostic>,
}

impl Filler<'_> {
    /// A copy of a value with its texts filled in. Keys are never filled in.
    pub(crate) fn value(&mut self, value: &Value, at: &str) -> Value {
        match value {
            Value::String(text) if text.contains("${") => self.text(text, at),
            Value::Array(items) => {
                let filled = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.value(item, &route::item(at, index)));
                Value::Array(filled.collect())
            }
            Value::Object(map) => {
                let mut filled = serde_json::Map::with_capacity(map.len());
                for (key, value) in map {
                    filled.insert(key.clone(), self.value(value, &route::member(at, key)));
                }
                Value::Object(filled)
            }
            other => other.clone(),
        }
    }

    fn text(&mut self, text: &str, at: &str) -> Value {
        if let Some(whole) = self.whole(text) {
            return whole;
        }
        let mut out = String::with_capacity(text.len());
        for piece in template::pieces(text) {
            match piece {
                Ok(Piece::Text(text)) => out.push_str(text),
                Ok(Piece::Escape) => out.push_str(if self.form == Form::Template { "$${" } else { "${" }),
                Ok(Piece::Name { name, .. }) => out.push_str(&self.name(name, at)),
                Err(error) => self.diagnostics.push(open(self.document, at, &error)),
            }
        }
        Value::String(out)
    }

    /// The value itself when the text is nothing but its name and it is not text.
    fn whole(&self, text: &str) -> Option<Value> {
        let name = text.strip_prefix("${")?.strip_suffix('}')?;
        let known = self.scope.get(name)?;
        match &known.value {
            Value::String(_) => None,
            Value::Array(items) => Some(Value::Array(items.iter().map(|item| self.shaped(item)).collect())),
            other => Some(other.clone()),
        }
    }

    fn shaped(&self, value: &Value) -> Value {
        match (self.form, value) {
            (Form::Final, Value::String(text)) => Value::String(text.replace("$${", "${")),
            _ => value.clone(),
        }
    }

    fn name(&mut self, name: &str, at: &str) -> String {
        let Some(known) = self.scope.get(name) else {
            self.diagnostics.push(self.unknown(name, at));
            return String::new();
        };
        if known.sensitive && self.form == Form::Final {
            self.diagnostics.push(self.sensitive(name, at));
            return String::new();
        }
        if known.value.is_array() {
            let message = format!("`{name}` is a list and cannot stand inside a text");
            let span = self.document.piece_span(at, &format!("${{{name}}}"));
            let diagnostic = Diagnostic::error(codes::WRONG_TYPE, message).at(&self.document.source, span, "");
            self.diagnostics
                .push(diagnostic.help("a list can only be a whole value"));
            return String::new();
        }
        in_text(&self.shaped(&known.value))
    }

    fn unknown(&self, name: &str, at: &str) -> Diagnostic {
        let written = format!("${{{name}}}");
        let span = self.document.piece_span(at, &written);
        let diagnostic = Diagnostic::error(codes::UNKNOWN_VARIABLE, format!("there is no variable `{name}`")).at(
            &self.document.source,
            span,
            "",
        );
        if name.starts_with("env.") || name.starts_with("env:") {
            return diagnostic
                .help("the environment cannot be read here; declare a variable and give it by `RESEAL_VAR_name`")
                .help(format!("for the text itself, as in PowerShell, write `$${{{name}}}`"));
        }
        match nearest(name, self.scope.names()) {
            Some(meant) => diagnostic.suggest(
                &self.document.source,
                span,
                format!("${{{meant}}}"),
                format!("did you mean `{meant}`?"),
            ),
            None => diagnostic
                .help(format!("known here: {}", template::quoted(self.scope.names())))
                .help(format!("for the text itself, as in PowerShell, write `$${{{name}}}`")),
        }
    }

    fn sensitive(&self, name: &str, at: &str) -> Diagnostic {
        let span = self.document.piece_span(at, &format!("${{{name}}}"));
        Diagnostic::error(
            codes::SENSITIVE_PLACE,
            format!("the sensitive variable `{name}` cannot be used here"),
        )
        .at(
            &self.document.source,
            span,
            "this value is shown in plans and in the cloud",
        )
        .help("sensitive variables can be used in `software`, `unattend`, `verify.checks` and for the WinRM account")
    }
}

fn open(document: &Document, at: &str, error: &TemplateError) -> Diagnostic {
    Diagnostic::error(codes::TEMPLATE, error.to_string())
        .at(&document.source, document.piece_span(at, "${"), "")
        .help("for a literal `${` write `$${`")
}
