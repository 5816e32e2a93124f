//! Shells and the processes in them.

use std::sync::Arc;
use std::time::Duration;

use reseal_machine::communicator::Stream;

use crate::client::Client;
use crate::error::Error;
use crate::soap::{Body, FaultKind, Received, Request};

/// Attempts of a Receive before the process counts as lost, and the pause after the first.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);

/// A shell of the guest. It holds one process only, so that the guest's limit of operations a shell (1,500) is never
/// near. Dropped without [`Shell::close`] it is deleted at the next opportunity.
pub(crate) struct Shell {
    client: Arc<Client>,
    id: Option<String>,
}

impl Shell {
    pub(crate) async fn open(client: &Arc<Client>) -> Result<Self, Error> {
        client.bury().await;
        match client.call(&Request::Create).await? {
            Body::Shell(id) => Ok(Self {
                client: Arc::clone(client),
                id: Some(id),
            }),
            _ => Err(Error::Protocol("the answer names no shell".to_owned())),
        }
    }

    fn id(&self) -> &str {
        self.id.as_deref().unwrap_or_default()
    }

    /// Deletes the shell and whatever runs in it.
    pub(crate) async fn close(mut self) {
        let Some(id) = self.id.clone() else { return };
        match self.client.call(&Request::Delete { shell: &id }).await {
            Ok(_) | Err(Error::Fault(_)) => self.id = None,
            // Dropped with its id, it is tried again at the next opportunity.
            Err(error) => tracing::debug!(%error, "Could not close a shell"),
        }
    }

    /// For a shell that is known to be gone.
    fn forget(&mut self) {
        self.id = None;
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            self.client.adopt(id);
        }
    }
}

/// A process with its pipes.
pub(crate) struct Process {
    shell: Shell,
    command: String,
    exit: Option<i32>,
    /// An answer with output was lost.
    gap: bool,
    /// Connections lost in a row.
    losses: u32,
}

impl Process {
    /// Starts a program directly, with a pipe for its input.
    pub(crate) async fn start(client: &Arc<Client>, program: &str, arguments: &str) -> Result<Self, Error> {
        Self::start_with(client, program, arguments, false).await
    }

    /// Starts a command line through `cmd.exe`.
    pub(crate) async fn start_line(client: &Arc<Client>, line: &str) -> Result<Self, Error> {
        Self::start_with(client, line, "", true).await
    }

    async fn start_with(client: &Arc<Client>, program: &str, arguments: &str, via_cmd: bool) -> Result<Self, Error> {
        let shell = Shell::open(client).await.map_err(|error| match error {
            // An unseen shell is no process: nothing of the caller's work has begun.
            Error::Lost(why) => Error::Unreachable(why),
            other => other,
        })?;
        let request = Request::Command {
            shell: shell.id(),
            program,
            arguments,
            via_cmd,
        };
        match client.call(&request).await? {
            Body::Command(command) => Ok(Self {
                shell,
                command,
                exit: None,
                gap: false,
                losses: 0,
            }),
            _ => Err(Error::Protocol("the answer names no command".to_owned())),
        }
    }

    /// Writes to the process's input, in as many messages as it takes. The error tells whether the *last* byte may
    /// have arrived.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let limit = self.shell.client.room(rest.len()).await;
            let (chunk, after) = rest.split_at_checked(limit).unwrap_or((rest, &[]));
            match self.send_once(chunk).await {
                Err(Error::TooLarge) if self.shell.client.shrink(chunk.len()) => {}
                Err(Error::Lost(why)) if !after.is_empty() => return Err(Error::NotSent(why)),
                Err(error) => return Err(error),
                Ok(()) => rest = after,
            }
        }
        Ok(())
    }

    async fn send_once(&mut self, data: &[u8]) -> Result<(), Error> {
        let request = Request::Send {
            shell: self.shell.id(),
            command: &self.command,
            data,
        };
        let result = self.shell.client.call(&request).await;
        self.note(&result);
        result.map(|_| ())
    }

    /// Waits for output once; nothing when there was none within the operation timeout, or when the connection was
    /// lost and the question may be put again: see [`Process::take_gap`].
    pub(crate) async fn receive(&mut self) -> Result<Received, Error> {
        let client = Arc::clone(&self.shell.client);
        let request = Request::Receive {
            shell: self.shell.id(),
            command: &self.command,
        };
        let result = client.call(&request).await;
        self.note(&result);
        match result {
            Ok(Body::Received(received)) => {
                self.losses = 0;
                self.exit = self.exit.or(received.exit);
                Ok(received)
            }
            Ok(_) => Err(Error::Protocol("the answer holds no output".to_owned())),
            Err(Error::Fault(fault)) if fault.kind() == FaultKind::PollAgain => {
                self.losses = 0;
                Ok(Received::default())
            }
            Err(error @ (Error::Lost(_) | Error::Unreachable(_) | Error::NotReady(_))) => self.lose(error).await,
            Err(error) => Err(error),
        }
    }

    /// A connection was lost while waiting for output. Pauses, longer each time, until patience ends.
    async fn lose(&mut self, error: Error) -> Result<Received, Error> {
        self.losses += 1;
        if self.losses >= ATTEMPTS {
            return Err(error);
        }
        self.gap |= matches!(error, Error::Lost(_));
        tracing::debug!(%error, losses = self.losses, "Lost the connection while waiting for output");
        self.shell
            .client
            .config
            .clock
            .sleep(PAUSE * (1 << (self.losses - 1)))
            .await;
        Ok(Received::default())
    }

    fn note(&mut self, result: &Result<Body, Error>) {
        if matches!(result, Err(error) if error.shell_gone()) {
            self.shell.forget();
        }
    }

    /// Whether output may have been lost since the last time this was asked.
    pub(crate) fn take_gap(&mut self) -> bool {
        std::mem::take(&mut self.gap)
    }

    /// The exit code, when the process has ended.
    pub(crate) fn exit(&self) -> Option<i32> {
        self.exit
    }

    /// Ends the process and its shell.
    pub(crate) async fn stop(self) {
        self.shell.close().await;
    }

    /// Acknowledges that the process has ended, then closes its shell.
    pub(crate) async fn finish(self) {
        let request = Request::Terminate {
            shell: self.shell.id(),
            command: &self.command,
        };
        let _ = self.shell.client.call(&request).await;
        self.shell.close().await;
    }
}

/// The text of one stream, whole characters only.
#[derive(Debug, Default)]
pub(crate) struct Utf8 {
    rest: Vec<u8>,
}

impl Utf8 {
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> String {
        self.rest.extend_from_slice(bytes);
        let keep = crate::clixml::incomplete_utf8(&self.rest);
        let tail = self.rest.split_off(self.rest.len() - keep);
        let whole = std::mem::replace(&mut self.rest, tail);
        String::from_utf8_lossy(&whole).into_owned()
    }

    pub(crate) fn finish(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.rest)).into_owned()
    }
}

/// All output of one answer, by stream, for those who do not care for its order.
pub(crate) fn streams(received: &Received) -> impl Iterator<Item = (Stream, &[u8])> {
    received
        .output
        .iter()
        .map(|(stream, bytes)| (*stream, bytes.as_slice()))
}
