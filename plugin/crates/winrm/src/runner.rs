//! The resident runner: operations as frames in, answers as marked lines out.

use std::collections::HashSet;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reseal_machine::CommError;
use reseal_machine::clock::elapsed;
use reseal_machine::communicator::{OutputSink, Stream};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::client::Client;
use crate::error::Error;
use crate::frame::{self, RunnerHeader};
use crate::resident::{Event, Resident};

const SCRIPT: &str = include_str!("../scripts/runner.ps1");
/// How many of the last lines of output an error brings along.
const TAIL: usize = 20;
/// How many bytes of a line it keeps at the most.
const LINE: usize = 4096;
/// Silent Receives after which a runner that never was ready counts as lost.
const PATIENCE: u32 = 15;

/// One operation to run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) name: &'a str,
    pub(crate) text: &'a str,
    pub(crate) input: &'a str,
    /// How long it may take.
    pub(crate) limit: Duration,
}

/// What came of an operation.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The whole answer, if there was one.
    pub(crate) answer: Option<Value>,
    /// The last lines of output.
    pub(crate) tail: Vec<String>,
}

/// Why operations came to no end.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The exchange failed; `started` tells whether the operations may have begun.
    Exchange { error: Error, started: bool },
    /// The runner ended on its own.
    Died { code: i32, tail: Vec<String>, ready: bool },
    /// The runner ran the operations, but its answers were lost on the way.
    OutputLost,
    /// Somebody asked to stop.
    Cancelled,
    /// The limit of the calls was reached.
    TimedOut { limit: Duration },
}

impl Failure {
    /// Whether nothing was begun and a new runner may do better. A fault to a Send means that the process does not
    /// read any more, whatever the fault's number.
    pub(crate) fn worth_a_new_runner(&self) -> bool {
        matches!(self, Self::Exchange { error, started: false } if error.is_loss() || matches!(error, Error::Fault(_)))
    }

    /// Whether asking again, later and with a new runner, can help an operation that may be repeated.
    pub(crate) fn is_loss(&self) -> bool {
        match self {
            Self::Exchange { error, .. } => error.is_loss(),
            Self::OutputLost => true,
            Self::Died { ready, .. } => *ready,
            Self::Cancelled | Self::TimedOut { .. } => false,
        }
    }

    /// Whether nobody was there, so that good-byes are no use.
    pub(crate) fn is_unreachable(&self) -> bool {
        matches!(
            self,
            Self::Exchange {
                error: Error::Unreachable(_) | Error::Lost(_),
                ..
            }
        )
    }

    pub(crate) fn into_comm(self, name: &str) -> CommError {
        let doing = format!("running `{name}`");
        match self {
            Self::Exchange { error, started } => error.into_comm_started(&doing, started),
            Self::Died {
                code,
                tail,
                ready: false,
            } => CommError::Script {
                script: "runner".to_owned(),
                message: format!("PowerShell ended with code {code} before it was ready"),
                tail,
            },
            Self::Died { code, .. } => CommError::Lost {
                started: true,
                doing,
                source: Some(format!("the guest's PowerShell ended with code {code}").into()),
            },
            Self::OutputLost => CommError::Lost {
                started: true,
                doing,
                source: Some("an answer was lost on the way".into()),
            },
            Self::Cancelled => CommError::Cancelled,
            Self::TimedOut { limit } => CommError::TimedOut {
                what: format!("`{name}`"),
                limit: format!("{:#}", SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX)),
            },
        }
    }
}

/// The runner's process, and what it has been given.
pub(crate) struct Runner {
    client: Arc<Client>,
    resident: Resident,
    known: HashSet<String>,
    next_id: u64,
    ready: bool,
}

impl Runner {
    pub(crate) async fn start(client: &Arc<Client>) -> Result<Self, Error> {
        let resident = Resident::start(client, SCRIPT).await?;
        Ok(Self {
            client: Arc::clone(client),
            resident,
            known: HashSet::new(),
            next_id: 1,
            ready: false,
        })
    }

