//! `completions`: what shells want.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::args::Arguments;
use crate::console::Console;
use crate::exit::Exit;

/// `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell.
    pub shell: Shell,
}

/// Prints the completions.
pub(super) fn completions(command: &Completions, console: &Console) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(command.shell, &mut Arguments::command(), "reseal", &mut script);
    console.line(String::from_utf8_lossy(&script).trim_end());
    Exit::Ok
}
