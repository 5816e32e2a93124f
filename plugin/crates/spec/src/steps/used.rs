//! `- use: FILE`: the steps of another file, with values for its variables.

use std::collections::BTreeMap;
use std::sync::Arc;

use reseal_diag::{Diagnostic, SourceText};
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::expand::{Expander, Frame, Steps};
use super::{PART_FIELDS, USE_FIELDS};
use crate::codes;
use crate::documents::origin;
use crate::model::Variable;
use crate::route;
use crate::shape;
use crate::variables::{Filler, Form, Known, Scope, declared};
use crate::yaml::{Document, mask};

/// Files that use files deeper than this are a mistake.
const DEEPEST: usize = 16;

impl Expander<'_> {
    /// Appends the steps of the file that the item at `at` names.
    pub(super) fn used(&mut self, frame: &Frame<'_>, at: &str, map: &Map<String, Value>, steps: &mut Steps) {
        for key in map.keys().filter(|key| !USE_FIELDS.contains(&key.as_str())) {
            self.diagnostics
                .push(shape::unknown_field(&frame.document, at, key, USE_FIELDS));
        }
        let at_path = route::member(at, "use");
        let Some(path) = self.path(frame, &at_path, map) else {
            return;
        };
        let condition = map.get("when").map(|when| (plain(when), route::member(at, "when")));
        if !self.holds(frame, condition.as_ref()) {
            let when = condition.map(|(text, _)| text).unwrap_or_default();
            return steps.skip_file(&path, when, origin(&frame.document, at, frame.is_spec));
        }
        if let Some(message) = self.cycle(&path) {
            return self.complain(frame, &at_path, codes::USE_CYCLE, &message);
        }
        let Some(part) = self.part(frame, &at_path, &path) else {
            return;
        };
        let scope = self.part_scope(frame, at, map, &part);
        self.using.push(path);
        let inner = Frame {
            document: Arc::clone(&part),
            scope: &scope,
            is_spec: false,
        };
        if let Some(list) = part.value.get("steps") {
            self.list(&inner, "/steps", list, steps);
        }
        self.using.pop();
    }

    fn path(&mut self, frame: &Frame<'_>, at: &str, map: &Map<String, Value>) -> Option<String> {
        let value = map.get("use")?;
        let mut filler = Filler {
            document: &frame.document,
            scope: frame.scope,
            form: Form::Final,
            diagnostics: self.diagnostics,
        };
        let (path, complaints) = shape::read::<String>(&filler.value(value, at), at);
        self.diagnostics.extend(
            complaints
                .iter()
                .map(|complaint| shape::report(&frame.document, complaint)),
        );
        path
    }

    fn cycle(&self, path: &str) -> Option<String> {
        if self.using.iter().any(|open| open == path) {
            let round: Vec<&str> = self.using.iter().map(String::as_str).chain([path]).collect();
            return Some(format!("these files use each other in a circle: {}", round.join(" → ")));
        }
        (self.using.len() >= DEEPEST).then(|| format!("files of steps are nested more than {DEEPEST} deep"))
    }

    /// The file of steps, read once.
    fn part(&mut self, frame: &Frame<'_>, at: &str, path: &str) -> Option<Arc<Document>> {
        if let Some(part) = self.documents.named(path) {
            return Some(Arc::clone(part));
        }
        let bytes = match self.files.read(path) {
            Ok(bytes) => bytes,
            Err(why) => {
                self.complain(frame, at, codes::MISSING_FILE, &format!("cannot read `{path}`: {why}"));
                return None;
            }
        };
        let Ok(text) = String::from_utf8(bytes) else {
            self.complain(frame, at, codes::NOT_TEXT, &format!("`{path}` is not UTF-8 text"));
            return None;
        };
        let (document, diagnostics) = Document::read(&SourceText::new(path, text));
        self.diagnostics.extend(diagnostics);
        let document = Arc::new(document?);
        self.documents.push(Arc::clone(&document));
        self.sections(&document).then_some(document)
    }

    /// Whether the document has the shape of a file of steps.
    fn sections(&mut self, document: &Document) -> bool {
        let Some(map) = document.value.as_object() else {
            let message = "a file of steps is a mapping with `steps`";
            let span = document.value_span("");
            self.diagnostics
                .push(Diagnostic::error(codes::WRONG_TYPE, message).at(&document.source, span, ""));
            return false;
        };
        for key in map.keys().filter(|key| !PART_FIELDS.contains(&key.as_str())) {
            self.diagnostics
                .push(shape::unknown_field(document, "", key, PART_FIELDS));
        }
        if !map.contains_key("steps") {
            self.diagnostics.push(shape::missing_field(document, "", "steps"));
        }
        true
    }

    /// What the texts of the part may name: its own variables, and `build.*` and `matrix.*`.
    fn part_scope(&mut self, frame: &Frame<'_>, at: &str, map: &Map<String, Value>, part: &Document) -> Scope {
        let at_with = route::member(at, "with");
        let variables = declared(part, self.diagnostics);
        let with = self.with(frame, &at_with, map, &variables);
        let mut values = frame.scope.common();
        for (name, variable) in &variables {
            let given = with.get(name).cloned().or_else(|| variable.default.clone());
            let Some(value) = given else {
                self.diagnostics.push(no_value(frame, at, part, name));
                values.insert(
                    name.clone(),
                    Known {
                        value: Value::String(String::new()),
                        sensitive: false,
                    },
                );
                continue;
            };
            let at_value = route::member(&at_with, name);
            let value = self.fitting(frame, &at_value, name, variable, value);
            if variable.sensitive && with.contains_key(name) && !plain(&value).contains("${") {
                self.diagnostics.push(in_the_clear(frame, &at_value));
            }
            values.insert(name.clone(), self.known(&format!("{at}.{name}"), variable, value));
        }
        Scope::new(values)
    }

    fn with(
        &mut self,
        frame: &Frame<'_>,
        at: &str,
        map: &Map<String, Value>,
        variables: &BTreeMap<String, Variable>,
    ) -> Map<String, Value> {
        let Some(with) = map.get("with").filter(|with| !with.is_null()) else {
            return Map::new();
        };
        let Some(with) = with.as_object() else {
            self.complain(frame, at, codes::WRONG_TYPE, "`with` is a mapping of names to values");
            return Map::new();
        };
        for name in with.keys().filter(|name| !variables.contains_key(*name)) {
            let known = variables.keys().map(String::as_str);
            self.diagnostics
                .push(shape::unknown_field(&frame.document, at, name, known));
        }
        let mut filler = Filler {
            document: &frame.document,
            scope: frame.scope,
            form: Form::Template,
            diagnostics: self.diagnostics,
        };
        match filler.value(&Value::Object(with.clone()), at) {
            Value::Object(values) => values,
            _ => Map::new(),
        }
    }

    fn fitting(&mut self, frame: &Frame<'_>, at: &str, name: &str, variable: &Variable, value: Value) -> Value {
        match variable.kind().convert(&value) {
            Ok(value) if variable.allows(&value) => value,
            Ok(value) => {
                let message = format!("this value of `{name}` is not one of the allowed ones");
                self.complain(frame, at, codes::VARIABLE_VALUE, &message);
                value
            }
            Err(expected) => {
                self.complain(
                    frame,
                    at,
                    codes::VARIABLE_VALUE,
                    &format!("`{name}` must be {expected}"),
                );
                value
            }
        }
    }

    /// A sensitive variable of a part gets a name of its own among the build's secrets, unless its value already is
    /// the name of one.
    fn known(&mut self, unique: &str, variable: &Variable, value: Value) -> Known {
        if !variable.sensitive {
            return Known {
                value,
                sensitive: false,
            };
        }
        let text = plain(&value);
        if !text.contains("${") {
            let name = unique.trim_start_matches('/').replace('/', ".");
            self.secrets.insert(name.clone(), SecretString::from(text));
            return Known {
                value: Value::String(format!("${{{name}}}")),
                sensitive: true,
            };
        }
        Known { value, sensitive: true }
    }
}

/// A sensitive value that stands beside `use`; it is not shown.
fn in_the_clear(frame: &Frame<'_>, at: &str) -> Diagnostic {
    let span = frame.document.value_span(at);
    let shown = mask::spans(&frame.document.source, &[span]);
    Diagnostic::warning(codes::SECRET_IN_SPEC, "a sensitive value should not stand in the spec")
        .at(&shown, span, "")
        .help("declare a sensitive variable in the spec and hand it on: `with: { name: \"${variable}\" }`")
}

fn no_value(frame: &Frame<'_>, at: &str, part: &Document, name: &str) -> Diagnostic {
    let place = part.key_span(&route::member("/variables", name));
    Diagnostic::error(codes::MISSING_VALUE, format!("the variable `{name}` has no value"))
        .at(
            &frame.document.source,
            frame.document.value_span(&route::member(at, "use")),
            "",
        )
        .related(&part.source, place, "declared here without a default")
        .help(format!("give it beside `use`: `with: {{ {name}: … }}`"))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
