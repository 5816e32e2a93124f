//! A machine seen from inside, as Packer's provisioners use it.

mod guest;
mod remote;
mod serve;
mod visitor;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

pub use guest::{Guest, Local, LocalFile, Spool};
pub(crate) use remote::RemoteCommunicator;
pub(crate) use serve::CommunicatorService;
pub use visitor::{VISITOR, Visitor};

use crate::msgpack::{Text, Value};
use crate::rpc::BoxError;

/// Bytes that come in.
pub type Reader = Box<dyn AsyncRead + Send + Unpin>;
/// Bytes that go out. Dropping it says that no more come.
pub type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// What is connected to a command.
#[derive(Default)]
pub struct Pipes {
    /// Its input.
    pub stdin: Option<Reader>,
    /// Where its output goes.
    pub stdout: Option<Writer>,
    /// Where its errors go.
    pub stderr: Option<Writer>,
}

/// What is known about a file that is uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileInfo {
    /// The name without folders.
    pub name: String,
    /// The size in bytes.
    pub size: u64,
    /// Permissions, in the low nine bits.
    pub mode: u32,
}

/// Runs commands and moves files. Calls may come at the same time.
///
/// `cancel` fires when the build is cancelled or the provisioner is gone.
#[async_trait]
pub trait Communicator: Send + Sync {
    /// Runs a command to its end and gives its exit status. An error means that the connection to the machine was lost;
    /// the `windows-restart` provisioner takes it for the reboot that it waits for.
    async fn run(&self, command: &Text, pipes: Pipes, cancel: &CancellationToken) -> Result<i64, BoxError>;

    /// Stores what comes in under a name of the machine.
    async fn upload(
        &self,
        to: &str,
        from: Reader,
        info: Option<FileInfo>,
        cancel: &CancellationToken,
    ) -> Result<(), BoxError>;

    /// Stores a local folder. With a trailing `/` in `from` its contents, otherwise the folder itself.
    async fn upload_folder(
        &self,
        to: &str,
        from: &str,
        exclude: &[String],
        cancel: &CancellationToken,
    ) -> Result<(), BoxError>;

    /// Fetches a file.
    async fn download(&self, from: &str, to: Writer, cancel: &CancellationToken) -> Result<(), BoxError>;

    /// Fetches a folder into a local one.
    async fn download_folder(
        &self,
        from: &str,
        to: &str,
        exclude: &[String],
        cancel: &CancellationToken,
    ) -> Result<(), BoxError>;
}

impl FileInfo {
    fn read(value: &Value) -> Option<Self> {
        Some(Self {
            name: value.field("N")?.as_text()?.to_string(),
            size: value.field("S").and_then(Value::as_u64).unwrap_or_default(),
            mode: value
                .field("M")
                .and_then(Value::as_u64)
                .and_then(|mode| u32::try_from(mode).ok())
                .unwrap_or_default(),
        })
    }

    fn to_value(&self) -> Value {
        Value::record([
            ("N", self.name.as_str().into()),
            ("S", i64::try_from(self.size).unwrap_or(i64::MAX).into()),
            ("M", self.mode.into()),
            ("T", Value::Nil),
        ])
    }
}
