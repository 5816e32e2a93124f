//! The log: standard error, which Packer puts into its own.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::rim::env::Env;
use crate::scrub::Scrubber;

/// What Packer's log must not see in ours: it drops lines with the first two, and takes the last ones for crashes of its own.
const MISREAD: [(&str, &str); 4] = [
    ("ui:", "ui;"),
    ("ui error:", "ui error;"),
    ("panic:", "panic;"),
    ("fatal error: fault", "fatal error; fault"),
];

/// Begins to log. Everything when Packer logs, else only what somebody must know.
pub(super) fn begin(env: &Env, scrubber: &Scrubber) {
    let wanted = env.get("PACKER_LOG").is_some_and(|value| value != "0");
    let level = if wanted { "warn,reseal=debug" } else { "error" };
    let ours = ["packer", "pipeline", "winrm", "openstack", "engine"].map(|name| format!("reseal_{name}=debug"));
    let level = if wanted {
        format!("{level},{}", ours.join(","))
    } else {
        level.to_owned()
    };
    let writer = Lines(scrubber.clone());
    // Packer adds the time. A second subscriber in one process is a test's.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(level))
        .with_writer(writer)
        .with_ansi(false)
        .without_time()
        .try_init();
}

/// Says why nothing was done.
pub(super) fn refused(why: &str) {
    let _ = writeln!(io::stderr(), "{}", harmless(why));
}

/// Makes a writer for every line.
struct Lines(Scrubber);

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line {
            scrubber: self.0.clone(),
            text: Vec::new(),
        }
    }
}

/// One line, written at once and as a whole.
struct Line {
    scrubber: Scrubber,
    text: Vec<u8>,
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.text);
        // A log that nobody takes is no failure.
        let _ = io::stderr().write_all(harmless(&self.scrubber.text(&text)).as_bytes());
    }
}

fn harmless(text: &str) -> String {
    MISREAD
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packer_reads_nothing_into_a_line() {
        assert_eq!(harmless("gui: a panic: b"), "gui; a panic; b");
        assert_eq!(harmless("an ordinary line"), "an ordinary line");
    }
}
