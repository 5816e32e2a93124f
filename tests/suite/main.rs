//! The integration tests of the workspace: one binary, linked once. Fixtures are in `tests/data`.

mod schemas;
mod tidy;
