//! The calling side.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, oneshot};

use super::CallError;
use crate::msgpack::{MessageReader, MsgpackError, Value};

/// Calls that may be queued for writing.
const QUEUE: usize = 16;

type Answer = oneshot::Sender<Result<Value, CallError>>;

/// Calls the other side on one stream. Cheap to clone; the stream is closed when the last clone is gone.
#[derive(Clone)]
pub(crate) struct Client {
    requests: mpsc::Sender<Vec<u8>>,
    pending: Arc<Mutex<Pending>>,
}

#[derive(Default)]
struct Pending {
    /// The next sequence number.
    next: u64,
    calls: HashMap<u64, Answer>,
    /// No answers come any more.
    over: bool,
}

impl Client {
    /// Takes over a stream. Must be called within a tokio runtime.
    pub(crate) fn new<S>(stream: S) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (reader, writer) = tokio::io::split(stream);
        let (requests, queue) = mpsc::channel(QUEUE);
        let pending = Arc::default();
        tokio::spawn(write(writer, queue));
        tokio::spawn(read(reader, Arc::clone(&pending)));
        Self { requests, pending }
    }

    /// Calls `Service.Method` and waits for the answer, however long it takes: it may be a person's.
    pub(crate) async fn call(&self, method: &str, argument: &Value) -> Result<Value, CallError> {
        let (answer, result) = oneshot::channel();
        let seq = self.register(answer)?;
        let header = [
            ("ServiceMethod", method.into()),
            ("Seq", Value::Int(i64::try_from(seq).unwrap_or_default())),
        ];
        let mut message = Value::record(header).to_bytes();
        argument.write(&mut message);
        self.requests.send(message).await.map_err(|_| CallError::Gone)?;
        result.await.unwrap_or(Err(CallError::Gone))
    }

    fn register(&self, answer: Answer) -> Result<u64, CallError> {
        let mut pending = lock(&self.pending);
        if pending.over {
            return Err(CallError::Gone);
        }
        let seq = pending.next;
        pending.next += 1;
        pending.calls.insert(seq, answer);
        Ok(seq)
    }
}

fn lock(pending: &Mutex<Pending>) -> MutexGuard<'_, Pending> {
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whole messages, so that a caller who stops waiting cannot leave half of one on the wire.
async fn write<S: AsyncWrite>(mut stream: WriteHalf<S>, mut queue: mpsc::Receiver<Vec<u8>>) {
    while let Some(message) = queue.recv().await {
        if stream.write_all(&message).await.is_err() {
            return;
        }
    }
    let _ = stream.shutdown().await;
}

async fn read<S: AsyncRead>(stream: ReadHalf<S>, pending: Arc<Mutex<Pending>>) {
    let mut messages = MessageReader::new(stream);
    if let Err(error) = answers(&mut messages, &pending).await {
        tracing::debug!(%error, "answers end");
    }
    let mut pending = lock(&pending);
    pending.over = true;
    pending.calls.clear();
}

async fn answers<R: AsyncRead + Unpin>(
    messages: &mut MessageReader<R>,
    pending: &Mutex<Pending>,
) -> Result<(), MsgpackError> {
    while let Some(header) = messages.next().await? {
        let body = messages.next().await?.ok_or(MsgpackError::Truncated)?;
        let Some(seq) = header.field("Seq").map_or(Some(0), Value::as_u64) else {
            continue;
        };
        let Some(answer) = lock(pending).calls.remove(&seq) else {
            continue;
        };
        let error = header.field("Error").and_then(Value::as_text).map(ToString::to_string);
        let result = match error {
            Some(error) if !error.is_empty() => Err(CallError::Remote(error)),
            _ => Ok(body),
        };
        let _ = answer.send(result);
    }
    Ok(())
}
