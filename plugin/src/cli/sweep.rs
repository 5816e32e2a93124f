//! `cleanup --by-marks`: deletes what carries a build's marks, also when its journal is lost.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reseal_machine::cloud::{Marked, Observed, ResourceKind};
use reseal_machine::error::{CloudErrorKind, Status};
use reseal_machine::{BuildId, Clock, Cloud, CloudError, FloatingIpId, ImageId, SecurityGroupId, ServerId, VolumeId};
use reseal_spec::BuildInfo;

use super::args::{DEFAULT_RUNS, Values};
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

/// Looks for marks in the cloud of a spec and deletes what it finds.
pub(super) async fn sweep(spec: &Path, build: Option<&str>, env: &Env, console: &Console) -> Exit {
    let runs = Path::new(DEFAULT_RUNS);
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
    let wanted = build.map(BuildId::new);
    match cloud.find_marked(wanted.as_ref()).await {
        Ok(found) if found.is_empty() => {
            console.say("nothing in this project carries marks of an open build");
            Exit::Ok
        }
        Ok(found) => delete_all(cloud.as_ref(), clock.as_ref(), &found, console).await,
        Err(error) => {
            tell::cloud(console, &error.into());
            Exit::Cloud
        }
    }
}

async fn delete_all(cloud: &dyn Cloud, clock: &dyn Clock, found: &[Marked], console: &Console) -> Exit {
    let mut exit = Exit::Ok;
    for thing in found {
        match delete(cloud, clock, thing).await {
            Ok(()) => console.say(&format!("deleted {:?} {} ({})", thing.kind, thing.name, thing.id)),
            Err(error) => {
                console.error(
                    &format!("cannot delete {:?} {} ({}): {error}", thing.kind, thing.name, thing.id),
                    &error.hints,
                );
                exit = Exit::Cloud;
            }
        }
    }
    exit
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
