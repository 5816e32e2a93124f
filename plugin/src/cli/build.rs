//! `build` and `rehearse`: the main job, in a cloud or in the lab.

use std::sync::Arc;

use futures::StreamExt as _;
use reseal_engine::Stop;
use reseal_engine::hooks::{Hooks, NoHooks};
use reseal_lab::clock::JumpClock;
use reseal_lab::faults::Faults;
use reseal_lab::guest::{Room, RoomOptions};
use reseal_lab::{Lab, LabOptions, Mode, Quota};
use reseal_machine::Clock;
use reseal_spec::Spec;
use reseal_spec::model::{self, Provider};

use super::args::{Build, How, OnError, Rehearse};
use super::{report, validate};
use crate::console::Console;
use crate::exit::Exit;
use crate::rim::clock::SystemClock;
use crate::rim::env::Env;
use crate::rim::files::SpecFolder;
use crate::session::{self, Attendance, Direction, Document, Policy, Setting};
use crate::wiring;

/// Builds all chosen builds of all specs.
pub(super) async fn build(command: &Build, env: &Env, console: &Console) -> Exit {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(env.hurry()));
    let stop = stop_on_signals(console);
    let mut documents = Vec::new();
    for path in &command.specs {
        match validate::open(
            path,
            &command.values,
            env,
            console,
            &command.how.runs,
            session::new_build(clock.as_ref()).1,
        ) {
            Ok((document, folder)) => {
                let exit = report::diagnostics(console, &document.loaded.diagnostics);
                if exit != Exit::Ok {
                    return exit;
                }
                documents.push((document, folder));
            }
            Err(exit) => return exit,
        }
    }
    let jobs = documents.iter().flat_map(|(document, folder)| {
        validate::chosen(document, &command.values)
            .into_iter()
            .map(move |spec| (document, folder, spec))
    });
    let at_once = if command.how.parallel_builds == 0 {
        usize::MAX
    } else {
        command.how.parallel_builds
    };
    let builds = jobs.map(|(document, folder, spec)| {
        let (clock, stop) = (Arc::clone(&clock), stop.clone());
        async move {
            one(
                document,
                folder,
                spec,
                env,
                clock,
                stop,
                &command.how,
                &NoHooks,
                console,
            )
            .await
        }
    });
    let exits: Vec<Exit> = futures::stream::iter(builds)
        .buffer_unordered(at_once.min(1024))
        .collect()
        .await;
    exits.into_iter().fold(Exit::Ok, Exit::and)
}

/// Builds in the lab.
pub(super) async fn rehearse(command: &Rehearse, env: &Env, console: &Console) -> Exit {
    let clock = Arc::new(JumpClock::new(SystemClock::new(1).now()));
    let facts = session::new_build(clock.as_ref()).1;
    let (document, folder) =
        match validate::open(&command.spec, &command.values, env, console, &command.how.runs, facts) {
            Ok(opened) => opened,
            Err(exit) => return exit,
        };
    let exit = report::diagnostics(console, &document.loaded.diagnostics);
    if exit != Exit::Ok {
        return exit;
    }
    let stop = stop_on_signals(console);
    let mut exit = Exit::Ok;
    for spec in validate::chosen(&document, &command.values) {
        let this = in_lab(
            &document,
            &folder,
            spec,
            command,
            env,
            Arc::clone(&clock),
            stop.clone(),
            console,
        )
        .await;
        exit = exit.and(this);
    }
    exit
}

#[expect(
    clippy::too_many_arguments,
    reason = "each is one thing that the command line decides"
)]
async fn in_lab(
    document: &Document,
    folder: &SpecFolder,
    spec: &Spec,
    command: &Rehearse,
    env: &Env,
    clock: Arc<JumpClock>,
    stop: Stop,
    console: &Console,
) -> Exit {
    let mode = if spec.cloud.provider == Provider::Openstack {
        Mode::Openstack
    } else {
        Mode::Nhn
    };
    let lab = match start_lab(mode, Arc::clone(&clock) as Arc<dyn Clock>, &command.faults, 1).await {
        Ok(lab) => lab,
        Err(error) => {
            console.error(
                &format!("the lab does not start: {error}"),
                &["`reseal lab --faults` lists the faults".into()],
            );
            return Exit::Input;
        }
    };
    let spec = for_lab(spec);
    let env = without_openstack(env).with(lab.env());
    for secret in lab.secrets() {
        console.scrubber.learn(&secret.into());
    }
    let exit = one(
        document,
        folder,
        &spec,
        &env,
        clock,
        stop,
        &command.how,
        &NoHooks,
        console,
    )
    .await;
    console.rehearsed(&lab.leftovers(), &lab.images(), lab.request_count());
    lab.shutdown().await;
    exit
}

