//! The project's files, as a stranger gets them.

use std::path::{Path, PathBuf};

/// Folders that no stranger gets; the same as in `.gitignore`, and Git's own.
const NOT_OURS: [&str; 3] = [".git", "target", ".reseal"];

/// One file.
pub(super) struct SourceFile {
    /// From the root, with `/`.
    pub(super) path: String,
    /// What stands in it.
    pub(super) bytes: Vec<u8>,
}

impl SourceFile {
    /// The text; empty for what is no text.
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap_or_default()
    }

    /// What the name ends with, without the dot.
    pub(super) fn extension(&self) -> &str {
        Path::new(&self.path)
            .extension()
            .and_then(|end| end.to_str())
            .unwrap_or_default()
    }
}

/// The project's root.
pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All files, sorted by path.
pub(super) fn files() -> Vec<SourceFile> {
    let mut found = Vec::new();
    walk(&root(), "", &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 100, "the tree was not found at {}", root().display());
    found
}

/// All Rust sources.
pub(super) fn rust() -> Vec<SourceFile> {
    files().into_iter().filter(|file| file.extension() == "rs").collect()
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<SourceFile>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().expect("file names are UTF-8");
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().unwrap();
        if NOT_OURS.contains(&name.as_str()) {
            continue;
        }
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), found);
        } else if kind.is_file() && !name.ends_with(".pending-snap") {
            // Somebody may remove a scratch file while we look.
            found.extend(std::fs::read(entry.path()).ok().map(|bytes| SourceFile { path, bytes }));
        }
    }
}
