//! `validate` and `plan`.

use std::path::Path;
use std::sync::Arc;

use reseal_diag::SourceText;
use reseal_engine::Stop;
use reseal_spec::{BuildInfo, Spec};

use super::args::{PlanCommand, Validate, Values};
use super::report;
use crate::console::Console;
use crate::exit::Exit;
use crate::rim::clock::SystemClock;
use crate::rim::env::Env;
use crate::rim::files::SpecFolder;
use crate::scrub::Scrubber;
use crate::session::{self, Document, Setting, Variables};
use crate::wiring;

/// Checks specs.
pub(super) async fn validate(command: &Validate, env: &Env, console: &Console) -> Exit {
    let mut exit = Exit::Ok;
    for path in &command.specs {
        let this = one(path, command, env, console).await;
        exit = exit.and(this);
    }
    exit
}

async fn one(path: &Path, command: &Validate, env: &Env, console: &Console) -> Exit {
    let (document, folder) = match open(
        path,
        &command.values,
        env,
        console,
        Path::new(".reseal/runs"),
        build_facts(),
    ) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let exit = report::diagnostics(console, &document.loaded.diagnostics);
    if exit != Exit::Ok {
        return exit;
    }
    if command.online {
        for spec in chosen(&document, &command.values) {
            let clock = Arc::new(SystemClock::new(env.hurry()));
            let cloud = match wiring::cloud(&spec.cloud, env, clock.clone(), &console.scrubber).await {
                Ok(cloud) => cloud,
                Err(error) => {
                    report::cloud(console, &error);
                    return Exit::Cloud;
                }
            };
            let setting = setting(clock, cloud, Path::new(".reseal/runs"), &folder, &console.scrubber);
            match session::prepare(&document, spec, &setting, false).await {
                Ok(prepared) => {
                    let shown: Vec<_> = prepared
                        .planned
                        .problems
                        .iter()
                        .map(|p| document.diagnostic(p))
                        .collect();
                    console.diagnostics(&shown);
                }
                Err(why) => return report::unplanned(console, &document, &why),
            }
        }
    }
    let builds = document.loaded.specs.len();
    console.say(&format!(
        "{} is valid ({})",
        path.display(),
        crate::console::plural(builds, "build")
    ));
    Exit::Ok
}

/// Shows what a build would do.
pub(super) async fn plan(command: &PlanCommand, env: &Env, console: &Console) -> Exit {
    let runs = Path::new(".reseal/runs");
    let (document, folder) = match open(&command.spec, &command.values, env, console, runs, build_facts()) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let exit = report::diagnostics(console, &document.loaded.diagnostics);
    if exit != Exit::Ok {
        return exit;
    }
    let mut changes = false;
    for spec in chosen(&document, &command.values) {
        let clock = Arc::new(SystemClock::new(env.hurry()));
        let cloud = match wiring::cloud(&spec.cloud, env, clock.clone(), &console.scrubber).await {
            Ok(cloud) => cloud,
            Err(error) => {
                report::cloud(console, &error);
                return Exit::Cloud;
            }
        };
        let setting = setting(clock, cloud, runs, &folder, &console.scrubber);
        match session::prepare(&document, spec, &setting, false).await {
            Ok(prepared) => {
                let shown: Vec<_> = prepared
                    .planned
                    .problems
                    .iter()
                    .map(|p| document.diagnostic(p))
                    .collect();
                console.diagnostics(&shown);
                console.plan(&prepared.planned, &prepared.spec);
                changes |= prepared.planned.unchanged.is_none();
            }
            Err(why) => return report::unplanned(console, &document, &why),
        }
    }
    if changes && command.detailed_exitcode {
        Exit::Changes
    } else {
        Exit::Ok
    }
}

/// Build facts for commands that build nothing.
fn build_facts() -> BuildInfo {
    session::new_build(&SystemClock::new(1)).1
}

/// Reads a spec with everything that comes from outside.
pub(super) fn open(
    path: &Path,
    values: &Values,
    env: &Env,
    console: &Console,
    runs: &Path,
    build: BuildInfo,
) -> Result<(Document, SpecFolder), Exit> {
    let folder = SpecFolder::of(path, runs, console.scrubber.clone());
    let mut files = Vec::new();
    for file in &values.var_files {
        match session::read_text(file) {
            Ok(text) => files.push(SourceText::new(file.display().to_string(), text)),
            Err(error) => {
                console.error(&format!("cannot read `{}`: {error}", file.display()), &[]);
                return Err(Exit::Input);
            }
        }
    }
    let variables = Variables {
        vars: values.vars.clone(),
        files,
        environment: env.spec_variables(),
    };
    match Document::read(path, &folder, &variables, build) {
        Ok(document) => {
            document
                .loaded
                .specs
                .iter()
                .flat_map(|spec| spec.secrets.values())
                .for_each(|s| console.scrubber.learn(s));
            Ok((document, folder))
        }
        Err(error) => {
            console.error(
                &format!("cannot read `{}`: {error}", path.display()),
                &["`reseal init` writes a starter spec".into()],
            );
            Err(Exit::Input)
        }
    }
}

/// The builds that `-only` and `-except` leave.
pub(super) fn chosen<'a>(document: &'a Document, values: &Values) -> Vec<&'a Spec> {
    let fits = |patterns: &[String], name: &str| {
        patterns
            .iter()
            .any(|pattern| glob::Pattern::new(pattern).is_ok_and(|pattern| pattern.matches(name)))
    };
    let wanted =
        |spec: &&Spec| (values.only.is_empty() || fits(&values.only, &spec.name)) && !fits(&values.except, &spec.name);
    document.loaded.specs.iter().filter(wanted).collect()
}

/// What a plan or a build needs.
pub(super) fn setting(
    clock: Arc<dyn reseal_machine::Clock>,
    cloud: Arc<dyn reseal_machine::Cloud>,
    runs: &Path,
    folder: &SpecFolder,
    scrubber: &Scrubber,
) -> Setting {
    Setting {
        clock,
        cloud,
        runs: runs.to_owned(),
        folder: folder.clone(),
        scrubber: scrubber.clone(),
        stop: Stop::default(),
    }
}
