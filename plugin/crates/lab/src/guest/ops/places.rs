//! Files, archives, downloads, signatures.

use serde::Deserialize;
use serde_json::{Value, json};

use super::detect::{Detect, look};
use super::install::Payload;
use super::{Answered, Cx, Done, Failure, Step, read};
use crate::guest::files::{Content, hash};
use crate::guest::package::Package;
use crate::winrm::bytes::{Cursor, utf16le};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    path: String,
    state: String,
    content: Option<String>,
    encoding: String,
    payload: Option<Payload>,
}

/// `file`.
pub fn file(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Wanted = read(input)?;
    match wanted.state.as_str() {
        "absent" => {
            let gone = cx.state.disk.files.remove(&wanted.path);
            Step::either(!gone.is_empty(), wanted.path).done()
        }
        "folder" => {
            let there = cx.state.disk.files.get(&wanted.path).is_some();
            cx.state.disk.files.folder(&wanted.path, cx.now);
            Step::either(!there, wanted.path).done()
        }
        "file" => put(cx, wanted),
        other => Err(Failure::new("invalid_input", format!("the state is `{other}`"))),
    }
}

fn put(cx: &mut Cx<'_>, wanted: Wanted) -> Answered {
    let content = match (wanted.content, &wanted.payload) {
        (Some(text), None) => Content::closed(encoded(&text, &wanted.encoding)),
        (None, Some(payload)) => {
            payload.check(cx)?;
            cx.state
                .disk
                .files
                .content(&payload.path)
                .cloned()
                .unwrap_or_else(|| Content::closed(Vec::new()))
        }
        _ => return Err(Failure::new("invalid_input", "a file has a content or a payload")),
    };
    let same = cx
        .state
        .disk
        .files
        .content(&wanted.path)
        .is_some_and(|old| old.sha256() == content.sha256());
    cx.state.disk.files.write(&wanted.path, content, cx.now);
    Step::either(!same, wanted.path).done()
}

