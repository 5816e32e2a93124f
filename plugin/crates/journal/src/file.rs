//! The journal on disk: JSON Lines, append-only, flushed before anything is done.
//!
//! A torn last line is what a crash leaves and is dropped; anything wrong before it is corruption and is refused.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;

use jiff::Timestamp;
use thiserror::Error;

use crate::event::{Entry, Event, FORMAT};
use crate::run::RunDir;
use crate::state::{BuildState, IllegalSequence};

/// Why a journal cannot be used.
#[derive(Debug, Error)]
pub enum JournalError {
    /// The file system said no.
    #[error("cannot use journal `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Another process works on this build.
    #[error("another process works on this build ({owner})")]
    Locked {
        /// What the lock file says of its owner.
        owner: String,
    },
    /// A line other than the last is damaged.
    #[error("journal `{}` is damaged in line {line}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
    /// Written by a newer version.
    #[error("the journal has format {found}; this program knows up to {FORMAT}")]
    Newer {
        /// The format found.
        found: u32,
    },
    /// The events contradict each other.
    #[error("the journal contradicts itself")]
    Illegal(#[from] IllegalSequence),
}

/// An open journal: the file, the lock and the state so far.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    _lock: Option<File>,
    state: BuildState,
    entries: Vec<Entry>,
}

impl Journal {
    /// Begins the journal of a new build; the folder must exist.
    ///
    /// # Errors
    /// [`JournalError::Io`] also when there is one already.
    pub fn create(run: &RunDir, owner: &str) -> Result<Self, JournalError> {
        let path = run.journal();
        let lock = lock(run, owner)?;
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(&path)
            .map_err(|source| JournalError::Io {
                path: path.clone(),
                source,
            })?;
        Ok(Self {
            path,
            file,
            _lock: lock,
            state: BuildState::default(),
            entries: Vec::new(),
        })
    }

    /// Opens the journal of a build to go on with it. Cuts off a torn last line.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn open(run: &RunDir, owner: &str) -> Result<Self, JournalError> {
        let path = run.journal();
        let lock = lock(run, owner)?;
        let io = |source| JournalError::Io {
            path: path.clone(),
            source,
        };
        let bytes = fs::read(&path).map_err(io)?;
        let (entries, whole) = parse(&bytes).map_err(|error| error.at(&path))?;
        let state = BuildState::replay(&entries)?;
        let mut file = OpenOptions::new().read(true).write(true).open(&path).map_err(io)?;
        file.set_len(whole).map_err(io)?;
        file.seek(SeekFrom::End(0)).map_err(io)?;
        Ok(Self {
            path,
            file,
            _lock: lock,
            state,
            entries,
        })
    }

    /// Reads a journal without a lock, for looking only.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn read(run: &RunDir) -> Result<(Vec<Entry>, BuildState), JournalError> {
        let path = run.journal();
        let bytes = fs::read(&path).map_err(|source| JournalError::Io {
            path: path.clone(),
            source,
        })?;
        let (entries, _) = parse(&bytes).map_err(|error| error.at(&path))?;
        let state = BuildState::replay(&entries)?;
        Ok((entries, state))
    }

    /// Whether another process works on the build.
    pub fn is_locked(run: &RunDir) -> bool {
        matches!(lock(run, ""), Err(JournalError::Locked { .. }))
    }

    /// The build so far.
    pub fn state(&self) -> &BuildState {
        &self.state
    }

    /// All entries so far.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Writes one event; it is on disk when this returns.
    ///
    /// # Errors
    /// [`JournalError::Illegal`] when it cannot follow: then nothing is written.
    pub fn append(&mut self, time: Timestamp, event: Event) -> Result<Entry, JournalError> {
        let entry = Entry {
            v: FORMAT,
            seq: self.state.next_seq(),
            time,
            event,
        };
        self.state.apply(&entry)?;
        self.write(&entry).map_err(|source| JournalError::Io {
            path: self.path.clone(),
            source,
        })?;
        self.entries.push(entry.clone());
        Ok(entry)
    }

    fn write(&mut self, entry: &Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.file.sync_data()
    }
}

/// Takes the build's lock. `None` where the file system has no locks.
fn lock(run: &RunDir, owner: &str) -> Result<Option<File>, JournalError> {
    let path = run.lock();
    let io = |source| JournalError::Io {
        path: path.clone(),
        source,
    };
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(io)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let owner = fs::read_to_string(&path).unwrap_or_default();
            return Err(JournalError::Locked {
                owner: owner.trim().to_owned(),
            });
        }
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => return Ok(None),
        Err(TryLockError::Error(source)) => return Err(io(source)),
    }
    if !owner.is_empty() {
        file.set_len(0).map_err(io)?;
        writeln!(file, "{owner}").map_err(io)?;
    }
    Ok(Some(file))
}

