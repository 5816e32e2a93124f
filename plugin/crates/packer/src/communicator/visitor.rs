//! The bridge from Packer's communicators to [`machine::Communicator`](reseal_machine::Communicator): our own guest
//! operations in a machine that another builder made.
//!
//! The other builder's communicator knows commands and files only. So an operation goes there as a file, its input as
//! another one, and a small script ([`VISITOR`]) carries it out and prints the answer on a marked line. All of it lies in one
//! folder, which [`Visitor::leave`] removes.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reseal_machine::communicator::{
    Blob, Exit, OutputSink, Probe, Progress, Script, Silent, Store, Stream, Transferred,
};
use reseal_machine::{CommError, Communicator as Machine};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Communicator, FileInfo, Pipes};
use crate::rpc::BoxError;

/// What carries a request out in the guest.
pub const VISITOR: &str = include_str!("../../scripts/visitor.ps1");

/// The line that holds an answer begins so.
const MARK: &str = "##reseal:result:";
/// What `powershell.exe` ends with when there is no such script, with and without a sign.
const NO_FILE: [i64; 2] = [-196_608, 0xFFFD_0000];
/// An answer is no longer than this.
const LONGEST: usize = 32 << 20;
/// Bytes at a time.
const PIECE: usize = 64 * 1024;
/// Lines of a script that are kept for the message when it gives no answer.
const TAIL: usize = 20;
/// How long a look may take.
const LOOK: Duration = Duration::from_mins(1);
/// How long any other request may take; what takes longer runs detached in the guest.
const REQUEST: Duration = Duration::from_hours(2);

/// Our way through somebody else's connection.
pub struct Visitor {
    remote: Arc<dyn Communicator>,
    folder: String,
    /// What was brought there, by name.
    brought: Mutex<BTreeSet<String>>,
    requests: AtomicU64,
}

/// What a request consists of.
struct Request<'a> {
    /// The visitor's word for it.
    what: &'static str,
    /// The operation, when it is one.
    script: Option<Script>,
    /// The request's own text.
    input: Option<&'a str>,
    /// How long it may take.
    limit: Duration,
}

#[derive(Deserialize)]
struct Looked {
    boot_time: String,
    #[serde(default)]
    boot_id: Option<u64>,
    computer_name: String,
}

#[derive(Deserialize)]
struct Compared {
    equal: bool,
    #[serde(default)]
    sha256: String,
}

impl Visitor {
    /// A way through `remote`, with a folder of the guest's that is nobody else's, e.g.
    /// `C:\Windows\Temp\reseal-1b2c`; no blanks in it.
    pub fn new(remote: Arc<dyn Communicator>, folder: impl Into<String>) -> Self {
        Self {
            remote,
            folder: folder.into(),
            brought: Mutex::default(),
            requests: AtomicU64::new(0),
        }
    }

    /// Removes the folder.
    pub async fn leave(&self) {
        let line = format!("cmd.exe /c rmdir /s /q {}", self.folder).as_str().into();
        let cancel = CancellationToken::new();
        let gone = timeout(LOOK, self.remote.run(&line, Pipes::default(), &cancel)).await;
        if !matches!(gone, Ok(Ok(_))) {
            tracing::debug!(folder = self.folder, "The folder in the guest could not be removed");
        }
    }

    /// Brings a text there once, and says where it is.
    async fn bring(&self, name: &str, text: &str, cancel: &CancellationToken) -> Result<String, CommError> {
        let path = format!("{}\\{name}", self.folder);
        let known = self
            .brought
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(name);
        if !known {
            self.put(&path, text.as_bytes(), cancel).await?;
            let mut brought = self.brought.lock().unwrap_or_else(PoisonError::into_inner);
            brought.insert(name.to_owned());
        }
        Ok(path)
    }

    async fn put(&self, path: &str, bytes: &[u8], cancel: &CancellationToken) -> Result<(), CommError> {
        let name = path.rsplit('\\').next().unwrap_or(path);
        let info = FileInfo {
            name: name.to_owned(),
            size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            mode: 0o600,
        };
        let from = Box::new(io::Cursor::new(bytes.to_vec()));
        let sent = self.remote.upload(path, from, Some(info), cancel);
        bounded(REQUEST, "an upload", cancel, sent)
            .await?
            .map_err(|error| unreached(error.as_ref()))
    }

