//! The engine against a small world that is strict: nothing twice, nothing before its intent, nothing out of order.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod bench;
mod chaos;
mod cuts;
mod loops;
mod policies;
mod stops;
mod stuck;
mod world;
