//! Packer's machine-readable lines: time, target, type, data, separated by commas.

use std::sync::{Mutex, PoisonError};

use reseal_engine::Signal;
use reseal_journal::Entry;

use super::Console;
use super::ending::{Ending, Outcome};
use super::prose::{self, Pace, Said};
use super::tally::Tally;
use super::watcher::Renderer;

/// Shows one build.
pub(super) struct Machine {
    console: Console,
    pace: Mutex<Pace>,
}

impl Machine {
    pub(super) fn new(console: &Console) -> Self {
        Self {
            console: console.clone(),
            pace: Mutex::default(),
        }
    }

    fn show(&self, said: &Said, tally: &Tally) {
        let name = &tally.name;
        let (kind, text) = match said {
            Said::Step(text) => ("say", format!("==> {name}: {text}")),
            Said::Detail(text) | Said::Done(text) => ("message", format!("    {name}: {text}")),
            Said::Warning(text) => ("message", format!("    {name}: warning: {text}")),
            Said::Error(text) => ("error", format!("==> {name}: {text}")),
            Said::Guest(text) => ("message", format!("    {name}:   {text}")),
        };
        self.console.put_out(&ui(&self.console, kind, &text));
    }
}

/// A line for people inside the stream.
pub(super) fn ui(console: &Console, kind: &str, text: &str) -> String {
    line(console, "", "ui", &[kind, text])
}

/// One line.
pub(super) fn line(console: &Console, target: &str, kind: &str, data: &[&str]) -> String {
    let mut line = format!("{},{},{kind}", super::now().as_second(), escape(target));
    for field in data {
        line.push(',');
        // Scrubbed before it is escaped: a secret may hold a comma.
        line.push_str(&escape(&console.scrubber.text(field)));
    }
    line
}

fn escape(text: &str) -> String {
    text.replace(',', "%!(PACKER_COMMA)")
        .replace('\r', "\\r")
        .replace('\n', "\\n")
}

/// How a build ended: its artifact, or its error.
pub(super) fn ended(console: &Console, ending: &Ending) -> Vec<String> {
    let one = |kind: &str, data: &[&str]| line(console, &ending.name, kind, data);
    match (ending.outcome, &ending.image) {
        (Outcome::Succeeded, Some(image)) => vec![
            one("artifact-count", &["1"]),
            one("artifact", &["0", "builder-id", "reseal"]),
            one("artifact", &["0", "id", &image.id]),
            one(
                "artifact",
                &[
                    "0",
                    "string",
                    &format!("An image was created: {} ({})", image.name, image.id),
                ],
            ),
            one("artifact", &["0", "files-count", "0"]),
            one("artifact", &["0", "end"]),
        ],
        (Outcome::Succeeded | Outcome::CleanedUp, _) => vec![one("artifact-count", &["0"])],
        _ => {
            let failure = ending.failure.as_ref();
            let message = failure.map_or(ending.outcome.word(), |failed| &failed.record.message);
            vec![line(console, "", "error-count", &["1"]), one("error", &[message])]
        }
    }
}

impl Renderer for Machine {
    fn event(&self, entry: &Entry, tally: &Tally) {
        self.show(&prose::event(entry, tally), tally);
    }

    fn signal(&self, signal: &Signal, tally: &Tally) {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        if pace.admits(signal) {
            self.show(&prose::signal(signal), tally);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn fields_are_escaped_as_packer_does() {
        assert_eq!(escape("a,b\r\nc"), r"a%!(PACKER_COMMA)b\r\nc");
    }
}
