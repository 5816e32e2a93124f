//! The C: drive: paths without regard to case, contents kept whole when small and as hash and head when large.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// Files up to this size are kept whole.
const WHOLE: usize = 1 << 20;
/// Archives are kept whole up to this size, because they are read again.
const WHOLE_ARCHIVE: usize = 32 << 20;
/// What is kept of larger files.
const HEAD: usize = 64 << 10;

/// What is in a file.
#[derive(Debug, Clone)]
pub enum Content {
    /// All of it.
    Whole(Arc<[u8]>),
    /// A large file: its beginning, size and hash.
    Large {
        /// The first bytes.
        head: Arc<[u8]>,
        /// The size.
        size: u64,
        /// SHA-256 in hex.
        sha256: String,
    },
    /// A file that is being written.
    Open(Vec<u8>),
}

impl Content {
    /// Keeps `bytes`, whole or not.
    pub fn closed(bytes: Vec<u8>) -> Self {
        let limit = if bytes.starts_with(b"PK") { WHOLE_ARCHIVE } else { WHOLE };
        if bytes.len() <= limit {
            return Self::Whole(bytes.into());
        }
        let head: Vec<u8> = bytes.iter().copied().take(HEAD).collect();
        Self::Large {
            head: head.into(),
            size: length(&bytes),
            sha256: hash(&bytes),
        }
    }

    /// The size in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Whole(bytes) => length(bytes),
            Self::Open(bytes) => length(bytes),
            Self::Large { size, .. } => *size,
        }
    }

    /// SHA-256 in hex.
    pub fn sha256(&self) -> String {
        match self {
            Self::Whole(bytes) => hash(bytes),
            Self::Open(bytes) => hash(bytes),
            Self::Large { sha256, .. } => sha256.clone(),
        }
    }

    /// The bytes that are kept, from the first on.
    pub fn kept(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) => bytes,
            Self::Open(bytes) => bytes,
            Self::Large { head, .. } => head,
        }
    }

    /// All bytes, unless the file was too large to keep.
    pub fn whole(&self) -> Option<&[u8]> {
        (!matches!(self, Self::Large { .. })).then(|| self.kept())
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// SHA-256 in hex.
pub fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A file or folder.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its path as it was first written.
    pub path: String,
    /// `None` for a folder.
    pub content: Option<Content>,
    /// When it was last written.
    pub written: Timestamp,
}

/// Everything on the drive that anybody cares about.
#[derive(Debug, Clone, Default)]
pub struct Files(BTreeMap<String, Entry>);

/// A path in the form in which paths are compared.
pub fn key(path: &str) -> String {
    path.replace('/', "\\").trim_end_matches('\\').to_lowercase()
}

/// The folder that a path is in.
pub fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('\\')
        .map(|(folder, _)| folder)
        .filter(|folder| folder.contains('\\') || folder.ends_with(':'))
}

/// The last part of a path.
pub fn name(path: &str) -> &str {
    path.rsplit('\\').next().unwrap_or(path)
}

impl Files {
    /// A file or folder.
    pub fn get(&self, path: &str) -> Option<&Entry> {
        self.0.get(&key(path))
    }

    /// A file's content.
    pub fn content(&self, path: &str) -> Option<&Content> {
        self.get(path)?.content.as_ref()
    }

    /// A file's text, if it is whole and UTF-8.
    pub fn text(&self, path: &str) -> Option<&str> {
        let bytes = self.content(path)?.whole()?;
        std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).ok()
    }

    /// Makes a folder and those above it.
    pub fn folder(&mut self, path: &str, now: Timestamp) {
        if let Some(parent) = parent(path) {
            self.folder(parent, now);
        }
        let entry = || Entry {
            path: path.trim_end_matches('\\').to_owned(),
            content: None,
            written: now,
        };
        self.0.entry(key(path)).or_insert_with(entry);
    }

    /// Writes a file, and the folders above it.
    pub fn write(&mut self, path: &str, content: Content, now: Timestamp) {
        if let Some(parent) = parent(path) {
            self.folder(parent, now);
        }
        self.0.insert(
            key(path),
            Entry {
                path: path.to_owned(),
                content: Some(content),
                written: now,
            },
        );
    }

    /// Writes a text file.
    pub fn write_text(&mut self, path: &str, text: &str, now: Timestamp) {
        self.write(path, Content::Whole(text.as_bytes().into()), now);
    }

    /// Adds to a text file.
    pub fn append(&mut self, path: &str, text: &str, now: Timestamp) {
        let mut bytes = self.content(path).and_then(Content::whole).unwrap_or_default().to_vec();
        bytes.extend_from_slice(text.as_bytes());
        self.write(path, Content::Whole(bytes.into()), now);
    }

    /// Writes into a file at an offset, growing it with zeros.
    pub fn write_at(&mut self, path: &str, offset: usize, bytes: &[u8], now: Timestamp) {
        let mut open = match self.0.remove(&key(path)).and_then(|entry| entry.content) {
            Some(Content::Open(open)) => open,
            Some(other) => other.kept().to_vec(),
            None => Vec::new(),
        };
        let end = offset.saturating_add(bytes.len());
        if open.len() < end {
            open.resize(end, 0);
        }
        if let Some(place) = open.get_mut(offset..end) {
            place.copy_from_slice(bytes);
        }
        self.write(path, Content::Open(open), now);
    }

    /// Removes a file or a folder with everything in it; says what went.
    pub fn remove(&mut self, path: &str) -> Vec<Entry> {
        let (whole, inside) = (key(path), format!("{}\\", key(path)));
        let gone: Vec<String> = self
            .0
            .keys()
            .filter(|key| **key == whole || key.starts_with(&inside))
            .cloned()
            .collect();
        gone.iter().filter_map(|key| self.0.remove(key)).collect()
    }

    /// Everything below a folder.
    pub fn below(&self, path: &str) -> impl Iterator<Item = &Entry> {
        let inside = format!("{}\\", key(path));
        self.0
            .iter()
            .filter(move |(key, _)| key.starts_with(&inside))
            .map(|(_, entry)| entry)
    }

    /// Everything.
    pub fn all(&self) -> impl Iterator<Item = &Entry> {
        self.0.values()
    }

    /// Bytes in all files.
    pub fn used(&self) -> u64 {
        self.0
            .values()
            .filter_map(|entry| entry.content.as_ref())
            .map(Content::size)
            .sum()
    }
}

/// Whether `text` matches `pattern` with `*` and `?`, without regard to case.
pub fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    matches(&text, &pattern)
}

fn matches(text: &[char], pattern: &[char]) -> bool {
    match (text, pattern) {
        (_, ['*', rest @ ..]) => (0..=text.len()).any(|skip| matches(text.get(skip..).unwrap_or_default(), rest)),
        ([_, text @ ..], ['?', rest @ ..]) => matches(text, rest),
        ([a, text @ ..], [b, rest @ ..]) => a == b && matches(text, rest),
        ([], []) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_no_case_and_folders_come_by_themselves() {
        let mut files = Files::default();
        files.write_text("C:\\A\\b.txt", "x", Timestamp::UNIX_EPOCH);
        assert_eq!(files.text("c:/a/B.TXT"), Some("x"));
        assert!(files.get("C:\\a").is_some_and(|entry| entry.content.is_none()));
        assert_eq!(files.remove("C:\\A").len(), 2);
    }

    #[test]
    fn wild_cards() {
        assert!(like("Example Agent 4", "example*"));
        assert!(!like("Example", "Exampl?X"));
    }
}
