//! Our communicator, as provisioners call it.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;

use super::{Communicator, FileInfo, Pipes, Reader, Writer};
use crate::broker::Broker;
use crate::gob::CommandFinished;
use crate::msgpack::{Text, Value};
use crate::rpc::{BoxError, Calls, Service, message};
use crate::yamux::{Closer, Stream};

/// Serves `Communicator.*`.
pub(crate) struct CommunicatorService {
    communicator: Arc<dyn Communicator>,
    broker: Broker,
}

impl CommunicatorService {
    pub(crate) fn new(communicator: Arc<dyn Communicator>, broker: Broker) -> Self {
        Self { communicator, broker }
    }

    /// Runs a command and answers when it is over, with its status on a stream of its own. The caller reads the status
    /// only after the ends of both outputs, so these are closed first, whatever became of the command.
    async fn start(&self, argument: &Value, cancel: &CancellationToken) -> Result<(), BoxError> {
        let command = argument
            .field("Command")
            .and_then(Value::as_text)
            .cloned()
            .unwrap_or_default();
        let mut closers = Closers::default();
        let stdin = self.pipe(argument, "StdinStreamId", &mut closers).await?;
        let stdout = self.pipe(argument, "StdoutStreamId", &mut closers).await?;
        let stderr = self.pipe(argument, "StderrStreamId", &mut closers).await?;
        let mut response = self.broker.dial(id(argument, "ResponseStreamId")?).await?;
        let pipes = Pipes {
            stdin: stdin.map(reader),
            stdout: stdout.map(writer),
            stderr: stderr.map(writer),
        };
        let exit_status = self.communicator.run(&command, pipes, cancel).await?;
        drop(closers);
        response.write_all(&CommandFinished { exit_status }.to_bytes()).await?;
        Ok(())
    }

    async fn pipe(&self, argument: &Value, name: &str, closers: &mut Closers) -> Result<Option<Stream>, BoxError> {
        match id(argument, name)? {
            0 => Ok(None),
            id => {
                let stream = self.broker.dial(id).await?;
                closers.0.push(stream.closer());
                Ok(Some(stream))
            }
        }
    }

    async fn upload(&self, argument: &Value, cancel: &CancellationToken) -> Result<(), BoxError> {
        let stream = self.broker.dial(id(argument, "ReaderStreamId")?).await?;
        let info = argument.field("FileInfo").and_then(FileInfo::read);
        let to = text(argument, "Path");
        self.communicator.upload(&to, Box::new(stream), info, cancel).await
    }

    async fn download(&self, argument: &Value, cancel: &CancellationToken) -> Result<(), BoxError> {
        let stream = self.broker.dial(id(argument, "WriterStreamId")?).await?;
        let _closer = Closers(vec![stream.closer()]);
        let from = text(argument, "Path");
        self.communicator.download(&from, writer(stream), cancel).await
    }

    async fn upload_folder(&self, argument: &Value, cancel: &CancellationToken) -> Result<(), BoxError> {
        let (to, from, exclude) = folders(argument);
        self.communicator.upload_folder(&to, &from, &exclude, cancel).await
    }

    async fn download_folder(&self, argument: &Value, cancel: &CancellationToken) -> Result<(), BoxError> {
        let (to, from, exclude) = folders(argument);
        self.communicator.download_folder(&from, &to, &exclude, cancel).await
    }
}

#[async_trait]
impl Service for CommunicatorService {
    async fn call(&self, method: &str, argument: &Value, calls: &Calls) -> Option<Result<Value, String>> {
        let cancel = &calls.gone;
        let result = match method.strip_prefix("Communicator.")? {
            "Start" => self.start(argument, cancel).await,
            "Upload" => self.upload(argument, cancel).await,
            "UploadDir" => self.upload_folder(argument, cancel).await,
            "Download" => self.download(argument, cancel).await,
            "DownloadDir" => self.download_folder(argument, cancel).await,
            _ => return None,
        };
        Some(result.map(|()| Value::Nil).map_err(|error| message(error.as_ref())))
    }
}

/// Ends streams when it goes, even if whoever holds them forgot them.
#[derive(Default)]
struct Closers(Vec<Closer>);

impl Drop for Closers {
    fn drop(&mut self) {
        self.0.iter().for_each(Closer::close);
    }
}

fn reader(stream: Stream) -> Reader {
    Box::new(stream)
}

fn writer(stream: Stream) -> Writer {
    Box::new(stream)
}

fn id(argument: &Value, name: &str) -> Result<u32, BoxError> {
    let id = argument.field(name).unwrap_or(&Value::Nil).as_u64();
    id.and_then(|id| u32::try_from(id).ok())
        .ok_or_else(|| format!("{name} is no number of a stream").into())
}

fn text(argument: &Value, name: &str) -> String {
    argument
        .field(name)
        .and_then(Value::as_text)
        .map(Text::to_string)
        .unwrap_or_default()
}

fn folders(argument: &Value) -> (String, String, Vec<String>) {
    let exclude = argument.field("Exclude").and_then(Value::as_list).unwrap_or_default();
    let exclude = exclude.iter().filter_map(Value::as_text).map(Text::to_string).collect();
    (text(argument, "Dst"), text(argument, "Src"), exclude)
}
