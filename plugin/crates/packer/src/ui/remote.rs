//! Packer's user interface.

use async_trait::async_trait;

use super::{Level, Tracker, Ui};
use crate::msgpack::{Text, Value};
use crate::rpc::{CallError, Client};

/// Shows in Packer's output.
#[derive(Clone)]
pub(crate) struct RemoteUi {
    client: Client,
}

impl RemoteUi {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }
}

#[async_trait]
impl Ui for RemoteUi {
    async fn show(&self, level: Level, text: &Text) -> Result<(), CallError> {
        let method = match level {
            Level::Say => "Ui.Say",
            Level::Message => "Ui.Message",
            Level::Error => "Ui.Error",
        };
        self.client.call(method, &text.clone().into()).await.map(drop)
    }

    async fn ask(&self, question: &Text) -> Result<Text, CallError> {
        match self.client.call("Ui.Ask", &question.clone().into()).await? {
            Value::Str(answer) => Ok(answer),
            Value::Nil => Ok(Text::default()),
            _ => Err(CallError::Answer("Ui.Ask".to_owned())),
        }
    }

    async fn machine(&self, category: &Text, arguments: &[Text]) -> Result<(), CallError> {
        let arguments = Value::texts(arguments.iter().cloned());
        let argument = Value::record([("Category", category.clone().into()), ("Args", arguments)]);
        self.client.call("Ui.Machine", &argument).await.map(drop)
    }

    async fn track(&self, source: &Text, done: i64, total: i64) -> Option<Box<dyn Tracker>> {
        let argument = Value::record([
            ("Src", source.clone().into()),
            ("TotalSize", total.into()),
            ("CurrentSize", done.into()),
        ]);
        let id = self.client.call("Ui.NewTrackProgress", &argument).await.ok()?;
        let service = format!("Ui{}", id.as_text()?);
        let client = self.client.clone();
        Some(Box::new(RemoteTracker { client, service }))
    }
}

struct RemoteTracker {
    client: Client,
    service: String,
}

#[async_trait]
impl Tracker for RemoteTracker {
    async fn add(&self, bytes: i64) {
        let _ = self.client.call(&format!("{}.Add", self.service), &bytes.into()).await;
    }

    async fn close(&self) {
        let _ = self.client.call(&format!("{}.Close", self.service), &Value::Nil).await;
    }
}
