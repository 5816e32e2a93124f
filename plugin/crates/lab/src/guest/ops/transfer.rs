//! The transport's own operations: probe, and files on their way in and out.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answered, Cx, Done, Failure, read};
use crate::faults::Faults;
use crate::guest::files::{Content, hash};
use crate::guest::machine::State;

/// What a runner's `ready` and `probe` say.
pub fn about(state: &State, sid: &str, faults: &Faults) -> Value {
    let mode = if faults.armed("constrained-language").is_some() {
        "ConstrainedLanguage"
    } else {
        "FullLanguage"
    };
    json!({
        "pid": 4242, "boot_time": state.live.told_boot.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(),
        "boot_id": state.disk.boot_id, "computer_name": state.disk.computer_name, "user_sid": sid, "language_mode": mode,
    })
}

/// `probe`.
pub fn probe(cx: &Cx<'_>) -> Answered {
    let mut about = about(cx.state, &cx.sid, cx.faults());
    about["process"] = "runner".into();
    about["version"] = 1.into();
    Ok(Done::quick(about))
}

fn partial(path: &str) -> String {
    format!("{path}.partial")
}

fn size_of(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// The transport counts in whole bytes; nothing larger than this fits on the lab's drive.
const LARGEST: u64 = 8 << 30;

fn disk_full() -> Failure {
    Failure::new("unexpected", "There is not enough space on the disk.").hresult(0x8007_0070)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    path: String,
    sha256: String,
    size: u64,
}

/// `transfer_state`.
pub fn state(cx: &Cx<'_>, input: &Value) -> Answered {
    let wanted: Wanted = read(input)?;
    let files = &cx.state.disk.files;
    let content = files.content(&wanted.path);
    let size = content.map(Content::size);
    let equal =
        size == Some(wanted.size) && content.is_some_and(|content| content.sha256() == wanted.sha256.to_lowercase());
    let partial = files
        .content(&partial(&wanted.path))
        .map(|content| json!({"size": content.size()}));
    let free = cx.state.disk.free_bytes();
    Ok(Done::quick(
        json!({"equal": equal, "size": size, "partial": partial, "free_bytes": free}),
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Prepare {
    path: String,
    size: u64,
}

/// `transfer_prepare`.
pub fn prepare(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Prepare = read(input)?;
    let full = cx.faults().strike("disk-full").is_some();
    if full || wanted.size > cx.state.disk.free_bytes().min(LARGEST) {
        return Err(disk_full());
    }
    let path = partial(&wanted.path);
    let mut bytes = cx
        .state
        .disk
        .files
        .content(&path)
        .map_or_else(Vec::new, |content| content.kept().to_vec());
    bytes.resize(size_of(wanted.size), 0);
    cx.state.disk.files.write(&path, Content::Open(bytes), cx.now);
    Ok(Done::quick(json!({"size": wanted.size})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Range {
    path: String,
    offset: u64,
    length: u64,
}

fn range<'a>(content: &'a Content, wanted: &Range) -> &'a [u8] {
    let kept = content.kept();
    let start = size_of(wanted.offset).min(kept.len());
    let end = start.saturating_add(size_of(wanted.length)).min(kept.len());
    kept.get(start..end).unwrap_or_default()
}

fn missing(path: &str) -> Failure {
    Failure::new("missing_file", format!("Could not find file '{path}'.")).hresult(0x8007_0002)
}

/// `transfer_hash`.
pub fn hash_range(cx: &Cx<'_>, input: &Value) -> Answered {
    let wanted: Range = read(input)?;
    let content = cx
        .state
        .disk
        .files
        .content(&partial(&wanted.path))
        .ok_or_else(|| missing(&wanted.path))?;
    Ok(Done::quick(json!({"sha256": hash(range(content, &wanted))})))
}

/// `transfer_finish`.
pub fn finish(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Wanted = read(input)?;
    let path = partial(&wanted.path);
    let content = cx.state.disk.files.content(&path).ok_or_else(|| missing(&path))?;
    let damaged = cx.faults().strike("transfer-damaged").is_some();
    let found = if damaged { hash(b"damaged") } else { content.sha256() };
    let equal = content.size() == wanted.size && found == wanted.sha256.to_lowercase();
    if equal && let Some(content) = cx.state.disk.files.remove(&path).pop().and_then(|entry| entry.content) {
        let content = match content {
            Content::Open(bytes) => Content::closed(bytes),
            // Brought by somebody else's transfer.
            closed => closed,
        };
        cx.state.disk.files.write(&wanted.path, content, cx.now);
    }
    Ok(Done::quick(json!({"sha256": found, "equal": equal})))
}

/// `transfer_read`.
pub fn read_range(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Range = read(input)?;
    let content = cx
        .state
        .disk
        .files
        .content(&wanted.path)
        .ok_or_else(|| missing(&wanted.path))?;
    if content.whole().is_none() {
        cx.state
            .violation(format!("the lab has not kept all of {}", wanted.path));
        return Err(Failure::new("unexpected", "the lab keeps only the head of large files"));
    }
    let data = range(content, &wanted);
    let size = content.size();
    let whole = wanted.offset.saturating_add(wanted.length) >= size;
    let sha256 = whole.then(|| content.sha256());
    Ok(Done::quick(
        json!({"data": BASE64_STANDARD.encode(data), "size": size, "sha256": sha256}),
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Folder {
    path: String,
}

/// `transfer_list`.
pub fn list(cx: &Cx<'_>, input: &Value) -> Answered {
    let wanted: Folder = read(input)?;
    let files = &cx.state.disk.files;
    files.get(&wanted.path).ok_or_else(|| missing(&wanted.path))?;
    let entries = files.below(&wanted.path).map(|entry| {
        let size = entry.content.as_ref().map_or(0, Content::size);
        json!({"path": entry.path, "size": size, "folder": entry.content.is_none()})
    });
    Ok(Done::quick(json!({"entries": entries.collect::<Vec<_>>()})))
}

/// One frame of a receiver.
///
/// # Errors
/// When the header lacks a path, or the drive is full.
pub fn receive(state: &mut State, header: &Value, body: &[u8], now: Timestamp, faults: &Faults) -> Result<(), Failure> {
    let path = header["path"].as_str().filter(|path| path.contains(":\\"));
    let path = path.ok_or_else(|| Failure::new("invalid_input", "the frame names no absolute path"))?;
    let offset = header["offset"].as_u64().unwrap_or(0);
    let end = offset.saturating_add(u64::try_from(body.len()).unwrap_or(u64::MAX));
    if end > LARGEST || faults.strike("disk-full-midway").is_some() {
        return Err(disk_full());
    }
    state.disk.files.write_at(path, size_of(offset), body, now);
    Ok(())
}
