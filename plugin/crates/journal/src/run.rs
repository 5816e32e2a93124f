//! The folder of one build and what stands in it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// `.reseal/runs/<id>/`: everything about one build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir(PathBuf);

impl RunDir {
    /// The folder of build `id` below `root` (usually `.reseal/runs`).
    pub fn new(root: &Path, id: &str) -> Self {
        Self(root.join(id))
    }

    /// Makes the folder.
    ///
    /// # Errors
    /// What the file system says.
    pub fn create(&self) -> io::Result<()> {
        fs::create_dir_all(&self.0)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The journal.
    pub fn journal(&self) -> PathBuf {
        self.0.join("journal.jsonl")
    }

    /// The lock that the process which works on the build holds.
    pub fn lock(&self) -> PathBuf {
        self.0.join("journal.lock")
    }

    /// The plan that is being carried out.
    pub fn plan(&self) -> PathBuf {
        self.0.join("plan.json")
    }

    /// The secrets that a resume needs; gone when the build closes.
    pub fn keyring(&self) -> PathBuf {
        self.0.join("keyring.json")
    }

    /// Everything that was said, with secrets removed.
    pub fn log(&self) -> PathBuf {
        self.0.join("build.log")
    }

    /// Logs that were brought home from the guest.
    pub fn guest_logs(&self) -> PathBuf {
        self.0.join("logs")
    }

    /// Ids of all builds below `root` that have a journal, oldest first (ids sort by time).
    ///
    /// # Errors
    /// What the file system says; a missing root has no builds.
    pub fn list(root: &Path) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut ids: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|id| Self::new(root, id).journal().exists())
            .collect();
        ids.sort();
        Ok(ids)
    }
}
