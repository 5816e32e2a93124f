//! The communicator itself.

use std::sync::Arc;

use async_trait::async_trait;
use reseal_machine::clock::elapsed;
use reseal_machine::communicator::{Blob, Exit, OutputSink, Probe, Progress, Script, Store, Stream, Transferred};
use reseal_machine::{CommError, Communicator};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::client::Client;
use crate::clixml;
use crate::config::{ConfigError, WinRmConfig};
use crate::error::Error;
use crate::operations::{PROBE, ProbeResult};
use crate::runner::{Call, Reply};
use crate::session::Session;
use crate::shell::{Process, Utf8, streams};
use crate::soap::Received;
use crate::stats::{Counters, Stats};
use crate::transfer;

/// A Windows guest behind its WinRM service.
///
/// Dropping it does not close what it has open in the guest (the guest does that when it has been idle for half an
/// hour); [`Communicator::disconnect`] does.
pub struct WinRm {
    session: Session,
    counters: Arc<Counters>,
}

impl WinRm {
    /// Prepares a client; nothing is sent before the first call. Only `Trust::System` reads something: the roots.
    ///
    /// # Errors
    /// [`ConfigError`] when no safe client can be made of the configuration.
    pub fn new(config: WinRmConfig) -> Result<Self, ConfigError> {
        let counters = Arc::new(Counters::default());
        let client = Client::new(config, Arc::clone(&counters))?;
        Ok(Self {
            session: Session::new(client),
            counters,
        })
    }

    /// What went over the wire so far.
    pub fn stats(&self) -> Stats {
        self.counters.snapshot()
    }

    /// Runs work until it is done or cancelled; what it left open is closed then.
    async fn until_cancelled<T>(
        &self,
        cancel: &CancellationToken,
        work: impl Future<Output = Result<T, CommError>> + Send,
    ) -> Result<T, CommError> {
        tokio::select! {
            result = work => return result,
            () = cancel.cancelled() => {}
        }
        self.session.client.bury().await;
        Err(CommError::Cancelled)
    }

    async fn run_line(&self, command: &str, sink: &dyn OutputSink) -> Result<Exit, CommError> {
        let client = &self.session.client;
        let lost = |error: Error, started| error.into_comm_started("running a command", started);
        let started = |error: Error| {
            let started = error.perhaps_started();
            lost(error, started)
        };
        let mut process = Process::start_line(client, command).await.map_err(started)?;
        let begun = client.config.clock.now();
        let mut output = Output {
            sink,
            out: Utf8::default(),
            errors: clixml::Decoder::default(),
        };
        loop {
            let received = process.receive().await.map_err(|error| lost(error, true))?;
            if process.take_gap() {
                tracing::warn!("A connection was lost; some of the command's output may be missing");
            }
            output.take(&received);
            if let Some(code) = received.exit {
                output.finish();
                process.finish().await;
                return Ok(Exit { code });
            }
            if elapsed(client.config.clock.as_ref(), begun) > client.config.call_limit {
                process.finish().await;
                let limit = format!("{:?}", client.config.call_limit);
                return Err(CommError::TimedOut {
                    what: "the command".to_owned(),
                    limit,
                });
            }
        }
    }
}

#[async_trait]
impl Communicator for WinRm {
    async fn probe(&self) -> Result<Probe, CommError> {
        let asked = self.session.ask_once(PROBE, &serde_json::json!({})).await;
        let result: ProbeResult = asked.map_err(|error| match error {
            // A guest that hangs is as good as away: whoever waits for it looks again.
            CommError::TimedOut { what, limit } => {
                CommError::Unreachable(format!("the guest's PowerShell did not answer {what} within {limit}"))
            }
            other => other,
        })?;
        Ok(result.into())
    }

    async fn invoke(
        &self,
        script: Script,
        input: &SecretString,
        sink: &dyn OutputSink,
        cancel: &CancellationToken,
    ) -> Result<Value, CommError> {
        let call = Call {
            name: script.name,
            text: script.text,
            input: input.expose_secret(),
            limit: self.session.client.config.call_limit,
        };
        let replies = self
            .session
            .operate(&[call], sink, cancel)
            .await
            .map_err(|failure| failure.into_comm(script.name))?;
        let reply = replies.into_iter().next().unwrap_or(Reply {
            answer: None,
            tail: Vec::new(),
        });
        whole_answer(script.name, &reply)
    }

    async fn run(&self, command: &str, sink: &dyn OutputSink, cancel: &CancellationToken) -> Result<Exit, CommError> {
        self.until_cancelled(cancel, self.run_line(command, sink)).await
    }

    async fn upload(
        &self,
        from: &dyn Blob,
        to: &str,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Transferred, CommError> {
        self.until_cancelled(cancel, Box::pin(transfer::upload(&self.session, from, to, progress)))
            .await
    }

    async fn download(
        &self,
        from: &str,
        to: &mut dyn Store,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Transferred, CommError> {
        self.until_cancelled(cancel, Box::pin(transfer::download(&self.session, from, to, progress)))
            .await
    }

    async fn disconnect(&self) {
        self.session.close().await;
    }
}

/// The script's own answer; the runner's word that there was none is an error.
fn whole_answer(name: &str, reply: &Reply) -> Result<Value, CommError> {
    let none = |message: &str| CommError::Script {
        script: name.to_owned(),
        message: message.to_owned(),
        tail: reply.tail.clone(),
    };
    let answer = reply.answer.as_ref().ok_or_else(|| none("it gave no answer"))?;
    let kind = answer.pointer("/error/kind").and_then(Value::as_str);
    if kind == Some("no_result") {
        return Err(none("it ended without a result"));
    }
    Ok(answer.clone())
}

/// A command's output on its way to the caller.
struct Output<'a> {
    sink: &'a dyn OutputSink,
    out: Utf8,
    errors: clixml::Decoder,
}

impl Output<'_> {
    fn take(&mut self, received: &Received) {
        for (stream, bytes) in streams(received) {
            match stream {
                Stream::Out => {
                    let text = self.out.feed(bytes);
                    self.text(Stream::Out, &text);
                }
                Stream::Err => {
                    let messages = self.errors.feed(bytes);
                    self.messages(&messages);
                }
            }
        }
    }

    fn finish(&mut self) {
        let rest = self.out.finish();
        self.text(Stream::Out, &rest);
        let messages = self.errors.finish();
        self.messages(&messages);
    }

    fn messages(&self, messages: &[clixml::Message]) {
        for message in messages {
            self.text(Stream::Err, &message.display());
        }
    }

    fn text(&self, stream: Stream, text: &str) {
        if !text.is_empty() {
            self.sink.output(stream, text);
        }
    }
}
