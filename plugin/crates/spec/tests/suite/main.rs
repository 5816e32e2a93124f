//! Specs good and bad, from the repository's own examples and fixtures.

mod agreement;
mod examples;
mod golden;
mod meaning;
mod mutations;
mod world;
