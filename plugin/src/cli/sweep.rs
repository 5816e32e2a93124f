//! `cleanup --by-marks`: deletes what carries a build's marks, also when its journal is lost.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reseal_machine::cloud::{Marked, Observed, ResourceKind};
use reseal_machine::{BuildId, Clock, Cloud, CloudError, FloatingIpId, ImageId, SecurityGroupId, ServerId, VolumeId};
use reseal_spec::BuildInfo;

use super::args::{DEFAULT_RUNS, Values};
use super::{open, tell};
use crate::console::Console;
use crate::exit::Exit;
use crate::rim::clock::SystemClock;
use crate::rim::env::Env;
use crate::wiring;

/// Attempts to delete one thing; things wait for each other.
const ATTEMPTS: u32 = 12;

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
        match patiently(cloud, clock, thing).await {
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

async fn patiently(cloud: &dyn Cloud, clock: &dyn Clock, thing: &Marked) -> Result<(), CloudError> {
    let mut attempt = 1;
    loop {
        match delete(cloud, clock, thing).await {
            Err(error) if error.status == reseal_machine::Status::Temporary && attempt < ATTEMPTS => {
                clock.sleep(Duration::from_secs(10)).await;
                attempt += 1;
            }
            result => return result,
        }
    }
}

async fn delete(cloud: &dyn Cloud, clock: &dyn Clock, thing: &Marked) -> Result<(), CloudError> {
    match thing.kind {
        ResourceKind::Server => delete_server(cloud, clock, &ServerId::new(&thing.id)).await,
        ResourceKind::Volume => cloud.delete_volume(&VolumeId::new(&thing.id)).await,
        ResourceKind::FloatingIp => cloud.delete_floating_ip(&FloatingIpId::new(&thing.id)).await,
        ResourceKind::SecurityGroup => cloud.delete_security_group(&SecurityGroupId::new(&thing.id)).await,
        ResourceKind::Keypair => cloud.delete_keypair(&thing.id).await,
        ResourceKind::Image => cloud.delete_image(&ImageId::new(&thing.id)).await,
    }
}

/// A server's volumes outlive it and may carry no marks of their own: they are noted before it goes.
async fn delete_server(cloud: &dyn Cloud, clock: &dyn Clock, id: &ServerId) -> Result<(), CloudError> {
    let volumes = cloud.attachments(id).await.unwrap_or_default();
    cloud.delete_server(id).await?;
    for _ in 0..ATTEMPTS * 5 {
        if cloud.server(id).await? == Observed::Gone {
            break;
        }
        clock.sleep(Duration::from_secs(5)).await;
    }
    for attached in volumes {
        cloud.delete_volume(&attached.volume).await?;
    }
    Ok(())
}
