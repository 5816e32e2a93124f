//! The integration tests of the workspace: one binary, linked once. Fixtures are in `tests/data`.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod canaries;
mod cli;
mod conformance;
mod explain;
mod failures;
mod first_boot;
mod packer;
mod plans;
mod powershell51;
mod preflight;
mod process;
mod readme;
mod rehearsals;
mod resume;
mod schemas;
mod support;
mod sysprep_faults;
mod taken_up;
mod tidy;
mod unwinding;
