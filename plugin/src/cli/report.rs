//! What several commands say in the same way: diagnostics, missing plans, ends of builds.

use std::path::Path;

use reseal_diag::Diagnostic;
use reseal_engine::Ended;
use reseal_machine::BuildId;

use crate::console::Console;
use crate::exit::Exit;
use crate::session::{self, Document, Unplanned};
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

/// Says why there is no plan.
pub(super) fn unplanned(console: &Console, document: &Document, why: &Unplanned) -> Exit {
    match why {
        Unplanned::Problems(problems) => {
            let shown: Vec<Diagnostic> = problems.iter().map(|problem| document.diagnostic(problem)).collect();
            console.diagnostics(&shown);
        }
        Unplanned::File(path, error) => {
            console.error(
                &format!("cannot read `{path}`: {error}"),
                &["paths in a spec are relative to its folder".into()],
            );
        }
        Unplanned::Cloud(error) => cloud(console, error),
        Unplanned::Locked(lines) => {
            console.error("the lock says something else", lines);
        }
    }
    why.exit()
}

/// Says why the cloud cannot be asked.
pub(super) fn cloud(console: &Console, error: &CloudUnavailable) {
    match error {
        CloudUnavailable::Credentials(error) => {
            let mut hints = error.hints.clone();
            if !error.missing.is_empty() {
                hints.insert(0, format!("missing: {}", error.missing.join(", ")));
            }
            console.error(&error.message, &hints);
        }
        CloudUnavailable::Cloud(error) => {
            let mut hints = error.hints.clone();
            hints.extend(
                error
                    .request_id
                    .as_ref()
                    .map(|id| format!("the cloud's id of the request is {id}")),
            );
            console.error(&error.to_string(), &hints);
        }
    }
}

/// Says how a build ended, and what to type next.
pub(super) fn ended(
    console: &Console,
    name: &str,
    build: &BuildId,
    runs: &Path,
    plan: &reseal_engine::Plan,
    ended: &Ended,
) -> Exit {
    console.ended(name, build, runs, plan, ended);
    session::exit(ended)
}
