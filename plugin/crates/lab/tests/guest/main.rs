//! The guest side of the lab: NTLM, the WinRM endpoint, and whole lives of machines.

#![expect(clippy::unwrap_used, reason = "tests")]

mod clones;
mod engine;
mod faults;
mod ntlm;
mod operations;
mod server;
mod settings;
mod support;
mod world;
