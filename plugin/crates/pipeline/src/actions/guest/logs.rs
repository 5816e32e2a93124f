//! Brings logs home. Never fails a build: a log that cannot be brought is a warning.

use reseal_engine::{ActionError, Context, FailureClass};
use reseal_machine::Communicator;
use reseal_machine::communicator::{Silent, Store};

use crate::world::World;

/// Downloads `paths` into the run's folder, below the step's name.
pub(super) async fn bring_home(cx: &Context<'_>, world: &World, guest: &dyn Communicator, paths: &[String]) {
    for path in paths {
        if let Err(error) = bring_one(cx, world, guest, path).await {
            cx.warn(format!("cannot bring `{path}` home: {error}"));
        }
    }
}

/// Keeps a text that is here already, below the step's name.
pub(super) fn keep(cx: &Context<'_>, world: &World, name: &str, bytes: &[u8]) {
    let kept = file(cx, world, name).and_then(|(mut store, path)| {
        store.append(bytes).map_err(|error| not_written(&error))?;
        Ok(path)
    });
    match kept {
        Ok(path) => cx.note(format!("log: {path}")),
        Err(error) => cx.warn(error.to_string()),
    }
}

/// A new file for a log of this step, and how it is called.
fn file(cx: &Context<'_>, world: &World, name: &str) -> Result<(Box<dyn Store>, String), ActionError> {
    let path = format!("{}/{name}", cx.step().id.replace('/', "-"));
    let store = world
        .files
        .log(cx.build(), &path)
        .map_err(|error| not_written(&error))?;
    Ok((store, path))
}

fn not_written(error: &std::io::Error) -> ActionError {
    ActionError::new(FailureClass::Internal, format!("cannot write the log: {error}"))
}

async fn bring_one(cx: &Context<'_>, world: &World, guest: &dyn Communicator, path: &str) -> Result<(), ActionError> {
    let (mut store, kept) = file(cx, world, path.rsplit('\\').next().unwrap_or(path))?;
    guest.download(path, store.as_mut(), &Silent, cx.cancel()).await?;
    cx.note(format!("log: {kept}"));
    Ok(())
}
