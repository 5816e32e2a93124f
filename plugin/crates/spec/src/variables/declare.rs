//! Declarations of variables.

use std::collections::BTreeMap;

use reseal_diag::Diagnostic;
use serde_json::Value;

use crate::codes;
use crate::model::{Variable, VariableType};
use crate::route;
use crate::shape;
use crate::yaml::Document;

/// Whether a text can be the name of a variable.
pub(crate) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The complaint about a name that is none.
pub(crate) fn bad_name(document: &Document, at: &str, name: &str) -> Diagnostic {
    Diagnostic::error(codes::BAD_NAME, format!("`{name}` cannot be a name"))
        .at(&document.source, document.key_span(at), "")
        .help("names are made of letters, digits and `_`, and do not begin with a digit")
}

/// The variables that a document declares under `/variables`.
pub(crate) fn declared(document: &Document, diagnostics: &mut Vec<Diagnostic>) -> BTreeMap<String, Variable> {
    let mut all = BTreeMap::new();
    let Some(section) = document.value.get("variables").filter(|section| !section.is_null()) else {
        return all;
    };
    let Some(section) = section.as_object() else {
        let message = "`variables` is a mapping, as in `version: { default: \"1.0\" }`";
        let span = document.value_span("/variables");
        diagnostics.push(Diagnostic::error(codes::WRONG_TYPE, message).at(&document.source, span, ""));
        return all;
    };
    for (name, value) in section {
        let at = route::member("/variables", name);
        if !is_name(name) || matches!(name.as_str(), "build" | "matrix" | "env") {
            diagnostics.push(bad_name(document, &at, name));
            continue;
        }
        let value = if value.is_null() {
            Value::Object(serde_json::Map::new())
        } else {
            value.clone()
        };
        let (variable, complaints) = shape::read::<Variable>(&value, &at);
        diagnostics.extend(complaints.iter().map(|complaint| shape::report(document, complaint)));
        let variable = variable.unwrap_or_default();
        check(document, &at, &variable, diagnostics);
        all.insert(name.clone(), variable);
    }
    all
}

/// What the types cannot say about a declaration.
fn check(document: &Document, at: &str, variable: &Variable, diagnostics: &mut Vec<Diagnostic>) {
    let mut wrong = |field: &str, message: String| {
        let span = document.value_span(&route::member(at, field));
        diagnostics.push(Diagnostic::error(codes::VARIABLE_VALUE, message).at(&document.source, span, ""));
    };
    let kind = variable.kind();
    if let Some(default) = &variable.default {
        if let Err(expected) = kind.convert(default) {
            wrong("default", format!("the default is not {expected}"));
        } else if !variable.allows(default) {
            wrong("default", "the default is not one of the allowed values".to_owned());
        }
    }
    if variable.sensitive && kind == VariableType::List {
        wrong("type", "a sensitive variable cannot be a list".to_owned());
    }
    if variable.sensitive
        && variable
            .default
            .as_ref()
            .is_some_and(|default| default.as_str() != Some(""))
    {
        let span = document.value_span(&route::member(at, "default"));
        let message = "a sensitive value should not stand in the spec";
        let help = "leave the default out and give the value by `RESEAL_VAR_name`";
        diagnostics.push(
            Diagnostic::warning(codes::SECRET_IN_SPEC, message)
                .at(&document.source, span, "")
                .help(help),
        );
    }
}

impl Variable {
    /// The kind of value: as declared, else the default's, else text.
    pub fn kind(&self) -> VariableType {
        self.kind.unwrap_or(match &self.default {
            Some(Value::Number(_)) => VariableType::Number,
            Some(Value::Bool(_)) => VariableType::Bool,
            Some(Value::Array(_)) => VariableType::List,
            _ => VariableType::String,
        })
    }

    /// Whether a value is allowed.
    pub(crate) fn allows(&self, value: &Value) -> bool {
        let same = |allowed: &Value| self.kind().convert(allowed) == self.kind().convert(value);
        self.allowed.is_empty() || self.allowed.iter().any(same)
    }
}

impl VariableType {
    /// The value as this kind; texts (from a command line) are read. The error says what was expected.
    pub(crate) fn convert(self, value: &Value) -> Result<Value, &'static str> {
        match (self, value) {
            (Self::String, Value::String(_)) | (Self::Number, Value::Number(_)) | (Self::Bool, Value::Bool(_)) => {
                Ok(value.clone())
            }
            (Self::String, Value::Number(number)) => Ok(Value::String(number.to_string())),
            (Self::Bool, Value::String(text)) => text.parse::<bool>().map(Value::Bool).map_err(|_| "`true` or `false`"),
            (Self::Number, Value::String(text)) => number(text).ok_or("a number"),
            (Self::List, Value::Array(items)) if items.iter().all(Value::is_string) => Ok(value.clone()),
            (Self::List, Value::String(text)) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                Ok(Value::Array(items.map(|item| Value::String(item.to_owned())).collect()))
            }
            (Self::String, _) => Err("text"),
            (Self::Number, _) => Err("a number"),
            (Self::Bool, _) => Err("`true` or `false`"),
            (Self::List, _) => Err("a list of texts"),
        }
    }
}

fn number(text: &str) -> Option<Value> {
    match serde_json::from_str::<Value>(text.trim()) {
        Ok(value @ Value::Number(_)) => Some(value),
        _ => None,
    }
}