fn encoded(text: &str, encoding: &str) -> Vec<u8> {
    match encoding {
        "utf16" => [vec![0xff, 0xfe], utf16le(text)].concat(),
        "utf8_bom" => [&b"\xef\xbb\xbf"[..], text.as_bytes()].concat(),
        _ => text.as_bytes().to_vec(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Zip {
    from: String,
    to: String,
}

/// `zip`: the archive holds the names and hashes of what is in the folder; nobody reads it but the lab.
pub fn zip(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Zip = read(input)?;
    if cx.state.disk.files.get(&wanted.from).is_none() {
        return Err(Failure::new("missing_file", format!("{} is not there", wanted.from)));
    }
    let prefix = format!("{}\\", wanted.from.trim_end_matches('\\'));
    let found = cx.state.disk.files.below(&wanted.from).filter_map(|entry| {
        let name = entry.path.get(prefix.len()..)?.replace('\\', "/");
        Some((name, entry.content.as_ref()?.kept().to_vec()))
    });
    let found: Vec<(String, Vec<u8>)> = found.collect();
    let archive = stored(&found);
    cx.state.disk.files.write(&wanted.to, Content::closed(archive), cx.now);
    Step {
        seconds: 3.0,
        ..Step::changed(wanted.to)
    }
    .done()
}

/// A zip archive of stored entries.
fn stored(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes();
    for (name, data) in entries {
        let offset = number(archive.len());
        let length = u16::try_from(name.len()).unwrap_or(u16::MAX).to_le_bytes();
        let common: Vec<u8> = [
            &[20, 0, 0, 8, 0, 0, 0, 0, 0, 0][..],
            &crc32(data).to_le_bytes(),
            &number(data.len()),
            &number(data.len()),
            &length,
            &[0, 0],
        ]
        .concat();
        archive.extend([&b"PK\x03\x04"[..], &common, name.as_bytes(), data].concat());
        directory.extend([&b"PK\x01\x02\x14\x00"[..], &common, &[0; 10], &offset, name.as_bytes()].concat());
    }
    let count = u16::try_from(entries.len()).unwrap_or(u16::MAX).to_le_bytes();
    let tail = [
        &b"PK\x05\x06\0\0\0\0"[..],
        &count,
        &count,
        &number(directory.len()),
        &number(archive.len()),
        &[0, 0],
    ]
    .concat();
    [archive, directory, tail].concat()
}

fn crc32(data: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in data {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            };
        }
    }
    !crc
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unzip {
    archive: Payload,
    to: String,
    detect: Option<Detect>,
}

/// `unzip`.
pub fn unzip(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Unzip = read(input)?;
    wanted.archive.check(cx)?;
    let before = wanted.detect.as_ref().map(|detect| look(&cx.state.disk, detect));
    if before.as_ref().is_some_and(|before| before.present) {
        return Step {
            before: before.map(|before| before.json()),
            ..Step::already(wanted.to)
        }
        .done();
    }
    let bad = || Failure::new("bad_archive", "the archive cannot be read");
    let content = cx
        .state
        .disk
        .files
        .content(&wanted.archive.path)
        .and_then(Content::whole)
        .ok_or_else(bad)?;
    let entries = directory(content).ok_or_else(bad)?;
    let unsafe_name = |name: &str| {
        name.split(['/', '\\']).any(|part| part == "..") || name.contains(':') || name.starts_with(['/', '\\'])
    };
    if let Some(entry) = entries.iter().find(|entry| unsafe_name(&entry.name)) {
        return Err(Failure::new(
            "unsafe_entry",
            format!("`{}` would leave the folder", entry.name),
        ));
    }
    cx.state.disk.files.folder(&wanted.to, cx.now);
    let count = entries.len();
    for entry in entries {
        let path = format!(
            "{}\\{}",
            wanted.to.trim_end_matches('\\'),
            entry.name.replace('/', "\\")
        );
        match entry.content {
            None => cx.state.disk.files.folder(&path, cx.now),
            Some(content) => cx.state.disk.files.write(&path, content, cx.now),
        }
    }
    let after = wanted.detect.as_ref().map(|detect| look(&cx.state.disk, detect));
    if after.as_ref().is_some_and(|after| !after.present) {
        return Err(Failure::new(
            "not_detected",
            "unpacked, and the detection does not find it",
        ));
    }
    let detail = format!("{count} entries to {}", wanted.to);
    Step {
        after: after.map(|after| after.json()),
        seconds: 4.0,
        ..Step::changed(detail)
    }
    .done()
}

struct Entry {
    name: String,
    /// `None` for a folder.
    content: Option<Content>,
}

/// The entries of a zip archive, from its central directory. Deflated entries are kept by size and checksum only.
fn directory(bytes: &[u8]) -> Option<Vec<Entry>> {
    let end = bytes.windows(4).rposition(|window| window == b"PK\x05\x06")?;
    let mut tail = Cursor::new(bytes.get(end..)?);
    tail.take(10)?;
    let count = tail.u16()?;
    let _size = tail.u32()?;
    let start = usize::try_from(tail.u32()?).ok()?;
    let mut cursor = Cursor::new(bytes.get(start..)?);
    (0..count).map(|_| entry(&mut cursor, bytes)).collect()
}

fn entry(cursor: &mut Cursor<'_>, bytes: &[u8]) -> Option<Entry> {
    (cursor.take(4)? == b"PK\x01\x02").then_some(())?;
    cursor.take(6)?;
    let method = cursor.u16()?;
    cursor.take(4)?;
    let checksum = cursor.u32()?;
    let packed = usize::try_from(cursor.u32()?).ok()?;
    let size = cursor.u32()?;
    let (name, extra, comment) = (cursor.u16()?, cursor.u16()?, cursor.u16()?);
    cursor.take(8)?;
    let offset = usize::try_from(cursor.u32()?).ok()?;
    let name = String::from_utf8(cursor.take(usize::from(name))?.to_vec()).ok()?;
    cursor.take(usize::from(extra) + usize::from(comment))?;
    if name.ends_with('/') {
        return Some(Entry { name, content: None });
    }
    let data = data(bytes, offset, packed)?;
    let content = match method {
        0 if crc32(data) == checksum => Content::closed(data.to_vec()),
        8 => Content::Large {
            head: data.into(),
            size: u64::from(size),
            sha256: format!("deflated-{checksum:08x}"),
        },
        _ => return None,
    };
    Some(Entry {
        name,
        content: Some(content),
    })
}

fn data(bytes: &[u8], offset: usize, packed: usize) -> Option<&[u8]> {
    let mut local = Cursor::new(bytes.get(offset..)?);
    (local.take(4)? == b"PK\x03\x04").then_some(())?;
    local.take(22)?;
    let (name, extra) = (local.u16()?, local.u16()?);
    local.take(usize::from(name) + usize::from(extra))?;
    local.take(packed)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fetch {
    url: String,
    path: String,
    sha256: Option<String>,
    size: Option<u64>,
    #[expect(dead_code, reason = "the lab's guest has no way out, so no server is met")]
    pin: Option<String>,
    #[expect(dead_code, reason = "the lab's guest has no way out, so nothing is slow")]
    timeout_seconds: f64,
}

/// `fetch_url`: the guest reaches what the room offers, and nothing else.
pub fn fetch(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Fetch = read(input)?;
    let offered = cx
        .guest
        .web
        .get(&wanted.url)
        .filter(|_| cx.faults().armed("guest-offline").is_none());
    let Some(bytes) = offered.map(|bytes| bytes.to_vec()) else {
        let failure = Failure::new(
            "network",
            format!("{}: the remote name could not be resolved", wanted.url),
        );
        return Err(failure.hresult(0x8007_2ee7));
    };
    let sha256 = hash(&bytes);
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let other = wanted.sha256.is_some_and(|wanted| wanted.to_lowercase() != sha256);
    if other || wanted.size.is_some_and(|wanted| wanted != size) {
        return Err(Failure::new("hash_mismatch", "what came is not what was wanted"));
    }
    let already = cx
        .state
        .disk
        .files
        .content(&wanted.path)
        .is_some_and(|old| old.sha256() == sha256);
    cx.state.disk.files.write(&wanted.path, Content::closed(bytes), cx.now);
    let downloaded = if already { 0 } else { size };
    let result = json!({"path": wanted.path, "size": size, "sha256": sha256, "downloaded": downloaded, "resumed": false, "already": already});
    Ok(Done::quick(result))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Path {
    path: String,
}

/// `signature`.
pub fn signature(cx: &Cx<'_>, input: &Value) -> Answered {
    let wanted: Path = read(input)?;
    let Some(content) = cx.state.disk.files.content(&wanted.path) else {
        return Err(Failure::new("missing_file", format!("{} is not there", wanted.path)));
    };
    let package = Package::read(content.kept());
    let (status, subject) = package.as_ref().map_or(("not_signed", None), Package::signed);
    let kind = if status == "not_signed" { "none" } else { "authenticode" };
    let thumbprint = subject.map(|subject| {
        hash(subject.as_bytes())
            .chars()
            .take(40)
            .collect::<String>()
            .to_uppercase()
    });
    let not_after = subject.map(|_| "2030-01-01T00:00:00Z");
    Ok(Done::quick(json!({
        "status": status, "subject": subject, "thumbprint": thumbprint, "not_after": not_after, "kind": kind,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_archive_reads_back() {
        let archive = stored(&[("a/b.txt".to_owned(), b"hello".to_vec()), ("c".to_owned(), Vec::new())]);
        let entries = directory(&archive).unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].name, "a/b.txt");
        assert_eq!(entries[0].content.as_ref().unwrap().kept(), b"hello");
    }

    #[test]
    fn checksums() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
