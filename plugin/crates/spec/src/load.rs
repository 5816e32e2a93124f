//! From text to builds: everything that is wrong is said at once.

use reseal_diag::{Diagnostic, Location, SourceText};

use crate::model::Spec;

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
}

impl Loaded {
    /// Whether nothing stands in the way of a build.
    pub fn is_ok(&self) -> bool {
        !self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// Where something is written; `route` is a JSON pointer as in [`crate::model::Origin::route`]. When the route itself is not
    /// written (a default), the nearest thing around it.
    pub fn locate(&self, _route: &str) -> Option<Location> {
        None
    }

    /// The text of a line of the spec or of a file that it uses.
    pub fn line_text(&self, _file: &str, _line: usize) -> Option<&str> {
        None
    }
}

/// Reads a spec. Never fails: see [`Loaded::diagnostics`].
pub fn load(_source: &SourceText, _inputs: &Inputs<'_>) -> Loaded {
    Loaded {
        specs: Vec::new(),
        diagnostics: Vec::new(),
    }
}
