//! WS-Management shells, commands and transfers over NTLM or Basic.
//!
//! [`WinRm`] is a `machine::Communicator`: it keeps one resident PowerShell in the guest for all operations, streams
//! the output of commands, and copies files through long-lived readers. It knows no builds.
//!
//! From the wire upwards: `http` (sockets and login, with `tls`, `ntlm`, `multipart`) → `soap` (messages) →
//! `client` (which connection, how often) → `shell` → `resident` (our guest processes, with `frame`, `lines`,
//! `clixml`) → `runner` and `transfer` → `session`. Only `http` does I/O.

mod client;
mod clixml;
mod config;
mod error;
mod frame;
mod http;
mod lines;
mod multipart;
mod ntlm;
mod operations;
mod resident;
mod runner;
mod session;
mod shell;
mod soap;
mod stats;
mod tls;
mod transfer;
mod winrm;

pub use config::{Address, Auth, AuthKind, ConfigError, IdSource, Transport, Trust, WinRmConfig};
pub use stats::Stats;
pub use winrm::WinRm;
