//! `build.log` in the run's folder: everything that was said, with the build's own time, never shortened.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use reseal_engine::Signal;
use reseal_journal::Entry;

use super::prose::{self, Pace, Said};
use super::tally::Tally;
use crate::scrub::Scrubber;

/// The file; a build whose log cannot be written goes on without.
pub(super) struct LogFile {
    scrubber: Scrubber,
    inner: Mutex<Inner>,
}

struct Inner {
    file: Option<File>,
    time: Timestamp,
    pace: Pace,
}

impl LogFile {
    /// Goes on with the log at `path`.
    pub(super) fn open(path: &Path, scrubber: Scrubber) -> Self {
        Self {
            scrubber,
            inner: Mutex::new(Inner {
                file: OpenOptions::new().create(true).append(true).open(path).ok(),
                time: Timestamp::UNIX_EPOCH,
                pace: Pace::default(),
            }),
        }
    }

    pub(super) fn event(&self, entry: &Entry, tally: &Tally) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.time = entry.time;
        self.write(&mut inner, &prose::event(entry, tally));
    }

    pub(super) fn signal(&self, signal: &Signal) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.pace.admits(signal) {
            self.write(&mut inner, &prose::signal(signal));
        }
    }

    /// Signals carry no time of their own: theirs is that of the last event.
    fn write(&self, inner: &mut Inner, said: &Said) {
        let line = match said {
            Said::Step(text) => format!("==> {text}"),
            Said::Detail(text) | Said::Done(text) => format!("    {text}"),
            Said::Warning(text) => format!("    warning: {text}"),
            Said::Error(text) => format!("    error: {text}"),
            Said::Guest(text) => format!("    | {text}"),
        };
        let time = inner.time.strftime("%Y-%m-%dT%H:%M:%SZ");
        let line = format!("{time} {}\n", self.scrubber.text(&line));
        if let Some(file) = &mut inner.file {
            // One write a line: a killed process leaves whole lines.
            let _ = file.write_all(line.as_bytes());
        }
    }
}
