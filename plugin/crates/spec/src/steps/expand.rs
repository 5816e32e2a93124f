//! From a list of steps as written to the steps of a build.

use std::collections::BTreeMap;
use std::sync::Arc;

use reseal_diag::{Diagnostic, nearest};
use reseal_guest::{RESERVED_FIELDS, STEP_NAMES, Step};
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::common::{self, Common};
use super::{USE_FIELDS, parse, slug};
use crate::codes;
use crate::documents::{Documents, origin};
use crate::files;
use crate::load::Files;
use crate::model::{Origin, ScriptText, SkippedStep, SpecStep};
use crate::route;
use crate::template::quoted;
use crate::variables::{Filler, Form, Scope};
use crate::when;
use crate::yaml::Document;

/// A document and what its texts may name.
pub(crate) struct Frame<'a> {
    pub document: Arc<Document>,
    pub scope: &'a Scope,
    /// Whether it is the spec itself.
    pub is_spec: bool,
}

/// The steps of a list.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    pub todo: Vec<SpecStep>,
    pub skipped: Vec<SkippedStep>,
    number: usize,
}

/// Reads lists of steps.
pub(crate) struct Expander<'a> {
    pub files: &'a dyn Files,
    pub documents: &'a mut Documents,
    pub diagnostics: &'a mut Vec<Diagnostic>,
    /// Sensitive values of files of steps.
    pub secrets: BTreeMap<String, SecretString>,
    pub scripts: BTreeMap<String, ScriptText>,
    /// The files of steps that are open, outermost first.
    pub using: Vec<String>,
}

impl Expander<'_> {
    /// Appends the steps of the list at `at`.
    pub(crate) fn list(&mut self, frame: &Frame<'_>, at: &str, value: &Value, steps: &mut Steps) {
        let items = match value {
            Value::Null => return,
            Value::Array(items) => items,
            _ => {
                let message = "steps are a list, each item beginning with `- `";
                self.complain(frame, at, codes::WRONG_TYPE, message);
                return;
            }
        };
        for (index, item) in items.iter().enumerate() {
            let at = route::item(at, index);
            match item.as_object() {
                Some(map) if map.contains_key("use") => self.used(frame, &at, map, steps),
                Some(map) => self.step(frame, &at, map, steps),
                None => self.not_a_step(frame, &at, item),
            }
        }
    }

    fn not_a_step(&mut self, frame: &Frame<'_>, at: &str, item: &Value) {
        let span = frame.document.value_span(at);
        let mut diagnostic = Diagnostic::error(codes::WRONG_TYPE, "a step is a mapping, as in `- reboot: {}`").at(
            &frame.document.source,
            span,
            "",
        );
        if let Some(name) = item.as_str().filter(|name| STEP_NAMES.contains(name)) {
            let patch = format!("{name}: {{}}");
            diagnostic = diagnostic.suggest(&frame.document.source, span, patch, "give it (empty) options");
        }
        self.diagnostics.push(diagnostic);
    }

    fn step(&mut self, frame: &Frame<'_>, at: &str, map: &Map<String, Value>, steps: &mut Steps) {
        steps.number += 1;
        let Some(operation) = self.operation(frame, at, map) else {
            return;
        };
        let inside_at = route::member(at, operation);
        let mut options = match map.get(operation) {
            Some(Value::Object(options)) => options.clone(),
            Some(Value::Null) | None => Map::new(),
            Some(_) => {
                let message = format!("the options of `{operation}` are a mapping");
                return self.complain(frame, &inside_at, codes::WRONG_TYPE, &message);
            }
        };
        let sides = ((at, map), (inside_at.as_str(), &mut options));
        let common = common::gather(frame, operation, sides.0, sides.1, self.diagnostics);
        let filled = Filler {
            document: &frame.document,
            scope: frame.scope,
            form: Form::Template,
            diagnostics: self.diagnostics,
        }
        .value(&Value::Object(options), &inside_at);
        let step = parse::options(&frame.document, operation, filled.clone(), &inside_at, self.diagnostics);
        let holds = self.holds(frame, common.when.as_ref());
        if let Some(step) = step {
            let origin = origin(&frame.document, at, frame.is_spec);
            self.local_files(frame, &inside_at, &step, &filled, holds);
            add(steps, operation, common, step, holds, origin);
        }
    }

    /// The one operation of a step.
    fn operation<'m>(&mut self, frame: &Frame<'_>, at: &str, map: &'m Map<String, Value>) -> Option<&'m str> {
        let others: Vec<&str> = map
            .keys()
            .map(String::as_str)
            .filter(|key| !RESERVED_FIELDS.contains(key))
            .collect();
        let known: Vec<&str> = others.iter().copied().filter(|key| STEP_NAMES.contains(key)).collect();
        for key in others.iter().filter(|key| !known.contains(key)) {
            self.diagnostics
                .push(unknown_step(frame, at, key, known.first().copied()));
        }
        match known.as_slice() {
            [one] => Some(one),
            [first, second, ..] => {
                self.diagnostics.push(several_operations(frame, at, first, second));
                None
            }
            [] if others.is_empty() => {
                let message = "this step has no operation";
                self.complain_with(frame, at, codes::UNKNOWN_STEP, message, &operations());
                None
            }
            [] => None,
        }
    }

    /// Whether a condition holds; a wrong one counts as true, so that what it guards is looked at too.
    pub(super) fn holds(&mut self, frame: &Frame<'_>, condition: Option<&(String, String)>) -> bool {
        let Some((text, at)) = condition else { return true };
        match when::holds(text, frame.scope) {
            Ok(holds) => holds,
            Err(error) => {
                let piece = text.get(error.start..error.end).unwrap_or("");
                let span = frame.document.piece_span(at, piece);
                let diagnostic = Diagnostic::error(codes::WHEN, error.message).at(&frame.document.source, span, "");
                self.diagnostics.push(diagnostic);
                true
            }
        }
    }

    /// Looks for the local files that a step names.
    fn local_files(&mut self, frame: &Frame<'_>, at: &str, step: &Step, options: &Value, holds: bool) {
        let mut paths: Vec<String> = step
            .payloads()
            .into_iter()
            .filter_map(|payload| payload.source.file)
            .collect();
        paths.sort();
        paths.dedup();
        for path in paths {
            let at = files::route_of(options, &path, at);
            if let Err(diagnostic) = files::check(&frame.document, self.files, &at, &path) {
                self.diagnostics.extend(holds.then_some(diagnostic));
            } else if matches!(step, Step::Powershell(_)) && !self.scripts.contains_key(&path) {
                match files::text(&frame.document, self.files, &at, &path) {
                    Ok(script) => {
                        self.diagnostics
                            .extend(files::encoding(&frame.document, &at, &path, &script.text));
                        self.scripts.insert(path, script);
                    }
                    Err(diagnostic) => self.diagnostics.push(diagnostic),
                }
            }
        }
    }

    pub(super) fn complain(&mut self, frame: &Frame<'_>, at: &str, code: &'static str, message: &str) {
        let span = frame.document.value_span(at);
        self.diagnostics
            .push(Diagnostic::error(code, message).at(&frame.document.source, span, ""));
    }

    fn complain_with(&mut self, frame: &Frame<'_>, at: &str, code: &'static str, message: &str, help: &str) {
        let span = frame.document.value_span(at);
        self.diagnostics.push(
            Diagnostic::error(code, message)
                .at(&frame.document.source, span, "")
                .help(help),
        );
    }
}

