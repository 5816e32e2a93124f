//! The integration tests of the workspace: one binary, linked once. Fixtures are in `tests/data`.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod powershell51;
mod schemas;
mod tidy;
