//! Packer's screen without our secrets: what provisioners print passes through us.

use std::sync::Arc;

use async_trait::async_trait;
use reseal_packer::{CallError, Level, Text, Tracker, Ui};

use crate::scrub::Scrubber;

/// A screen on which no secret of ours can be read. Packer masks its own.
pub(super) struct Veiled {
    pub(super) ui: Arc<dyn Ui>,
    pub(super) scrubber: Scrubber,
}

impl Veiled {
    /// Text of another code page stays as it is: our secrets are ASCII, and searched for in its bytes.
    fn clean(&self, text: &Text) -> Text {
        Text::from_bytes(self.scrubber.bytes(text.as_bytes().to_vec()))
    }
}

#[async_trait]
impl Ui for Veiled {
    async fn show(&self, level: Level, text: &Text) -> Result<(), CallError> {
        self.ui.show(level, &self.clean(text)).await
    }

    async fn ask(&self, question: &Text) -> Result<Text, CallError> {
        self.ui.ask(&self.clean(question)).await
    }

    async fn machine(&self, category: &Text, arguments: &[Text]) -> Result<(), CallError> {
        let arguments: Vec<Text> = arguments.iter().map(|text| self.clean(text)).collect();
        self.ui.machine(category, &arguments).await
    }

    async fn track(&self, source: &Text, done: i64, total: i64) -> Option<Box<dyn Tracker>> {
        self.ui.track(&self.clean(source), done, total).await
    }
}
