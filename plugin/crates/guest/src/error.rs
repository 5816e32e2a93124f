//! What is wrong with a step as the user wrote it.

/// What kind of mistake it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepErrorKind {
    /// A field that the step does not have.
    UnknownField,
    /// A step that does not exist.
    UnknownStep,
    /// A value of the wrong type.
    WrongType,
    /// A field that must be there.
    Missing,
    /// A value that cannot be right.
    Invalid,
}

/// One mistake in a step, with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StepError {
    /// The place inside the step, e.g. `source.sha256` or `names[1]`; empty for the step itself. For an unknown field it
    /// ends with that field.
    pub path: String,
    /// What kind of mistake.
    pub kind: StepErrorKind,
    /// One sentence without the place.
    pub message: String,
    /// What could stand there instead, when that is a short list.
    pub allowed: Vec<String>,
}

/// Collects what a step's own checks find.
#[derive(Debug, Default)]
pub(crate) struct Problems(pub(crate) Vec<StepError>);

impl Problems {
    pub(crate) fn invalid(&mut self, path: &str, message: impl Into<String>) {
        self.push(path, StepErrorKind::Invalid, message, &[]);
    }

    pub(crate) fn missing(&mut self, path: &str, message: impl Into<String>, allowed: &[&str]) {
        self.push(path, StepErrorKind::Missing, message, allowed);
    }

    /// Complains about an empty list or text.
    pub(crate) fn not_empty(&mut self, path: &str, empty: bool) {
        if empty {
            self.invalid(path, "must not be empty");
        }
    }

    fn push(&mut self, path: &str, kind: StepErrorKind, message: impl Into<String>, allowed: &[&str]) {
        self.0.push(StepError {
            path: path.to_owned(),
            kind,
            message: message.into(),
            allowed: allowed.iter().map(|&word| word.to_owned()).collect(),
        });
    }
}
