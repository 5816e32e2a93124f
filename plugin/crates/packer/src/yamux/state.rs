//! The rules of a session, without I/O: frames in, frames out, buffers and windows between.
//!
//! Every quantity that the peer can make grow has a limit here: a stream's buffer by its window, the number of streams,
//! the answers that wait to be written.

use std::collections::{HashMap, VecDeque};
use std::task::Waker;

use bytes::{Buf, BytesMut};

use super::SessionError;
use super::frame::{ACK, FIN, Frame, Kind, RST, SYN};

/// A stream's window in either direction when it begins.
pub(super) const WINDOW: u32 = 256 * 1024;
/// Credit is given back when this much was read, as Go does.
const CREDIT: u32 = WINDOW / 2;
/// Streams at once, both directions together. Packer uses a dozen.
const MAX_STREAMS: usize = 512;
/// Streams that nobody has accepted yet; more are reset.
const BACKLOG: usize = 256;
/// Data that waits to be written; writers wait for room.
const MAX_QUEUED_BYTES: usize = 256 * 1024;
/// Frames that wait to be written, when data is to be added.
const MAX_QUEUED_DATA: usize = 1024;
/// Frames that wait to be written at all. Only a peer that asks and never reads gets here.
const MAX_QUEUED_FRAMES: usize = 8192;
/// Data in one frame, so that streams take turns.
const MAX_FRAME: usize = 32 * 1024;

/// Which end of a session we are; it decides over the parity of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Opens streams with odd ids, as Packer does.
    #[cfg(test)]
    Client,
    /// Opens streams with even ids, as plugins do.
    Server,
}

impl Side {
    /// The first stream of ours; the parity of all of them.
    fn first(self) -> u32 {
        match self {
            #[cfg(test)]
            Self::Client => 1,
            Self::Server => 2,
        }
    }
}

/// What may be done with the payload of a data frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payload {
    /// Read it and hand it in.
    Take,
    /// Read it and forget it.
    Skip,
}

/// What a reader finds.
pub(super) enum Read {
    /// So many bytes were copied; 0 means the end.
    Bytes(usize),
    /// Nothing yet.
    Wait,
}

/// What the peer may still do to a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inbound {
    Open,
    Finished,
    Reset,
}

#[derive(Debug)]
struct Entry {
    received: BytesMut,
    /// How much the peer may still send.
    receive_window: u32,
    /// Read since credit was given back.
    consumed: u32,
    /// How much we may still send.
    send_window: u32,
    fin_sent: bool,
    inbound: Inbound,
    /// Nobody holds the stream any more; what comes is thrown away.
    abandoned: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Entry {
    fn new() -> Self {
        Self {
            received: BytesMut::new(),
            receive_window: WINDOW,
            consumed: 0,
            send_window: WINDOW,
            fin_sent: false,
            inbound: Inbound::Open,
            abandoned: false,
            reader: None,
            writer: None,
        }
    }

    fn wake(&mut self) {
        self.reader
            .take()
            .into_iter()
            .chain(self.writer.take())
            .for_each(Waker::wake);
    }
}

/// A session's state.
pub(super) struct State {
    side: Side,
    streams: HashMap<u32, Entry>,
    next: Option<u32>,
    backlog: VecDeque<u32>,
    out: VecDeque<Vec<u8>>,
    out_bytes: usize,
    /// Writers that wait for room in the queue.
    crowd: Vec<Waker>,
    /// The peer takes no new streams.
    remote_gone: bool,
    /// We close as soon as the queue is empty.
    closing: bool,
    over: Option<SessionError>,
}

impl State {
    pub(super) fn new(side: Side) -> Self {
        Self {
            side,
            streams: HashMap::new(),
            next: Some(side.first()),
            backlog: VecDeque::new(),
            out: VecDeque::new(),
            out_bytes: 0,
            crowd: Vec::new(),
            remote_gone: false,
            closing: false,
            over: None,
        }
    }

    pub(super) fn over(&self) -> Option<&SessionError> {
        self.over.as_ref()
    }

    pub(super) fn end(&mut self, error: SessionError) {
        self.over.get_or_insert(error);
        self.streams.values_mut().for_each(Entry::wake);
        self.crowd.drain(..).for_each(Waker::wake);
    }

    pub(super) fn close(&mut self) {
        self.closing = true;
    }

    /// Whether everything was written that had to be before the end.
    pub(super) fn closed(&self) -> bool {
        self.closing && self.out.is_empty()
    }

    /// Opens a stream of ours.
    pub(super) fn open(&mut self) -> Result<u32, SessionError> {
        if let Some(error) = &self.over {
            return Err(error.clone());
        }
        let free = self.streams.len() < MAX_STREAMS && !self.remote_gone && !self.closing;
        let id = self.next.filter(|_| free).ok_or(SessionError::Exhausted)?;
        self.next = id.checked_add(2);
        self.streams.insert(id, Entry::new());
        self.control(Frame::new(Kind::WindowUpdate, SYN, id, 0));
        Ok(id)
    }

