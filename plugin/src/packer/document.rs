//! A template's order as a document that the loader has read.

use std::path::{Path, PathBuf};

use reseal_diag::{Diagnostic, Look, SourceText};
use reseal_spec::{BuildInfo, Spec};
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};

use super::Rim;
use super::order::Order;
use crate::rim::files::SpecFolder;
use crate::session::{self, Document, Variables};

/// A spec that was read, and where its files are.
pub(super) struct Opened {
    /// The document.
    pub(super) document: Document,
    /// Its folder.
    pub(super) folder: SpecFolder,
}

impl Opened {
    /// Reads the spec. `name` is the source's name in the template.
    ///
    /// # Errors
    /// When a file cannot be read; what is wrong in it is in the document.
    pub(super) fn read(order: &Order, name: &str, rim: &Rim, build: BuildInfo) -> Result<Self, String> {
        let variables = variables(order, rim)?;
        let (path, text) = match &order.spec {
            Some(path) => (path.clone(), None),
            None => (PathBuf::from(format!("{name}.reseal.yaml")), Some(inline(order, name))),
        };
        let folder = SpecFolder::of(&path, &order.runs, rim.scrubber.clone());
        let document = match text {
            Some(text) => {
                let source = SourceText::new(format!("source \"{name}\", as a spec"), text);
                Document::of(&source, &path, &folder, &variables, build)
            }
            None => Document::read(&path, &folder, &variables, build).map_err(|error| unreadable(&path, &error))?,
        };
        let secrets = document.loaded.specs.iter().flat_map(|spec| spec.secrets.values());
        secrets.for_each(|secret| rim.scrubber.learn(secret));
        Ok(Self { document, folder })
    }

    /// The one build that the order means.
    pub(super) fn chosen(&self, order: &Order) -> Result<&Spec, String> {
        let all = &self.document.loaded.specs;
        let names: Vec<String> = all.iter().map(|spec| format!("`{}`", spec.name)).collect();
        match (&order.build, all.as_slice()) {
            (Some(wanted), all) => {
                let found = all
                    .iter()
                    .find(|spec| spec.name == *wanted || spec.name.ends_with(&format!(".{wanted}")));
                found.ok_or_else(|| format!("the spec has no build `{wanted}`; it has {}", names.join(", ")))
            }
            (None, [one]) => Ok(one),
            (None, []) => Err("the spec makes no build".to_owned()),
            (None, _) => Err(format!(
                "the spec makes {} builds, and a source is one of them: choose with `build = \"…\"` among {}",
                all.len(),
                names.join(", ")
            )),
        }
    }

    /// What is wrong (first) and what is doubtful (second), as Packer shows it.
    pub(super) fn complaints(&self) -> (Vec<String>, Vec<String>) {
        let render = |diagnostic: &Diagnostic| reseal_diag::render(diagnostic, Look::Plain).trim_end().to_owned();
        let all = self.document.loaded.diagnostics.iter();
        let (errors, warnings): (Vec<&Diagnostic>, Vec<&Diagnostic>) = all.partition(|one| one.is_error());
        (
            errors.into_iter().map(render).collect(),
            warnings.into_iter().map(render).collect(),
        )
    }
}

fn variables(order: &Order, rim: &Rim) -> Result<Variables, String> {
    let mut files = Vec::new();
    for path in &order.var_files {
        let text = session::read_text(path).map_err(|error| unreadable(path, &error))?;
        files.push(SourceText::new(path.display().to_string(), text));
    }
    let mut vars = order.vars.clone();
    for (name, value) in &order.sensitive {
        rim.scrubber.learn(value);
        vars.push((name.clone(), value.expose_secret().to_owned()));
    }
    Ok(Variables {
        vars,
        files,
        environment: rim.env.spec_variables(),
    })
}

fn unreadable(path: &Path, error: &std::io::Error) -> String {
    format!("cannot read `{}`: {error}", path.display())
}

/// The sections as the text of a spec. JSON is YAML, and the lines that a complaint shows look like the template's.
fn inline(order: &Order, name: &str) -> String {
    let mut document = Map::new();
    document.insert("reseal".to_owned(), json!(1));
    document.insert("name".to_owned(), json!(name));
    let plain = order.vars.iter().map(|(name, _)| (name.clone(), json!({})));
    let sensitive = order
        .sensitive
        .iter()
        .map(|(name, _)| (name.clone(), json!({ "sensitive": true })));
    let variables: Map<String, Value> = plain.chain(sensitive).collect();
    if !variables.is_empty() {
        document.insert("variables".to_owned(), Value::Object(variables));
    }
    document.extend(order.sections.clone());
    serde_json::to_string_pretty(&document).unwrap_or_default()
}
