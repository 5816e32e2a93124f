//! `unattend render`.

use std::path::{Path, PathBuf};

use clap::Args;
use reseal_diag::Diagnostic;
use reseal_spec::Spec;
use reseal_spec::model::AnswerBase;
use reseal_unattend::{Compiled, Problem, RevealError, Target, Windows};
use secrecy::ExposeSecret;
use serde_json::json;

use super::super::args::{DEFAULT_RUNS, Values};
use super::super::open;
use super::read;
use crate::console::Console;
use crate::exit::Exit;
use crate::rim::env::Env;
use crate::session::Document;

/// `unattend render`.
#[derive(Debug, Args)]
pub struct Render {
    /// The spec.
    pub spec: PathBuf,
    /// The file to start from when the spec starts from the guest's; without it from none.
    #[arg(long, value_name = "FILE")]
    pub base: Option<PathBuf>,
    /// The Windows to compile for; without it what the spec tells.
    #[arg(long, value_name = "WINDOWS")]
    pub target: Option<Windows>,
    /// Variables.
    #[command(flatten)]
    pub values: Values,
}

/// Prints what each chosen build would push, with masks in the places of its secrets.
pub(super) fn render(command: &Render, env: &Env, console: &Console) -> Exit {
    let runs = Path::new(DEFAULT_RUNS);
    let opened = open::sound(&command.spec, &command.values, env, console, runs, open::build_facts());
    let document = match opened {
        Ok((document, _)) => document,
        Err(exit) => return exit,
    };
    let chosen = match open::chosen(&document, &command.values, console) {
        Ok(chosen) => chosen,
        Err(exit) => return exit,
    };
    let many = chosen.len() > 1;
    for spec in chosen {
        let base = match base(spec, command, console) {
            Ok(base) => base,
            Err(exit) => return exit,
        };
        match compile(spec, base.as_deref(), command.target) {
            Ok(compiled) => show(spec, &compiled, many, &document, console),
            Err(problems) => {
                console.diagnostics(&diagnostics(&problems, &document));
                return Exit::Input;
            }
        }
    }
    Exit::Ok
}

fn base(spec: &Spec, command: &Render, console: &Console) -> Result<Option<String>, Exit> {
    if let Some(path) = &command.base {
        return Ok(Some(read(path, console)?.text));
    }
    match &spec.unattend.base {
        AnswerBase::None => Ok(None),
        AnswerBase::File(path) => Ok(spec.scripts.get(path).map(|script| script.text.clone())),
        AnswerBase::Guest => {
            console.warn("the spec starts from the guest's file; `-base FILE` gives one here, none is used now");
            Ok(None)
        }
    }
}

fn compile(spec: &Spec, base: Option<&str>, target: Option<Windows>) -> Result<Compiled, Vec<Problem>> {
    let reveal = |text: &str| {
        let lookup = |name: &str| spec.secrets.get(name).map(ExposeSecret::expose_secret);
        reseal_spec::template::reveal(text, lookup).map_err(|error| RevealError {
            message: error.to_string(),
        })
    };
    let target = Target::sysprep(target.or_else(|| windows(spec)));
    reseal_unattend::compile(base, &spec.unattend, &target, &reveal)
}

/// Which Windows it is, as far as the spec tells: by the image's `os_version`, else by the base image's name.
fn windows(spec: &Spec) -> Option<Windows> {
    let years = [
        ("2016", Windows::Server2016),
        ("2019", Windows::Server2019),
        ("2022", Windows::Server2022),
        ("2025", Windows::Server2025),
    ];
    let version = spec.image.properties.get("os_version").map(String::as_str);
    let texts = [version, spec.base.image.name.as_deref()];
    texts.into_iter().flatten().find_map(|text| {
        let year = years.into_iter().find(|(year, _)| text.contains(year));
        year.map(|(_, windows)| windows)
    })
}

/// Problems with an option point at the spec.
fn diagnostics(problems: &[Problem], document: &Document) -> Vec<Diagnostic> {
    let one = |problem: &Problem| match &problem.option {
        Some(option) => document
            .loaded
            .point(problem.diagnostic.clone(), &format!("/unattend{option}")),
        None => problem.diagnostic.clone(),
    };
    problems.iter().map(one).collect()
}

fn show(spec: &Spec, compiled: &Compiled, many: bool, document: &Document, console: &Console) {
    console.diagnostics(&diagnostics(&compiled.problems, document));
    if console.is_json() {
        return console.document("unattend", json!({ "name": spec.name, "xml": compiled.redacted }));
    }
    if many {
        console.line(&format!("<!-- {} -->", spec.name));
    }
    console.line(compiled.redacted.trim_end());
}
