//! `unattend lint`.

use std::path::{Path, PathBuf};

use clap::Args;
use reseal_diag::Diagnostic;
use reseal_unattend::{Architecture, Context, Finding, Target, Windows};

use super::super::tell;
use super::{read, sarif};
use crate::console::{Console, plural};
use crate::exit::Exit;

/// `unattend lint`.
#[derive(Debug, Args)]
pub struct Lint {
    /// The answer files.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The Windows that the file is for: server2016, server2019, server2022, server2025, win10, win11.
    #[arg(long, value_name = "WINDOWS")]
    pub target: Option<Windows>,
    /// How the file comes to Setup: auto, sysprep, setup, offline.
    #[arg(long, value_name = "CONTEXT", default_value = "auto")]
    pub pass_context: Context,
    /// The image's architecture: amd64, arm64, x86.
    #[arg(long, value_name = "ARCH")]
    pub architecture: Option<Architecture>,
    /// Print the findings as SARIF 2.1.0, for code review.
    #[arg(long)]
    pub sarif: bool,
    /// Apply the fixes that are safe, in place.
    #[arg(long)]
    pub fix: bool,
}

/// Checks the files.
pub(super) fn lint(command: &Lint, console: &Console) -> Exit {
    let mut all = Vec::new();
    let mut exit = Exit::Ok;
    let mut read = 0;
    for path in &command.files {
        match one(path, command, console) {
            Ok(found) => {
                all.extend(found);
                read += 1;
            }
            Err(this) => exit = exit.and(this),
        }
    }
    if command.sarif {
        console.line(&sarif::report(&all));
    } else {
        console.diagnostics(&all);
        if read > 0 && !console.is_json() {
            console.say(&format!("{}: {}", plural(read, "file"), tell::count(&all)));
        }
    }
    if all.iter().any(Diagnostic::is_error) {
        exit = exit.and(Exit::Input);
    }
    exit
}

fn one(path: &Path, command: &Lint, console: &Console) -> Result<Vec<Diagnostic>, Exit> {
    let target = Target {
        windows: command.target,
        build: None,
        architecture: command.architecture,
        context: command.pass_context,
    };
    let decoded = read(path, console)?;
    let mut text = decoded.text;
    let mut findings: Vec<Finding> = reseal_unattend::lint_text(&text, &target);
    if command.fix && decoded.finding.is_none() {
        let fixed = fixed(&text, &target);
        if fixed != text {
            write(path, &decoded.encoding.encode(&fixed), console)?;
            text = fixed;
            findings = reseal_unattend::lint_text(&text, &target);
        }
    }
    findings.extend(decoded.finding);
    Ok(reseal_unattend::diagnostics(
        &findings,
        &path.display().to_string(),
        &text,
    ))
}

/// Fixes that touch each other need several rounds.
fn fixed(text: &str, target: &Target) -> String {
    let mut text = text.to_owned();
    for _ in 0..8 {
        let next = reseal_unattend::fix(&text, &reseal_unattend::lint_text(&text, target));
        if next == text {
            break;
        }
        text = next;
    }
    text
}

fn write(path: &Path, bytes: &[u8], console: &Console) -> Result<(), Exit> {
    std::fs::write(path, bytes).map_err(|error| {
        console.error(&format!("cannot write `{}`: {error}", path.display()), &[]);
        Exit::Input
    })?;
    console.say(&format!("fixed {}", path.display()));
    Ok(())
}
