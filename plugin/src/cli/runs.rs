//! `status`, `resume` and `cleanup`: builds that were begun before.

use std::path::Path;
use std::sync::Arc;

use reseal_engine::hooks::NoHooks;
use reseal_journal::{Journal, RunDir};
use reseal_machine::Clock;

use super::args::{Cleanup, OnError, Resume, Status};
use super::{build, report, sweep};
use crate::console::Console;
use crate::exit::Exit;
use crate::rim::clock::SystemClock;
use crate::rim::env::Env;
use crate::rim::files::SpecFolder;
use crate::session::{self, Attendance, Direction, Policy, Setting};
use crate::wiring;

/// Shows builds.
pub(super) fn status(command: &Status, console: &Console) -> Exit {
    let ids = RunDir::list(&command.runs).unwrap_or_default();
    let mut shown = 0;
    for id in ids {
        let run = RunDir::new(&command.runs, &id);
        match Journal::read(&run) {
            Ok((entries, state)) if command.all || state.closed.is_none() => {
                console.status(&id, &state, &entries, Journal::is_locked(&run));
                shown += 1;
            }
            Ok(_) => {}
            Err(error) => console.error(&format!("{id}: {error}"), &[]),
        }
    }
    if shown == 0 {
        console.say("no open builds");
    }
    Exit::Ok
}

/// Goes on with a build.
pub(super) async fn resume(command: &Resume, env: &Env, console: &Console) -> Exit {
    match find(&command.runs, &command.id, console) {
        Some(id) => again(&command.runs, &id, Direction::Forward, command.on_error, env, console).await,
        None => Exit::Input,
    }
}

/// Removes what builds have left.
pub(super) async fn cleanup(command: &Cleanup, env: &Env, console: &Console) -> Exit {
    if let Some(spec) = &command.by_marks {
        return sweep::sweep(spec, command.id.as_deref(), env, console).await;
    }
    let ids = match &command.id {
        Some(id) => match find(&command.runs, id, console) {
            Some(id) => vec![id],
            None => return Exit::Input,
        },
        None => open_builds(&command.runs),
    };
    if ids.is_empty() {
        console.say("no open builds; `--by-marks SPEC` looks in the cloud itself");
    }
    let mut exit = Exit::Ok;
    for id in ids {
        let this = again(&command.runs, &id, Direction::Cleanup, OnError::Cleanup, env, console).await;
        exit = exit.and(this);
    }
    exit
}

fn open_builds(runs: &Path) -> Vec<String> {
    let ids = RunDir::list(runs).unwrap_or_default().into_iter();
    ids.filter(|id| Journal::read(&RunDir::new(runs, id)).is_ok_and(|(_, state)| state.closed.is_none()))
        .collect()
}

/// The one build whose id begins or ends so.
fn find(runs: &Path, wanted: &str, console: &Console) -> Option<String> {
    let ids = RunDir::list(runs).unwrap_or_default();
    let fitting: Vec<&String> = ids
        .iter()
        .filter(|id| id.starts_with(wanted) || id.ends_with(wanted))
        .collect();
    match fitting.as_slice() {
        [one] => Some((*one).clone()),
        [] => {
            console.error(
                &format!("no build `{wanted}` in {}", runs.display()),
                &["`reseal status --all` lists them".into()],
            );
            None
        }
        many => {
            console.error(
                &format!("{} builds fit `{wanted}`", many.len()),
                &["give more of the id".into()],
            );
            None
        }
    }
}

async fn again(runs: &Path, id: &str, direction: Direction, on_error: OnError, env: &Env, console: &Console) -> Exit {
    let (opened, ticket) = match session::reopen(runs, &console.scrubber, id) {
        Ok(opened) => opened,
        Err(error) => {
            console.error(&format!("cannot go on with build {id}: {error}"), &[]);
            return Exit::Input;
        }
    };
    if let Some(outcome) = opened.journal.state().closed {
        console.say(&format!("build {id} is closed already ({outcome:?})"));
        return Exit::Ok;
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(env.hurry()));
    let cloud = match wiring::cloud(&ticket.cloud, env, Arc::clone(&clock), &console.scrubber).await {
        Ok(cloud) => cloud,
        Err(error) => {
            report::cloud(console, &error);
            return Exit::Cloud;
        }
    };
    let folder = SpecFolder::of(&ticket.spec, runs, console.scrubber.clone());
    let stop = build::stop_on_signals(console);
    let setting = Setting {
        clock,
        cloud,
        runs: runs.to_owned(),
        folder,
        scrubber: console.scrubber.clone(),
        stop,
    };
    let build = opened.build.clone();
    let watcher = console.watch(&ticket.plan.name, runs, &build);
    let asker = console.asker();
    let on_error = match on_error {
        OnError::Cleanup => Policy::Cleanup,
        OnError::Abort => Policy::Abort,
        OnError::Ask => Policy::Ask(&asker),
    };
    let attendance = Attendance {
        observer: &watcher,
        hooks: &NoHooks,
        on_error,
    };
    match session::carry_on(&setting, opened, direction, attendance).await {
        Ok(ended) => report::ended(console, &ticket.plan.name, &build, runs, &ticket.plan, &ended),
        Err(error) => {
            console.error(&format!("the journal cannot be written: {error}"), &[]);
            Exit::Internal
        }
    }
}
