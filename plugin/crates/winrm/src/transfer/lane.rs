//! One receiver in the guest, and the frames it is fed with.

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reseal_machine::communicator::{Blob, Stream};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::client::Client;
use crate::error::Error;
use crate::frame::{self, ReceiverHeader};
use crate::operations::{Answer, WrittenResult};
use crate::resident::{Event, Resident};
use crate::runner::Tail;
use crate::transfer::plan::Piece;

const SCRIPT: &str = include_str!("../../scripts/receiver.ps1");
/// Silent Receives after which a self-test has failed, and after which a receiver counts as lost.
const TEST_PATIENCE: u32 = 2;
const PATIENCE: u32 = 30;

/// How bytes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As they are.
    Raw,
    /// As lines of base64, for guests that change raw input.
    Base64,
}

/// Why a piece did not arrive.
#[derive(Debug)]
pub(crate) enum LaneError {
    /// The connection or the receiver was lost; another one may go on.
    Loss(Error),
    /// The exchange failed for good.
    Exchange(Error),
    /// The receiver has ended or does not answer; another one may go on.
    Mute(String),
    /// The guest allows no further receiver.
    Crowded(Error),
    /// The guest could not write.
    Guest(String),
    /// What arrived is not what was sent.
    Damaged { expected: String, found: String },
    /// The file here could not be read.
    Local(io::Error),
}

impl LaneError {
    /// Whether the rest of the piece may be sent again.
    pub(crate) fn may_be_gone_on_from(&self) -> bool {
        matches!(
            self,
            Self::Loss(_) | Self::Mute(_) | Self::Crowded(_) | Self::Damaged { .. }
        )
    }
}

impl From<Error> for LaneError {
    fn from(error: Error) -> Self {
        match error {
            Error::Crowded(_) => Self::Crowded(error),
            error if error.is_loss() => Self::Loss(error),
            error => Self::Exchange(error),
        }
    }
}

/// A receiver.
pub(crate) struct Lane {
    client: Arc<Client>,
    resident: Resident,
    next_id: u64,
    ready: bool,
    /// The last of what it said on its errors.
    complaint: Tail,
}

impl Lane {
    pub(crate) async fn start(client: &Arc<Client>) -> Result<Self, Error> {
        let resident = Resident::start(client, SCRIPT).await?;
        Ok(Self {
            client: Arc::clone(client),
            resident,
            next_id: 1,
            ready: false,
            complaint: Tail::default(),
        })
    }

    pub(crate) async fn stop(self) {
        self.resident.stop().await;
    }

    /// Sends every byte value once as it is: does it arrive?
    pub(crate) async fn self_test(&mut self) -> Result<bool, Error> {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut frame = header(1, "", Piece { offset: 0, length: 256 }, "self_test");
        frame.extend_from_slice(&bytes);
        self.next_id += 1;
        self.resident.send(&frame).await?;
        match self.result(1, TEST_PATIENCE).await {
            Ok(found) => Ok(found == hex::encode(Sha256::digest(&bytes))),
            Err(LaneError::Loss(error) | LaneError::Exchange(error) | LaneError::Crowded(error)) => Err(error),
            Err(LaneError::Guest(why) | LaneError::Mute(why)) if !self.ready => Err(Error::Protocol(why)),
            // The receiver lost its place in the stream: what comes is not what was sent.
            Err(_) => Ok(false),
        }
    }

    /// Writes a piece of a blob into the guest's file at its place. `arrived` is told of every part that was handed
    /// over.
    pub(crate) async fn put(
        &mut self,
        from: &dyn Blob,
        path: &str,
        piece: Piece,
        mode: Mode,
        arrived: &(dyn Fn(u64) + Sync),
    ) -> Result<(), LaneError> {
        let id = self.next_id;
        self.next_id += 1;
        let chunk = self.client.chunk().await;
        let mut hash = Sha256::new();
        let mut buffer = header(id, path, piece, if mode == Mode::Raw { "raw" } else { "base64" });
        let mut at = 0;
        while at < piece.length {
            let room = chunk.saturating_sub(buffer.len() + self.resident.unsent());
            let count = fill(&mut buffer, from, piece.after(at), room, mode, &mut hash)?;
            at += count;
            if mode == Mode::Base64 && at == piece.length {
                buffer.push(b'\n');
            }
            self.resident.send(&buffer).await?;
            buffer.clear();
            arrived(count);
        }
        let expected = hex::encode(hash.finalize());
        let found = self.result(id, PATIENCE).await?;
        if found == expected {
            Ok(())
        } else {
            Err(LaneError::Damaged { expected, found })
        }
    }

