//! One build from its spec to its end; `build` and `rehearse` share it.

use std::sync::Arc;

use reseal_engine::{Ended, Hooks, Stop};
use reseal_machine::Clock;
use reseal_spec::{Spec, model};

use super::args::{How, OnError};
use super::{open, tell};
use crate::console::{Closing, Console};
use crate::exit::Exit;
use crate::lockfile;
use crate::rim::env::Env;
use crate::rim::files::SpecFolder;
use crate::session::{self, Attendance, Direction, Document, Policy, Setting};
use crate::wiring;

/// What a good build leaves beside its spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// A lock.
    Lock,
    /// Nothing: the lab's answers are not the cloud's.
    Nothing,
}

/// A build, and everything that the command line decides about it.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) document: &'a Document,
    pub(super) folder: &'a SpecFolder,
    pub(super) spec: &'a Spec,
    pub(super) how: &'a How,
    pub(super) keep: Keep,
    pub(super) env: &'a Env,
    pub(super) hooks: &'a dyn Hooks,
    pub(super) console: &'a Console,
}

/// Plans and builds.
pub(super) async fn one(job: Job<'_>, clock: Arc<dyn Clock>, stop: Stop) -> Exit {
    let Job { console, spec, how, .. } = job;
    let cloud = match wiring::cloud(&spec.cloud, job.env, Arc::clone(&clock), &console.scrubber).await {
        Ok(cloud) => cloud,
        Err(error) => {
            tell::cloud(console, &error);
            return Exit::Cloud;
        }
    };
    let wishes = open::wishes(spec, job.env, &clock, &console.scrubber, how.force, how.locked);
    let setting = Setting {
        stop,
        ..open::setting(clock, cloud, &how.runs.folder, job.folder, &console.scrubber)
    };
    let prepared = match session::prepare_with(job.document, spec, &setting, &wishes).await {
        Ok(prepared) => prepared,
        Err(why) => return tell::unplanned(console, job.document, &why),
    };
    tell::problems(console, job.document, &prepared.planned.problems);
    for line in prepared.differences.iter().flatten() {
        console.say(&format!("{}: other than the lock: {line}", spec.name));
    }
    if let Some(same) = &prepared.planned.unchanged {
        console.say(&format!(
            "{}: nothing to do, image `{}` ({}) has the same content (`-force` builds it anyway)",
            spec.name, same.name, same.id
        ));
        return Exit::Ok;
    }
    start(job, &setting, &prepared).await
}

async fn start(job: Job<'_>, setting: &Setting, prepared: &session::Prepared) -> Exit {
    let console = job.console;
    let (id, _) = session::new_build(setting.clock.as_ref());
    let opened = match session::begin(setting, &job.document.path, prepared, &id) {
        Ok(opened) => opened,
        Err(error) => {
            let hint = "`-runs FOLDER` keeps runs elsewhere".to_owned();
            console.error(&format!("cannot begin: {error}"), &[hint]);
            return Exit::Internal;
        }
    };
    let plan = &prepared.planned.plan;
    let watcher = console.watch(plan, &setting.runs, &id);
    let asker = console.asker(&setting.stop);
    let on_error = match job.how.on_error.unwrap_or(of_spec(prepared.spec.on_error)) {
        OnError::Cleanup => Policy::Cleanup,
        OnError::Abort => Policy::Abort,
        OnError::Ask => Policy::Ask(&asker),
    };
    let attendance = Attendance {
        observer: &watcher,
        hooks: job.hooks,
        on_error,
    };
    match session::carry_on(setting, opened, Direction::Forward, attendance).await {
        Ok(ended) => {
            console.ended(&Closing {
                build: &id,
                runs: &setting.runs,
                plan,
                ended: &ended,
                watcher: &watcher,
                rehearsed: job.keep == Keep::Nothing,
                manifest: job.how.manifest.as_deref(),
            });
            if let (Keep::Lock, Ended::Succeeded { .. }) = (job.keep, &ended) {
                lock(job, prepared);
            }
            session::exit(&ended)
        }
        Err(error) => {
            let hint = "nothing more was done; `reseal status` shows the build".to_owned();
            console.error(&format!("the journal cannot be written: {error}"), &[hint]);
            Exit::Internal
        }
    }
}

/// What was built is what the next build is compared with.
fn lock(job: Job<'_>, prepared: &session::Prepared) {
    let spec = &job.document.path;
    if let Err(error) = lockfile::write(spec, &prepared.spec.name, &prepared.resolved) {
        let path = lockfile::path(spec);
        job.console.warn(&format!("cannot write `{}`: {error}", path.display()));
    }
}

fn of_spec(on_error: model::OnError) -> OnError {
    match on_error {
        model::OnError::Cleanup => OnError::Cleanup,
        model::OnError::Abort => OnError::Abort,
        model::OnError::Ask => OnError::Ask,
    }
}

/// The first Ctrl-C (or SIGTERM) unwinds, the second holds.
pub(super) fn stop_on_signals(console: &Console) -> Stop {
    let stop = Stop::default();
    let told = stop.clone();
    let console = console.clone();
    tokio::spawn(async move {
        interrupted().await;
        console.say("interrupted: removing what was created (again: keep everything as it is)");
        told.cancel.cancel();
        interrupted().await;
        console.say("interrupted again: everything is kept");
        told.hold.cancel();
    });
    stop
}

/// Waits until somebody asks to stop.
pub(super) async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
