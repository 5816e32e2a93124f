//! The communicator of another builder, as our provisioner uses it.

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

use super::{Communicator, FileInfo, Pipes, Reader, Writer};
use crate::broker::{Broker, BrokerError, Ticket};
use crate::gob::CommandFinished;
use crate::msgpack::{Text, Value};
use crate::rpc::{BoxError, CallError, Client};

/// The exit status when the other side did not tell one, as Packer has it.
const NO_STATUS: i64 = 123;
/// More than any gob of an exit status.
const MAX_RESPONSE: u64 = 4096;

/// Acts through Packer.
pub(crate) struct RemoteCommunicator {
    client: Client,
    broker: Broker,
}

impl RemoteCommunicator {
    pub(crate) fn new(client: Client, broker: Broker) -> Self {
        Self { client, broker }
    }

    async fn call(&self, method: &str, argument: &Value) -> Result<(), BoxError> {
        self.client.call(method, argument).await?;
        Ok(())
    }
}

#[async_trait]
impl Communicator for RemoteCommunicator {
    async fn run(&self, command: &Text, pipes: Pipes, cancel: &CancellationToken) -> Result<i64, BoxError> {
        let running = self.start(command, pipes);
        tokio::select! {
            result = running => result,
            () = cancel.cancelled() => Err(CallError::Cancelled.into()),
        }
    }

    async fn upload(
        &self,
        to: &str,
        mut from: Reader,
        info: Option<FileInfo>,
        cancel: &CancellationToken,
    ) -> Result<(), BoxError> {
        let ticket = self.broker.offer();
        let argument = Value::record([
            ("Path", to.into()),
            ("ReaderStreamId", ticket.id().into()),
            ("FileInfo", info.map_or(Value::Nil, |info| info.to_value())),
        ]);
        let feeding = async {
            let mut stream = ticket.accept().await?;
            tokio::io::copy(&mut from, &mut stream).await?;
            Ok::<_, BoxError>(())
        };
        let call = self.call("Communicator.Upload", &argument);
        tokio::pin!(call, feeding);
        // The answer says best why something went wrong; a file that broke off is wrong even if it was taken.
        let both = async {
            tokio::select! {
                answer = &mut call => answer,
                fed = &mut feeding => { call.await?; fed }
            }
        };
        tokio::select! {
            result = both => result,
            () = cancel.cancelled() => Err(CallError::Cancelled.into()),
        }
    }

    async fn upload_folder(
        &self,
        to: &str,
        from: &str,
        exclude: &[String],
        cancel: &CancellationToken,
    ) -> Result<(), BoxError> {
        self.folder("Communicator.UploadDir", to, from, exclude, cancel).await
    }

    async fn download(&self, from: &str, mut to: Writer, cancel: &CancellationToken) -> Result<(), BoxError> {
        let ticket = self.broker.offer();
        let argument = Value::record([("Path", from.into()), ("WriterStreamId", ticket.id().into())]);
        let both = async {
            let (answer, copied) = tokio::join!(self.call("Communicator.Download", &argument), drain(ticket, &mut to));
            answer?;
            copied?;
            Ok(())
        };
        tokio::select! {
            result = both => result,
            () = cancel.cancelled() => Err(CallError::Cancelled.into()),
        }
    }

    async fn download_folder(
        &self,
        from: &str,
        to: &str,
        exclude: &[String],
        cancel: &CancellationToken,
    ) -> Result<(), BoxError> {
        self.folder("Communicator.DownloadDir", to, from, exclude, cancel).await
    }
}

impl RemoteCommunicator {
    /// Runs a command. The call may be answered before or after the command has ended; it has when its outputs have.
    async fn start(&self, command: &Text, pipes: Pipes) -> Result<i64, BoxError> {
        let offer = |wanted: bool| wanted.then(|| self.broker.offer());
        let (stdin, stdout, stderr) = (
            offer(pipes.stdin.is_some()),
            offer(pipes.stdout.is_some()),
            offer(pipes.stderr.is_some()),
        );
        let response = self.broker.offer();
        let number = |ticket: &Option<Ticket>| Value::from(ticket.as_ref().map_or(0, Ticket::id));
        let argument = Value::record([
            ("Command", command.clone().into()),
            ("StdinStreamId", number(&stdin)),
            ("StdoutStreamId", number(&stdout)),
            ("StderrStreamId", number(&stderr)),
            ("ResponseStreamId", response.id().into()),
        ]);
        // Nobody waits for input that a command does not read.
        let feeding = tokio::spawn(feed(stdin, pipes.stdin));
        let outputs = async {
            let status = async { status(response.accept().await?).await };
            let (out, err, status) = tokio::join!(collect(stdout, pipes.stdout), collect(stderr, pipes.stderr), status);
            out.and(err).and(status)
        };
        let call = self.call("Communicator.Start", &argument);
        tokio::pin!(call, outputs);
        let result = tokio::select! {
            // An answer that is an error means that the command did not run: nobody will open the other streams.
            answer = &mut call => match answer {
                Ok(()) => outputs.await,
                Err(error) => Err(error),
            },
            // Without a status the answer says why.
            result = &mut outputs => match result {
                Ok(None) => call.await.map(|()| None),
                other => other,
            },
        };
        feeding.abort();
        Ok(result?.unwrap_or(NO_STATUS))
    }

    async fn folder(
        &self,
        method: &str,
        to: &str,
        from: &str,
        exclude: &[String],
        cancel: &CancellationToken,
    ) -> Result<(), BoxError> {
        let exclude = if exclude.is_empty() {
            Value::Nil
        } else {
            Value::texts(exclude)
        };
        let argument = Value::record([("Dst", to.into()), ("Src", from.into()), ("Exclude", exclude)]);
        tokio::select! {
            result = self.call(method, &argument) => result,
            () = cancel.cancelled() => Err(CallError::Cancelled.into()),
        }
    }
}

async fn feed(ticket: Option<Ticket>, input: Option<Reader>) {
    let (Some(ticket), Some(mut input)) = (ticket, input) else {
        return;
    };
    if let Ok(mut stream) = ticket.accept().await {
        let _ = tokio::io::copy(&mut input, &mut stream).await;
    }
}

async fn collect(ticket: Option<Ticket>, output: Option<Writer>) -> Result<(), BoxError> {
    if let (Some(ticket), Some(mut output)) = (ticket, output) {
        drain(ticket, &mut output).await?;
    }
    Ok(())
}

async fn drain(ticket: Ticket, to: &mut Writer) -> Result<(), BrokerError> {
    let mut stream = ticket.accept().await?;
    tokio::io::copy(&mut stream, to).await?;
    to.shutdown().await?;
    Ok(())
}

async fn status(response: impl AsyncRead + Unpin) -> Result<Option<i64>, BoxError> {
    let mut bytes = Vec::new();
    response.take(MAX_RESPONSE).read_to_end(&mut bytes).await?;
    Ok(CommandFinished::parse(&bytes).ok().map(|finished| finished.exit_status))
}
