//! Standard output and standard error, or two buffers in tests.

use std::io::{IsTerminal as _, Write};
use std::sync::{Mutex, PoisonError};

/// Where lines go.
pub(super) struct Sink {
    out: Mutex<Box<dyn Write + Send>>,
    err: Mutex<Box<dyn Write + Send>>,
    terminal: bool,
}

impl Sink {
    /// The process's own.
    pub(super) fn standard() -> Self {
        Self {
            out: Mutex::new(Box::new(std::io::stdout())),
            // Colours work on Windows' older consoles too; whether there are any is decided elsewhere.
            err: Mutex::new(Box::new(anstream::AutoStream::always(std::io::stderr()))),
            terminal: std::io::stderr().is_terminal(),
        }
    }

    /// Two buffers.
    #[cfg(test)]
    pub(super) fn of(out: impl Write + Send + 'static, err: impl Write + Send + 'static) -> Self {
        Self {
            out: Mutex::new(Box::new(out)),
            err: Mutex::new(Box::new(err)),
            terminal: false,
        }
    }

    pub(super) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// How many columns standard error has, where it is a terminal.
    pub(super) fn width(&self) -> Option<usize> {
        let (columns, _) = terminal_size::terminal_size_of(std::io::stderr()).filter(|_| self.terminal)?;
        Some(columns.0.into())
    }

    /// A line to standard output.
    pub(super) fn out(&self, text: &str) {
        write(&self.out, text);
    }

    /// A line to standard error.
    pub(super) fn err(&self, text: &str) {
        write(&self.err, text);
    }
}

/// A reader that went away is no failure of ours.
fn write(to: &Mutex<Box<dyn Write + Send>>, text: &str) {
    let mut to = to.lock().unwrap_or_else(PoisonError::into_inner);
    // One write a line: lines of several processes in one log stay whole.
    let _ = to.write_all(format!("{text}\n").as_bytes());
    let _ = to.flush();
}
