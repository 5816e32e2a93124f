//! One build of a spec: its sections, filled in for one combination of the matrix, and typed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reseal_diag::Diagnostic;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::documents::Documents;
use crate::files;
use crate::load::Inputs;
use crate::matrix::Combination;
use crate::model::{AnswerBase, Base, Cloud, Connect, Image, ScriptText, Spec, Unattend, Variable, Verify};
use crate::route;
use crate::shape;
use crate::steps::{Expander, Frame, Steps};
use crate::variables::{Filler, Form, Given, Scope, builtins, spec_scope};
use crate::yaml::Document;

/// What a build knows beside the text.
pub(crate) struct Outside<'a> {
    pub inputs: &'a Inputs<'a>,
    pub variables: &'a BTreeMap<String, Variable>,
    pub given: &'a BTreeMap<String, Given>,
    pub combination: &'a Combination,
}

/// A build, if all it needs is there, and the names of the variables that were used.
pub(crate) struct Built {
    pub spec: Option<Spec>,
    pub used: BTreeSet<String>,
}

/// Reads all sections for one combination.
pub(crate) fn spec(
    document: &Arc<Document>,
    outside: &Outside<'_>,
    documents: &mut Documents,
    diagnostics: &mut Vec<Diagnostic>,
) -> Built {
    let (own, secrets) = spec_scope(document, outside.variables, outside.given, diagnostics);
    let mut values = builtins(&outside.inputs.build, outside.combination);
    values.extend(own);
    let scope = Scope::new(values);
    let frame = Frame {
        document: Arc::clone(document),
        scope: &scope,
        is_spec: true,
    };
    let steps = steps(&frame, outside, documents, diagnostics);
    let mut reader = Reader {
        document,
        scope: &scope,
        diagnostics,
    };
    let spec = assemble(&mut reader, outside, steps, secrets);
    let used = outside
        .variables
        .keys()
        .filter(|name| scope.was_used(name))
        .cloned()
        .collect();
    Built { spec, used }
}

/// Everything that comes from lists of steps.
struct AllSteps {
    software: Steps,
    checks: Steps,
    secrets: BTreeMap<String, SecretString>,
    scripts: BTreeMap<String, ScriptText>,
}

fn steps(
    frame: &Frame<'_>,
    outside: &Outside<'_>,
    documents: &mut Documents,
    diagnostics: &mut Vec<Diagnostic>,
) -> AllSteps {
    let mut expander = Expander {
        files: outside.inputs.files,
        documents,
        diagnostics,
        secrets: BTreeMap::new(),
        scripts: BTreeMap::new(),
        using: Vec::new(),
    };
    let mut lists = ["/software", "/verify/checks"].map(|at| {
        let mut steps = Steps::default();
        if let Some(list) = frame.document.value.pointer(at) {
            expander.list(frame, at, list, &mut steps);
        }
        steps
    });
    let [software, checks] = &mut lists;
    AllSteps {
        software: std::mem::take(software),
        checks: std::mem::take(checks),
        secrets: expander.secrets,
        scripts: expander.scripts,
    }
}

