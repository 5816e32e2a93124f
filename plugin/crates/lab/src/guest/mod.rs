//! The fake Windows: one state record per machine, moved by the lab's time, behind a real WinRM endpoint.
//!
//! It is not PowerShell. It knows the bootstrap, the runner and the receiver by their first lines, and the operations
//! by name and JSON; whatever it does not know is an error and is recorded as a violation. The state is a function of
//! the clock: every look first carries out what has fallen due ([`machine`]).
//!
//! Order of reading: [`room`] → [`machine`] (time and power) → [`boot`] → [`process`] → [`ops`].

pub mod answer;
mod answer_read;
pub mod boot;
mod breakdowns;
mod clone;
pub mod cloudbase;
pub mod faults;
pub mod files;
pub mod inspect;
pub mod machine;
pub mod ops;
pub mod package;
pub mod process;
pub mod profile;
pub mod provider;
pub mod room;
pub mod shell;
pub mod sysprep;
pub mod sysprep_log;
pub mod windows;

pub use faults::{faults, sysprep_faults};
pub use inspect::Inspect;
pub use room::{Room, RoomOptions};
