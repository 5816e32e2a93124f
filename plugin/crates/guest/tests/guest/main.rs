//! The guest crate from outside: golden calls, logs, verdicts, and the scripts in a real PowerShell engine.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "tests; a skipped one says so loudly"
)]

mod engine;
mod golden;
mod judge;
mod postmortem;
mod scripts;

use std::path::PathBuf;

/// A file or folder of the fixtures.
fn data(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../tests/data/guest")
        .join(path)
}