    /// Takes a stream of the peer's.
    pub(super) fn accept(&mut self) -> Option<u32> {
        self.backlog.pop_front()
    }

    /// Looks at a header. For data it says what to do with the payload, which is never larger than a window then.
    pub(super) fn receive(&mut self, frame: Frame) -> Result<Payload, SessionError> {
        match frame.kind {
            Kind::Ping => self.ping(frame)?,
            Kind::GoAway => self.go_away(frame)?,
            Kind::Data | Kind::WindowUpdate => return self.stream_frame(frame),
        }
        Ok(Payload::Skip)
    }

    fn ping(&mut self, frame: Frame) -> Result<(), SessionError> {
        if frame.has(SYN) {
            self.control(Frame::new(Kind::Ping, ACK, 0, frame.length));
        }
        self.flooded()
    }

    fn go_away(&mut self, frame: Frame) -> Result<(), SessionError> {
        self.remote_gone = true;
        match frame.length {
            0 => Ok(()),
            code => Err(SessionError::GoneAway(code)),
        }
    }

    fn stream_frame(&mut self, frame: Frame) -> Result<Payload, SessionError> {
        if frame.has(SYN) && !self.begin(frame.stream)? {
            return Ok(Payload::Skip);
        }
        let Some(entry) = self.streams.get_mut(&frame.stream) else {
            return Ok(Payload::Skip); // a stream that is over here and not yet there
        };
        let payload = if frame.kind == Kind::Data {
            let window = entry.receive_window.checked_sub(frame.length);
            entry.receive_window = window.ok_or(SessionError::Protocol("receive window exceeded"))?;
            let wanted = !entry.abandoned && entry.inbound == Inbound::Open;
            if wanted { Payload::Take } else { Payload::Skip }
        } else {
            let window = entry.send_window.checked_add(frame.length);
            entry.send_window = window.ok_or(SessionError::Protocol("send window overflow"))?;
            Payload::Skip
        };
        if payload == Payload::Skip {
            self.flags(frame);
        }
        self.flooded()?;
        Ok(payload)
    }

    /// A stream that the peer begins; false if it is refused.
    fn begin(&mut self, id: u32) -> Result<bool, SessionError> {
        let theirs = 1 - self.side.first() % 2;
        if id == 0 || id % 2 != theirs {
            return Err(SessionError::Protocol("a stream with an id of the other side"));
        }
        if self.streams.contains_key(&id) {
            return Err(SessionError::Protocol("duplicate stream"));
        }
        if self.streams.len() >= MAX_STREAMS || self.backlog.len() >= BACKLOG || self.closing {
            self.control(Frame::new(Kind::WindowUpdate, RST, id, 0));
            self.flooded()?;
            return Ok(false);
        }
        self.streams.insert(id, Entry::new());
        self.backlog.push_back(id);
        self.control(Frame::new(Kind::WindowUpdate, ACK, id, 0));
        Ok(true)
    }

    /// Puts the payload of an admitted data frame into its stream.
    pub(super) fn deliver(&mut self, frame: Frame, payload: &[u8]) {
        if let Some(entry) = self.streams.get_mut(&frame.stream)
            && !entry.abandoned
        {
            entry.received.extend_from_slice(payload);
        }
        self.flags(frame);
    }

    /// What the flags of a frame mean, after its payload has been dealt with.
    fn flags(&mut self, frame: Frame) {
        let Some(entry) = self.streams.get_mut(&frame.stream) else {
            return;
        };
        if frame.has(RST) {
            entry.inbound = Inbound::Reset;
        } else if frame.has(FIN) && entry.inbound == Inbound::Open {
            entry.inbound = Inbound::Finished;
        }
        entry.wake();
        self.tidy(frame.stream);
    }

    /// Forgets a stream that nobody holds as soon as the peer has ended it, or resets it when the peer has sent a whole
    /// window into the void and would wait for ever.
    fn tidy(&mut self, id: u32) {
        let Some(entry) = self.streams.get(&id).filter(|entry| entry.abandoned) else {
            return;
        };
        // Our own end is said before a stream is abandoned.
        let done = entry.inbound != Inbound::Open;
        let stuck = entry.receive_window == 0;
        if stuck && !done {
            self.control(Frame::new(Kind::WindowUpdate, RST, id, 0));
        }
        if done || stuck {
            self.streams.remove(&id);
        }
    }

