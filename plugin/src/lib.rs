//! The rim of Reseal: arguments, environment, files, terminal, exit codes, and the choice of clients.
//!
//! Nothing here is worth a unit test of the pipeline: it chooses, wires, prints and exits. Start reading at [`cli`],
//! then [`session`] (one build), then [`wiring`].

pub mod cli;
pub mod console;
pub mod exit;
pub mod lockfile;
pub mod packer;
pub mod rehearsal;
pub mod rim;
pub mod scrub;
pub mod session;
pub mod wiring;

use std::ffi::OsString;
use std::process::ExitCode;

/// The version, as it is printed and journalled.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Runs the program with its arguments, the first being its own name.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    let launch = rim::env::launch(&arguments);
    if launch.is_packers() {
        return packer::main(launch).into();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(cli::run(arguments)).into(),
        Err(_) => exit::Exit::Internal.into(),
    }
}
