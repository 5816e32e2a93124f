//! Measures whole builds in the lab, in one process: requests of one, memory of one and of many at once.
//!
//! Prints rows for `cargo xtask bench`: what, value, unit, goal, with tabs between. The labs are in the same process,
//! so the memory is theirs and ours together: an upper bound for the builds alone.
#![expect(clippy::print_stdout, reason = "a benchmark prints its rows")]
#![expect(clippy::disallowed_methods, reason = "a benchmark looks at the wall's clock")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt as _;
use jiff::Timestamp;
use reseal::rim::env::Env;
use reseal::rim::files::SpecFolder;
use reseal::scrub::Scrubber;
use reseal::session::{self, Attendance, Direction, Document, Policy, Setting, Variables};
use reseal::{rehearsal, wiring};
use reseal_engine::hooks::NoHooks;
use reseal_engine::observer::Nobody;
use reseal_engine::{Ended, Stop};
use reseal_lab::clock::JumpClock;
use reseal_lab::guest::{Room, RoomOptions};
use reseal_lab::{Lab, LabOptions, Mode};
use reseal_machine::Clock;

const SPEC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/windows-2022-web.reseal.yaml");
const MANY: usize = 500;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let runs = tempfile::tempdir()?;
    let begun = Instant::now();
    let one = rehearse(runs.path()).await?;
    row("one rehearsal: time", begun.elapsed().as_secs_f64(), "s", "<= 5");
    row("one rehearsal: cloud requests", f64::from(one.requests), "", "");
    row("plan against the lab: time", one.plan_seconds * 1000.0, "ms", "< 300");
    row(
        "plan against the lab: cloud requests",
        f64::from(one.plan_requests),
        "",
        "<= 6",
    );
    row("one rehearsal, lab included: peak memory", peak_mib(), "MiB", "<= 30");
    let begun = Instant::now();
    let rehearsals = (0..MANY).map(|_| rehearse(runs.path()));
    let ended: Vec<_> = futures::stream::iter(rehearsals).buffer_unordered(MANY).collect().await;
    let bad = ended.iter().filter(|ended| ended.is_err()).count();
    row(
        &format!("{MANY} rehearsals at once: time"),
        begun.elapsed().as_secs_f64(),
        "s",
        "",
    );
    row(
        &format!("{MANY} rehearsals at once: failed"),
        f64::from(u32::try_from(bad)?),
        "",
        "<= 0",
    );
    row(
        &format!("{MANY} rehearsals at once, labs included: peak memory"),
        peak_mib(),
        "MiB",
        "<= 300",
    );
    if let Some(Err(why)) = ended.into_iter().find(Result::is_err) {
        println!("first failure: {why}\t0\t\t");
    }
    Ok(())
}

struct Seen {
    requests: u32,
    plan_requests: u32,
    plan_seconds: f64,
}

async fn rehearse(runs: &Path) -> Result<Seen, Box<dyn Error>> {
    let clock: Arc<dyn Clock> = Arc::new(JumpClock::new(Timestamp::now()));
    let room = Arc::new(Room::new(RoomOptions::new(Arc::clone(&clock))));
    let lab = Lab::start(LabOptions::new(Mode::Nhn, Arc::clone(&clock), room)).await?;
    let scrubber = Scrubber::default();
    let folder = SpecFolder::of(Path::new(SPEC), runs, scrubber.clone());
    let (id, info) = session::new_build(clock.as_ref());
    let document = Document::read(Path::new(SPEC), &folder, &Variables::default(), info)?;
    let spec = document.loaded.specs.first().ok_or("no build in the spec")?;
    let env = Env::of(lab.env());
    let mut wanted = spec.cloud.clone();
    (wanted.cloud, wanted.region) = (None, None);
    let cloud = wiring::cloud(&wanted, &env, Arc::clone(&clock), &scrubber).await?;
    let (spec, _) = rehearsal::adapt(spec, cloud.as_ref()).await?;
    let setting = Setting {
        clock: Arc::clone(&clock),
        cloud,
        runs: runs.to_owned(),
        folder,
        scrubber,
        stop: Stop::default(),
    };
    let before = lab.request_count();
    let begun = Instant::now();
    let Ok(prepared) = session::prepare(&document, &spec, &setting, false).await else {
        return Err("no plan".into());
    };
    let (plan_seconds, planned) = (begun.elapsed().as_secs_f64(), lab.request_count());
    let opened = session::begin(&setting, &document.path, &prepared, &id)?;
    let attendance = Attendance {
        observer: &Nobody,
        hooks: &NoHooks,
        on_error: Policy::Cleanup,
    };
    let ended = session::carry_on(&setting, opened, Direction::Forward, attendance).await?;
    let requests = u32::try_from(lab.request_count() - before)?;
    lab.shutdown().await;
    match ended {
        Ended::Succeeded { stuck } if stuck.is_empty() => {
            // One more for the token, which was fetched before.
            Ok(Seen {
                requests,
                plan_requests: u32::try_from(planned - before)? + 1,
                plan_seconds,
            })
        }
        other => Err(format!("{other:?}").into()),
    }
}

fn row(what: &str, value: f64, unit: &str, goal: &str) {
    println!("{what}\t{value:.3}\t{unit}\t{goal}");
}

/// The process's peak memory, where the system tells it.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: Option<u32> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.map_or(f64::NAN, f64::from) / 1024.0
}
