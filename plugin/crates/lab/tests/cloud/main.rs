//! The fake cloud over its HTTP, with JSON written by hand: state machines, strictness, and every fault at least once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod compute;
mod faults;
mod identity;
mod image;
mod life;
mod network;
mod odd;
mod site;
mod volume;
