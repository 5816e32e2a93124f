//! What CI systems understand in a log: foldable groups and marks at a file's line.

use jiff::Timestamp;
use reseal_diag::Diagnostic;

use crate::rim::env::Env;

/// The system whose log we write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ci {
    /// None that we know.
    None,
    /// GitHub Actions.
    GitHub,
    /// GitLab CI.
    GitLab,
}

impl Ci {
    /// The system that the environment tells of.
    pub(super) fn of(env: &Env) -> Self {
        if env.get("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
            Self::GitHub
        } else if env.get("GITLAB_CI").is_some() {
            Self::GitLab
        } else {
            Self::None
        }
    }

    /// The line that begins a group.
    pub(super) fn begin(self, step: &str, title: &str, now: Timestamp) -> Option<String> {
        let second = now.as_second();
        match self {
            Self::None => None,
            Self::GitHub => Some(format!("::group::{}", data(title))),
            Self::GitLab => Some(format!(
                "\u{1b}[0Ksection_start:{second}:{}\r\u{1b}[0K==> {title}",
                section(step)
            )),
        }
    }

    /// The line that ends it.
    pub(super) fn end(self, step: &str, now: Timestamp) -> String {
        let second = now.as_second();
        match self {
            Self::None => String::new(),
            Self::GitHub => "::endgroup::".to_owned(),
            Self::GitLab => format!("\u{1b}[0Ksection_end:{second}:{}\r\u{1b}[0K", section(step)),
        }
    }

    /// A guest's line that the system does not take for a command to itself.
    pub(super) fn harmless(self, text: &str) -> String {
        match self {
            Self::GitHub => text.replace("##[", "## ["),
            Self::None | Self::GitLab => text.to_owned(),
        }
    }

    /// The line that marks a diagnostic's place in the change that is being reviewed; what has no place stands at the
    /// head of the run.
    pub(super) fn annotation(self, diagnostic: &Diagnostic) -> Option<String> {
        if self != Self::GitHub {
            return None;
        }
        let level = if diagnostic.is_error() { "error" } else { "warning" };
        let place = diagnostic.location().map_or_else(String::new, |place| {
            format!(
                "file={},line={},col={},",
                property(&place.file),
                place.line,
                place.column
            )
        });
        let title = property(diagnostic.code);
        Some(format!("::{level} {place}title={title}::{}", data(&diagnostic.message)))
    }
}

/// Escaped as the runner decodes it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A section's name: letters, digits, `_`.
fn section(step: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    step.chars().map(allowed).collect()
}

#[cfg(test)]
mod tests {
    use reseal_diag::{SourceText, Span};

    use super::*;

    #[test]
    fn groups_are_written_as_each_system_reads_them() {
        let now = Timestamp::from_second(7).unwrap();
        assert_eq!(Ci::None.begin("a", "t", now), None);
        assert_eq!(Ci::GitHub.begin("a", "50%\nx", now).unwrap(), "::group::50%25%0Ax");
        assert_eq!(
            Ci::GitLab.begin("guest/01-x", "t", now).unwrap(),
            "\u{1b}[0Ksection_start:7:guest_01_x\r\u{1b}[0K==> t"
        );
        assert_eq!(
            Ci::GitLab.end("guest/01-x", now),
            "\u{1b}[0Ksection_end:7:guest_01_x\r\u{1b}[0K"
        );
    }

    #[test]
    fn an_annotation_points_at_the_line() {
        let source = SourceText::new("a,b.yaml", "x: 1\ny: 2\n");
        let diagnostic = Diagnostic::error("spec::x", "no: really").at(&source, Span::new(5, 6), "");
        assert_eq!(
            Ci::GitHub.annotation(&diagnostic).unwrap(),
            "::error file=a%2Cb.yaml,line=2,col=1,title=spec%3A%3Ax::no: really"
        );
        assert_eq!(Ci::GitLab.annotation(&diagnostic), None);
        assert_eq!(
            Ci::GitHub
                .annotation(&Diagnostic::error("build::cloud", "no quota"))
                .unwrap(),
            "::error title=build%3A%3Acloud::no quota"
        );
    }

    #[test]
    fn a_guest_gives_the_runner_no_orders() {
        assert_eq!(Ci::GitHub.harmless("##[set-env name=X]1"), "## [set-env name=X]1");
    }
}
