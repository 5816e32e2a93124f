//! The integration tests of the workspace: one binary, linked once. Fixtures are in `tests/data`.

mod rehearsals;
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod schemas;
mod support;
mod tidy;
