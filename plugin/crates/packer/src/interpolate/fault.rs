//! What is wrong with a template, in the words of Go's own templates.

/// Why a text could not be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// It is no template.
    #[error("{0}")]
    Syntax(String),
    /// A function failed.
    #[error("{0}")]
    Run(String),
}

impl Fault {
    /// What Packer's users read before it.
    pub(crate) fn verb(&self) -> &'static str {
        match self {
            Self::Syntax(_) => "invalid",
            Self::Run(_) => "render",
        }
    }
}

/// The line of a byte, from 1.
pub(super) fn line(text: &str, at: usize) -> usize {
    1 + before(text, at).matches('\n').count()
}

/// The place of a byte within its line, from 0.
pub(super) fn column(text: &str, at: usize) -> usize {
    let before = before(text, at);
    before.len() - before.rfind('\n').map_or(0, |end| end + 1)
}

fn before(text: &str, at: usize) -> &str {
    text.get(..at).unwrap_or(text)
}
