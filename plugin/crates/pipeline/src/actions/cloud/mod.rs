//! What is done to the cloud, in the order of a build.

mod address;
mod capture;
mod group;
mod identity;
mod image;
mod keypair;
mod publish;
mod ready;
mod server;
mod shutoff;

pub use address::{AddressOutput, AddressParams};
pub use capture::{CaptureOutput, CaptureParams};
pub use group::GroupParams;
pub use identity::{IdentityOutput, IdentityParams, KEY, PASSWORD, PFX_PASSWORD};
pub use image::{ActiveParams, DescribeParams};
pub use publish::{ALIAS, FINGERPRINT, PublishOutput, PublishParams, SPEC};
pub use ready::{ReadyOutput, ReadyParams};
pub use server::{ImageOf, ServerOutput, ServerParams, UserData};
pub use shutoff::ShutoffParams;

use std::time::Duration;

use reseal_engine::{ActionError, Context, Registry, Verdict};
use reseal_machine::Cloud;
use reseal_machine::cloud::Marked;
use reseal_machine::error::{CloudError, CloudErrorKind, Status};

use crate::world::World;

/// Adds the actions to a registry.
pub(super) fn register(registry: &mut Registry, world: &World) {
    registry.add("build.identity", identity::Make(world.clone()));
    registry.add("cloud.keypair", keypair::Import(world.clone()));
    registry.add("cloud.security_group", group::Open(world.clone()));
    registry.add("cloud.server", server::Create(world.clone()));
    registry.add("cloud.server_ready", ready::Wait(world.clone()));
    registry.add("cloud.address", address::Give(world.clone()));
    registry.add("cloud.shutoff", shutoff::Wait(world.clone()));
    registry.add("cloud.capture", capture::Capture(world.clone()));
    registry.add("cloud.image_active", image::Watch(world.clone()));
    registry.add("cloud.image_describe", image::Describe(world.clone()));
    registry.add("cloud.publish", publish::Publish(world.clone()));
}

/// A look that failed for a passing reason is a look that saw nothing.
pub(crate) fn passing<T>(result: Result<Verdict<T>, CloudError>) -> Result<Verdict<T>, ActionError> {
    match result {
        Ok(verdict) => Ok(verdict),
        Err(error) if matches!(error.status, Status::Temporary | Status::Persistent) => {
            Ok(Verdict::Waiting(error.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Looks for something that an earlier process may have made: more than once, because lists lag behind creation.
pub(crate) async fn look_again<T, F, Fut>(cx: &Context<'_>, look: F) -> Result<Option<T>, ActionError>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<Option<T>, ActionError>>,
{
    for pause in [5, 15, 40] {
        if let Some(found) = cx.unless_cancelled(look()).await?? {
            return Ok(Some(found));
        }
        cx.pause(Duration::from_secs(pause)).await?;
    }
    cx.unless_cancelled(look()).await?
}

/// What carries this step's marks, all of it: a request whose answer was lost may have been sent twice.
pub(crate) async fn left_by(cloud: &dyn Cloud, cx: &Context<'_>) -> Result<Vec<Marked>, ActionError> {
    let marked = cloud.find_marked(Some(cx.build())).await?.into_iter();
    Ok(marked.filter(|found| found.marks.step == cx.step().id).collect())
}

/// [`left_by`], with the patience of [`look_again`].
pub(crate) async fn left_by_in_time(cloud: &dyn Cloud, cx: &Context<'_>) -> Result<Vec<Marked>, ActionError> {
    let look = || async {
        let left = left_by(cloud, cx).await?;
        Ok((!left.is_empty()).then_some(left))
    };
    Ok(look_again(cx, look).await?.unwrap_or_default())
}

/// An error that an undo may meet again and again until something else is gone.
pub(crate) fn busy(error: CloudError) -> ActionError {
    let passing = error.kind == CloudErrorKind::Conflict;
    let mut error = ActionError::from(error);
    if passing {
        error.status = Status::Temporary;
    }
    error
}
