//! `cleanup --by-marks`: deletes what carries a build's marks, also when its journal is lost.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reseal_journal::{Journal, RunDir};
use reseal_machine::cloud::{Marked, Observed, ResourceKind};
use reseal_machine::error::{CloudErrorKind, Status};
use reseal_machine::{BuildId, Clock, Cloud, CloudError, FloatingIpId, ImageId, SecurityGroupId, ServerId, VolumeId};
use reseal_spec::BuildInfo;

use super::args::Values;
use super::{open, tell};
use crate::console::Console;
use crate::exit::Exit;
use crate::rim::clock::SystemClock;
use crate::rim::env::Env;
use crate::wiring;

/// Looks at one thing, or attempts to delete it.
const ATTEMPTS: u32 = 12;

/// Between two of them.
const PAUSE: Duration = Duration::from_secs(10);

/// Whose things are to go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// One build's: its id, or the beginning or end of it.
    pub(super) build: Option<&'a str>,
    /// Those of all builds. Without this and without a build, nobody's.
    pub(super) all: bool,
}

/// Looks for marks in the cloud of a spec and deletes what it finds of the builds that are wanted, or lists it.
pub(super) async fn sweep(spec: &Path, wanted: Wanted<'_>, runs: &Path, env: &Env, console: &Console) -> Exit {
    let build = wanted.build;
    let Ok((document, _)) = open::open(spec, &Values::default(), env, console, runs, BuildInfo::default()) else {
        return Exit::Input;
    };
    let Some(spec) = document.loaded.specs.first() else {
        return tell::diagnostics(console, &document.loaded.diagnostics).and(Exit::Input);
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(env.hurry()));
    let cloud = match wiring::cloud(&spec.cloud, env, Arc::clone(&clock), &console.scrubber).await {
        Ok(cloud) => cloud,
        Err(error) => {
            tell::cloud(console, &error);
            return Exit::Cloud;
        }
    };
    let found = match marked(cloud.as_ref(), build).await {
        Ok(found) => found,
        Err(error) => {
            tell::cloud(console, &error.into());
            return Exit::Cloud;
        }
    };
    let found = spare_those_at_work(found, runs, console);
    if found.is_empty() {
        let whose = build.map_or_else(|| "an open build".to_owned(), |build| format!("build `{build}`"));
        console.say(&format!("nothing in this project carries marks of {whose}"));
    }
    if build.is_some() || wanted.all {
        return delete_all(cloud.as_ref(), clock.as_ref(), &found, console).await;
    }
    list(&found, console);
    Exit::Ok
}

/// What there is, build by build. A build may be at work on another machine: somebody has to say that it is not.
fn list(found: &[Marked], console: &Console) {
    let builds: BTreeSet<&str> = found.iter().map(|thing| thing.marks.build.as_str()).collect();
    for build in &builds {
        console.say(&format!("build {build}:"));
        for thing in found.iter().filter(|thing| thing.marks.build.as_str() == *build) {
            console.say(&format!("  {}", described(thing)));
        }
    }
    if !builds.is_empty() {
        console.say("nothing was deleted: name a build's id after the spec, or say `-all`");
    }
}

/// What carries marks: of the build with this id, of those whose id begins or ends so, or of any.
async fn marked(cloud: &dyn Cloud, build: Option<&str>) -> Result<Vec<Marked>, CloudError> {
    let Some(build) = build else {
        return cloud.find_marked(None).await;
    };
    let exactly = cloud.find_marked(Some(&BuildId::new(build))).await?;
    if !exactly.is_empty() {
        return Ok(exactly);
    }
    let mut all = cloud.find_marked(None).await?;
    all.retain(|thing| {
        let id = thing.marks.build.as_str();
        id.starts_with(build) || id.ends_with(build)
    });
    Ok(all)
}

/// A build that a process of this run folder works on takes care of its own things.
fn spare_those_at_work(found: Vec<Marked>, runs: &Path, console: &Console) -> Vec<Marked> {
    let at_work = |thing: &Marked| Journal::is_locked(&RunDir::new(runs, thing.marks.build.as_str()));
    let (spared, free): (Vec<_>, Vec<_>) = found.into_iter().partition(at_work);
    let builds: BTreeSet<_> = spared.iter().map(|thing| thing.marks.build.as_str()).collect();
    for build in builds {
        console.say(&format!("left alone: another process works on build {build}"));
    }
    free
}

async fn delete_all(cloud: &dyn Cloud, clock: &dyn Clock, found: &[Marked], console: &Console) -> Exit {
    let mut exit = Exit::Ok;
    for thing in found {
        match delete(cloud, clock, thing).await {
            Ok(()) => console.say(&format!("deleted {}", described(thing))),
            Err(error) => {
                console.error(&format!("cannot delete {}: {error}", described(thing)), &error.hints);
                exit = Exit::Cloud;
            }
        }
    }
    exit
}

/// `volume 4b61…`, `server reseal-63dd7e8b (47ba…)`.
fn described(thing: &Marked) -> String {
    let kind = thing.kind.name();
    if thing.name.is_empty() || thing.name == thing.id {
        format!("{kind} {}", thing.id)
    } else {
        format!("{kind} {} ({})", thing.name, thing.id)
    }
}

/// Things wait for each other: what fails for a passing reason is asked again.
async fn patiently<T, Fut>(clock: &dyn Clock, mut ask: impl FnMut() -> Fut) -> Result<T, CloudError>
where
    Fut: Future<Output = Result<T, CloudError>>,
{
    let mut attempt = 1;
    loop {
        match ask().await {
            Err(error) if error.status == Status::Temporary && attempt < ATTEMPTS => {
                clock.sleep(PAUSE).await;
                attempt += 1;
            }
            result => return result,
        }
    }
}

async fn delete(cloud: &dyn Cloud, clock: &dyn Clock, thing: &Marked) -> Result<(), CloudError> {
    let id = &thing.id;
    match thing.kind {
        ResourceKind::Server => delete_server(cloud, clock, &ServerId::new(id)).await,
        ResourceKind::Volume => patiently(clock, || async { cloud.delete_volume(&VolumeId::new(id)).await }).await,
        ResourceKind::FloatingIp => {
            patiently(clock, || async {
                cloud.delete_floating_ip(&FloatingIpId::new(id)).await
            })
            .await
        }
        ResourceKind::SecurityGroup => {
            patiently(clock, || async {
                cloud.delete_security_group(&SecurityGroupId::new(id)).await
            })
            .await
        }
        ResourceKind::Keypair => patiently(clock, || cloud.delete_keypair(id)).await,
        ResourceKind::Image => patiently(clock, || async { cloud.delete_image(&ImageId::new(id)).await }).await,
    }
}

/// A server's volumes outlive it and may carry no marks of their own: they are noted before it goes, and what is asked
/// again is never more than one request, so that none of them is forgotten on the way.
async fn delete_server(cloud: &dyn Cloud, clock: &dyn Clock, id: &ServerId) -> Result<(), CloudError> {
    let volumes = match patiently(clock, || cloud.attachments(id)).await {
        Err(error) if error.kind == CloudErrorKind::NotFound => Vec::new(),
        attached => attached?,
    };
    patiently(clock, || cloud.delete_server(id)).await?;
    for _ in 0..ATTEMPTS {
        if patiently(clock, || cloud.server(id)).await? == Observed::Gone {
            break;
        }
        clock.sleep(PAUSE).await;
    }
    for attached in volumes {
        patiently(clock, || cloud.delete_volume(&attached.volume)).await?;
    }
    Ok(())
}