    /// Carries a request out and gives its whole answer. Who cleans up temporary files may have taken ours: then they are
    /// brought again.
    async fn ask(
        &self,
        request: Request<'_>,
        sink: &dyn OutputSink,
        cancel: &CancellationToken,
    ) -> Result<Json, CommError> {
        let name = request.script.map_or(request.what, |script| script.name);
        let mut heard = self.try_once(&request, sink, cancel).await?;
        if heard.missing {
            self.brought.lock().unwrap_or_else(PoisonError::into_inner).clear();
            heard = self.try_once(&request, sink, cancel).await?;
        }
        heard.answer(name)
    }

    async fn try_once(
        &self,
        request: &Request<'_>,
        sink: &dyn OutputSink,
        cancel: &CancellationToken,
    ) -> Result<Heard, CommError> {
        let visitor = self.bring("visitor.ps1", VISITOR, cancel).await?;
        let mut line = format!(
            "powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -File {visitor} -Do {}",
            request.what
        );
        if let Some(script) = request.script {
            let sum = hex(&Sha256::digest(script.text));
            let head = sum.split_at_checked(12).map_or("", |(head, _)| head);
            let path = self
                .bring(&format!("{}-{head}.ps1", script.name), script.text, cancel)
                .await?;
            line.push_str(&format!(" -Name {} -Script {path}", script.name));
        }
        if let Some(input) = request.input {
            let number = self.requests.fetch_add(1, Ordering::Relaxed);
            let path = format!("{}\\input-{number}.json", self.folder);
            self.put(&path, input.as_bytes(), cancel).await?;
            line.push_str(&format!(" -InputFile {path}"));
        }
        self.hear(&line, request.limit, sink, cancel).await
    }

    /// Runs a script and reads its answer.
    async fn hear(
        &self,
        line: &str,
        limit: Duration,
        sink: &dyn OutputSink,
        cancel: &CancellationToken,
    ) -> Result<Heard, CommError> {
        let (ran, mut heard, complaints) = self.converse(line, limit, sink, cancel).await?;
        match ran {
            Ok(code) => {
                heard.missing = heard.answer.is_none() && NO_FILE.contains(&code);
                heard.tail.extend(complaints.tail);
                Ok(heard)
            }
            // An answer that came before the connection went is an answer.
            Err(_) if heard.answer.is_some() => Ok(heard),
            Err(error) => Err(CommError::Lost {
                started: true,
                doing: "running a script".to_owned(),
                source: Some(error.to_string().into()),
            }),
        }
    }

    /// Runs a command to its end: its exit status, and what it printed to both pipes.
    async fn converse(
        &self,
        line: &str,
        limit: Duration,
        sink: &dyn OutputSink,
        cancel: &CancellationToken,
    ) -> Result<(Result<i64, BoxError>, Heard, Heard), CommError> {
        let (stdout, out) = tokio::io::duplex(PIECE);
        let (stderr, err) = tokio::io::duplex(PIECE);
        let pipes = Pipes {
            stdin: None,
            stdout: Some(Box::new(stdout)),
            stderr: Some(Box::new(stderr)),
        };
        let line = line.into();
        let running = self.remote.run(&line, pipes, cancel);
        let work = async { tokio::join!(running, listen(out, Stream::Out, sink), listen(err, Stream::Err, sink)) };
        bounded(limit, "the command", cancel, work).await
    }

    /// Asks about a file.
    async fn compare(
        &self,
        what: &'static str,
        path: &str,
        size: u64,
        sha256: &str,
        cancel: &CancellationToken,
    ) -> Result<Compared, CommError> {
        let input = json!({ "path": path, "size": size, "sha256": sha256 }).to_string();
        let request = Request {
            what,
            script: None,
            input: Some(&input),
            limit: REQUEST,
        };
        result(what, self.ask(request, &Silent, cancel).await?)
    }
}

#[async_trait]
impl Machine for Visitor {
    async fn probe(&self) -> Result<Probe, CommError> {
        let request = Request {
            what: "look",
            script: None,
            input: None,
            limit: LOOK,
        };
        let answer = self.ask(request, &Silent, &CancellationToken::new()).await;
        let answer = answer.map_err(|error| match error {
            CommError::Lost { source, .. } => {
                CommError::Unreachable(source.map_or_else(|| "no answer".to_owned(), |source| source.to_string()))
            }
            other => other,
        })?;
        let looked: Looked = result("look", answer)?;
        Ok(Probe {
            boot_time: looked.boot_time,
            boot_id: looked.boot_id,
            computer_name: looked.computer_name,
        })
    }

