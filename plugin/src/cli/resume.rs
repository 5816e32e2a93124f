//! `resume` and `cleanup`: going on with builds that were begun before, forwards or backwards.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use reseal_engine::hooks::NoHooks;
use reseal_journal::{Journal, JournalError, RunDir};
use reseal_machine::Clock;

use super::args::{OnError, Runs};
use super::sweep::{self, Wanted};
use super::{one, tell};
use crate::console::{Closing, Console};
use crate::exit::Exit;
use crate::rim::clock::SystemClock;
use crate::rim::env::Env;
use crate::rim::files::SpecFolder;
use crate::session::{self, Attendance, Direction, Policy, Setting};
use crate::wiring;

/// `resume`.
#[derive(Debug, Args)]
pub struct Resume {
    /// The build's id, or its beginning or end.
    pub id: String,
    /// What to do when a step fails.
    #[arg(long, value_name = "POLICY", default_value = "cleanup")]
    pub on_error: OnError,
    /// Add the image to a manifest in the shape of Packer's.
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// The run folder.
    #[command(flatten)]
    pub runs: Runs,
}

/// `cleanup`.
#[derive(Debug, Args)]
pub struct Cleanup {
    /// The build's id, or its beginning or end; without it all open builds of the run folder.
    pub id: Option<String>,
    /// Look in the cloud for everything that carries the build's marks, also without a journal; the spec says in which
    /// cloud. Without an id nothing is deleted: what unfinished builds of the project have there is listed.
    #[arg(long, value_name = "SPEC")]
    pub by_marks: Option<PathBuf>,
    /// With `-by-marks`: delete what all unfinished builds of the project have in the cloud, also those that are at work
    /// on other machines.
    #[arg(long, requires = "by_marks", conflicts_with = "id")]
    pub all: bool,
    /// The run folder.
    #[command(flatten)]
    pub runs: Runs,
}

/// Goes on with a build.
pub(super) async fn resume(command: &Resume, env: &Env, console: &Console) -> Exit {
    let runs = &command.runs.folder;
    match find(runs, &command.id, console) {
        Some(id) => {
            let again = Again {
                runs,
                direction: Direction::Forward,
                on_error: command.on_error,
                manifest: command.manifest.as_deref(),
            };
            again.run(&id, env, console).await
        }
        None => Exit::Input,
    }
}

/// Removes what builds have left.
pub(super) async fn cleanup(command: &Cleanup, env: &Env, console: &Console) -> Exit {
    if let Some(spec) = &command.by_marks {
        let wanted = Wanted {
            build: command.id.as_deref(),
            all: command.all,
        };
        return sweep::sweep(spec, wanted, &command.runs.folder, env, console).await;
    }
    let runs = &command.runs.folder;
    let ids = match &command.id {
        Some(id) => match find(runs, id, console) {
            Some(id) => vec![id],
            None => return Exit::Input,
        },
        None => open_builds(runs),
    };
    if ids.is_empty() {
        console.say("no open builds; `-by-marks SPEC` looks in the cloud itself");
    }
    console.expect_builds(ids.len());
    let mut exit = Exit::Ok;
    for id in ids {
        let again = Again {
            runs,
            direction: Direction::Cleanup,
            on_error: OnError::Cleanup,
            manifest: None,
        };
        exit = exit.and(again.run(&id, env, console).await);
    }
    exit
}

fn open_builds(runs: &Path) -> Vec<String> {
    let ids = RunDir::list(runs).unwrap_or_default().into_iter();
    ids.filter(|id| Journal::read(&RunDir::new(runs, id)).is_ok_and(|(_, state)| state.closed.is_none()))
        .collect()
}

/// The one build whose id begins or ends so.
pub(super) fn find(runs: &Path, wanted: &str, console: &Console) -> Option<String> {
    let ids = RunDir::list(runs).unwrap_or_default();
    let fits = |id: &&String| *id == wanted || id.starts_with(wanted) || id.ends_with(wanted);
    let fitting: Vec<&String> = ids.iter().filter(fits).collect();
    match fitting.as_slice() {
        [one] => Some((*one).clone()),
        [] => {
            let mut hints = vec!["`reseal status -all` lists them".to_owned()];
            if ids.is_empty() {
                hints = vec!["there are no builds at all; `-runs FOLDER` says where they are".to_owned()];
            }
            console.error(&format!("no build `{wanted}` in `{}`", runs.display()), &hints);
            None
        }
        many => {
            let some: Vec<&str> = many.iter().take(4).map(|id| id.as_str()).collect();
            let hint = format!("give more of the id, beginning or end: {}", some.join(", "));
            console.error(&format!("{} builds fit `{wanted}`", many.len()), &[hint]);
            None
        }
    }
}

/// How to go on.
struct Again<'a> {
    runs: &'a Path,
    direction: Direction,
    on_error: OnError,
    manifest: Option<&'a Path>,
}

impl Again<'_> {
    async fn run(&self, id: &str, env: &Env, console: &Console) -> Exit {
        let (opened, ticket) = match session::reopen(self.runs, &console.scrubber, id) {
            Ok(opened) => opened,
            Err(error) => return closed_door(id, &error, console),
        };
        if let Some(outcome) = opened.journal.state().closed {
            console.say(&format!(
                "build {id} is closed already ({outcome:?}); there is nothing to do"
            ));
            return Exit::Ok;
        }
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(env.hurry()));
        let cloud = match wiring::cloud(&ticket.cloud, env, Arc::clone(&clock), &console.scrubber).await {
            Ok(cloud) => cloud,
            Err(error) => {
                tell::cloud(console, &error);
                return Exit::Cloud;
            }
        };
        let setting = Setting {
            clock,
            cloud,
            runs: self.runs.to_owned(),
            folder: SpecFolder::of(&ticket.spec, self.runs, console.scrubber.clone()),
            scrubber: console.scrubber.clone(),
            stop: one::stop_on_signals(console),
        };
        self.carry_on(&setting, opened, &ticket, console).await
    }

    async fn carry_on(
        &self,
        setting: &Setting,
        opened: session::Opened,
        ticket: &session::Ticket,
        console: &Console,
    ) -> Exit {
        let build = opened.build.clone();
        let watcher = console.watch(&ticket.plan, self.runs, &build);
        let asker = console.asker(&setting.stop);
        let attendance = Attendance {
            observer: &watcher,
            hooks: &NoHooks,
            on_error: match self.on_error {
                OnError::Cleanup => Policy::Cleanup,
                OnError::Abort => Policy::Abort,
                OnError::Ask => Policy::Ask(&asker),
            },
        };
        match session::carry_on(setting, opened, self.direction, attendance).await {
            Ok(ended) => {
                console.ended(&Closing {
                    build: &build,
                    runs: self.runs,
                    plan: &ticket.plan,
                    ended: &ended,
                    watcher: &watcher,
                    rehearsed: false,
                    manifest: self.manifest,
                });
                session::exit(&ended)
            }
            Err(error) => {
                console.error(&format!("the journal cannot be written: {error}"), &[]);
                Exit::Internal
            }
        }
    }
}

/// Why a build cannot be gone on with, and what to do.
fn closed_door(id: &str, error: &JournalError, console: &Console) -> Exit {
    let hints = match error {
        JournalError::Locked { .. } => {
            vec!["another process works on it; wait for it, or stop it with Ctrl-C".to_owned()]
        }
        _ => vec!["`reseal cleanup -by-marks SPEC` removes what it left in the cloud, without its journal".to_owned()],
    };
    console.error(&format!("cannot go on with build {id}: {error}"), &hints);
    Exit::Input
}
