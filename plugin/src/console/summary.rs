//! The summary of a job on GitHub: one section of Markdown for each build.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use super::ending::{Ending, Outcome};
use super::text::{bytes, duration, plural, tame};
use super::timeline::{State, Timeline};

/// Adds a section to the file that the runner shows.
pub(super) fn append(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(text.as_bytes())
}

/// The section.
pub(super) fn section(ending: &Ending, timeline: Option<&Timeline>) -> String {
    let mut text = String::new();
    let sign = if ending.outcome == Outcome::Succeeded {
        "✅"
    } else {
        "❌"
    };
    let _ = writeln!(text, "### {sign} {}: {}\n", cell(&ending.name), ending.outcome.word());
    if let Some(image) = &ending.image {
        let _ = writeln!(text, "Image `{}` (`{}`)\n", image.name, image.id);
    }
    let mut facts = vec![duration(ending.duration)];
    if ending.restarts > 0 {
        facts.push(plural(ending.restarts, "restart"));
    }
    if ending.bytes > 0 {
        facts.push(format!("{} transferred", bytes(ending.bytes)));
    }
    let _ = writeln!(text, "{}, build `{}`\n", facts.join(", "), ending.build);
    failure(&mut text, ending);
    if let Some(timeline) = timeline {
        steps(&mut text, timeline);
    }
    text
}

fn failure(text: &mut String, ending: &Ending) {
    let Some(failed) = &ending.failure else { return };
    let origin = failed.origin.as_ref().map(|origin| format!(" ({origin})"));
    let origin = origin.unwrap_or_default();
    let (title, message) = (cell(&failed.title), cell(&failed.record.message));
    let _ = writeln!(text, "**{title}**{origin}: {message}\n");
    for line in &failed.record.said {
        let _ = writeln!(text, "    {}", tame(line));
    }
    text.push('\n');
}

fn steps(text: &mut String, timeline: &Timeline) {
    text.push_str("<details><summary>Steps</summary>\n\n| step | took | |\n|---|---:|---|\n");
    for row in timeline.steps.iter().filter(|row| row.state != State::Waiting) {
        let took = duration(Duration::try_from_secs_f64(row.seconds).unwrap_or_default());
        let state = match row.state {
            State::Done => "done",
            State::Skipped => "skipped",
            State::Failed => "failed",
            State::Open | State::Waiting => "not finished",
        };
        let _ = writeln!(text, "| {} | {took} | {state} |", cell(&row.title));
    }
    text.push_str("\n</details>\n\n");
}

/// Text that cannot break a table or open a tag.
fn cell(text: &str) -> String {
    let text = tame(text).replace('\\', "\\\\").replace('|', "\\|");
    text.replace('<', "&lt;").replace('`', "\\`")
}