    /// Waits for the answer to a frame: the SHA-256 of what was written.
    async fn result(&mut self, id: u64, patience: u32) -> Result<String, LaneError> {
        let mut answer = None;
        let mut silent = 0;
        loop {
            let events = self.resident.receive().await?;
            if self.resident.take_gap() {
                return Err(lost("an answer was lost on the way"));
            }
            silent = if events.is_empty() { silent + 1 } else { 0 };
            if silent >= if self.ready { patience } else { PATIENCE } {
                return Err(LaneError::Mute("the receiver does not answer".to_owned()));
            }
            for event in events {
                match event {
                    Event::Ready(_) => self.ready = true,
                    Event::Result(value) => answer = Some(value),
                    Event::End(end) if end == id => return hash_of(answer),
                    Event::End(_) | Event::Text(Stream::Out, _) => {}
                    Event::Text(Stream::Err, text) => self.complaint.push(&text),
                    Event::Exit(code) => return Err(self.ended(code, answer)),
                }
            }
        }
    }

    /// A receiver ends by itself when it lost its place, or when PowerShell cannot run.
    fn ended(&mut self, code: i32, answer: Option<Value>) -> LaneError {
        let said = answer.map(|answer| hash_of(Some(answer)));
        let complaint = self.complaint.take().join(" ");
        let complaint = complaint.trim();
        match said {
            Some(Err(error)) => error,
            _ if !self.ready => LaneError::Guest(format!(
                "PowerShell ended with code {code} before it was ready: {complaint}"
            )),
            _ => LaneError::Mute(format!("the receiver ended with code {code}: {complaint}")),
        }
    }
}

fn header(id: u64, path: &str, piece: Piece, mode: &str) -> Vec<u8> {
    frame::header(&ReceiverHeader {
        id,
        path,
        offset: piece.offset,
        length: piece.length,
        mode,
    })
}

fn lost(why: &str) -> LaneError {
    LaneError::Loss(Error::Lost(why.to_owned()))
}

fn hash_of(answer: Option<Value>) -> Result<String, LaneError> {
    let answer = answer.ok_or_else(|| LaneError::Mute("the receiver gave no answer".to_owned()))?;
    let broken = |error: serde_json::Error| LaneError::Exchange(Error::Protocol(error.to_string()));
    let answer: Answer = serde_json::from_value(answer).map_err(broken)?;
    let result = answer.into_result().map_err(LaneError::Guest)?;
    let written: WrittenResult = serde_json::from_value(result).map_err(broken)?;
    Ok(written.sha256)
}

/// Appends as much of a piece as there is room for (and at least something); returns how many of its bytes.
fn fill(
    buffer: &mut Vec<u8>,
    from: &dyn Blob,
    piece: Piece,
    room: usize,
    mode: Mode,
    hash: &mut Sha256,
) -> Result<u64, LaneError> {
    let room = if mode == Mode::Raw {
        room
    } else {
        room.saturating_sub(8) / 4 * 3
    };
    let wanted = usize::try_from(piece.length).unwrap_or(usize::MAX).min(room.max(3));
    match mode {
        Mode::Raw => {
            let start = buffer.len();
            buffer.resize(start + wanted, 0);
            let place = buffer.get_mut(start..).unwrap_or_default();
            read_exactly(from, piece.offset, place).map_err(LaneError::Local)?;
            hash.update(place);
        }
        Mode::Base64 => {
            let mut raw = vec![0; wanted];
            read_exactly(from, piece.offset, &mut raw).map_err(LaneError::Local)?;
            hash.update(&raw);
            buffer.extend_from_slice(STANDARD.encode(&raw).as_bytes());
            buffer.push(b'\n');
        }
    }
    Ok(u64::try_from(wanted).unwrap_or(u64::MAX))
}

/// Reads a range of a blob; a blob that has become shorter is an error.
pub(super) fn read_exactly(from: &dyn Blob, offset: u64, place: &mut [u8]) -> io::Result<()> {
    let mut done = 0;
    while done < place.len() {
        let rest = place.get_mut(done..).unwrap_or_default();
        let count = from.read_at(offset + u64::try_from(done).unwrap_or(u64::MAX), rest)?;
        if count == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the file has become shorter",
            ));
        }
        done += count;
    }
    Ok(())
}
