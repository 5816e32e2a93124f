//! The user interface that provisioners get from us: what they say passes through the builder.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Level, Tracker, Ui};
use crate::msgpack::{Text, Value};
use crate::rpc::{CallError, Calls, Service, message};

/// Transfers shown at once; more run without progress.
const MAX_TRACKERS: usize = 64;

/// Serves `Ui.*`, and `Ui<id>.*` for every tracker.
pub(crate) struct UiService {
    ui: Arc<dyn Ui>,
    trackers: Mutex<Trackers>,
}

#[derive(Default)]
struct Trackers {
    last: u64,
    open: HashMap<String, Arc<dyn Tracker>>,
}

impl UiService {
    pub(crate) fn new(ui: Arc<dyn Ui>) -> Self {
        let trackers = Mutex::default();
        Self { ui, trackers }
    }

    async fn answer(&self, method: &str, argument: &Value) -> Result<Value, CallError> {
        let text = argument.as_text().cloned().unwrap_or_default();
        match method {
            "Say" => self.ui.show(Level::Say, &text).await?,
            "Message" => self.ui.show(Level::Message, &text).await?,
            "Error" => self.ui.show(Level::Error, &text).await?,
            "Ask" => return self.ui.ask(&text).await.map(Value::from),
            "Machine" => self.machine(argument).await?,
            _ => return self.track(argument).await,
        }
        Ok(Value::Nil)
    }

    async fn machine(&self, argument: &Value) -> Result<(), CallError> {
        let category = argument
            .field("Category")
            .and_then(Value::as_text)
            .cloned()
            .unwrap_or_default();
        let arguments = argument.field("Args").and_then(Value::as_list).unwrap_or_default();
        let arguments: Vec<Text> = arguments.iter().filter_map(Value::as_text).cloned().collect();
        self.ui.machine(&category, &arguments).await
    }

    async fn track(&self, argument: &Value) -> Result<Value, CallError> {
        let refused = || CallError::Remote("no progress is shown here".to_owned());
        if self.trackers().open.len() >= MAX_TRACKERS {
            return Err(refused());
        }
        let source = argument
            .field("Src")
            .and_then(Value::as_text)
            .cloned()
            .unwrap_or_default();
        let number = |name: &str| argument.field(name).and_then(Value::as_i64).unwrap_or_default();
        let (done, total) = (number("CurrentSize"), number("TotalSize"));
        let tracker = self.ui.track(&source, done, total).await.ok_or_else(refused)?;
        let mut trackers = self.trackers();
        trackers.last += 1;
        let id = trackers.last.to_string();
        trackers.open.insert(id.clone(), tracker.into());
        Ok(id.into())
    }

    async fn tracked(&self, id: &str, method: &str, argument: &Value) -> Option<Result<Value, String>> {
        let tracker = self.trackers().open.get(id).cloned()?;
        match method {
            "Add" => tracker.add(argument.as_i64().unwrap_or_default()).await,
            "Close" => {
                self.trackers().open.remove(id);
                tracker.close().await;
            }
            _ => return None,
        }
        Some(Ok(Value::Nil))
    }

    fn trackers(&self) -> MutexGuard<'_, Trackers> {
        self.trackers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Service for UiService {
    async fn call(&self, method: &str, argument: &Value, _calls: &Calls) -> Option<Result<Value, String>> {
        let (service, method) = method.rsplit_once('.')?;
        match (service.strip_prefix("Ui")?, method) {
            ("", "Say" | "Message" | "Error" | "Ask" | "Machine" | "NewTrackProgress") => {
                Some(self.answer(method, argument).await.map_err(|error| message(&error)))
            }
            ("", _) => None,
            (id, method) => self.tracked(id, method, argument).await,
        }
    }
}
