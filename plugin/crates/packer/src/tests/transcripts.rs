//! What HashiCorp's own SDK sent, and what becomes of it when it is damaged.

use std::collections::BTreeMap;
use std::panic;
use std::path::Path;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::hello;
use crate::hcl::Generation;
use crate::msgpack::{MessageReader, Value};
use crate::plugin::{Component, Kind};

/// A recorded conversation: what was said, and whether by Packer.
struct Transcript {
    name: String,
    pieces: Vec<(bool, Vec<u8>)>,
}

fn transcripts() -> Vec<Transcript> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/data/packer");
    let mut all: Vec<Transcript> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| read(&entry.unwrap().path()))
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(all.len() > 8, "there are transcripts");
    all
}

fn read(path: &Path) -> Transcript {
    let piece = |line: &str| {
        let (direction, bytes) = line.split_once(' ').unwrap();
        (direction == ">", hex::decode(bytes).unwrap())
    };
    Transcript {
        name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
        pieces: std::fs::read_to_string(path).unwrap().lines().map(piece).collect(),
    }
}

impl Transcript {
    /// Everything that one side said.
    fn said(&self, packer: bool) -> Vec<u8> {
        let said = self.pieces.iter().filter(|(by_packer, _)| *by_packer == packer);
        said.flat_map(|(_, bytes)| bytes.clone()).collect()
    }

    /// The kind, name and generation of the component that it is about.
    fn component(&self) -> Component {
        let others = [
            ("datasource", Kind::Datasource, "greeting"),
            ("provisioner", Kind::Provisioner, "shout"),
            ("postprocessor", Kind::PostProcessor, "note"),
        ];
        let other = others.iter().find(|(begins, ..)| self.name.starts_with(begins));
        let (kind, name) = other.map_or((Kind::Builder, "image"), |(_, kind, name)| (*kind, *name));
        let gob = self.name.ends_with("-gob");
        Component {
            kind,
            name: name.to_owned(),
            generation: if gob { Generation::Gob } else { Generation::Protobuf },
        }
    }
}

/// The data of each stream in one direction.
fn streams(mut bytes: &[u8]) -> BTreeMap<u32, Vec<u8>> {
    let mut streams: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    while let Some((header, rest)) = bytes.split_first_chunk::<12>() {
        let [_, kind, _, _, s0, s1, s2, s3, l0, l1, l2, l3] = *header;
        let length = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).unwrap();
        let (data, rest) = if kind == 0 {
            rest.split_at(length)
        } else {
            (&[][..], rest)
        };
        streams
            .entry(u32::from_be_bytes([s0, s1, s2, s3]))
            .or_default()
            .extend(data);
        bytes = rest;
    }
    assert!(bytes.is_empty());
    streams
}

/// Splits data of calls into messages; nothing for a stream that carries something else.
async fn messages(bytes: &[u8]) -> Vec<Value> {
    let mut reader = MessageReader::new(bytes);
    let mut all = Vec::new();
    while let Some(message) = reader.next().await.unwrap() {
        all.push(message);
    }
    all
}

#[tokio::test]
async fn every_recorded_message_is_written_as_it_was_read() {
    let mut count = 0;
    for transcript in transcripts() {
        for packer in [true, false] {
            for data in streams(&transcript.said(packer)).into_values() {
                let body = data.get(4..).unwrap_or_default();
                if !body.get(2..).is_some_and(|rest| rest.starts_with(b"ServiceMethod")) {
                    continue; // the input or output of a command, a file
                }
                let all = messages(body).await;
                count += all.len();
                let written: Vec<u8> = all.iter().flat_map(Value::to_bytes).collect();
                assert_eq!(hex::encode(written), hex::encode(body), "{}", transcript.name);
            }
        }
    }
    assert!(count > 400, "only {count} messages were found");
}

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Panics in tasks are answered, not passed on; so they are counted where they happen.
fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let place = info.location().map(|place| place.file().to_owned()).unwrap_or_default();
            if !place.contains("/tests") {
                PANICS.fetch_add(1, Ordering::SeqCst);
            }
            before(info);
        }));
    });
}

/// Says `bytes` to the plugin and listens until it has ended; gives what it answered.
async fn say(transcript: &Transcript, bytes: &[u8], cut: usize) -> Vec<u8> {
    let component = transcript.component();
    let (ours, theirs) = tokio::io::duplex(4096);
    let serving = tokio::spawn(async move { hello::plugin().serve(theirs, &component).await });
    let (mut reader, mut writer) = tokio::io::split(ours);
    let speaking = async {
        for piece in bytes.chunks(cut.max(1)) {
            if writer.write_all(piece).await.is_err() {
                break;
            }
        }
    };
    let mut answer = Vec::new();
    let listening = async {
        // On a paused clock this is over when the plugin waits for something that does not come.
        while let Ok(Ok(1..)) = timeout(Duration::from_secs(20), reader.read_buf(&mut answer)).await {}
    };
    tokio::join!(speaking, listening);
    let _ = writer.shutdown().await;
    timeout(Duration::from_mins(1), serving)
        .await
        .expect("it ends")
        .unwrap()
        .unwrap();
    answer
}

fn block_on<F: Future>(future: F) -> F::Output {
    // A paused clock: every wait that is bounded is over at once when nothing else can happen.
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(future)
}

#[test]
fn a_transcript_is_answered_however_it_is_cut() {
    for transcript in transcripts()
        .iter()
        .filter(|transcript| transcript.name.starts_with("configspec"))
    {
        let said = transcript.said(true);
        let first = block_on(say(transcript, &said, said.len()));
        let spec = streams(&first).remove(&1).unwrap();
        let recorded = streams(&transcript.said(false)).remove(&1).unwrap();
        assert_eq!(hex::encode(spec), hex::encode(recorded), "{}", transcript.name);
        for cut in [1, 5, 13] {
            assert_eq!(streams(&block_on(say(transcript, &said, cut))), streams(&first));
        }
    }
}

/// One way to damage bytes.
#[derive(Debug, Clone)]
enum Damage {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
    Repeat(prop::sample::Index, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        4 => (at(), 1..=255_u8).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        1 => (at(), 1..64_usize).prop_map(|(at, count)| Damage::Cut(at, count)),
        1 => (at(), proptest::collection::vec(any::<u8>(), 1..32)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        1 => (at(), 1..256_usize).prop_map(|(at, count)| Damage::Repeat(at, count)),
    ]
}

fn damaged(mut bytes: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        match damage {
            Damage::Flip(at, bits) => *at.get_mut(&mut bytes) ^= bits,
            Damage::Cut(at, count) => {
                let at = at.index(bytes.len());
                let end = (at + count).min(bytes.len());
                bytes.drain(at..end);
            }
            Damage::Insert(at, more) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, more.iter().copied());
            }
            Damage::Repeat(at, count) => {
                let at = at.index(bytes.len());
                let again: Vec<u8> = bytes.iter().skip(at).take(*count).copied().collect();
                bytes.splice(at..at, again);
            }
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_damaged_transcript_does_no_harm(
        which in any::<prop::sample::Index>(),
        damages in proptest::collection::vec(damage(), 1..6),
        cut in 1..5000_usize,
    ) {
        count_panics();
        let before = PANICS.load(Ordering::SeqCst);
        let all = transcripts();
        let transcript = which.get(&all);
        let bytes = damaged(transcript.said(true), &damages);
        block_on(say(transcript, &bytes, cut));
        prop_assert_eq!(PANICS.load(Ordering::SeqCst), before);
    }
}
