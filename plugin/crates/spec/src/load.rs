//! From text to builds: everything that is wrong is said at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reseal_diag::{Diagnostic, Location, SourceText};

use crate::build;
use crate::checks;
use crate::codes;
use crate::documents::Documents;
use crate::matrix::combinations;
use crate::model::{Spec, Variable};
use crate::route;
use crate::shape;
use crate::variables::{declared, given};
use crate::yaml::Document;

/// The sections of a spec, in their usual order.
pub(crate) const SECTIONS: [&str; 16] = [
    "reseal",
    "name",
    "description",
    "variables",
    "matrix",
    "cloud",
    "base",
    "connect",
    "files",
    "software",
    "unattend",
    "cloudbase_init",
    "generalize",
    "image",
    "verify",
    "on_error",
];

/// Other files, as the caller has them. Paths are relative to the folder of the spec.
pub trait Files {
    /// The content of a file, or why it cannot be read.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;
    /// Whether a file or folder is there.
    fn exists(&self, path: &str) -> bool;
}

/// What is told about the build from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildInfo {
    /// `${build.id}`.
    pub id: String,
    /// `${build.date}`: `YYYYMMDD`.
    pub date: String,
    /// `${build.time}`: `HHMMSS`, UTC.
    pub time: String,
}

/// Everything that comes from outside the spec.
pub struct Inputs<'a> {
    /// Other files.
    pub files: &'a dyn Files,
    /// `-var name=value`, in order; the last one counts.
    pub vars: Vec<(String, String)>,
    /// Contents of `-var-file`, in order; YAML or JSON mappings.
    pub var_files: Vec<SourceText>,
    /// `RESEAL_VAR_name` and, before them, `PKR_VAR_name`, without the prefix.
    pub environment: Vec<(String, String)>,
    /// The build.
    pub build: BuildInfo,
}

/// What a spec says, as far as it could be understood.
#[derive(Debug)]
pub struct Loaded {
    /// One for each combination of the matrix; those that are too wrong to be built are missing.
    pub specs: Vec<Spec>,
    /// Everything that is wrong, sorted by position.
    pub diagnostics: Vec<Diagnostic>,
    documents: Documents,
}

impl Loaded {
    /// Whether nothing stands in the way of a build.
    pub fn is_ok(&self) -> bool {
        !self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// Where something is written; `route` is a JSON pointer as in [`Origin::route`](crate::Origin::route). When the
    /// route itself is not written (a default), the nearest thing around it.
    pub fn locate(&self, route: &str) -> Option<Location> {
        self.documents.locate(route)
    }

    /// The text of a line (from 1) of the spec or of a file of steps that it uses.
    pub fn line_text(&self, file: &str, line: usize) -> Option<&str> {
        self.documents.line_text(file, line)
    }

    /// Where a section or a value is written; `None` when the spec leaves it out.
    pub fn place(&self, route: &str) -> Option<crate::model::Origin> {
        self.documents.place(route)
    }

    /// A diagnostic pointed at a route, for what is found out later.
    #[must_use]
    pub fn point(&self, diagnostic: Diagnostic, route: &str) -> Diagnostic {
        match self.documents.mark(route) {
            Some((source, span)) => diagnostic.at(&source, span, ""),
            None => diagnostic,
        }
    }
}

/// Reads a spec. Never fails: see [`Loaded::diagnostics`].
pub fn load(source: &SourceText, inputs: &Inputs<'_>) -> Loaded {
    let (document, mut diagnostics) = Document::read(source);
    let mut documents = Documents::default();
    let mut specs = Vec::new();
    if let Some(document) = document {
        let document = Arc::new(document);
        documents.push(Arc::clone(&document));
        if sections(&document, &mut diagnostics) {
            specs = builds(&document, inputs, &mut documents, &mut diagnostics);
        }
    }
    reseal_diag::sort(&mut diagnostics);
    Loaded {
        specs,
        diagnostics,
        documents,
    }
}

/// Checks the names of the sections; false when there are none.
fn sections(document: &Document, diagnostics: &mut Vec<Diagnostic>) -> bool {
    let Some(map) = document.value.as_object() else {
        let message = if document.value.is_null() {
            "this file is empty"
        } else {
            "a spec is a mapping of sections"
        };
        let span = document.value_span("");
        let diagnostic = Diagnostic::error(codes::WRONG_TYPE, message).at(&document.source, span, "");
        diagnostics.push(diagnostic.help("`reseal init` writes one to begin with"));
        return false;
    };
    for key in map.keys().filter(|key| !SECTIONS.contains(&key.as_str())) {
        diagnostics.push(shape::unknown_field(document, "", key, SECTIONS));
    }
    checks::version(document, diagnostics);
    true
}

fn builds(
    document: &Arc<Document>,
    inputs: &Inputs<'_>,
    documents: &mut Documents,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Spec> {
    let variables = declared(document, diagnostics);
    let given = given(inputs, &variables, diagnostics);
    let mut specs = Vec::new();
    let mut used = BTreeSet::new();
    for combination in combinations(document, diagnostics) {
        let outside = build::Outside {
            inputs,
            variables: &variables,
            given: &given,
            combination: &combination,
        };
        let built = build::spec(document, &outside, documents, diagnostics);
        used.extend(built.used);
        if let Some(spec) = built.spec {
            checks::spec(document, &spec, inputs.files, diagnostics);
            specs.push(spec);
        }
    }
    checks::between(document, &specs, diagnostics);
    // Behind a mistake a variable may only seem unused.
    if !diagnostics.iter().any(Diagnostic::is_error) {
        unused(document, &variables, &used, diagnostics);
    }
    specs
}

fn unused(
    document: &Document,
    variables: &BTreeMap<String, Variable>,
    used: &BTreeSet<String>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    for name in variables.keys().filter(|name| !used.contains(*name)) {
        let span = document.key_span(&route::member("/variables", name));
        let message = format!("the variable `{name}` is not used");
        diagnostics.push(Diagnostic::warning(codes::UNUSED_VARIABLE, message).at(&document.source, span, ""));
    }
}
