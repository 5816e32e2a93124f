//! What Packer does with each kind of component, from the first call to the last.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::packer::{HookService, Packer, Provisioning, Screen};
use crate::artifact::{Artifact, ArtifactService, RemoteArtifact};
use crate::communicator::{Communicator, FileInfo, Pipes, Reader};
use crate::hcl::Generation;
use crate::msgpack::{Text, Value};
use crate::plugin::Kind;
use crate::rpc::{BoxError, CallError, Client, Service};
use crate::ui::{Level, Ui, UiService};

/// A build that stands in its provisioning.
struct Building {
    screen: Arc<Screen>,
    provisioning: Provisioning,
    outcome: oneshot::Sender<Result<(), String>>,
    hook_cancelled: CancellationToken,
    client: Client,
    run: tokio::task::JoinHandle<(Packer, Result<Value, CallError>)>,
}

async fn prepared(name: &str) -> Packer {
    let packer = Packer::start(Kind::Builder, "image", Generation::Protobuf).await;
    let answer = packer
        .configure("Builder.Prepare", &json!({"name": name}))
        .await
        .unwrap();
    assert_eq!(answer.field("Error"), Some(&Value::Nil));
    packer
}

async fn building(name: &str) -> Building {
    let packer = prepared(name).await;
    let screen = Arc::new(Screen::default());
    let (runs, provisioning) = oneshot::channel();
    let (outcome, ends) = oneshot::channel();
    let hook = Arc::new(HookService {
        broker: packer.broker.clone(),
        runs: Mutex::new(Some(runs)),
        outcome: tokio::sync::Mutex::new(Some(ends)),
        cancelled: CancellationToken::new(),
    });
    let hook_cancelled = hook.cancelled.clone();
    let client = packer.client.clone();
    let ui: Arc<dyn Ui> = Arc::<Screen>::clone(&screen);
    let services: Vec<Arc<dyn Service>> = vec![hook, Arc::new(UiService::new(ui))];
    let run = tokio::spawn(async move {
        let result = packer.call_with("Builder.Run", services, |id| id).await;
        (packer, result)
    });
    Building {
        screen,
        provisioning: provisioning.await.unwrap(),
        outcome,
        hook_cancelled,
        client,
        run,
    }
}

async fn command(communicator: &impl Communicator, line: &str, input: &[u8]) -> Result<(i64, Vec<u8>), BoxError> {
    let (stdout, mut heard) = tokio::io::duplex(1024);
    let pipes = Pipes {
        stdin: Some(Box::new(std::io::Cursor::new(input.to_vec()))),
        stdout: Some(Box::new(stdout)),
        stderr: None,
    };
    let mut output = Vec::new();
    let (line, cancel) = (Text::from(line), CancellationToken::new());
    let (status, read) = tokio::join!(communicator.run(&line, pipes, &cancel), heard.read_to_end(&mut output));
    read.unwrap();
    Ok((status?, output))
}

#[tokio::test]
async fn a_build_provisions_and_leaves_an_artifact() {
    let building = building("World").await;
    let Provisioning {
        name,
        data,
        ui,
        communicator,
    } = building.provisioning;
    assert_eq!(name, "packer_provision");
    assert_eq!(data.field("Port").and_then(Value::as_u64), Some(5986));
    ui.show(Level::Say, &Text::from_bytes(&b"\xb0\xa1"[..])).await.unwrap();
    assert_eq!(ui.ask(&"sure?".into()).await.unwrap(), "yes".into());
    ui.machine(&"a".into(), &["b".into()]).await.unwrap();
    let tracker = ui.track(&"a.b/c".into(), 1, 7).await.unwrap();
    tracker.add(6).await;
    tracker.close().await;
    assert_eq!(
        command(&communicator, "echo hi", b"").await.unwrap(),
        (0, b"hi\n".to_vec())
    );
    assert_eq!(command(&communicator, "exit -7", b"").await.unwrap().0, -7);
    let input = vec![7; 1_000_000];
    assert_eq!(command(&communicator, "cat", &input).await.unwrap(), (0, input));
    assert_eq!(
        command(&communicator, "lose", b"").await.unwrap_err().to_string(),
        "the machine is gone"
    );
    building.outcome.send(Ok(())).unwrap();
    let (packer, result) = building.run.await.unwrap();
    let artifact = packer.dial(&result.unwrap()).await;
    assert_eq!(
        artifact.call("Artifact.Id", &Value::Nil).await.unwrap(),
        "card-World".into()
    );
    let metadata = artifact
        .call("Artifact.State", &"par.artifact.metadata".into())
        .await
        .unwrap();
    assert_eq!(metadata.field("ImageID"), Some(&"card-World".into()));
    assert_eq!(artifact.call("Artifact.State", &"x".into()).await.unwrap(), Value::Nil);
    artifact.call("Artifact.Destroy", &Value::Nil).await.unwrap();
    let lines = building.screen.lines();
    assert_eq!(
        lines,
        [
            "Say: Hello, World!",
            "Say: \u{fffd}\u{fffd}",
            "Ask: sure?",
            "Machine: a 1",
            "Track: a.b/c 1/7"
        ]
    );
}

