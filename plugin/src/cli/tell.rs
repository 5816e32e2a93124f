//! What several commands say in the same way: diagnostics, missing plans, clouds that cannot be asked.

use reseal_diag::{Diagnostic, Severity};
use reseal_pipeline::problem::Problem;

use crate::console::{Console, plural};
use crate::exit::Exit;
use crate::session::{Document, Unplanned};
use crate::wiring::CloudUnavailable;

/// Shows diagnostics; the exit code says whether one of them is an error.
pub(super) fn diagnostics(console: &Console, diagnostics: &[Diagnostic]) -> Exit {
    console.diagnostics(diagnostics);
    if diagnostics.iter().any(Diagnostic::is_error) {
        Exit::Input
    } else {
        Exit::Ok
    }
}

/// `2 errors, 1 warning`.
pub(super) fn count(diagnostics: &[Diagnostic]) -> String {
    let of = |severity: Severity, noun: &str| {
        let count = diagnostics.iter().filter(|one| one.severity == severity).count();
        (count > 0).then(|| plural(count, noun))
    };
    let parts = [
        of(Severity::Error, "error"),
        of(Severity::Warning, "warning"),
        of(Severity::Note, "note"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "nothing found".to_owned()
    } else {
        parts.join(", ")
    }
}

/// Shows what the cloud's facts brought up, at the spec's lines.
pub(crate) fn problems(console: &Console, document: &Document, problems: &[Problem]) {
    let shown: Vec<Diagnostic> = problems.iter().map(|problem| document.diagnostic(problem)).collect();
    console.diagnostics(&shown);
}

/// Says why there is no plan.
pub(crate) fn unplanned(console: &Console, document: &Document, why: &Unplanned) -> Exit {
    match why {
        Unplanned::Problems(found) => problems(console, document, found),
        Unplanned::File(path, error) => {
            let hint = "paths in a spec are relative to its folder".to_owned();
            console.error(&format!("cannot read `{path}`: {error}"), &[hint]);
        }
        Unplanned::Cloud(error) => cloud(console, error),
        Unplanned::Locked(lines) => {
            let mut hints = lines.clone();
            hints
                .push("without `-locked` the build goes on, and writes the lock anew when it has succeeded".to_owned());
            console.error("the lock beside the spec does not allow this build", &hints);
        }
    }
    why.exit()
}

/// Says why the cloud cannot be asked.
pub(crate) fn cloud(console: &Console, error: &CloudUnavailable) {
    match error {
        CloudUnavailable::Credentials(error) => {
            let mut hints = error.hints.clone();
            let unsaid = error
                .missing
                .iter()
                .filter(|name| !error.message.contains(name.as_str()));
            let unsaid: Vec<&str> = unsaid.map(String::as_str).collect();
            if !unsaid.is_empty() {
                hints.insert(0, format!("missing: {}", unsaid.join(", ")));
            }
            hints.push("`reseal doctor` says what was found; `reseal rehearse` needs no cloud".into());
            console.error(&error.message, &hints);
        }
        CloudUnavailable::Cloud(error) => {
            let mut hints = error.hints.clone();
            let id = error.request_id.as_ref();
            hints.extend(id.map(|id| format!("the cloud's id of the request is {id}")));
            hints.push("`reseal doctor` says which layer fails".into());
            console.error(&error.to_string(), &hints);
        }
    }
}
