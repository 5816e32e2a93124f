//! `build`: the main job, several builds at once.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use futures::StreamExt as _;
use reseal_engine::hooks::NoHooks;
use reseal_machine::Clock;

use super::args::{How, Values};
use super::one::{Job, Keep, one, stop_on_signals};
use super::open;
use crate::console::Console;
use crate::exit::Exit;
use crate::rim::clock::SystemClock;
use crate::rim::env::Env;
use crate::session;

/// `build`.
#[derive(Debug, Args)]
pub struct Build {
    /// The specs.
    #[arg(required = true)]
    pub specs: Vec<PathBuf>,
    /// How.
    #[command(flatten)]
    pub how: How,
    /// Variables.
    #[command(flatten)]
    pub values: Values,
}

/// So many builds begin at once when nothing else is said.
const MOST: usize = 1024;

/// Builds all chosen builds of all specs. Nothing begins while one of them is wrong.
pub(super) async fn build(command: &Build, env: &Env, console: &Console) -> Exit {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(env.hurry()));
    let mut documents = Vec::new();
    let mut exit = Exit::Ok;
    for path in &command.specs {
        let facts = session::new_build(clock.as_ref()).1;
        match open::sound(path, &command.values, env, console, &command.how.runs.folder, facts) {
            Ok(opened) => documents.push(opened),
            Err(this) => exit = exit.and(this),
        }
    }
    let mut jobs = Vec::new();
    for (document, folder) in &documents {
        match open::chosen(document, &command.values, console) {
            Ok(chosen) => jobs.extend(chosen.into_iter().map(|spec| Job {
                document,
                folder,
                spec,
                how: &command.how,
                keep: Keep::Lock,
                env,
                hooks: &NoHooks,
                console,
            })),
            Err(this) => exit = exit.and(this),
        }
    }
    if exit != Exit::Ok {
        return exit;
    }
    console.expect_builds(jobs.len());
    let stop = stop_on_signals(console);
    let builds = jobs.into_iter().map(|job| one(job, Arc::clone(&clock), stop.clone()));
    let at_once = match command.how.parallel_builds {
        0 => MOST,
        some => some.min(MOST),
    };
    let exits: Vec<Exit> = futures::stream::iter(builds).buffer_unordered(at_once).collect().await;
    exits.into_iter().fold(Exit::Ok, Exit::and)
}