fn add(steps: &mut Steps, operation: &str, common: Common, step: Step, holds: bool, origin: Origin) {
    let id_slug = slug::id(steps.number, common.name.as_deref().unwrap_or(""), operation);
    let label = common.name.unwrap_or_else(|| step.summary());
    if holds {
        steps.todo.push(SpecStep {
            id_slug,
            label,
            step,
            policy: common.policy,
            origin,
        });
    } else {
        let when = common.when.map(|(text, _)| text).unwrap_or_default();
        steps.skipped.push(SkippedStep {
            id_slug,
            label,
            when,
            origin,
        });
    }
}

impl Steps {
    /// Counts a whole file of steps that is left out as one step.
    pub(super) fn skip_file(&mut self, path: &str, when: String, origin: Origin) {
        self.number += 1;
        let id_slug = slug::id(self.number, path, "use");
        self.skipped.push(SkippedStep {
            id_slug,
            label: format!("use {path}"),
            when,
            origin,
        });
    }
}

fn operations() -> String {
    format!("operations: {}", quoted(STEP_NAMES.iter().copied()))
}

fn unknown_step(frame: &Frame<'_>, at: &str, key: &str, operation: Option<&str>) -> Diagnostic {
    let source = &frame.document.source;
    let span = frame.document.key_span(&route::member(at, key));
    let common = RESERVED_FIELDS.iter().copied();
    if let Some(operation) = operation {
        let help = format!("beside `{operation}` are allowed: {}", quoted(common.clone()));
        let diagnostic = Diagnostic::error(codes::UNKNOWN_FIELD, format!("unknown field `{key}`"))
            .at(source, span, "")
            .help(help);
        return match nearest(key, common) {
            Some(meant) => diagnostic.suggest(source, span, meant, format!("did you mean `{meant}`?")),
            None => diagnostic,
        };
    }
    let diagnostic = Diagnostic::error(codes::UNKNOWN_STEP, format!("there is no step `{key}`"))
        .at(source, span, "not an operation")
        .help(operations());
    match nearest(key, STEP_NAMES.iter().copied().chain(USE_FIELDS)) {
        Some(meant) => diagnostic.suggest(source, span, meant, format!("did you mean `{meant}`?")),
        None => diagnostic,
    }
}

fn several_operations(frame: &Frame<'_>, at: &str, first: &str, second: &str) -> Diagnostic {
    let place = |key: &str| frame.document.key_span(&route::member(at, key));
    Diagnostic::error(
        codes::SEVERAL_OPERATIONS,
        format!("`{first}` and `{second}` are two steps"),
    )
    .at(&frame.document.source, place(second), "begin a new item with `- `")
    .related(&frame.document.source, place(first), "the first")
}
