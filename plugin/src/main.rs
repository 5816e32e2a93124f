//! The binary that a person runs and that Packer starts. Everything is in the library beside it, so that tests can
//! call it too.

use std::process::ExitCode;

fn main() -> ExitCode {
    reseal::main(std::env::args_os().collect())
}
