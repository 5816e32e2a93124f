//! The command line: one file per command, with its own arguments.

mod args;
mod build;
mod completions;
mod doctor;
mod explain;
mod init;
mod lab;
mod one;
pub(crate) mod open;
mod packer;
mod pages;
mod plan;
mod preflight;
mod rehearse;
mod report;
mod resume;
mod schema;
mod status;
mod sweep;
pub(crate) mod tell;
mod unattend;
mod validate;

use std::ffi::OsString;

use clap::Parser as _;

use crate::console::Console;
use crate::exit::Exit;
use crate::rim::env::Env;

pub use args::{Arguments, Colour, Command, DEFAULT_RUNS, Look};

/// Reads the arguments, runs the command and returns how it ended.
pub async fn run(arguments: Vec<OsString>) -> Exit {
    let env = Env::read();
    let typed = args::typed(&arguments);
    let parsed = match Arguments::try_parse_from(args::with_two_dashes(arguments)) {
        Ok(parsed) => parsed,
        Err(error) => {
            // Help and version are no errors for whoever asked for them.
            let exit = if error.use_stderr() { Exit::Input } else { Exit::Ok };
            let _ = error.print();
            return exit;
        }
    };
    let console = Console::new(&parsed.look, &env, typed);
    match parsed.command {
        Command::Init(command) => init::init(&command, &console),
        Command::Validate(command) => validate::validate(&command, &env, &console).await,
        Command::Plan(command) => plan::plan(&command, &env, &console).await,
        Command::Build(command) => build::build(&command, &env, &console).await,
        Command::Rehearse(command) => rehearse::rehearse(&command, &env, &console).await,
        Command::Lab(command) => lab::lab(&command, &console).await,
        Command::Status(command) => status::status(&command, &console),
        Command::Resume(command) => resume::resume(&command, &env, &console).await,
        Command::Cleanup(command) => resume::cleanup(&command, &env, &console).await,
        Command::Report(command) => report::report(&command, &console),
        Command::Unattend(command) => unattend::unattend(&command, &env, &console),
        Command::Explain(command) => explain::explain(&command, &console),
        Command::Doctor(command) => doctor::doctor(&command, &env, &console).await,
        Command::Packer(command) => packer::packer(&command, &env, &console),
        Command::Preflight(command) => preflight::preflight(&command, &env, &console).await,
        Command::Schema(command) => schema::schema(&command, &console),
        Command::Completions(command) => completions::completions(&command, &console),
    }
}
