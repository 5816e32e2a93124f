//! Pushes the spec's `files:`: hashed, resumable, nothing sent twice.

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context};
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
            let blob = self
                .0
                .files
                .blob(&item.from)
                .map_err(|error| unreadable(&item.from, &error))?;
            let sent = guest
                .upload(blob.as_ref(), &item.to, &cx.meter(item.from.clone()), cx.cancel())
                .await?;
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
