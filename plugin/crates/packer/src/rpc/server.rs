//! The answering side.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::msgpack::{MessageReader, MsgpackError, Text, Value};

/// Calls that may run at once on one stream; more are refused. Packer needs three.
const MAX_CALLS: usize = 64;
/// Answers that may be queued for writing.
const QUEUE: usize = 16;

/// Answers calls. The error is what the caller reads.
#[async_trait]
pub(crate) trait Service: Send + Sync + 'static {
    /// Answers `Service.Method`; `None` if this is not one of its methods.
    async fn call(&self, method: &str, argument: &Value, calls: &Calls) -> Option<Result<Value, String>>;
}

/// What a service may know about the stream it answers on.
#[derive(Clone)]
pub(crate) struct Calls {
    /// Cancelled when the caller is gone.
    pub(crate) gone: CancellationToken,
}

/// The error for a method that nobody offers, in Go's words.
fn unknown(method: &str) -> String {
    format!("rpc: can't find method {method}")
}

/// Answers calls on a stream until the caller ends it, waits for those that run, and closes the stream.
///
/// Every call runs in a task of its own: `Cancel` comes while `Run` is pending. `gone` is cancelled when no more calls
/// can come, so that those that run can finish.
pub(crate) async fn serve<S>(stream: S, services: Vec<Arc<dyn Service>>, gone: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let (reader, mut writer) = tokio::io::split(stream);
    let (answers, mut queue) = mpsc::channel::<Vec<u8>>(QUEUE);
    let writing = tokio::spawn(async move {
        while let Some(answer) = queue.recv().await {
            if writer.write_all(&answer).await.is_err() {
                return;
            }
        }
        let _ = writer.shutdown().await;
    });
    let server = Server {
        services: services.into(),
        answers,
        calls: Calls { gone: gone.clone() },
    };
    let mut running = JoinSet::new();
    if let Err(error) = server.requests(MessageReader::new(reader), &mut running).await {
        tracing::debug!(%error, "calls end");
    }
    gone.cancel();
    while running.join_next().await.is_some() {}
    drop(server);
    let _ = writing.await;
}

#[derive(Clone)]
struct Server {
    services: Arc<[Arc<dyn Service>]>,
    answers: mpsc::Sender<Vec<u8>>,
    calls: Calls,
}

impl Server {
    async fn requests<R: AsyncRead + Unpin>(
        &self,
        mut messages: MessageReader<R>,
        running: &mut JoinSet<()>,
    ) -> Result<(), MsgpackError> {
        while let Some(header) = messages.next().await? {
            let argument = messages.next().await?.ok_or(MsgpackError::Truncated)?;
            while running.try_join_next().is_some() {}
            let method = header
                .field("ServiceMethod")
                .and_then(Value::as_text)
                .cloned()
                .unwrap_or_default();
            let seq = header.field("Seq").cloned().unwrap_or(Value::Int(0));
            if running.len() >= MAX_CALLS {
                self.answer(&method, seq, Err("too many calls at once".to_owned()))
                    .await;
            } else {
                running.spawn(self.clone().handle(method, seq, argument));
            }
        }
        Ok(())
    }

    async fn handle(self, method: Text, seq: Value, argument: Value) {
        let name = method.to_string();
        let server = self.clone();
        // A task of its own, so that a panic in somebody's implementation becomes an answer.
        let answered = tokio::spawn(async move { server.find(&name, &argument).await });
        let result = answered
            .await
            .unwrap_or_else(|_| Err(format!("the plugin failed in {method}; its log says more")));
        self.answer(&method, seq, result).await;
    }

    async fn find(&self, method: &str, argument: &Value) -> Result<Value, String> {
        for service in self.services.iter() {
            if let Some(result) = service.call(method, argument, &self.calls).await {
                return result;
            }
        }
        Err(unknown(method))
    }

    async fn answer(&self, method: &Text, seq: Value, result: Result<Value, String>) {
        let (error, body) = match result {
            Ok(body) => (String::new(), body),
            Err(error) => (error, Value::Map(Vec::new())),
        };
        let header = [
            ("ServiceMethod", method.clone().into()),
            ("Seq", seq),
            ("Error", error.into()),
        ];
        let mut message = Value::record(header).to_bytes();
        body.write(&mut message);
        let _ = self.answers.send(message).await;
    }
}
