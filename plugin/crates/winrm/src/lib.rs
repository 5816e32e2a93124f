//! WS-Management shells, commands and transfers over NTLM or Basic.
//!
//! [`WinRm`] is a `machine::Communicator`: it keeps one resident PowerShell in the guest for all operations, streams
//! the output of commands, and copies files through long-lived readers. It knows no builds.

mod config;
mod stats;
mod winrm;

pub use config::{Address, Auth, AuthKind, ConfigError, IdSource, Transport, Trust, WinRmConfig};
pub use stats::Stats;
pub use winrm::WinRm;
