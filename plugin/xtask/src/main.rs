//! The project's own chores: `cargo xtask ci | schemas | bless | packer-package | bench`.
//!
//! No shell and no dependencies, so that it is built in a second and works wherever Cargo does. Each command is a file.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore talks to the person who started it"
)]

mod bench;
mod bless;
mod cargo;
mod ci;
mod packer;
mod schemas;

use std::process::ExitCode;

const HELP: &str = "\
The project's own chores.

Usage: cargo xtask COMMAND

  ci [PART…]       everything that must pass before a change lands
  schemas          write schemas/*.json anew from the types
  schemas --check  only say whether they are fresh
  bless            accept what the tests print as the new golden files, schemas included
  packer-package   build the Packer plugin for a release, with its checksum, into target/packer
  bench [NAME…]    measure, and compare with the numbers that we want to reach
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["ci", parts @ ..] => ci::run(parts),
        ["schemas"] => schemas::write(),
        ["schemas", "--check"] => schemas::check(),
        ["bless"] => bless::run(),
        ["packer-package"] => packer::package(),
        ["bench", names @ ..] => bench::run(names),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        _ => Err(format!("unknown command `{}`\n\n{HELP}", words.join(" "))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}
