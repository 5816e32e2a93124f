//! Packer's side of the connection, as far as the tests need it.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value as Json, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::hello;
use crate::broker::{Broker, MAIN};
use crate::communicator::RemoteCommunicator;
use crate::hcl::Generation;
use crate::msgpack::{Text, Value};
use crate::plugin::{Component, Kind, PluginError};
use crate::rpc::{CallError, Calls, Client, Service, serve};
use crate::ui::{Level, RemoteUi, Tracker, Ui};
use crate::yamux::Side;

/// A plugin that was started, and the connection to it.
pub(super) struct Packer {
    pub(super) broker: Broker,
    pub(super) client: Client,
    pub(super) plugin: JoinHandle<Result<(), PluginError>>,
}

impl Packer {
    pub(super) async fn start(kind: Kind, name: &str, generation: Generation) -> Self {
        let name = name.to_owned();
        let component = Component { kind, name, generation };
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let plugin = tokio::spawn(async move { hello::plugin().serve(theirs, &component).await });
        let broker = Broker::new(ours, Side::Client);
        let client = Client::new(broker.dial(MAIN).await.unwrap());
        Self { broker, client, plugin }
    }

    /// Calls with the two configurations of an HCL template.
    pub(super) async fn configure(&self, method: &str, options: &Json) -> Result<Value, CallError> {
        let core = Value::record([("packer_build_name", "w".into()), ("packer_debug", "false".into())]);
        let options = Value::Bin(json!({"value": options, "type": "dynamic"}).to_string().into_bytes());
        let configs = Value::List(vec![core, options]);
        self.client.call(method, &Value::record([("Configs", configs)])).await
    }

    /// Serves `services` on a stream of its own and calls with its number.
    pub(super) async fn call_with(
        &self,
        method: &str,
        services: Vec<Arc<dyn Service>>,
        argument: impl FnOnce(Value) -> Value,
    ) -> Result<Value, CallError> {
        let ticket = self.broker.offer();
        let id = Value::from(ticket.id());
        tokio::spawn(async move {
            serve(ticket.accept().await.unwrap(), services, CancellationToken::new()).await;
        });
        self.client.call(method, &argument(id)).await
    }

    /// What a stream that the plugin offers serves.
    pub(super) async fn dial(&self, id: &Value) -> Client {
        let id = u32::try_from(id.as_u64().unwrap()).unwrap();
        Client::new(self.broker.dial(id).await.unwrap())
    }
}

/// A user interface that remembers.
#[derive(Default)]
pub(super) struct Screen(Mutex<Vec<String>>);

impl Screen {
    pub(super) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn note(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

#[async_trait]
impl Ui for Screen {
    async fn show(&self, level: Level, text: &Text) -> Result<(), CallError> {
        self.note(format!("{level:?}: {text}"));
        Ok(())
    }

    async fn ask(&self, question: &Text) -> Result<Text, CallError> {
        self.note(format!("Ask: {question}"));
        Ok("yes".into())
    }

    async fn machine(&self, category: &Text, arguments: &[Text]) -> Result<(), CallError> {
        self.note(format!("Machine: {category} {}", arguments.len()));
        Ok(())
    }

    async fn track(&self, source: &Text, done: i64, total: i64) -> Option<Box<dyn Tracker>> {
        self.note(format!("Track: {source} {done}/{total}"));
        Some(Box::new(Bar))
    }
}

struct Bar;

#[async_trait]
impl Tracker for Bar {
    async fn add(&self, _bytes: i64) {}
    async fn close(&self) {}
}

/// What provisioners may use.
pub(super) struct Provisioning {
    pub(super) name: String,
    pub(super) data: Value,
    pub(super) ui: RemoteUi,
    pub(super) communicator: RemoteCommunicator,
}

/// Serves `Hook.*`: hands the first run to a test and lets it say how that ended.
pub(super) struct HookService {
    pub(super) broker: Broker,
    pub(super) runs: Mutex<Option<oneshot::Sender<Provisioning>>>,
    pub(super) outcome: tokio::sync::Mutex<Option<oneshot::Receiver<Result<(), String>>>>,
    pub(super) cancelled: CancellationToken,
}

#[async_trait]
impl Service for HookService {
    async fn call(&self, method: &str, argument: &Value, _calls: &Calls) -> Option<Result<Value, String>> {
        match method {
            "Hook.Run" => Some(self.run(argument).await.map(|()| Value::Nil)),
            "Hook.Cancel" => {
                self.cancelled.cancel();
                Some(Ok(Value::Nil))
            }
            _ => None,
        }
    }
}

impl HookService {
    async fn run(&self, argument: &Value) -> Result<(), String> {
        let id = argument.field("StreamId").and_then(Value::as_u64).unwrap();
        let stream = self
            .broker
            .dial(u32::try_from(id).unwrap())
            .await
            .map_err(|error| error.to_string())?;
        let client = Client::new(stream);
        let provisioning = Provisioning {
            name: argument.field("Name").and_then(Value::as_text).unwrap().to_string(),
            data: argument.field("Data").unwrap().clone(),
            ui: RemoteUi::new(client.clone()),
            communicator: RemoteCommunicator::new(client, self.broker.clone()),
        };
        let sender = self.runs.lock().unwrap().take().unwrap();
        assert!(sender.send(provisioning).is_ok());
        let outcome = self.outcome.lock().await.take().unwrap();
        tokio::select! {
            outcome = outcome => outcome.unwrap_or(Ok(())),
            () = self.cancelled.cancelled() => Err("context canceled".to_owned()),
        }
    }
}