#[tokio::test]
async fn files_go_both_ways() {
    let building = building("World").await;
    let communicator = &building.provisioning.communicator;
    let cancel = CancellationToken::new();
    let content = vec![42; 700_000];
    let info = FileInfo {
        name: "a".to_owned(),
        size: 700_000,
        mode: 0o600,
    };
    let from = || -> Reader { Box::new(std::io::Cursor::new(content.clone())) };
    communicator.upload("C:/a", from(), Some(info), &cancel).await.unwrap();
    let refused = communicator.upload("refused", from(), None, &cancel).await.unwrap_err();
    assert_eq!(refused.to_string(), "this place is full");
    let (to, mut back) = tokio::io::duplex(1024);
    let mut read = Vec::new();
    let (fetched, copied) = tokio::join!(
        communicator.download("C:/a", Box::new(to), &cancel),
        back.read_to_end(&mut read)
    );
    fetched.unwrap();
    copied.unwrap();
    assert_eq!(read, content);
    let nowhere = communicator
        .download("nowhere", Box::new(tokio::io::sink()), &cancel)
        .await
        .unwrap_err();
    assert_eq!(nowhere.to_string(), "there is no nowhere");
    communicator
        .upload_folder("C:/d", "/s", &["x".to_owned()], &cancel)
        .await
        .unwrap();
    let folder = communicator
        .download_folder("C:/d", "/s", &[], &cancel)
        .await
        .unwrap_err();
    assert_eq!(folder.to_string(), "this machine has no folders");
}

#[tokio::test]
async fn a_failed_provisioner_fails_the_build() {
    let building = building("World").await;
    building.outcome.send(Err("prov failed".to_owned())).unwrap();
    let (_, result) = building.run.await.unwrap();
    assert_eq!(result.unwrap_err().to_string(), "prov failed");
}

#[tokio::test]
async fn cancelling_stops_the_provisioners_first() {
    let building = building("World").await;
    let communicator = building.provisioning.communicator;
    let hanging = tokio::spawn(async move { command(&communicator, "hang", b"").await });
    building.client.call("Builder.Cancel", &Value::Nil).await.unwrap();
    building.hook_cancelled.cancelled().await;
    let (_, result) = building.run.await.unwrap();
    assert_eq!(result.unwrap_err().to_string(), "cancelled");
    assert!(hanging.await.unwrap().is_err());
}

#[tokio::test]
async fn cancel_is_answered_while_a_build_runs() {
    let packer = prepared("wait").await;
    let client = packer.client.clone();
    let screen = Arc::new(Screen::default());
    let ui: Arc<dyn Ui> = Arc::<Screen>::clone(&screen);
    let services: Vec<Arc<dyn Service>> = vec![Arc::new(UiService::new(ui))];
    let run = packer.call_with("Builder.Run", services, |id| id);
    let (result, cancelled) = tokio::join!(run, client.call("Builder.Cancel", &Value::Nil));
    cancelled.unwrap();
    assert_eq!(result.unwrap_err().to_string(), "Build was cancelled.");
    assert_eq!(screen.lines().last().unwrap(), "Say: Goodbye.");
}

