//! A PowerShell process of ours that stays: started by the bootstrap, fed with frames, read by marked lines.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reseal_machine::communicator::Stream;
use serde_json::Value;

use crate::client::Client;
use crate::clixml;
use crate::error::Error;
use crate::frame;
use crate::lines::{Line, Lines};
use crate::shell::{Process, streams};
use crate::soap::Received;

const BOOTSTRAP: &str = include_str!("../scripts/bootstrap.ps1");
const POWERSHELL: &str = "powershell.exe";
const SWITCHES: &str =
    "-NoProfile -NonInteractive -ExecutionPolicy Bypass -InputFormat None -OutputFormat Text -EncodedCommand ";

/// What a resident process says.
#[derive(Debug, PartialEq)]
pub(crate) enum Event {
    /// Text of its output or of its errors.
    Text(Stream, String),
    /// The process is up.
    Ready(Value),
    /// The answer of an operation.
    Result(Value),
    /// A request has been dealt with.
    End(u64),
    /// The process has ended.
    Exit(i32),
}

/// The process.
pub(crate) struct Resident {
    process: Process,
    lines: Lines,
    errors: clixml::Decoder,
    /// The script, until the first frame takes it along.
    unsent: Vec<u8>,
}

impl Resident {
    /// Starts the process. Its script goes with the first frame, so that starting costs no message of its own.
    pub(crate) async fn start(client: &Arc<Client>, script: &str) -> Result<Self, Error> {
        let process = Process::start(client, POWERSHELL, &arguments()).await?;
        Ok(Self {
            process,
            lines: Lines::default(),
            errors: clixml::Decoder::default(),
            unsent: frame::script(script),
        })
    }

    /// How many bytes go along with the next [`Resident::send`] anyway.
    pub(crate) fn unsent(&self) -> usize {
        self.unsent.len()
    }

    /// Writes bytes to the process.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.unsent.is_empty() {
            return self.process.send(bytes).await;
        }
        let mut all = std::mem::take(&mut self.unsent);
        all.extend_from_slice(bytes);
        self.process.send(&all).await
    }

    /// Waits for news once; none when the process has been silent for the operation timeout.
    pub(crate) async fn receive(&mut self) -> Result<Vec<Event>, Error> {
        if let Some(code) = self.process.exit() {
            return Ok(vec![Event::Exit(code)]);
        }
        let received = self.process.receive().await?;
        Ok(self.read(&received))
    }

    fn read(&mut self, received: &Received) -> Vec<Event> {
        let mut events = Vec::new();
        for (stream, bytes) in streams(received) {
            match stream {
                Stream::Out => events.extend(self.lines.feed(bytes).into_iter().map(event)),
                Stream::Err => events.extend(self.errors.feed(bytes).iter().map(error_text)),
            }
        }
        if let Some(code) = received.exit {
            events.extend(self.lines.finish().into_iter().map(event));
            events.extend(self.errors.finish().iter().map(error_text));
            events.push(Event::Exit(code));
        }
        events
    }

    /// Whether an answer with output was lost since the last time this was asked.
    pub(crate) fn take_gap(&mut self) -> bool {
        self.process.take_gap()
    }

    /// Ends the process.
    pub(crate) async fn stop(self) {
        self.process.stop().await;
    }
}

fn event(line: Line) -> Event {
    match line {
        Line::Text(text) => Event::Text(Stream::Out, text),
        Line::Ready(value) => Event::Ready(value),
        Line::Result(value) => Event::Result(value),
        Line::End(id) => Event::End(id),
    }
}

fn error_text(message: &clixml::Message) -> Event {
    Event::Text(Stream::Err, message.display())
}

/// The bootstrap as PowerShell wants it on a command line: base64 of UTF-16.
fn arguments() -> String {
    let utf16: Vec<u8> = BOOTSTRAP.encode_utf16().flat_map(u16::to_le_bytes).collect();
    format!("{SWITCHES}{}", STANDARD.encode(utf16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_short_enough_for_any_shell() {
        assert!(arguments().len() < 8191, "{}", arguments().len());
        assert!(BOOTSTRAP.starts_with("# reseal:bootstrap/1\n"));
        assert!(BOOTSTRAP.is_ascii());
    }
}