    /// Copies what has arrived; gives credit back now and then.
    pub(super) fn read(&mut self, id: u32, waker: &Waker, room: &mut [u8]) -> Result<Read, SessionError> {
        let over = self.over.clone();
        let Some(entry) = self.streams.get_mut(&id) else {
            return Ok(Read::Bytes(0));
        };
        let count = entry.received.len().min(room.len());
        if let (Some(to), true) = (room.get_mut(..count), count > 0) {
            entry.received.copy_to_slice(to);
            self.credit(id, count);
            return Ok(Read::Bytes(count));
        }
        match (entry.inbound, over) {
            (Inbound::Finished, _) => return Ok(Read::Bytes(0)),
            (Inbound::Reset, _) => return Err(SessionError::Io(std::io::ErrorKind::ConnectionReset)),
            (Inbound::Open, Some(error)) => return Err(error),
            (Inbound::Open, None) => {}
        }
        entry.reader = Some(waker.clone());
        Ok(Read::Wait)
    }

    fn credit(&mut self, id: u32, count: usize) {
        let Some(entry) = self.streams.get_mut(&id) else { return };
        // A read is never larger than a window.
        entry.consumed = entry.consumed.saturating_add(u32::try_from(count).unwrap_or(WINDOW));
        if entry.consumed >= CREDIT && entry.inbound == Inbound::Open {
            let delta = std::mem::take(&mut entry.consumed);
            entry.receive_window = entry.receive_window.saturating_add(delta);
            self.control(Frame::new(Kind::WindowUpdate, 0, id, delta));
        }
    }

    /// Queues as much of `bytes` as window and queue allow; `None` means wait.
    pub(super) fn write(&mut self, id: u32, waker: &Waker, bytes: &[u8]) -> Result<Option<usize>, SessionError> {
        if let Some(error) = &self.over {
            return Err(error.clone());
        }
        let crowded = self.out_bytes >= MAX_QUEUED_BYTES || self.out.len() >= MAX_QUEUED_DATA;
        let broken = || SessionError::Io(std::io::ErrorKind::BrokenPipe);
        let entry = self.streams.get_mut(&id).ok_or_else(broken)?;
        if entry.inbound == Inbound::Reset || entry.fin_sent {
            return Err(broken());
        }
        if crowded {
            self.crowd.push(waker.clone());
            return Ok(None);
        }
        let window = usize::try_from(entry.send_window).unwrap_or(usize::MAX);
        let count = bytes.len().min(window).min(MAX_FRAME);
        if count == 0 && !bytes.is_empty() {
            entry.writer = Some(waker.clone());
            return Ok(None);
        }
        let length = u32::try_from(count).map_err(|_| broken())?;
        entry.send_window -= length;
        self.queue(
            Frame::new(Kind::Data, 0, id, length),
            bytes.get(..count).unwrap_or_default(),
        );
        Ok(Some(count))
    }

    /// Says once that we send no more on this stream.
    pub(super) fn finish(&mut self, id: u32) {
        let over = self.over.is_some();
        let Some(entry) = self.streams.get_mut(&id) else { return };
        if !entry.fin_sent && entry.inbound != Inbound::Reset && !over {
            entry.fin_sent = true;
            self.control(Frame::new(Kind::WindowUpdate, FIN, id, 0));
        }
    }

    /// Nobody holds the stream any more.
    pub(super) fn abandon(&mut self, id: u32) {
        self.finish(id);
        if let Some(entry) = self.streams.get_mut(&id) {
            entry.abandoned = true;
            entry.received = BytesMut::new();
            self.tidy(id);
        }
    }

    fn control(&mut self, frame: Frame) {
        self.queue(frame, &[]);
    }

    fn queue(&mut self, frame: Frame, payload: &[u8]) {
        let mut bytes = Vec::with_capacity(frame.to_bytes().len() + payload.len());
        bytes.extend(frame.to_bytes());
        bytes.extend(payload);
        self.out_bytes += bytes.len();
        self.out.push_back(bytes);
    }

    /// Queues the reason why we end the session, for the peer's log.
    pub(super) fn complain(&mut self) {
        self.control(Frame::new(Kind::GoAway, 0, 0, 1));
    }

    fn flooded(&self) -> Result<(), SessionError> {
        if self.out.len() > MAX_QUEUED_FRAMES {
            return Err(SessionError::Protocol("asks without reading the answers"));
        }
        Ok(())
    }

    /// Takes frames to write, about as much as one system call likes, and lets waiting writers go on.
    pub(super) fn outgoing(&mut self) -> Vec<u8> {
        let mut batch = Vec::new();
        while batch.len() < 2 * MAX_FRAME {
            let Some(frame) = self.out.pop_front() else { break };
            batch.extend(frame);
        }
        self.out_bytes = self.out_bytes.saturating_sub(batch.len());
        self.crowd.drain(..).for_each(Waker::wake);
        batch
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> (usize, usize, usize) {
        let buffered = self.streams.values().map(|entry| entry.received.len()).sum();
        (self.streams.len(), buffered, self.out.len())
    }
}
