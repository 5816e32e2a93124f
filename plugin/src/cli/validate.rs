//! `validate`: everything that can be known before anything is built.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use reseal_machine::Clock;
use serde_json::json;

use super::args::{DEFAULT_RUNS, Values};
use super::{open, tell};
use crate::console::{Console, plural};
use crate::exit::Exit;
use crate::rim::clock::SystemClock;
use crate::rim::env::Env;
use crate::rim::files::SpecFolder;
use crate::session::{self, Document};
use crate::wiring;

/// `validate`.
#[derive(Debug, Args)]
pub struct Validate {
    /// The specs.
    #[arg(required = true)]
    pub specs: Vec<PathBuf>,
    /// Ask the cloud too: image, flavour, network, quota.
    #[arg(long)]
    pub online: bool,
    /// Variables.
    #[command(flatten)]
    pub values: Values,
}

/// Checks specs; all of them, also when one is wrong.
pub(super) async fn validate(command: &Validate, env: &Env, console: &Console) -> Exit {
    let mut exit = Exit::Ok;
    for path in &command.specs {
        let this = one(path, command, env, console).await;
        if console.is_json() {
            let fields = json!({ "file": path.display().to_string(), "ok": this == Exit::Ok, "exit": this.code() });
            console.document("validated", fields);
        }
        exit = exit.and(this);
    }
    exit
}

async fn one(path: &Path, command: &Validate, env: &Env, console: &Console) -> Exit {
    let runs = Path::new(DEFAULT_RUNS);
    let (document, folder) = match open::open(path, &command.values, env, console, runs, open::build_facts()) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let exit = tell::diagnostics(console, &document.loaded.diagnostics);
    if exit != Exit::Ok {
        console.error(
            &format!("{}: {}", path.display(), tell::count(&document.loaded.diagnostics)),
            &[],
        );
        return exit;
    }
    let chosen = match open::chosen(&document, &command.values, console) {
        Ok(chosen) => chosen,
        Err(exit) => return exit,
    };
    if command.online {
        for spec in &chosen {
            let exit = online(&document, &folder, spec, env, console).await;
            if exit != Exit::Ok {
                return exit;
            }
        }
    }
    if !console.is_json() {
        let steps: usize = chosen.iter().map(|spec| spec.software.len()).sum();
        let (builds, steps) = (plural(chosen.len(), "build"), plural(steps, "software step"));
        let how = if command.online {
            "valid, and the cloud has what it needs"
        } else {
            "valid"
        };
        console.say(&format!("{} is {how} ({builds}, {steps})", path.display()));
    }
    Exit::Ok
}

async fn online(
    document: &Document,
    folder: &SpecFolder,
    spec: &reseal_spec::Spec,
    env: &Env,
    console: &Console,
) -> Exit {
    let clock = Arc::new(SystemClock::new(env.hurry()));
    let cloud = match wiring::cloud(&spec.cloud, env, Arc::<SystemClock>::clone(&clock), &console.scrubber).await {
        Ok(cloud) => cloud,
        Err(error) => {
            tell::cloud(console, &error);
            return Exit::Cloud;
        }
    };
    let shared: Arc<dyn Clock> = Arc::<SystemClock>::clone(&clock);
    let wishes = open::wishes(spec, env, &shared, &console.scrubber, false, false);
    let setting = open::setting(clock, cloud, Path::new(DEFAULT_RUNS), folder, &console.scrubber);
    match session::prepare_with(document, spec, &setting, &wishes).await {
        Ok(prepared) => {
            tell::problems(console, document, &prepared.planned.problems);
            Exit::Ok
        }
        Err(why) => tell::unplanned(console, document, &why),
    }
}
