//! The values that can be used in a document.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use reseal_diag::{Diagnostic, SourceText, nearest};
use secrecy::SecretString;
use serde_json::Value;

use crate::codes;
use crate::load::{BuildInfo, Inputs};
use crate::matrix::Combination;
use crate::model::Variable;
use crate::route;
use crate::template;
use crate::yaml::{Document, mask};

/// A value that can be used.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Known {
    /// The value; its texts are templates, so that they may hold names of sensitive variables.
    pub value: Value,
    /// Whether the value stays a placeholder.
    pub sensitive: bool,
}

/// The values that can be used in one document, and which have been.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    values: BTreeMap<String, Known>,
    used: RefCell<BTreeSet<String>>,
}

impl Scope {
    pub(crate) fn new(values: BTreeMap<String, Known>) -> Self {
        Self {
            values,
            used: RefCell::default(),
        }
    }

    /// The value of a name, which counts as used from now on.
    pub(crate) fn get(&self, name: &str) -> Option<&Known> {
        let known = self.values.get(name)?;
        self.used.borrow_mut().insert(name.to_owned());
        Some(known)
    }

    /// The value of a name, which does not count as used.
    pub(crate) fn peek(&self, name: &str) -> Option<&Known> {
        self.values.get(name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.values.keys().map(String::as_str)
    }

    pub(crate) fn was_used(&self, name: &str) -> bool {
        self.used.borrow().contains(name)
    }

    /// The names that every document knows: `build.*` and `matrix.*`.
    pub(crate) fn common(&self) -> BTreeMap<String, Known> {
        let common = |name: &&String| name.contains('.');
        self.values
            .iter()
            .filter(|(name, _)| common(name))
            .map(|(name, known)| (name.clone(), known.clone()))
            .collect()
    }
}

/// `build.*` and `matrix.*`.
pub(crate) fn builtins(build: &BuildInfo, combination: &Combination) -> BTreeMap<String, Known> {
    let known = |text: &str| Known {
        value: Value::String(template::escape(text)),
        sensitive: false,
    };
    let mut values = BTreeMap::from([
        ("build.id".to_owned(), known(&build.id)),
        ("build.date".to_owned(), known(&build.date)),
        ("build.time".to_owned(), known(&build.time)),
    ]);
    for (name, value) in combination.values() {
        values.insert(format!("matrix.{name}"), known(&value));
    }
    values
}

/// A value from outside, and how it was given.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Given {
    pub value: Value,
    /// For people, e.g. "by `-var`".
    pub by: &'static str,
}

/// All values from outside by name; later ways win: environment, files, command line.
pub(crate) fn given(
    inputs: &Inputs<'_>,
    declared: &BTreeMap<String, Variable>,
    diagnostics: &mut Vec<Diagnostic>,
) -> BTreeMap<String, Given> {
    let mut all = BTreeMap::new();
    for (name, value) in &inputs.environment {
        all.insert(
            name.clone(),
            Given {
                value: Value::String(value.clone()),
                by: "by the environment",
            },
        );
    }
    for source in &inputs.var_files {
        from_file(source, declared, &mut all, diagnostics);
    }
    for (name, value) in &inputs.vars {
        if !declared.contains_key(name) {
            let message = format!("`-var {name}=…`: the spec has no variable `{name}`");
            diagnostics.push(undeclared(
                Diagnostic::error(codes::UNDECLARED_VARIABLE, message),
                name,
                declared,
            ));
        }
        all.insert(
            name.clone(),
            Given {
                value: Value::String(value.clone()),
                by: "by `-var`",
            },
        );
    }
    all
}

