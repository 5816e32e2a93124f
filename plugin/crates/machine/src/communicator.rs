//! A machine seen from inside.
//!
//! Object-safe, `Send + Sync`: Packer's own provisioners use a communicator through RPC while we do.

use std::io;

use async_trait::async_trait;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::error::CommError;

/// Which pipe a piece of output came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error, with CLIXML already turned into text.
    Err,
}

/// Where output goes while a command runs. Called from the communicator's task; must be quick.
pub trait OutputSink: Send + Sync {
    /// A piece of text, cut anywhere but inside a character.
    fn output(&self, stream: Stream, text: &str);
}

/// Where a transfer reports how far it is.
pub trait Progress: Send + Sync {
    /// `done` of `total` bytes have arrived.
    fn progress(&self, done: u64, total: u64);
}

/// Throws output and progress away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl OutputSink for Silent {
    fn output(&self, _stream: Stream, _text: &str) {}
}

impl Progress for Silent {
    fn progress(&self, _done: u64, _total: u64) {}
}

/// Bytes that can be read at any place and again, so that a transfer can resume. The binary implements it for files.
pub trait Blob: Send + Sync {
    /// What to call it in messages, usually the local path.
    fn name(&self) -> String;
    /// Its size in bytes.
    fn len(&self) -> u64;
    /// Whether there is nothing in it.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Fills `buffer` from `offset` on; fewer bytes than asked only at the end.
    ///
    /// # Errors
    /// Whatever the medium says.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

/// A blob in memory.
#[derive(Debug, Clone)]
pub struct Bytes {
    name: String,
    bytes: Vec<u8>,
}

impl Bytes {
    /// Names some bytes.
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.into(),
            bytes: bytes.into(),
        }
    }
}

impl Blob for Bytes {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn len(&self) -> u64 {
        u64::try_from(self.bytes.len()).unwrap_or(u64::MAX)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.bytes.len());
        let rest = self.bytes.get(start..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }
}

/// Bytes that arrive in order, for downloads. The binary implements it for files.
pub trait Store: Send {
    /// Appends.
    ///
    /// # Errors
    /// Whatever the medium says.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
}

impl Store for Vec<u8> {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.extend_from_slice(bytes);
        Ok(())
    }
}

/// One of our own guest scripts: its name, and its text with the prelude.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Script {
    /// The operation's name, e.g. `install_msi`.
    pub name: &'static str,
    /// The whole text, ready to be a script block with one parameter, the input JSON.
    pub text: &'static str,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The process's exit code as Windows gave it.
    pub code: i32,
}

/// What a transfer did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transferred {
    /// Bytes that went over the wire for it (0 when it was there already).
    pub sent: u64,
    /// The file's size.
    pub size: u64,
    /// The file's SHA-256 in lower-case hex.
    pub sha256: String,
    /// True when an equal file was already there.
    pub unchanged: bool,
}

/// What answers at the other end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// The guest's last boot time as it tells it (ISO 8601, UTC).
    pub boot_time: String,
    /// A counter that grows with every boot, where the guest has one.
    pub boot_id: Option<u64>,
    /// The computer's name.
    pub computer_name: String,
}

/// Talks to one guest. Reconnects by itself where that is safe; every call is bounded in time.
#[async_trait]
pub trait Communicator: Send + Sync {
    /// Asks the guest for its boot time and name with one cheap command. The way to find out whether it is there:
    /// the error tells apart unreachable, TLS, refused account and not ready.
    async fn probe(&self) -> Result<Probe, CommError>;

    /// Runs one of our scripts with `input` (one JSON document) and returns its whole answer (one JSON document):
    /// `{"ok":true,"result":…}`, or `{"ok":false,"error":{"kind":…}}` — a refusal of the script is an answer, not an
    /// error of the communicator.
    ///
    /// What else the script prints goes to `sink`. [`CommError::Script`] is for a script that gave no answer. After
    /// [`CommError::Lost`] with `started: true` the caller looks up what happened; the call is never repeated here.
    async fn invoke(
        &self,
        script: Script,
        input: &SecretString,
        sink: &dyn OutputSink,
        cancel: &CancellationToken,
    ) -> Result<serde_json::Value, CommError>;

    /// Runs a command line through `cmd.exe` and streams its output. For Packer's provisioners; our own work goes
    /// through [`Communicator::invoke`].
    async fn run(&self, command: &str, sink: &dyn OutputSink, cancel: &CancellationToken) -> Result<Exit, CommError>;

    /// Copies `from` to the guest's `to` (a full Windows path): nothing is sent when an equal file is there, an
    /// interrupted copy goes on where it ended, and the file appears under its name only when its SHA-256 is right.
    async fn upload(
        &self,
        from: &dyn Blob,
        to: &str,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Transferred, CommError>;

    /// Copies the guest's file `from` into `to` and checks its SHA-256.
    async fn download(
        &self,
        from: &str,
        to: &mut dyn Store,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Transferred, CommError>;

    /// Closes shells and connections, e.g. before a reboot. The next call opens them again.
    async fn disconnect(&self);
}
