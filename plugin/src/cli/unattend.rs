//! `unattend`: answer files compiled, checked and compared.

mod lint;
mod render;
mod sarif;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use reseal_unattend::Side;
use serde_json::json;

use crate::console::{Console, plural};
use crate::exit::Exit;
use crate::rim::env::Env;

/// `unattend`.
#[derive(Debug, Subcommand)]
pub enum Unattend {
    /// Compile a spec's answer file and print it, with its secrets masked.
    Render(render::Render),
    /// Check answer files: what Windows Setup would make of them.
    Lint(lint::Lint),
    /// Compare two answer files by setting.
    Diff(Diff),
}

/// `unattend diff`.
#[derive(Debug, Args)]
pub struct Diff {
    /// The file before.
    pub before: PathBuf,
    /// The file after.
    pub after: PathBuf,
}

/// Runs one of them.
pub(super) fn unattend(command: &Unattend, env: &Env, console: &Console) -> Exit {
    match command {
        Unattend::Render(command) => render::render(command, env, console),
        Unattend::Lint(command) => lint::lint(command, console),
        Unattend::Diff(command) => diff(command, console),
    }
}

/// An answer file's text, whatever its encoding.
fn read(path: &Path, console: &Console) -> Result<reseal_unattend::Decoded, Exit> {
    let wrong = |why: &str| {
        console.error(&format!("cannot read `{}`: {why}", path.display()), &[]);
        Exit::Input
    };
    if path.is_dir() {
        return Err(wrong("it is a folder"));
    }
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => wrong("there is no such file"),
        _ => wrong(&error.to_string()),
    })?;
    Ok(reseal_unattend::decode(&bytes))
}

fn diff(command: &Diff, console: &Console) -> Exit {
    let texts = read(&command.before, console).and_then(|before| Ok((before, read(&command.after, console)?)));
    let (before, after) = match texts {
        Ok(texts) => texts,
        Err(exit) => return exit,
    };
    match reseal_unattend::diff(&before.text, &after.text) {
        Ok(changes) if console.is_json() => console.document("unattend_diff", json!({ "changes": changes })),
        Ok(changes) if changes.is_empty() => console.say("both files set the same"),
        Ok(changes) => {
            for change in &changes {
                console.line(&change.to_string());
            }
            console.say(&plural(changes.len(), "difference"));
        }
        Err(error) => {
            let path = match error.side {
                Side::Before => &command.before,
                Side::After => &command.after,
            };
            let hint = format!("`reseal unattend lint {}` says what is wrong with it", path.display());
            console.error(&format!("cannot compare `{}`: {error}", path.display()), &[hint]);
            return Exit::Input;
        }
    }
    Exit::Ok
}
