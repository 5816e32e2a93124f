//! The bridge from [`machine::Communicator`](reseal_machine::Communicator) to Packer's provisioners.
//!
//! What a provisioner uploads comes as a stream that can be read once; our transfers want to read at any place, to hash
//! first and to resume. So a stream is stored first, by means of [`Local`], which the binary implements: nothing here
//! touches a file system.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use reseal_machine::Communicator as Machine;
use reseal_machine::communicator::{Blob, OutputSink, Silent, Store, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Communicator, FileInfo, Pipes, Reader, Writer};
use crate::msgpack::Text;
use crate::rpc::BoxError;

/// Bytes at a time.
const PIECE: usize = 64 * 1024;
/// Pieces of output that wait for a provisioner to read them. What comes on top is lost, and a note says so.
const MAX_PIECES: usize = 4096;
/// The note.
const LOST: &str = "\n[output was lost: it came faster than it was read]\n";

/// What the bridge needs of the machine that Packer runs on. Calls may block for as long as a local disk does.
pub trait Local: Send + Sync {
    /// A place for a stream that has to be read more than once; gone when it is dropped.
    fn spool(&self, name: &str) -> io::Result<Box<dyn Spool>>;

    /// All files below a folder that no pattern excludes.
    fn walk(&self, folder: &str, exclude: &[String]) -> io::Result<Vec<LocalFile>>;

    /// Opens a file.
    fn open(&self, path: &str) -> io::Result<Box<dyn Blob>>;
}

/// A file below a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalFile {
    /// Where it is.
    pub path: String,
    /// Its path from the folder, with `/`.
    pub relative: String,
}

/// Bytes on their way.
pub trait Spool: Send {
    /// Appends.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Everything that was appended.
    fn finish(self: Box<Self>) -> io::Result<Box<dyn Blob>>;
}

/// A machine of ours for provisioners of Packer's.
#[derive(Clone)]
pub struct Guest {
    machine: Arc<dyn Machine>,
    local: Arc<dyn Local>,
}

impl Guest {
    /// Bridges.
    pub fn new(machine: Arc<dyn Machine>, local: Arc<dyn Local>) -> Self {
        Self { machine, local }
    }

    async fn send(&self, blob: &dyn Blob, to: &str, cancel: &CancellationToken) -> Result<(), BoxError> {
        self.machine.upload(blob, to, &Silent, cancel).await?;
        Ok(())
    }

    /// A path as templates write it in the machine's own form: `/` is as good as `\`, and variables of the machine's
    /// environment may stand in it.
    async fn place(&self, path: &str, cancel: &CancellationToken) -> Result<String, BoxError> {
        let path = path.replace('/', "\\");
        let Some(line) = question(&path) else { return Ok(path) };
        let heard = Heard::default();
        self.machine.run(&line, &heard, cancel).await?;
        let answer = heard.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        match answer.trim() {
            "" => Err(format!("the machine does not say where {path} is").into()),
            place => Ok(place.to_owned()),
        }
    }
}

/// The command that fills the variables of a path in: `$env:TEMP`, `${env:TEMP}` and `%TEMP%` are the same.
fn question(path: &str) -> Option<String> {
    if !path.to_ascii_lowercase().contains("$env:") && !path.contains("${env:") && path.matches('%').count() < 2 {
        return None;
    }
    let mut line = "echo ".to_owned();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('$') {
        line.push_str(before);
        let braced = after.strip_prefix('{');
        let named = braced.unwrap_or(after);
        let prefix = named
            .split_at_checked(4)
            .filter(|(word, _)| word.eq_ignore_ascii_case("env:"));
        let Some((_, named)) = prefix else {
            line.push('$');
            rest = after;
            continue;
        };
        let fits = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let end = named.find(|character| !fits(character)).unwrap_or(named.len());
        let (name, after) = named.split_at_checked(end).unwrap_or((named, ""));
        line.push_str(&format!("%{name}%"));
        rest = if braced.is_some() {
            after.strip_prefix('}').unwrap_or(after)
        } else {
            after
        };
    }
    line.push_str(rest);
    Some(line)
}

/// What a short command prints.
#[derive(Default)]
struct Heard(Mutex<String>);

impl OutputSink for Heard {
    fn output(&self, stream: Stream, text: &str) {
        if stream == Stream::Out {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push_str(text);
        }
    }
}

#[async_trait]
impl Communicator for Guest {
    async fn run(&self, command: &Text, pipes: Pipes, cancel: &CancellationToken) -> Result<i64, BoxError> {
        let (sender, pieces) = mpsc::channel(MAX_PIECES);
        let sink = Sink {
            pieces: sender,
            lost: AtomicBool::new(false),
        };
        let command = command.to_string();
        let running = async {
            let exit = self.machine.run(&command, &sink, cancel).await;
            sink.finish().await;
            exit
        };
        let (exit, ()) = tokio::join!(running, forward(pieces, pipes));
        Ok(i64::from(exit?.code))
    }

