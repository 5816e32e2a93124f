//! The command line: one file per command.

mod args;
mod build;
mod lab;
mod report;
mod runs;
mod schema;
mod sweep;
mod validate;

use std::ffi::OsString;

use clap::Parser as _;

use crate::console::Console;
use crate::exit::Exit;
use crate::rim::env::Env;

pub use args::{Arguments, Colour, Command, Look};

/// Reads the arguments, runs the command and returns how it ended.
pub async fn run(arguments: Vec<OsString>) -> Exit {
    let env = Env::read();
    let parsed = match Arguments::try_parse_from(args::with_two_dashes(arguments)) {
        Ok(parsed) => parsed,
        Err(error) => {
            // Help and version are no errors for whoever asked for them.
            let exit = if error.use_stderr() { Exit::Input } else { Exit::Ok };
            let _ = error.print();
            return exit;
        }
    };
    let console = Console::new(&parsed.look, &env);
    match parsed.command {
        Command::Validate(command) => validate::validate(&command, &env, &console).await,
        Command::Plan(command) => validate::plan(&command, &env, &console).await,
        Command::Build(command) => build::build(&command, &env, &console).await,
        Command::Rehearse(command) => build::rehearse(&command, &env, &console).await,
        Command::Lab(command) => lab::lab(&command, &console).await,
        Command::Status(command) => runs::status(&command, &console),
        Command::Resume(command) => runs::resume(&command, &env, &console).await,
        Command::Cleanup(command) => runs::cleanup(&command, &env, &console).await,
        Command::Schema(command) => schema::schema(&command, &console),
    }
}