/// Reads sections.
struct Reader<'a> {
    document: &'a Document,
    scope: &'a Scope,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    /// A section with its texts filled in; nothing when it is not there or empty.
    fn filled(&mut self, name: &str, form: Form) -> Option<Value> {
        let value = self.document.value.get(name).filter(|value| !value.is_null())?;
        let mut filler = Filler {
            document: self.document,
            scope: self.scope,
            form,
            diagnostics: &mut *self.diagnostics,
        };
        Some(filler.value(value, &route::member("", name)))
    }

    fn typed<T: DeserializeOwned>(&mut self, name: &str, value: &Value) -> Option<T> {
        let (typed, complaints) = shape::read::<T>(value, &route::member("", name));
        self.diagnostics.extend(
            complaints
                .iter()
                .map(|complaint| shape::report(self.document, complaint)),
        );
        typed
    }

    /// A section that must be there.
    fn required<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let Some(value) = self.filled(name, Form::Final) else {
            self.diagnostics.push(shape::missing_field(self.document, "", name));
            return None;
        };
        self.typed(name, &value)
    }

    /// A section that may be left out.
    fn optional<T: DeserializeOwned + Default>(&mut self, name: &str, form: Form) -> T {
        let value = self.filled(name, form);
        value.and_then(|value| self.typed(name, &value)).unwrap_or_default()
    }

    /// `connect`: final but for the account's name.
    fn connect(&mut self) -> Connect {
        let Some(value) = self.document.value.get("connect").filter(|value| !value.is_null()) else {
            return Connect::default();
        };
        let mut bare = value.clone();
        let account = bare
            .pointer_mut("/winrm")
            .and_then(Value::as_object_mut)
            .and_then(|map| map.shift_remove("username"));
        let mut filler = Filler {
            document: self.document,
            scope: self.scope,
            form: Form::Final,
            diagnostics: &mut *self.diagnostics,
        };
        let mut section = filler.value(&bare, "/connect");
        filler.form = Form::Template;
        if let Some(account) = account {
            let account = filler.value(&account, "/connect/winrm/username");
            if let Some(map) = section.pointer_mut("/winrm").and_then(Value::as_object_mut) {
                map.insert("username".to_owned(), account);
            }
        }
        self.typed("connect", &section).unwrap_or_default()
    }

    /// `verify` without its steps, which are read as steps.
    fn verify(&mut self) -> Verify {
        let Some(mut value) = self
            .document
            .value
            .get("verify")
            .filter(|value| !value.is_null())
            .cloned()
        else {
            return Verify::default();
        };
        if let Some(map) = value.as_object_mut() {
            map.shift_remove("checks");
        }
        let mut filler = Filler {
            document: self.document,
            scope: self.scope,
            form: Form::Final,
            diagnostics: &mut *self.diagnostics,
        };
        let section = filler.value(&value, "/verify");
        self.typed("verify", &section).unwrap_or_default()
    }
}

fn assemble(
    reader: &mut Reader<'_>,
    outside: &Outside<'_>,
    steps: AllSteps,
    mut secrets: BTreeMap<String, SecretString>,
) -> Option<Spec> {
    let name: Option<String> = reader.required("name");
    let description: Option<String> = reader.optional("description", Form::Final);
    let cloud: Option<Cloud> = reader.required("cloud");
    let base: Option<Base> = reader.required("base");
    let connect = reader.connect();
    let files = reader.optional("files", Form::Final);
    let unattend: Unattend = reader.optional("unattend", Form::Template);
    let cloudbase_init = reader.optional("cloudbase_init", Form::Final);
    let generalize = reader.optional("generalize", Form::Final);
    let image: Option<Image> = reader.required("image");
    let verify = reader.verify();
    let on_error = reader.optional("on_error", Form::Final);
    let mut scripts = steps.scripts;
    if let Some(path) = base.as_ref().and_then(|base: &Base| base.user_data.clone()) {
        match files::text(reader.document, outside.inputs.files, "/base/user_data", &path) {
            Ok(script) => drop(scripts.insert(path, script)),
            Err(diagnostic) => reader.diagnostics.push(diagnostic),
        }
    }
    if let AnswerBase::File(path) = &unattend.base {
        match files::answer_file(reader.document, outside.inputs.files, "/unattend/base/file", path) {
            Ok(file) => drop(scripts.insert(path.clone(), file)),
            Err(diagnostic) => reader.diagnostics.push(diagnostic),
        }
    }
    secrets.extend(steps.secrets);
    let spec_name = name?;
    let mut skipped = steps.software.skipped;
    skipped.extend(steps.checks.skipped);
    Some(Spec {
        name: outside.combination.build_name(&spec_name),
        spec_name,
        description,
        file: reader.document.source.name().to_owned(),
        matrix: outside.combination.values(),
        variables: shown(outside, reader.scope),
        secrets,
        cloud: cloud?,
        base: base?,
        connect,
        files,
        software: steps.software.todo,
        skipped,
        unattend,
        cloudbase_init,
        generalize,
        image: image?,
        verify,
        checks: steps.checks.todo,
        on_error,
        scripts,
    })
}

/// The values of the variables that are not sensitive.
fn shown(outside: &Outside<'_>, scope: &Scope) -> BTreeMap<String, Value> {
    let open = outside.variables.iter().filter(|(_, variable)| !variable.sensitive);
    open.filter_map(|(name, _)| Some((name.clone(), unescaped(&scope.peek(name)?.value))))
        .collect()
}

fn unescaped(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace("$${", "${")),
        Value::Array(items) => Value::Array(items.iter().map(unescaped).collect()),
        other => other.clone(),
    }
}