    /// Runs operations one after the other; they cost one Send together. After a failure the runner is of no more use.
    pub(crate) async fn run(
        &mut self,
        calls: &[Call<'_>],
        sink: &dyn OutputSink,
        cancel: &CancellationToken,
    ) -> Result<Vec<Reply>, Failure> {
        let mut pending = VecDeque::new();
        let mut frames = Zeroizing::new(Vec::new());
        for call in calls {
            pending.push_back(self.append(&mut frames, call));
        }
        tokio::select! {
            sent = self.resident.send(&frames) => sent.map_err(|error| {
                Failure::Exchange { started: error.perhaps_started(), error }
            })?,
            () = cancel.cancelled() => return Err(Failure::Cancelled),
        }
        let limit = calls.iter().map(|call| call.limit).sum();
        self.collect(pending, limit, sink, cancel).await
    }

    /// Writes one request; the script only if the runner does not have it yet.
    fn append(&mut self, frames: &mut Vec<u8>, call: &Call<'_>) -> u64 {
        let id = self.take_id();
        let sha256 = hex::encode(Sha256::digest(call.text));
        let script = if self.known.insert(sha256.clone()) {
            call.text
        } else {
            ""
        };
        let input = Zeroizing::new(frame::ascii(call.input));
        let header = RunnerHeader {
            id,
            op: call.name,
            sha256: &sha256,
            script: script.len(),
            input: input.len(),
        };
        frames.extend_from_slice(&frame::header(&header));
        frames.extend_from_slice(script.as_bytes());
        frames.extend_from_slice(input.as_bytes());
        id
    }

    fn take_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    async fn collect(
        &mut self,
        mut pending: VecDeque<u64>,
        limit: Duration,
        sink: &dyn OutputSink,
        cancel: &CancellationToken,
    ) -> Result<Vec<Reply>, Failure> {
        let begun = self.client.config.clock.now();
        let mut silent = 0;
        let mut gathered = Gathered {
            sink,
            answer: None,
            tail: Tail::default(),
            replies: Vec::new(),
        };
        while !pending.is_empty() {
            let events = tokio::select! {
                events = self.resident.receive() => events,
                () = cancel.cancelled() => return Err(Failure::Cancelled),
            };
            let events = events.map_err(|error| Failure::Exchange { error, started: true })?;
            silent = if events.is_empty() { silent + 1 } else { 0 };
            if !self.ready && silent > PATIENCE {
                let error = Error::Lost("PowerShell does not get ready".to_owned());
                return Err(Failure::Exchange { error, started: true });
            }
            for event in events {
                self.ready |= matches!(event, Event::Ready(_));
                gathered.take(event, &mut pending, self.ready)?;
            }
            if self.resident.take_gap() {
                self.synchronise().await?;
            }
            self.check_limit(begun, limit)?;
        }
        Ok(gathered.replies)
    }

    /// Asks for a sign that comes after everything that is under way; see [`Failure::OutputLost`].
    async fn synchronise(&mut self) -> Result<(), Failure> {
        let header = RunnerHeader {
            id: self.take_id(),
            op: "sync",
            sha256: "",
            script: 0,
            input: 0,
        };
        self.resident
            .send(&frame::header(&header))
            .await
            .map_err(|error| Failure::Exchange { error, started: true })
    }

    fn check_limit(&self, begun: Timestamp, limit: Duration) -> Result<(), Failure> {
        if elapsed(self.client.config.clock.as_ref(), begun) > limit {
            Err(Failure::TimedOut { limit })
        } else {
            Ok(())
        }
    }

    pub(crate) async fn stop(self) {
        self.resident.stop().await;
    }
}

/// What has come so far of some operations.
struct Gathered<'a> {
    sink: &'a dyn OutputSink,
    answer: Option<Value>,
    tail: Tail,
    replies: Vec<Reply>,
}

impl Gathered<'_> {
    fn take(&mut self, event: Event, pending: &mut VecDeque<u64>, ready: bool) -> Result<(), Failure> {
        match event {
            Event::Text(stream, text) => self.text(stream, &text),
            Event::Ready(about) => tracing::debug!(%about, "The runner is ready"),
            Event::Result(answer) => {
                self.answer.get_or_insert(answer);
            }
            Event::End(id) => return self.end(id, pending),
            Event::Exit(code) => {
                return Err(Failure::Died {
                    code,
                    tail: self.tail.take(),
                    ready,
                });
            }
        }
        Ok(())
    }

    fn text(&mut self, stream: Stream, text: &str) {
        self.sink.output(stream, text);
        self.tail.push(text);
    }

    fn end(&mut self, id: u64, pending: &mut VecDeque<u64>) -> Result<(), Failure> {
        match pending.front() {
            Some(&expected) if id == expected => {
                pending.pop_front();
                self.replies.push(Reply {
                    answer: self.answer.take(),
                    tail: self.tail.take(),
                });
                Ok(())
            }
            // What comes before the late sign of an earlier call is not ours.
            Some(&expected) if id < expected => {
                self.answer = None;
                self.tail.take();
                Ok(())
            }
            Some(_) => Err(Failure::OutputLost),
            None => Ok(()),
        }
    }
}

