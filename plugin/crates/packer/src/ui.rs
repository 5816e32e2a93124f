//! What a person sees and answers.

mod remote;
mod serve;

use async_trait::async_trait;

pub(crate) use remote::RemoteUi;
pub(crate) use serve::UiService;

use crate::msgpack::Text;
use crate::rpc::CallError;

/// How loud a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// A step begins.
    Say,
    /// A detail of it.
    Message,
    /// Something is wrong.
    Error,
}

/// Shows and asks. Packer puts the build's name before every line.
///
/// Calls are answered when they were shown, so awaiting each keeps their order.
#[async_trait]
pub trait Ui: Send + Sync {
    /// Shows text.
    async fn show(&self, level: Level, text: &Text) -> Result<(), CallError>;

    /// Asks a person; fails where there is none.
    async fn ask(&self, question: &Text) -> Result<Text, CallError>;

    /// Says something for programs (`packer -machine-readable`).
    async fn machine(&self, category: &Text, arguments: &[Text]) -> Result<(), CallError>;

    /// Begins to show the progress of a transfer; `None` where that is not shown.
    async fn track(&self, _source: &Text, _done: i64, _total: i64) -> Option<Box<dyn Tracker>> {
        None
    }

    /// Shows that a step begins. That it could not be shown stops no build.
    async fn say(&self, text: &str) {
        quietly(self.show(Level::Say, &text.into()).await);
    }

    /// Shows a detail.
    async fn message(&self, text: &str) {
        quietly(self.show(Level::Message, &text.into()).await);
    }

    /// Shows that something is wrong.
    async fn error(&self, text: &str) {
        quietly(self.show(Level::Error, &text.into()).await);
    }
}

/// The progress of one transfer.
#[async_trait]
pub trait Tracker: Send + Sync {
    /// So many bytes more.
    async fn add(&self, bytes: i64);

    /// It is over.
    async fn close(&self);
}

fn quietly(shown: Result<(), CallError>) {
    if let Err(error) = shown {
        tracing::debug!(%error, "a line was not shown");
    }
}