    async fn upload(
        &self,
        to: &str,
        mut from: Reader,
        info: Option<FileInfo>,
        cancel: &CancellationToken,
    ) -> Result<(), BoxError> {
        let to = destination(&self.place(to, cancel).await?, info.as_ref())?;
        let mut spool = self.local.spool(&to)?;
        let mut piece = vec![0; PIECE];
        loop {
            let count = tokio::select! {
                count = from.read(&mut piece) => count?,
                () = cancel.cancelled() => return Err("cancelled".into()),
            };
            if count == 0 {
                break;
            }
            spool.append(piece.get(..count).unwrap_or_default())?;
        }
        let blob = spool.finish()?;
        self.send(blob.as_ref(), &to, cancel).await
    }

    async fn upload_folder(
        &self,
        to: &str,
        from: &str,
        exclude: &[String],
        cancel: &CancellationToken,
    ) -> Result<(), BoxError> {
        let to = folder_destination(&self.place(to, cancel).await?, from);
        for file in self.local.walk(from, exclude)? {
            let blob = self.local.open(&file.path)?;
            let to = format!("{to}\\{}", file.relative.replace('/', "\\"));
            self.send(blob.as_ref(), &to, cancel).await?;
        }
        Ok(())
    }

    async fn download(&self, from: &str, mut to: Writer, cancel: &CancellationToken) -> Result<(), BoxError> {
        let from = self.place(from, cancel).await?;
        let mut store = Stored(self.local.spool(&from)?);
        self.machine.download(&from, &mut store, &Silent, cancel).await?;
        let blob = store.0.finish()?;
        let mut piece = vec![0; PIECE];
        let mut offset = 0;
        loop {
            let count = blob.read_at(offset, &mut piece)?;
            if count == 0 {
                break;
            }
            to.write_all(piece.get(..count).unwrap_or_default()).await?;
            offset += u64::try_from(count)?;
        }
        to.shutdown().await?;
        Ok(())
    }

    async fn download_folder(
        &self,
        _from: &str,
        _to: &str,
        _exclude: &[String],
        _cancel: &CancellationToken,
    ) -> Result<(), BoxError> {
        // Packer's own communicator for Windows says the same, and templates are written for it.
        Err("WinRM doesn't support download dir.".into())
    }
}

/// Takes output where nobody may wait.
struct Sink {
    pieces: mpsc::Sender<(Stream, String)>,
    lost: AtomicBool,
}

impl OutputSink for Sink {
    fn output(&self, stream: Stream, text: &str) {
        if self.pieces.try_send((stream, text.to_owned())).is_err() {
            self.lost.store(true, Ordering::Relaxed);
        }
    }
}

impl Sink {
    async fn finish(self) {
        if self.lost.load(Ordering::Relaxed) {
            let _ = self.pieces.send((Stream::Err, LOST.to_owned())).await;
        }
    }
}

/// Passes output on until there is no more. A provisioner that does not want it is no reason to stop the command.
async fn forward(mut pieces: mpsc::Receiver<(Stream, String)>, mut pipes: Pipes) {
    while let Some((stream, text)) = pieces.recv().await {
        let pipe = match stream {
            Stream::Out => &mut pipes.stdout,
            Stream::Err => &mut pipes.stderr,
        };
        if let Some(writer) = pipe
            && writer.write_all(text.as_bytes()).await.is_err()
        {
            *pipe = None;
        }
    }
}

/// A spool as the place of a download.
struct Stored(Box<dyn Spool>);

impl Store for Stored {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.append(bytes)
    }
}

/// A name that ends with `\` is a folder, to which the file's own name is added.
fn destination(to: &str, info: Option<&FileInfo>) -> Result<String, BoxError> {
    match (to.ends_with('\\'), info) {
        (false, _) => Ok(to.to_owned()),
        (true, Some(info)) => Ok(format!("{to}{}", info.name)),
        (true, None) => Err(format!("{to} is a folder, and the file to upload has no name").into()),
    }
}

/// The folder's own name is added unless the user wrote `folder/`.
fn folder_destination(to: &str, from: &str) -> String {
    let to = to.trim_end_matches(['/', '\\']);
    let separators: &[char] = if cfg!(windows) { &['/', '\\'] } else { &['/'] };
    match from.rsplit(separators).next() {
        Some(name) if !name.is_empty() => format!("{to}\\{name}"),
        _ => to.to_owned(),
    }
}

#[cfg(test)]
mod tests;