/// The last lines of some text, and of each no more than its last characters: a program that draws its progress writes
/// one line for hours.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    lines: VecDeque<String>,
    open: bool,
}

impl Tail {
    pub(crate) fn push(&mut self, text: &str) {
        for piece in text.split_inclusive('\n') {
            let bare = piece.trim_end_matches(['\r', '\n']);
            match self.lines.back_mut() {
                Some(line) if self.open => line.push_str(bare),
                _ => self.lines.push_back(bare.to_owned()),
            }
            if let Some(line) = self.lines.back_mut().filter(|line| line.len() > LINE) {
                let cut = line.len() - LINE;
                *line = line
                    .char_indices()
                    .filter(|(at, _)| *at >= cut)
                    .map(|(_, c)| c)
                    .collect();
            }
            self.open = !piece.ends_with('\n');
            if self.lines.len() > TAIL {
                self.lines.pop_front();
            }
        }
    }

    pub(crate) fn take(&mut self) -> Vec<String> {
        self.open = false;
        std::mem::take(&mut self.lines).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_whole_lines() {
        let mut tail = Tail::default();
        for piece in ["a", "b\r\nc\n", "\n", "d"] {
            tail.push(piece);
        }
        assert_eq!(tail.take(), ["ab", "c", "", "d"]);
        for number in 0..30 {
            tail.push(&format!("{number}\n"));
        }
        assert_eq!(tail.take().len(), TAIL);
        for _ in 0..10_000 {
            tail.push("진행 ");
        }
        let lines = tail.take();
        let line = lines.first().unwrap();
        assert!(
            lines.len() == 1 && line.len() <= LINE && line.ends_with("진행 "),
            "{}",
            line.len()
        );
    }

    #[test]
    fn a_late_answer_is_not_taken_for_ours() {
        let sink = reseal_machine::communicator::Silent;
        let mut pending = VecDeque::from([4]);
        let mut gathered = Gathered {
            sink: &sink,
            answer: None,
            tail: Tail::default(),
            replies: Vec::new(),
        };
        let late = Event::Result(serde_json::json!("late"));
        for event in [
            late,
            Event::End(3),
            Event::Result(serde_json::json!("ours")),
            Event::End(4),
        ] {
            gathered.take(event, &mut pending, true).unwrap();
        }
        assert_eq!(
            gathered.replies.first().unwrap().answer,
            Some(serde_json::json!("ours"))
        );
    }

    fn gather(events: Vec<Event>, pending: &[u64]) -> (Result<(), String>, usize) {
        let mut pending: VecDeque<u64> = pending.iter().copied().collect();
        let sink = reseal_machine::communicator::Silent;
        let mut gathered = Gathered {
            sink: &sink,
            answer: None,
            tail: Tail::default(),
            replies: Vec::new(),
        };
        for event in events {
            if let Err(failure) = gathered.take(event, &mut pending, true) {
                return (Err(format!("{failure:?}")), gathered.replies.len());
            }
        }
        (Ok(()), gathered.replies.len())
    }

    #[test]
    fn a_later_end_means_that_output_was_lost() {
        assert_eq!(gather(vec![Event::End(4), Event::End(5)], &[4, 5]), (Ok(()), 2));
        assert_eq!(gather(vec![Event::End(3), Event::End(4)], &[4]), (Ok(()), 1));
        assert_eq!(gather(vec![Event::End(6)], &[4]), (Err("OutputLost".to_owned()), 0));
    }

    #[test]
    fn a_dead_runner_is_told_with_its_last_words() {
        let (result, _) = gather(
            vec![Event::Text(Stream::Err, "out of memory\n".to_owned()), Event::Exit(-1)],
            &[1],
        );
        assert!(result.unwrap_err().contains("out of memory"));
    }
}
