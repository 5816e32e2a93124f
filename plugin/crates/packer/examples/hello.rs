//! A complete plugin with one component of each kind; it builds nothing but greetings.
//!
//! The builder's machine is a map of files in memory, so that the whole protocol can be tried anywhere.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;
use reseal_packer::{
    Artifact, BoxError, Build, Builder, Communicator, Configs, Datasource, FileInfo, GENERATED_DATA, GeneratedData,
    IMAGE_METADATA, ImageMetadata, Launch, ObjectSpec, PROVISION, Pipes, Plugin, PluginError, PostProcessor, Prepared,
    Process, Processed, Provision, Provisioner, Reader, Surroundings, Text, Type, UNKNOWN, Value, Writer,
};
use serde_json::{Map, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

#[tokio::main]
#[expect(clippy::disallowed_methods, reason = "a binary's own clock")]
async fn main() -> Result<(), PluginError> {
    let launch = Launch::new(std::env::args().skip(1), std::env::vars_os(), std::env::temp_dir());
    let seed = u128::from(RandomState::new().build_hasher().finish());
    let surroundings = Surroundings::new(SystemTime::now(), std::env::current_dir().ok(), seed);
    plugin()
        .surroundings(surroundings)
        .launch(launch, &mut std::io::stdout())
        .await
}

/// The plugin with all its components.
pub(crate) fn plugin() -> Plugin {
    Plugin::new("1.0.0")
        .builder("image", Greeter::default())
        .provisioner("shout", Shout::default())
        .post_processor("note", Note::default())
        .datasource("greeting", Greeting::default())
}

/// An option that is text; empty when it was not given.
fn text(options: &Map<String, serde_json::Value>, name: &str) -> String {
    let option = options.get(name);
    option
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// What was configured, for later.
#[derive(Default)]
struct Kept(Mutex<String>);

impl Kept {
    fn set(&self, text: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }

    fn get(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Greets `name`. The name `wait` waits to be cancelled, `fail` fails, `nobody` leaves no artifact.
#[derive(Default)]
struct Greeter {
    name: Kept,
}

#[async_trait]
impl Builder for Greeter {
    fn config_spec(&self) -> ObjectSpec {
        let disk = ObjectSpec::new()
            .required("size", Type::Number)
            .optional("fast", Type::Bool);
        ObjectSpec::new()
            .required("name", Type::String)
            .optional("ports", Type::list(Type::Number))
            .optional("labels", Type::map(Type::String))
            .block("network", ObjectSpec::new().required("id", Type::String))
            .blocks("disk", disk)
    }

    async fn prepare(&self, configs: Configs) -> Prepared {
        let name = text(&configs.options, "name");
        let mut prepared = Prepared {
            generated_vars: vec!["Greeting".to_owned()],
            ..Prepared::default()
        };
        if name.is_empty() {
            prepared.errors.push("`name` must not be empty".to_owned());
            prepared.errors.push("nobody can be greeted".to_owned());
        }
        if name == UNKNOWN {
            prepared.warnings.push("the name is not known yet".to_owned());
        }
        self.name.set(name);
        prepared
    }

    async fn run(&self, build: Build) -> Result<Option<Arc<dyn Artifact>>, BoxError> {
        let name = self.name.get();
        build.ui.say(&format!("Hello, {name}!")).await;
        match name.as_str() {
            "wait" => {
                build.cancel.cancelled().await;
                build.ui.say("Goodbye.").await;
                return Err("Build was cancelled.".into());
            }
            "fail" => return Err("greetings are out".into()),
            "nobody" => return Ok(None),
            _ => {}
        }
        let data = GeneratedData::expected()
            .with("ID", "greeting-1")
            .with("Port", 5986_u16)
            .with("Greeting", "hello");
        let machine = Arc::new(Memory::default());
        build
            .hook
            .run(PROVISION, &data, Arc::clone(&build.ui), machine, &build.cancel)
            .await?;
        Ok(Some(Arc::new(Card { name, data })))
    }
}

/// The greeting that is left.
struct Card {
    name: String,
    data: GeneratedData,
}

#[async_trait]
impl Artifact for Card {
    async fn builder_id(&self) -> String {
        "hello.image".to_owned()
    }

    async fn id(&self) -> String {
        format!("card-{}", self.name)
    }

    async fn describe(&self) -> String {
        format!("A card for {} was written", self.name)
    }

    async fn state(&self, name: &str) -> Value {
        match name {
            GENERATED_DATA => self.data.to_value(),
            IMAGE_METADATA => ImageMetadata {
                image_id: self.id().await,
                provider: "hello".to_owned(),
                labels: vec![("kind".to_owned(), "card".to_owned())],
                ..ImageMetadata::default()
            }
            .into(),
            _ => Value::Nil,
        }
    }

    async fn destroy(&self) -> Result<(), BoxError> {
        if self.name == "stuck" {
            Err("the card sticks to the wall".into())
        } else {
            Ok(())
        }
    }
}

/// A machine of files. Its commands: `echo TEXT`, `cat`, `fill COUNT`, `exit STATUS`, `lose`, `hang`.
#[derive(Default)]
struct Memory {
    files: Mutex<HashMap<String, Vec<u8>>>,
}

#[async_trait]
impl Communicator for Memory {
    async fn run(&self, command: &Text, mut pipes: Pipes, cancel: &CancellationToken) -> Result<i64, BoxError> {
        let command = command.to_string();
        let (word, rest) = command.split_once(' ').unwrap_or((&command, ""));
        let output = match word {
            "echo" => format!("{rest}\n").into_bytes(),
            "fill" => vec![0xb0; rest.parse()?],
            "cat" => {
                let mut input = Vec::new();
                pipes
                    .stdin
                    .take()
                    .ok_or("nothing to read")?
                    .read_to_end(&mut input)
                    .await?;
                input
            }
            "exit" => return Ok(rest.parse()?),
            "lose" => return Err("the machine is gone".into()),
            "hang" => {
                cancel.cancelled().await;
                return Err("cancelled".into());
            }
            _ => Vec::new(),
        };
        if let Some(stdout) = &mut pipes.stdout {
            stdout.write_all(&output).await?;
        }
        if let (Some(stderr), "warn") = (&mut pipes.stderr, word) {
            stderr.write_all(rest.as_bytes()).await?;
        }
        Ok(0)
    }

    async fn upload(
        &self,
        to: &str,
        mut from: Reader,
        _info: Option<FileInfo>,
        _cancel: &CancellationToken,
    ) -> Result<(), BoxError> {
        if to == "refused" {
            return Err("this place is full".into());
        }
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).await?;
        self.files
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(to.to_owned(), bytes);
        Ok(())
    }

    async fn upload_folder(
        &self,
        to: &str,
        from: &str,
        exclude: &[String],
        _cancel: &CancellationToken,
    ) -> Result<(), BoxError> {
        let listing = format!("{from} without {}", exclude.join(","));
        self.files
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(to.to_owned(), listing.into_bytes());
        Ok(())
    }

    async fn download(&self, from: &str, mut to: Writer, _cancel: &CancellationToken) -> Result<(), BoxError> {
        let bytes = self
            .files
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(from)
            .cloned();
        to.write_all(&bytes.ok_or_else(|| format!("there is no {from}"))?)
            .await?;
        Ok(())
    }

    async fn download_folder(
        &self,
        _from: &str,
        _to: &str,
        _exclude: &[String],
        _cancel: &CancellationToken,
    ) -> Result<(), BoxError> {
        Err("this machine has no folders".into())
    }
}

/// Runs `command` in the machine, then leaves a file there and looks at it.
#[derive(Default)]
struct Shout {
    configs: Mutex<Configs>,
}

#[async_trait]
impl Provisioner for Shout {
    fn config_spec(&self) -> ObjectSpec {
        ObjectSpec::new().required("command", Type::String)
    }

    async fn prepare(&self, configs: Configs) -> Result<(), BoxError> {
        if text(&configs.options, "command").is_empty() {
            return Err("`command` must not be empty".into());
        }
        *self.configs.lock().unwrap_or_else(PoisonError::into_inner) = configs;
        Ok(())
    }

    async fn provision(&self, job: Provision) -> Result<(), BoxError> {
        let id = job
            .data
            .get("ID")
            .and_then(|id| id.as_text())
            .unwrap_or_default()
            .to_owned();
        job.ui.say(&format!("shouting at {id}")).await;
        let (stdout, mut heard) = tokio::io::duplex(4096);
        let pipes = Pipes {
            stdin: Some(Box::new(&b"typed"[..])),
            stdout: Some(Box::new(stdout)),
            stderr: None,
        };
        // What the template wants to know of the machine is known now.
        let configs = self.configs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let command = text(&configs.filled(&job.data), "command").as_str().into();
        let mut output = String::new();
        let (status, read) = tokio::join!(
            job.communicator.run(&command, pipes, &job.cancel),
            heard.read_to_string(&mut output)
        );
        let status = status?;
        read?;
        job.ui.message(&format!("{status}: {}", output.trim_end())).await;
        let file: Reader = Box::new(&b"shouted"[..]);
        job.communicator.upload("C:/shout.txt", file, None, &job.cancel).await?;
        let (to, mut from) = tokio::io::duplex(4096);
        let mut back = String::new();
        let download = job.communicator.download("C:/shout.txt", Box::new(to), &job.cancel);
        let (done, read) = tokio::join!(download, from.read_to_string(&mut back));
        done?;
        read?;
        job.ui.message(&back).await;
        Ok(())
    }
}

/// Notes what a build left, and keeps it.
#[derive(Default)]
struct Note {
    text: Kept,
}

#[async_trait]
impl PostProcessor for Note {
    fn config_spec(&self) -> ObjectSpec {
        ObjectSpec::new().optional("text", Type::String)
    }

    async fn configure(&self, configs: Configs) -> Result<(), BoxError> {
        self.text.set(text(&configs.options, "text"));
        Ok(())
    }

    async fn process(&self, job: Process) -> Result<Processed, BoxError> {
        if self.text.get() == "fail" {
            return Err("the pencil is broken".into());
        }
        let (id, files) = (job.artifact.id().await, job.artifact.files().await);
        job.ui
            .say(&format!("noted {id} with {} files: {}", files.len(), self.text.get()))
            .await;
        Ok(Processed::kept(job.artifact))
    }
}

/// Finds a greeting for `name`.
#[derive(Default)]
struct Greeting {
    name: Kept,
}

#[async_trait]
impl Datasource for Greeting {
    fn config_spec(&self) -> ObjectSpec {
        ObjectSpec::new().required("name", Type::String)
    }

    fn output_spec(&self) -> ObjectSpec {
        ObjectSpec::new()
            .optional("text", Type::String)
            .optional("length", Type::Number)
            .optional("ratio", Type::Number)
            .optional("loud", Type::Bool)
            .optional("words", Type::list(Type::String))
            .optional("counts", Type::map(Type::Number))
            .optional("missing", Type::String)
            .blocks("parts", ObjectSpec::new().optional("part", Type::String))
    }

    async fn configure(&self, configs: Configs) -> Result<(), BoxError> {
        self.name.set(text(&configs.options, "name"));
        if self.name.get().is_empty() {
            Err("`name` must not be empty".into())
        } else {
            Ok(())
        }
    }

    async fn execute(&self, _cancel: CancellationToken) -> Result<serde_json::Value, BoxError> {
        let name = self.name.get();
        if name == "fail" {
            return Err("no greeting was found".into());
        }
        Ok(json!({
            "text": format!("Hello, {name}!"),
            "length": -12,
            "ratio": 2.75,
            "loud": true,
            "words": ["Hello", name],
            "counts": { "zero": 0, "big": 1_u64 << 40 },
            "parts": [{ "part": "a" }, { "part": null }],
        }))
    }
}
