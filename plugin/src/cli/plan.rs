//! `plan`: what a build would do, for people and as a document.

mod document;
mod show;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use reseal_lab::clock::JumpClock;
use reseal_machine::Clock;
use reseal_spec::Spec;

use super::args::{DEFAULT_RUNS, Values};
use super::rehearse::{adapted, mode_of, start_lab};
use super::{open, tell};
use crate::console::Console;
use crate::exit::Exit;
use crate::rim::clock::SystemClock;
use crate::rim::env::Env;
use crate::rim::files::SpecFolder;
use crate::session::{self, Document, Prepared};
use crate::wiring;

pub(super) use document::PlanDocument;

/// `plan`.
#[derive(Debug, Args)]
pub struct PlanCommand {
    /// The spec.
    pub spec: PathBuf,
    /// Exit with 10 when there is something to do.
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Refuse differences from the lock beside the spec.
    #[arg(long)]
    pub locked: bool,
    /// Do not ask the cloud: plan with the answers of the built-in lab.
    #[arg(long)]
    pub offline: bool,
    /// Variables.
    #[command(flatten)]
    pub values: Values,
}

/// Shows what a build would do.
pub(super) async fn plan(command: &PlanCommand, env: &Env, console: &Console) -> Exit {
    let runs = Path::new(DEFAULT_RUNS);
    let opened = open::sound(&command.spec, &command.values, env, console, runs, open::build_facts());
    let (document, folder) = match opened {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let chosen = match open::chosen(&document, &command.values, console) {
        Ok(chosen) => chosen,
        Err(exit) => return exit,
    };
    let mut changes = false;
    for (index, spec) in chosen.into_iter().enumerate() {
        let prepared = if command.offline {
            offline(&document, &folder, spec, env, command.locked, console).await
        } else {
            online(&document, &folder, spec, env, command.locked, console).await
        };
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(exit) => return exit,
        };
        changes |= prepared.planned.unchanged.is_none();
        if console.is_json() {
            console.document("plan", PlanDocument::of(&prepared, command.offline));
            continue;
        }
        if index > 0 {
            console.line("");
        }
        for line in show::lines(&prepared, command.offline) {
            console.line(&line);
        }
    }
    if changes && command.detailed_exitcode {
        Exit::Changes
    } else {
        Exit::Ok
    }
}

async fn online(
    document: &Document,
    folder: &SpecFolder,
    spec: &Spec,
    env: &Env,
    locked: bool,
    console: &Console,
) -> Result<Prepared, Exit> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(env.hurry()));
    prepare(document, folder, spec, env, clock, locked, console).await
}

/// The lab stands in for the cloud: its images and flavours are made to fit the families that it plays.
async fn offline(
    document: &Document,
    folder: &SpecFolder,
    spec: &Spec,
    env: &Env,
    locked: bool,
    console: &Console,
) -> Result<Prepared, Exit> {
    let clock: Arc<dyn Clock> = Arc::new(JumpClock::new(SystemClock::new(1).now()));
    let lab = start_lab(mode_of(spec), Arc::clone(&clock), &[], 1)
        .await
        .map_err(|error| {
            console.error(&format!("the lab does not start: {error}"), &[]);
            Exit::Internal
        })?;
    let env = env.without_prefix("OS_").with(lab.env());
    let prepared = match adapted(spec, &env, Arc::clone(&clock), console).await {
        Ok(spec) => prepare(document, folder, &spec, &env, clock, locked, console).await,
        Err(exit) => Err(exit),
    };
    lab.shutdown().await;
    prepared
}

async fn prepare(
    document: &Document,
    folder: &SpecFolder,
    spec: &Spec,
    env: &Env,
    clock: Arc<dyn Clock>,
    locked: bool,
    console: &Console,
) -> Result<Prepared, Exit> {
    let connected = wiring::cloud(&spec.cloud, env, Arc::clone(&clock), &console.scrubber).await;
    let cloud = connected.map_err(|error| {
        tell::cloud(console, &error);
        Exit::Cloud
    })?;
    let wishes = open::wishes(spec, env, &clock, &console.scrubber, false, locked);
    let setting = open::setting(clock, cloud, Path::new(DEFAULT_RUNS), folder, &console.scrubber);
    match session::prepare_with(document, spec, &setting, &wishes).await {
        Ok(prepared) => {
            tell::problems(console, document, &prepared.planned.problems);
            Ok(prepared)
        }
        Err(why) => Err(tell::unplanned(console, document, &why)),
    }
}
