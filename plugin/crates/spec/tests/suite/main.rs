//! Specs good and bad, from the repository's own examples and fixtures.

#![expect(clippy::unwrap_used, reason = "tests")]

mod agreement;
mod examples;
mod golden;
mod meaning;
mod mutations;
mod world;