#[derive(Debug, PartialEq, Eq)]
enum ParseError {
    Damaged(usize),
    Newer(u32),
}

impl ParseError {
    fn at(self, path: &std::path::Path) -> JournalError {
        match self {
            Self::Damaged(line) => JournalError::Damaged {
                path: path.to_owned(),
                line,
            },
            Self::Newer(found) => JournalError::Newer { found },
        }
    }
}

/// Reads a journal's bytes: the entries, and how many bytes hold them whole. Total: never panics.
fn parse(bytes: &[u8]) -> Result<(Vec<Entry>, u64), ParseError> {
    let mut entries = Vec::new();
    let mut whole = 0;
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        let last = lines.peek().is_none();
        match entry(line)? {
            Some(entry) if line.ends_with(b"\n") => entries.push(entry),
            _ if last => break,
            _ => return Err(ParseError::Damaged(index + 1)),
        }
        whole += line.len();
    }
    Ok((entries, u64::try_from(whole).unwrap_or(u64::MAX)))
}

fn entry(line: &[u8]) -> Result<Option<Entry>, ParseError> {
    #[derive(serde::Deserialize)]
    struct Version {
        v: u32,
    }
    match serde_json::from_slice::<Version>(line) {
        Ok(Version { v }) if v > FORMAT => Err(ParseError::Newer(v)),
        Ok(_) => Ok(serde_json::from_slice(line).ok()),
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::StepHead;

    fn filled(run: &RunDir) {
        run.create().unwrap();
        let mut journal = Journal::create(run, "test").unwrap();
        let head = StepHead {
            id: "a".into(),
            title: "A".into(),
            fingerprint: "f".into(),
        };
        let started = Event::BuildStarted {
            build: "b".into(),
            name: "n".into(),
            fingerprint: "f".into(),
            tool: "0".into(),
            steps: vec![head],
        };
        for event in [
            started,
            Event::StepStarted {
                step: "a".into(),
                attempt: 1,
            },
            Event::StepSucceeded {
                step: "a".into(),
                output: serde_json::json!({"id": "한글"}),
            },
        ] {
            journal.append(Timestamp::UNIX_EPOCH, event).unwrap();
        }
    }

    #[test]
    fn a_torn_last_line_is_dropped_and_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::new(dir.path(), "b");
        filled(&run);
        let whole = fs::read(run.journal()).unwrap();
        fs::write(run.journal(), &whole[..whole.len() - 9]).unwrap();
        let mut journal = Journal::open(&run, "test").unwrap();
        assert_eq!(journal.entries().len(), 2);
        journal
            .append(Timestamp::UNIX_EPOCH, Event::BuildHeld { reason: "r".into() })
            .unwrap();
        drop(journal);
        assert_eq!(Journal::read(&run).unwrap().0.len(), 3);
    }

    #[test]
    fn damage_in_the_middle_is_refused_with_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::new(dir.path(), "b");
        filled(&run);
        let text = fs::read_to_string(run.journal())
            .unwrap()
            .replacen("\"step_started\"", "\"step_sta", 1);
        fs::write(run.journal(), text).unwrap();
        assert!(matches!(
            Journal::open(&run, ""),
            Err(JournalError::Damaged { line: 2, .. })
        ));
    }

    #[test]
    fn a_newer_format_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::new(dir.path(), "b");
        filled(&run);
        let text = fs::read_to_string(run.journal())
            .unwrap()
            .replace("{\"v\":1", "{\"v\":2");
        fs::write(run.journal(), text).unwrap();
        assert!(matches!(Journal::open(&run, ""), Err(JournalError::Newer { found: 2 })));
    }

    #[test]
    fn two_processes_cannot_work_on_one_build() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::new(dir.path(), "b");
        filled(&run);
        let first = Journal::open(&run, "pid 1").unwrap();
        assert!(matches!(Journal::open(&run, "pid 2"), Err(JournalError::Locked { owner }) if owner == "pid 1"));
        drop(first);
        assert!(Journal::open(&run, "pid 2").is_ok());
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn a_cut_anywhere_keeps_whole_lines_only(cut in 0_usize..600) {
            let dir = tempfile::tempdir().unwrap();
            let run = RunDir::new(dir.path(), "b");
            filled(&run);
            let bytes = fs::read(run.journal()).unwrap();
            let cut = cut.min(bytes.len());
            let (entries, whole) = parse(&bytes[..cut]).unwrap();
            prop_assert!(entries.len() <= 3);
            prop_assert!(usize::try_from(whole).unwrap() <= cut);
        }
    }
}
