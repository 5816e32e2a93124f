//! Cargo and our own binary as child processes.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a chore ends with; the text is for the person who started it.
pub(crate) type Done<T = ()> = Result<T, String>;

/// The project's root.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// The Cargo that runs us, started in the project's root.
pub(crate) fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.args(arguments).current_dir(root());
    command
}

/// Runs to the end; a bad end is an error that names the command.
pub(crate) fn succeed(command: &mut Command) -> Done {
    let status = command
        .status()
        .map_err(|error| format!("cannot start {command:?}: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{command:?} ended with {status}"))
    }
}

/// Whether `cargo NAME` exists here.
pub(crate) fn has(subcommand: &str) -> bool {
    let status = cargo([subcommand, "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// A binary of the workspace that stands beside this one: built with the same profile into the same folder.
pub(crate) fn sibling(name: &str) -> Done<PathBuf> {
    let me = std::env::current_exe().map_err(|error| format!("cannot find myself: {error}"))?;
    Ok(me.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}

/// What a program prints when all is well.
pub(crate) fn output(command: &mut Command) -> Done<String> {
    let output = command
        .output()
        .map_err(|error| format!("cannot start {command:?}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?} ended with {}:\n{said}", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("{command:?} did not print UTF-8"))
}