/// A lab with its machines.
pub(super) async fn start_lab(
    mode: Mode,
    clock: Arc<dyn Clock>,
    faults: &[String],
    builds: u32,
) -> std::io::Result<Lab> {
    let armed = Arc::new(Faults::default());
    for fault in faults {
        armed.arm(fault);
    }
    let room = Room::new(RoomOptions {
        faults: armed,
        ..RoomOptions::new(Arc::clone(&clock))
    });
    let mut options = LabOptions::new(mode, clock, Arc::new(room));
    options.faults = faults.to_vec();
    options.quota = Quota::for_builds(builds);
    Lab::start(options).await
}

/// The spec as the lab can build it: its own credentials and region.
fn for_lab(spec: &Spec) -> Spec {
    let mut spec = spec.clone();
    spec.cloud.cloud = None;
    spec.cloud.region = None;
    spec.cloud.availability_zone = None;
    if spec.cloud.provider == Provider::Lab {
        spec.cloud.provider = model::Provider::Nhn;
    }
    spec
}

fn without_openstack(env: &Env) -> Env {
    env.without_prefix("OS_")
}

#[expect(
    clippy::too_many_arguments,
    reason = "each is one thing that the command line decides"
)]
async fn one(
    document: &Document,
    folder: &SpecFolder,
    spec: &Spec,
    env: &Env,
    clock: Arc<dyn Clock>,
    stop: Stop,
    how: &How,
    hooks: &dyn Hooks,
    console: &Console,
) -> Exit {
    let cloud = match wiring::cloud(&spec.cloud, env, Arc::clone(&clock), &console.scrubber).await {
        Ok(cloud) => cloud,
        Err(error) => {
            report::cloud(console, &error);
            return Exit::Cloud;
        }
    };
    let setting = Setting {
        stop,
        ..validate::setting(clock, cloud, &how.runs, folder, &console.scrubber)
    };
    let prepared = match session::prepare(document, spec, &setting, how.force).await {
        Ok(prepared) => prepared,
        Err(why) => return report::unplanned(console, document, &why),
    };
    let shown: Vec<_> = prepared
        .planned
        .problems
        .iter()
        .map(|problem| document.diagnostic(problem))
        .collect();
    console.diagnostics(&shown);
    if let Some(same) = &prepared.planned.unchanged {
        console.say(&format!(
            "{}: nothing to do, image `{}` has the same content (`-force` builds it anyway)",
            spec.name, same.name
        ));
        return Exit::Ok;
    }
    start(&setting, document, &prepared, how, hooks, console).await
}

async fn start(
    setting: &Setting,
    document: &Document,
    prepared: &session::Prepared,
    how: &How,
    hooks: &dyn Hooks,
    console: &Console,
) -> Exit {
    let (id, _) = session::new_build(setting.clock.as_ref());
    let opened = match session::begin(setting, &document.path, prepared, &id) {
        Ok(opened) => opened,
        Err(error) => {
            console.error(&format!("cannot begin: {error}"), &[]);
            return Exit::Internal;
        }
    };
    let watcher = console.watch(&prepared.spec.name, &setting.runs, &id);
    let asker = console.asker();
    let on_error = match how.on_error.unwrap_or(of_spec(prepared.spec.on_error)) {
        OnError::Cleanup => Policy::Cleanup,
        OnError::Abort => Policy::Abort,
        OnError::Ask => Policy::Ask(&asker),
    };
    let attendance = Attendance {
        observer: &watcher,
        hooks,
        on_error,
    };
    match session::carry_on(setting, opened, Direction::Forward, attendance).await {
        Ok(ended) => report::ended(
            console,
            &prepared.spec.name,
            &id,
            &setting.runs,
            &prepared.planned.plan,
            &ended,
        ),
        Err(error) => {
            console.error(
                &format!("the journal cannot be written: {error}"),
                &["nothing more was done".into()],
            );
            Exit::Internal
        }
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

async fn interrupted() {
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
