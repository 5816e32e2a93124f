//! Brings logs home. Never fails a build: a log that cannot be brought is a warning.

use reseal_engine::{ActionError, Context};
use reseal_machine::Communicator;

use crate::world::World;

/// Downloads `paths` into the run's folder, below the step's name.
pub(super) async fn bring_home(cx: &Context<'_>, world: &World, guest: &dyn Communicator, paths: &[String]) {
    for path in paths {
        if let Err(error) = bring_one(cx, world, guest, path).await {
            cx.warn(format!("cannot bring `{path}` home: {error}"));
        }
    }
}

async fn bring_one(cx: &Context<'_>, world: &World, guest: &dyn Communicator, path: &str) -> Result<(), ActionError> {
    let name = path.rsplit('\\').next().unwrap_or(path);
    let step = cx.step().id.replace('/', "-");
    let mut store = world
        .files
        .log(cx.build(), &format!("{step}/{name}"))
        .map_err(|error| {
            ActionError::new(
                reseal_engine::FailureClass::Internal,
                format!("cannot write the log: {error}"),
            )
        })?;
    guest
        .download(path, store.as_mut(), &reseal_machine::communicator::Silent, cx.cancel())
        .await?;
    cx.note(format!("log: {step}/{name}"));
    Ok(())
}
