//! Sessions against each other, and against peers that break the rules.

use std::task::Waker;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::frame::{ACK, FIN, Frame, HEADER, Kind, RST, SYN};
use super::state::{Payload, Read, State, WINDOW};
use super::*;

fn pair() -> (Session, Session) {
    let (ours, theirs) = tokio::io::duplex(1000);
    (Session::new(ours, Side::Client), Session::new(theirs, Side::Server))
}

#[tokio::test]
async fn more_than_a_window_goes_both_ways_at_once() {
    let (packer, plugin) = pair();
    let stream = packer.open().unwrap();
    let echo = tokio::spawn(async move {
        let stream = plugin.accept().await.unwrap();
        let (mut reader, mut writer) = tokio::io::split(stream);
        tokio::io::copy(&mut reader, &mut writer).await.unwrap();
        writer.shutdown().await.unwrap();
        plugin
    });
    let content: Vec<u8> = (0..2_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut back = Vec::new();
    let write = async {
        writer.write_all(&content).await.unwrap();
        writer.shutdown().await.unwrap();
    };
    let ((), read) = tokio::join!(write, reader.read_to_end(&mut back));
    read.unwrap();
    assert!(back == content);
    echo.await.unwrap();
}

#[tokio::test]
async fn a_dropped_stream_loses_nothing() {
    let (packer, plugin) = pair();
    let mut stream = plugin.open().unwrap();
    stream.write_all(&[9; 5000]).await.unwrap();
    drop(stream);
    let mut read = Vec::new();
    packer.accept().await.unwrap().read_to_end(&mut read).await.unwrap();
    assert_eq!(read, [9; 5000]);
}

#[tokio::test]
async fn a_session_that_ends_ends_its_streams() {
    let (packer, plugin) = pair();
    let mut stream = packer.open().unwrap();
    let mut other = plugin.accept().await.unwrap();
    packer.close();
    let mut read = Vec::new();
    other.read_to_end(&mut read).await.unwrap();
    plugin.over().cancelled().await;
    assert!(plugin.accept().await.is_none());
    assert!(plugin.open().is_err());
    packer.over().cancelled().await;
    assert!(stream.write_all(b"x").await.is_err());
}

/// A server, as frames see it.
struct Peer(State);

impl Peer {
    fn new() -> Self {
        Self(State::new(Side::Server))
    }

    fn frame(&mut self, kind: Kind, flags: u16, stream: u32, length: u32) -> Result<Payload, SessionError> {
        self.0.receive(Frame::new(kind, flags, stream, length))
    }

    fn answers(&mut self) -> Vec<Frame> {
        let mut bytes = Vec::new();
        loop {
            let batch = self.0.outgoing();
            if batch.is_empty() {
                break;
            }
            bytes.extend(batch);
        }
        let headers = bytes.as_chunks::<HEADER>().0;
        headers.iter().map(|header| Frame::parse(*header).unwrap()).collect()
    }
}

#[test]
fn streams_and_pings_are_answered_once() {
    let mut peer = Peer::new();
    peer.frame(Kind::WindowUpdate, SYN, 1, 0).unwrap();
    peer.frame(Kind::Ping, SYN, 0, 7).unwrap();
    peer.frame(Kind::Ping, ACK, 0, 7).unwrap();
    assert_eq!(peer.0.accept(), Some(1));
    peer.0.finish(1);
    peer.0.finish(1);
    peer.0.abandon(1);
    let expected = [
        Frame::new(Kind::WindowUpdate, ACK, 1, 0),
        Frame::new(Kind::Ping, ACK, 0, 7),
        Frame::new(Kind::WindowUpdate, FIN, 1, 0),
    ];
    assert_eq!(peer.answers(), expected);
    peer.frame(Kind::WindowUpdate, FIN, 1, 0).unwrap();
    assert_eq!(peer.0.held().0, 0, "the stream is forgotten");
}

#[test]
fn broken_rules_end_the_session() {
    let broken = |frames: &[(Kind, u16, u32, u32)]| {
        let mut peer = Peer::new();
        frames
            .iter()
            .map(|(kind, flags, stream, length)| peer.frame(*kind, *flags, *stream, *length))
            .any(|r| r.is_err())
    };
    assert!(broken(&[(Kind::WindowUpdate, SYN, 2, 0)]), "our parity");
    assert!(broken(&[(Kind::WindowUpdate, SYN, 0, 0)]), "no id");
    assert!(
        broken(&[(Kind::WindowUpdate, SYN, 1, 0), (Kind::WindowUpdate, SYN, 1, 0)]),
        "twice"
    );
    assert!(broken(&[(Kind::Data, SYN, 1, WINDOW + 1)]), "window exceeded");
    assert!(
        broken(&[(Kind::Data, SYN, 1, WINDOW), (Kind::Data, 0, 1, 1)]),
        "window exceeded slowly"
    );
    assert!(broken(&[(Kind::WindowUpdate, SYN, 1, u32::MAX)]), "window overflow");
    assert!(broken(&[(Kind::GoAway, 0, 0, 1)]));
    assert!(!broken(&[(Kind::GoAway, 0, 0, 0)]), "no more streams is no failure");
    assert!(!broken(&[(Kind::Data, 0, 9, u32::MAX)]), "a stream that is over");
    assert!(Frame::parse([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).is_err());
    assert!(Frame::parse([0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).is_err());
}

#[test]
fn floods_are_bounded() {
    let mut peer = Peer::new();
    let pings = (0..100_000)
        .take_while(|n| peer.frame(Kind::Ping, SYN, 0, *n).is_ok())
        .count();
    assert!((1000..10_000).contains(&pings), "{pings}");
    let mut peer = Peer::new();
    let streams = (0..100_000)
        .take_while(|n| peer.frame(Kind::WindowUpdate, SYN, n * 2 + 1, 0).is_ok())
        .count();
    assert!((512..10_000).contains(&streams), "{streams}");
    let (held, buffered, frames) = peer.0.held();
    assert!(held <= 512 && buffered == 0 && frames < 10_000);
    assert!(peer.answers().iter().any(|frame| frame.has(RST)));
}

#[test]
fn small_pieces_do_not_look_like_a_flood() {
    let mut peer = Peer::new();
    let id = peer.0.open().unwrap();
    let taken = (0..100_000)
        .take_while(|_| peer.0.write(id, Waker::noop(), b"x") == Ok(Some(1)))
        .count();
    assert!((500..5000).contains(&taken), "{taken}");
    peer.frame(Kind::Ping, SYN, 0, 1).unwrap();
    while !peer.0.outgoing().is_empty() {}
    assert_eq!(peer.0.write(id, Waker::noop(), b"x"), Ok(Some(1)));
}

#[test]
fn who_writes_into_the_void_is_told_after_a_window() {
    let mut peer = Peer::new();
    peer.frame(Kind::WindowUpdate, SYN, 1, 0).unwrap();
    peer.0.accept();
    peer.0.abandon(1);
    assert_eq!(peer.frame(Kind::Data, 0, 1, WINDOW - 1).unwrap(), Payload::Skip);
    assert!(!peer.answers().iter().any(|frame| frame.has(RST)));
    peer.frame(Kind::Data, 0, 1, 1).unwrap();
    assert!(peer.answers().iter().any(|frame| frame.has(RST)));
    assert_eq!(peer.0.held().0, 0);
}

#[test]
fn credit_is_given_back_by_halves() {
    let mut peer = Peer::new();
    let frame = Frame::new(Kind::Data, SYN, 1, WINDOW);
    assert_eq!(peer.0.receive(frame).unwrap(), Payload::Take);
    peer.0.deliver(frame, &vec![0; usize::try_from(WINDOW).unwrap()]);
    let mut half = vec![0; usize::try_from(WINDOW / 2).unwrap()];
    assert!(matches!(peer.0.read(1, Waker::noop(), &mut half), Ok(Read::Bytes(n)) if n == half.len()));
    assert_eq!(
        peer.answers().last(),
        Some(&Frame::new(Kind::WindowUpdate, 0, 1, WINDOW / 2))
    );
}

fn any_frame() -> impl Strategy<Value = (Frame, bool)> {
    let kind = prop_oneof![
        5 => Just(Kind::Data),
        5 => Just(Kind::WindowUpdate),
        1 => Just(Kind::Ping),
    ];
    let length = prop_oneof![4 => 0..70_000_u32, 1 => any::<u32>()];
    (kind, 0..16_u16, 0..9_u32, length, any::<bool>())
        .prop_map(|(kind, flags, stream, length, drop)| (Frame::new(kind, flags, stream, length), drop))
}

proptest! {
    #[test]
    fn any_frames_keep_within_the_limits(frames in proptest::collection::vec(any_frame(), 0..200)) {
        let mut state = State::new(Side::Server);
        let _ = state.open();
        for (frame, abandon) in frames {
            match state.receive(frame) {
                Ok(Payload::Take) if frame.kind == Kind::Data => {
                    prop_assert!(frame.length <= WINDOW);
                    state.deliver(frame, &vec![0; usize::try_from(frame.length).unwrap()]);
                }
                Ok(_) => {}
                Err(_) => return Ok(()),
            }
            if let (Some(id), true) = (state.accept(), abandon) {
                state.abandon(id);
            }
            let mut room = [0; 512];
            let _ = state.read(frame.stream, Waker::noop(), &mut room);
            let (held, buffered, _) = state.held();
            prop_assert!(buffered <= held * usize::try_from(WINDOW).unwrap());
            if frame.length % 3 == 0 {
                state.outgoing();
            }
        }
    }

    #[test]
    fn headers_survive(bytes: [u8; HEADER]) {
        if let Ok(frame) = Frame::parse(bytes) {
            prop_assert_eq!(frame.to_bytes(), bytes);
        }
    }
}
