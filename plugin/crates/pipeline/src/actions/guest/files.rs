//! Pushes local files: hashed, resumable, nothing sent twice, and exactly the bytes that were planned.

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context, FailureClass};
use reseal_machine::Communicator;
use reseal_machine::communicator::Transferred;
use serde::{Deserialize, Serialize};

use crate::world::{World, unreadable};

/// What to push.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FileParams {
    /// The step that connected.
    pub connect: String,
    /// The files.
    pub items: Vec<FileItem>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileItem {
    /// The local file.
    pub from: String,
    /// The full path in the guest.
    pub to: String,
    /// Its SHA-256, as planned.
    pub sha256: String,
}

/// What was pushed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct FilesOutput {
    /// Files that were there already.
    pub(super) unchanged: usize,
    /// Bytes that were sent.
    pub(super) sent: u64,
}

/// The action.
pub(super) struct Push(pub(super) World);

#[async_trait]
impl Action for Push {
    type Params = FileParams;
    type Output = FilesOutput;

    async fn run(&self, cx: &Context<'_>, params: &FileParams) -> Result<FilesOutput, ActionError> {
        let guest = self.0.guest(cx, &params.connect)?;
        let mut output = FilesOutput::default();
        for item in &params.items {
            let sent = push(cx, &self.0, guest.as_ref(), &item.from, &item.to, planned(&item.sha256)).await?;
            output.unchanged += usize::from(sent.unchanged);
            output.sent += sent.sent;
        }
        cx.note(format!(
            "{} files, {} of them there already",
            params.items.len(),
            output.unchanged
        ));
        Ok(output)
    }
}

/// Pushes one local file. Its bytes must be those of the plan.
pub(super) async fn push(
    cx: &Context<'_>,
    world: &World,
    guest: &dyn Communicator,
    from: &str,
    to: &str,
    planned: Option<&str>,
) -> Result<Transferred, ActionError> {
    let blob = world.files.blob(from).map_err(|error| unreadable(from, &error))?;
    let sent = guest.upload(blob.as_ref(), to, &cx.meter(from), cx.cancel()).await?;
    match planned {
        Some(planned) if !planned.eq_ignore_ascii_case(&sent.sha256) => Err(changed(from)),
        _ => Ok(sent),
    }
}

fn changed(path: &str) -> ActionError {
    let message = format!("`{path}` has changed since the plan was made");
    ActionError::new(FailureClass::Input, message).hint("plan and build again")
}

/// A plan that was made without looking at the files knows no hashes.
fn planned(sha256: &str) -> Option<&str> {
    Some(sha256).filter(|text| !text.is_empty())
}