    async fn invoke(
        &self,
        script: Script,
        input: &SecretString,
        sink: &dyn OutputSink,
        cancel: &CancellationToken,
    ) -> Result<Json, CommError> {
        let request = Request {
            what: "run",
            script: Some(script),
            input: Some(input.expose_secret()),
            limit: REQUEST,
        };
        self.ask(request, sink, cancel).await
    }

    async fn run(&self, command: &str, sink: &dyn OutputSink, cancel: &CancellationToken) -> Result<Exit, CommError> {
        let (ran, _, _) = self.converse(command, REQUEST, sink, cancel).await?;
        let code = ran.map_err(|error| unreached(error.as_ref()))?;
        // Windows' codes are unsigned, ours are not: the same 32 bits.
        let code = i32::try_from(code).or_else(|_| u32::try_from(code).map(u32::cast_signed));
        Ok(Exit {
            code: code.unwrap_or(-1),
        })
    }

    async fn upload(
        &self,
        from: &dyn Blob,
        to: &str,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Transferred, CommError> {
        let (size, sha256) = (from.len(), measured(from)?);
        let known = self.compare("state", to, size, &sha256, cancel).await?.equal;
        if !known {
            self.send(from, to, progress, cancel).await?;
            let finished = self.compare("finish", to, size, &sha256, cancel).await?;
            if !finished.equal {
                return Err(CommError::Checksum {
                    path: to.to_owned(),
                    expected: sha256,
                    found: finished.sha256,
                });
            }
        }
        progress.progress(size, size);
        Ok(Transferred {
            sent: if known { 0 } else { size },
            size,
            sha256,
            unchanged: known,
        })
    }

    async fn download(
        &self,
        from: &str,
        to: &mut dyn Store,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Transferred, CommError> {
        let (writer, reader) = tokio::io::duplex(PIECE);
        let fetching = self.remote.download(from, Box::new(writer), cancel);
        let work = async { tokio::join!(fetching, keep(reader, to, progress)) };
        let (fetched, kept) = bounded(REQUEST, "a download", cancel, work).await?;
        fetched.map_err(|error| unreached(error.as_ref()))?;
        let (size, sha256) = kept.map_err(|source| CommError::Local {
            path: from.to_owned(),
            source,
        })?;
        if !self.compare("state", from, size, &sha256, cancel).await?.equal {
            return Err(CommError::Checksum {
                path: from.to_owned(),
                expected: "what the guest has".to_owned(),
                found: sha256,
            });
        }
        Ok(Transferred {
            sent: size,
            size,
            sha256,
            unchanged: false,
        })
    }

    /// The connection is another's.
    async fn disconnect(&self) {}
}

impl Visitor {
    async fn send(
        &self,
        from: &dyn Blob,
        to: &str,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<(), CommError> {
        let (writer, reader) = tokio::io::duplex(PIECE);
        let part = format!("{to}.partial");
        let info = FileInfo {
            name: part.rsplit('\\').next().unwrap_or(&part).to_owned(),
            size: from.len(),
            mode: 0o600,
        };
        let sending = self.remote.upload(&part, Box::new(reader), Some(info), cancel);
        let work = async { tokio::join!(sending, feed(from, writer, progress)) };
        let (sent, fed) = bounded(REQUEST, "an upload", cancel, work).await?;
        sent.map_err(|error| unreached(error.as_ref()))?;
        fed.map_err(|source| CommError::Local {
            path: from.name(),
            source,
        })
    }
}

/// What was heard of a script.
#[derive(Default)]
struct Heard {
    answer: Option<String>,
    /// PowerShell did not find the script.
    missing: bool,
    tail: Vec<String>,
    too_long: bool,
}

impl Heard {
    fn answer(self, name: &str) -> Result<Json, CommError> {
        if self.too_long {
            return Err(CommError::Protocol(format!("the answer of `{name}` is too long")));
        }
        let none = || CommError::Script {
            script: name.to_owned(),
            message: "it gave no answer".to_owned(),
            tail: self.tail.clone(),
        };
        let text = self.answer.as_deref().ok_or_else(none)?;
        let wrong = |why: String| CommError::Protocol(format!("the answer of `{name}`: {why}"));
        let bytes = BASE64_STANDARD
            .decode(text.trim())
            .map_err(|error| wrong(error.to_string()))?;
        serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))
    }

    fn line(&mut self, line: &str, stream: Stream, sink: &dyn OutputSink) {
        if let Some(answer) = line.trim().strip_prefix(MARK) {
            self.answer = Some(answer.to_owned());
        } else if !line.trim().is_empty() {
            sink.output(stream, &format!("{line}\n"));
            self.tail.push(line.to_owned());
            let old = self.tail.len().saturating_sub(TAIL);
            self.tail.drain(..old);
        }
    }
}

/// Reads lines to the end, of any length up to the limit.
async fn listen(mut from: impl AsyncRead + Unpin, stream: Stream, sink: &dyn OutputSink) -> Heard {
    let (mut heard, mut line, mut piece) = (Heard::default(), Vec::new(), vec![0; PIECE]);
    while let Ok(count @ 1..) = from.read(&mut piece).await {
        for byte in piece.get(..count).unwrap_or_default() {
            match byte {
                b'\n' => heard.line(&text(&std::mem::take(&mut line)), stream, sink),
                _ if line.len() >= LONGEST => heard.too_long = true,
                byte => line.push(*byte),
            }
        }
    }
    if !line.is_empty() {
        heard.line(&text(&line), stream, sink);
    }
    heard
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\r').to_owned()
}

/// The result in an answer of the visitor's own.
fn result<T: DeserializeOwned>(name: &str, answer: Json) -> Result<T, CommError> {
    if answer.get("ok") != Some(&Json::Bool(true)) {
        let message = answer.pointer("/error/message").and_then(Json::as_str);
        return Err(CommError::Script {
            script: name.to_owned(),
            message: message.unwrap_or("it failed").to_owned(),
            tail: vec![],
        });
    }
    let result = answer.get("result").cloned().unwrap_or_default();
    serde_json::from_value(result).map_err(|error| CommError::Protocol(format!("the answer of `{name}`: {error}")))
}

fn unreached(error: &(dyn std::error::Error + 'static)) -> CommError {
    CommError::Unreachable(error.to_string())
}

/// Work with an end: by itself, by its limit, or because somebody asks to stop.
async fn bounded<T>(
    limit: Duration,
    what: &str,
    cancel: &CancellationToken,
    work: impl Future<Output = T>,
) -> Result<T, CommError> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(CommError::Cancelled),
        done = timeout(limit, work) => done.map_err(|_| CommError::TimedOut {
            what: what.to_owned(),
            limit: format!("{} seconds", limit.as_secs()),
        }),
    }
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The SHA-256 of a blob.
fn measured(blob: &dyn Blob) -> Result<String, CommError> {
    let (mut piece, mut offset, mut hash) = (vec![0; PIECE], 0, Sha256::new());
    let local = |source| CommError::Local {
        path: blob.name(),
        source,
    };
    loop {
        let count = blob.read_at(offset, &mut piece).map_err(local)?;
        if count == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(piece.get(..count).unwrap_or_default());
        offset += u64::try_from(count).unwrap_or(0);
    }
}

async fn feed(blob: &dyn Blob, mut to: impl AsyncWrite + Unpin, progress: &dyn Progress) -> io::Result<()> {
    let (mut piece, mut offset) = (vec![0; PIECE], 0);
    loop {
        let count = blob.read_at(offset, &mut piece)?;
        // A reader that went away tells why itself.
        if count == 0 || to.write_all(piece.get(..count).unwrap_or_default()).await.is_err() {
            return Ok(());
        }
        offset += u64::try_from(count).unwrap_or(0);
        progress.progress(offset, blob.len());
    }
}

async fn keep(
    mut from: impl AsyncRead + Unpin,
    to: &mut dyn Store,
    progress: &dyn Progress,
) -> io::Result<(u64, String)> {
    let (mut piece, mut hash, mut size) = (vec![0; PIECE], Sha256::new(), 0);
    loop {
        let count = from.read(&mut piece).await?;
        if count == 0 {
            return Ok((size, hex(&hash.finalize())));
        }
        let bytes = piece.get(..count).unwrap_or_default();
        hash.update(bytes);
        to.append(bytes)?;
        size += u64::try_from(count).unwrap_or(0);
        progress.progress(size, size);
    }
}

#[cfg(test)]
mod tests;
