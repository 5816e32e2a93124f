//! `rehearse`: a build in the lab, with the lab's time.

mod chaos;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use reseal_diag::nearest;
use reseal_engine::hooks::NoHooks;
use reseal_engine::{Hooks, Stop};
use reseal_lab::clock::JumpClock;
use reseal_lab::faults::Faults;
use reseal_lab::guest::{Room, RoomOptions};
use reseal_lab::{Lab, LabOptions, Mode, Quota};
use reseal_machine::Clock;
use reseal_machine::cloud::ResourceKind;
use reseal_spec::Spec;
use reseal_spec::model::{self, Provider};
use serde_json::json;

use super::args::{How, Values};
use super::one::{Job, Keep, one, stop_on_signals};
use super::{open, tell};
use crate::console::{Console, plural, text};
use crate::exit::Exit;
use crate::rehearsal;
use crate::rim::clock::SystemClock;
use crate::rim::env::Env;
use crate::session;
use crate::wiring::{self, CloudUnavailable};
use chaos::Chaos;

/// `rehearse`.
#[derive(Debug, Args)]
pub struct Rehearse {
    /// The spec.
    pub spec: PathBuf,
    /// Arm a fault of the lab (`reseal lab --faults` lists them); may be repeated.
    #[arg(long = "fault", value_name = "NAME[=ARGUMENT][*TIMES]")]
    pub faults: Vec<String>,
    /// Lose answers and repeat steps at random; the same seed hurts the same places.
    #[arg(long, value_name = "SEED")]
    pub chaos: Option<u64>,
    /// How.
    #[command(flatten)]
    pub how: How,
    /// Variables.
    #[command(flatten)]
    pub values: Values,
}

/// Builds in the lab.
pub(super) async fn rehearse(command: &Rehearse, env: &Env, console: &Console) -> Exit {
    if let Err(exit) = check_faults(&command.faults, console) {
        return exit;
    }
    let clock = Arc::new(JumpClock::new(SystemClock::new(1).now()));
    let facts = session::new_build(clock.as_ref()).1;
    let runs = &command.how.runs.folder;
    let opened = open::sound(&command.spec, &command.values, env, console, runs, facts);
    let (document, folder) = match opened {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let chosen = match open::chosen(&document, &command.values, console) {
        Ok(chosen) => chosen,
        Err(exit) => return exit,
    };
    let chaos = command.chaos.map(Chaos::new);
    let hooks: &dyn Hooks = match &chaos {
        Some(chaos) => chaos,
        None => &NoHooks,
    };
    let stop = stop_on_signals(console);
    let mut exit = Exit::Ok;
    for spec in chosen {
        let job = Job {
            document: &document,
            folder: &folder,
            spec,
            how: &command.how,
            keep: Keep::Nothing,
            env,
            hooks,
            console,
        };
        exit = exit.and(in_lab(job, &command.faults, Arc::clone(&clock), stop.clone()).await);
    }
    exit
}

async fn in_lab(job: Job<'_>, faults: &[String], clock: Arc<JumpClock>, stop: Stop) -> Exit {
    let console = job.console;
    let mode = mode_of(job.spec);
    let lab = match start_lab(mode, clock_of(&clock), faults, 1).await {
        Ok(lab) => lab,
        Err(error) => {
            console.error(&format!("the lab does not start: {error}"), &[]);
            return Exit::Internal;
        }
    };
    let env = job.env.without_prefix("OS_").with(lab.env());
    for secret in lab.secrets() {
        console.scrubber.learn(&secret.into());
    }
    let wall = SystemClock::new(1);
    let begun = wall.now();
    let exit = match adapted(job.spec, &env, clock_of(&clock), console).await {
        Ok(spec) => {
            let job = Job {
                env: &env,
                spec: &spec,
                ..job
            };
            one(job, clock, stop).await
        }
        Err(exit) => exit,
    };
    let took = std::time::Duration::try_from(wall.now().duration_since(begun)).unwrap_or_default();
    rehearsed(console, &lab, exit, took);
    lab.shutdown().await;
    exit
}

/// What the lab saw.
fn rehearsed(console: &Console, lab: &Lab, exit: Exit, took: std::time::Duration) {
    let (mut left, requests) = (lab.leftovers(), lab.request_count());
    // After a good build the image is what was wanted.
    left.retain(|left| exit != Exit::Ok || left.kind != ResourceKind::Image);
    if console.is_json() {
        let left: Vec<_> = left
            .iter()
            .map(|left| json!({ "kind": left.kind, "id": left.id, "name": left.name }))
            .collect();
        let images: Vec<_> = lab
            .images()
            .iter()
            .map(|image| json!({ "id": image.id, "name": image.name, "status": image.status }))
            .collect();
        let seconds = took.as_secs_f64();
        let fields = json!({ "requests": requests, "seconds": seconds, "images": images, "left": left });
        return console.document("rehearsed", fields);
    }
    console.say(&format!(
        "rehearsed in {} of real time: {}, {} made, {} left behind",
        text::duration(took),
        plural(requests, "cloud request"),
        plural(lab.images().len(), "image"),
        plural(left.len(), "object")
    ));
    for left in left {
        console.say(&format!("  left: {:?} {} ({})", left.kind, left.name, left.id));
    }
}

/// The lab's time, as everybody else sees it.
fn clock_of(clock: &Arc<JumpClock>) -> Arc<dyn Clock> {
    Arc::<JumpClock>::clone(clock)
}

/// The family of clouds that the lab plays for a spec.
pub(super) fn mode_of(spec: &Spec) -> Mode {
    if spec.cloud.provider == Provider::Openstack {
        Mode::Openstack
    } else {
        Mode::Nhn
    }
}

/// Refuses faults that the lab does not know.
pub(super) fn check_faults(faults: &[String], console: &Console) -> Result<(), Exit> {
    let known = Lab::known_faults();
    for fault in faults {
        let name = fault.split(['=', '*']).next().unwrap_or(fault);
        if !known.iter().any(|known| known.name == name) {
            let mut hints = vec!["`reseal lab -faults` lists them".to_owned()];
            if let Some(near) = nearest(name, known.iter().map(|known| known.name)) {
                hints.insert(0, format!("did you mean `{near}`?"));
            }
            console.error(&format!("the lab knows no fault `{name}`"), &hints);
            return Err(Exit::Input);
        }
    }
    Ok(())
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

/// The spec as the lab can build it; says what stands in for what.
pub(super) async fn adapted(spec: &Spec, env: &Env, clock: Arc<dyn Clock>, console: &Console) -> Result<Spec, Exit> {
    let wanted = model::Cloud {
        provider: spec.cloud.provider,
        cloud: None,
        region: None,
        availability_zone: None,
    };
    let wrong = |error: CloudUnavailable| {
        tell::cloud(console, &error);
        Exit::Internal
    };
    let cloud = wiring::cloud(&wanted, env, clock, &console.scrubber)
        .await
        .map_err(wrong)?;
    let adapted = rehearsal::adapt(spec, cloud.as_ref()).await;
    let (spec, notes) = adapted.map_err(|error| wrong(error.into()))?;
    for note in notes {
        console.say(&format!("{}: {note}", spec.name));
    }
    Ok(spec)
}