fn from_file(
    source: &SourceText,
    declared: &BTreeMap<String, Variable>,
    all: &mut BTreeMap<String, Given>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let (document, mut complaints) = Document::read(source);
    // Whatever is wrong with such a file, its values are not shown.
    let shown = mask::values(source);
    mask::replace(&mut complaints, source, &shown);
    diagnostics.extend(complaints);
    let source = &shown;
    let Some(document) = document else { return };
    let Some(map) = document.value.as_object() else {
        let message = "a file of variables is a mapping of names to values";
        let span = document.value_span("");
        diagnostics.push(Diagnostic::error(codes::WRONG_TYPE, message).at(source, span, ""));
        return;
    };
    for (name, value) in map {
        if !declared.contains_key(name) {
            let message = format!("the spec has no variable `{name}`");
            let diagnostic = Diagnostic::warning(codes::UNDECLARED_VARIABLE, message).at(
                source,
                document.key_span(&route::member("", name)),
                "",
            );
            diagnostics.push(undeclared(diagnostic, name, declared));
        }
        all.insert(
            name.clone(),
            Given {
                value: value.clone(),
                by: "by a file of variables",
            },
        );
    }
}

fn undeclared(diagnostic: Diagnostic, name: &str, declared: &BTreeMap<String, Variable>) -> Diagnostic {
    match nearest(name, declared.keys().map(String::as_str)) {
        Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
        None => diagnostic,
    }
}

/// The values of the spec's own variables, for use in the spec, and the sensitive ones in the clear.
pub(crate) fn spec_scope(
    document: &Document,
    declared: &BTreeMap<String, Variable>,
    given: &BTreeMap<String, Given>,
    diagnostics: &mut Vec<Diagnostic>,
) -> (BTreeMap<String, Known>, BTreeMap<String, SecretString>) {
    let mut values = BTreeMap::new();
    let mut secrets = BTreeMap::new();
    for (name, variable) in declared {
        let at = route::member("/variables", name);
        let value = match given.get(name) {
            Some(given) => checked(document, &at, name, variable, given, diagnostics),
            None => variable
                .default
                .clone()
                .and_then(|default| variable.kind().convert(&default).ok()),
        };
        if value.is_none() && variable.default.is_none() && !given.contains_key(name) {
            diagnostics.push(no_value(document, &at, name));
        }
        if variable.sensitive {
            let text = value.as_ref().map(in_text).unwrap_or_default();
            secrets.insert(name.clone(), SecretString::from(text));
            let placeholder = Value::String(format!("${{{name}}}"));
            values.insert(
                name.clone(),
                Known {
                    value: placeholder,
                    sensitive: true,
                },
            );
        } else {
            let value = escaped(&value.unwrap_or_else(|| Value::String(String::new())));
            values.insert(
                name.clone(),
                Known {
                    value,
                    sensitive: false,
                },
            );
        }
    }
    (values, secrets)
}

fn no_value(document: &Document, at: &str, name: &str) -> Diagnostic {
    Diagnostic::error(codes::MISSING_VALUE, format!("the variable `{name}` has no value"))
        .at(&document.source, document.key_span(at), "no default")
        .help(format!(
            "give it by `-var {name}=…`, `-var-file`, or the environment's `RESEAL_VAR_{name}`"
        ))
}

/// A value from outside as the declared kind. The value itself is never shown.
fn checked(
    document: &Document,
    at: &str,
    name: &str,
    variable: &Variable,
    given: &Given,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Value> {
    let complaint = match variable.kind().convert(&given.value) {
        Ok(value) if variable.allows(&value) => return Some(value),
        Ok(_) => "is not one of the allowed values".to_owned(),
        Err(expected) => format!("is not {expected}"),
    };
    let message = format!("the value given for `{name}` {} {complaint}", given.by);
    let diagnostic = Diagnostic::error(codes::VARIABLE_VALUE, message);
    diagnostics.push(diagnostic.at(&document.source, document.key_span(at), "declared here"));
    None
}

/// A value as text.
pub(crate) fn in_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A value with its texts as templates.
fn escaped(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(template::escape(text)),
        Value::Array(items) => Value::Array(items.iter().map(escaped).collect()),
        other => other.clone(),
    }
}