#[tokio::test(start_paused = true)]
async fn a_plugin_ends_when_packer_is_gone() {
    let packer = prepared("wait").await;
    let services: Vec<Arc<dyn Service>> = vec![Arc::new(UiService::new(Arc::new(Screen::default())))];
    let ticket_taken = packer.call_with("Builder.Run", services, |id| id);
    tokio::select! {
        _ = ticket_taken => panic!("the build waits"),
        () = async { for _ in 0..1000 { tokio::task::yield_now().await } } => {}
    }
    packer.broker.close();
    packer.plugin.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_provisioner_acts_through_a_foreign_machine() {
    // The machine of the example's builder serves as the foreign one.
    let building = building("World").await;
    let packer = Packer::start(Kind::Provisioner, "shout", Generation::Gob).await;
    packer
        .configure("Provisioner.Prepare", &json!({"command": "echo HEY"}))
        .await
        .unwrap();
    let refused = packer
        .configure("Provisioner.Prepare", &json!({"command": ""}))
        .await
        .unwrap_err();
    assert_eq!(refused.to_string(), "`command` must not be empty");
    packer
        .configure("Provisioner.Prepare", &json!({"command": "echo HEY"}))
        .await
        .unwrap();
    let screen = Arc::new(Screen::default());
    let ui: Arc<dyn Ui> = Arc::<Screen>::clone(&screen);
    let machine = Arc::new(building.provisioning.communicator);
    let communicator = crate::communicator::CommunicatorService::new(machine, packer.broker.clone());
    let services: Vec<Arc<dyn Service>> = vec![Arc::new(UiService::new(ui)), Arc::new(communicator)];
    let data = Value::record([("ID", "i-1".into()), ("Nested", Value::texts(["x"]))]);
    let argument = |id| Value::record([("GeneratedData", data), ("StreamID", id)]);
    packer
        .call_with("Provisioner.Provision", services, argument)
        .await
        .unwrap();
    assert_eq!(
        screen.lines(),
        ["Say: shouting at i-1", "Message: 0: HEY", "Message: shouted"]
    );
}

/// What a build left.
struct Leftover {
    destroyed: CancellationToken,
}

#[async_trait]
impl Artifact for Leftover {
    async fn builder_id(&self) -> String {
        "other.builder".to_owned()
    }

    async fn files(&self) -> Vec<String> {
        vec!["a".to_owned(), "b".to_owned()]
    }

    async fn id(&self) -> String {
        "left-1".to_owned()
    }

    async fn describe(&self) -> String {
        "something is left".to_owned()
    }

    async fn destroy(&self) -> Result<(), BoxError> {
        self.destroyed.cancel();
        Err("it sticks".into())
    }
}

#[tokio::test]
async fn a_post_processor_passes_on_what_it_got() {
    let packer = Packer::start(Kind::PostProcessor, "note", Generation::Protobuf).await;
    packer
        .configure("PostProcessor.Configure", &json!({"text": "nice"}))
        .await
        .unwrap();
    let screen = Arc::new(Screen::default());
    let ui: Arc<dyn Ui> = Arc::<Screen>::clone(&screen);
    let destroyed = CancellationToken::new();
    let leftover = Leftover {
        destroyed: destroyed.clone(),
    };
    let services: Vec<Arc<dyn Service>> = vec![
        Arc::new(UiService::new(ui)),
        Arc::new(ArtifactService::new(Arc::new(leftover))),
    ];
    let processed = packer
        .call_with("PostProcessor.PostProcess", services, |id| id)
        .await
        .unwrap();
    assert_eq!(processed.field("Err"), Some(&Value::Nil));
    assert_eq!(processed.field("Keep"), Some(&Value::Bool(true)));
    assert_eq!(screen.lines(), ["Say: noted left-1 with 2 files: nice"]);
    let passed = RemoteArtifact::new(packer.dial(processed.field("StreamId").unwrap()).await);
    assert_eq!(passed.builder_id().await, "other.builder");
    assert_eq!(passed.describe().await, "something is left");
    assert_eq!(passed.files().await, ["a", "b"]);
    assert_eq!(passed.state("x").await, Value::Nil);
    assert_eq!(passed.destroy().await.unwrap_err().to_string(), "it sticks");
    assert!(destroyed.is_cancelled());
}

#[tokio::test]
async fn a_data_source_finds_or_says_why_not() {
    let packer = Packer::start(Kind::Datasource, "greeting", Generation::Protobuf).await;
    let configured = packer
        .configure("Datasource.Configure", &json!({"name": "World"}))
        .await
        .unwrap();
    assert_eq!(configured.field("Error"), Some(&Value::Nil));
    let found = packer.client.call("Datasource.Execute", &Value::Nil).await.unwrap();
    assert!(matches!(found.field("Value"), Some(Value::Bin(bytes)) if bytes.starts_with(&[0x92, 0xc4])));
    packer
        .configure("Datasource.Configure", &json!({"name": "fail"}))
        .await
        .unwrap();
    let error = packer.client.call("Datasource.Execute", &Value::Nil).await.unwrap_err();
    assert_eq!(error.to_string(), "no greeting was found");
    let error = packer.client.call("Datasource.Nothing", &Value::Nil).await.unwrap_err();
    assert_eq!(error.to_string(), "rpc: can't find method Datasource.Nothing");
}

#[tokio::test]
async fn nonsense_in_a_call_is_an_error_of_that_call() {
    let packer = Packer::start(Kind::Builder, "image", Generation::Gob).await;
    for argument in [Value::Nil, Value::Int(-1), "x".into(), Value::Uint(u64::MAX)] {
        assert!(
            packer.client.call("Builder.Run", &argument).await.is_err(),
            "{argument:?}"
        );
    }
    let bad = Value::record([("Configs", Value::List(vec![Value::Bin(vec![1, 2, 3])]))]);
    let answer = packer.client.call("Builder.Prepare", &bad).await.unwrap();
    assert!(answer.field("Error").unwrap().field("Message").is_some());
}
