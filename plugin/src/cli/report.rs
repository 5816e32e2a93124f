//! `report`: the timeline of a build, as one HTML file that needs nothing else, or as JSON.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use reseal_journal::{Journal, RunDir};
use serde_json::json;

use super::args::Runs;
use super::resume::find;
use crate::console::Console;
use crate::console::text::duration;
use crate::console::timeline::{Row, Timeline};
use crate::exit::Exit;

/// `report`.
#[derive(Debug, Args)]
pub struct Report {
    /// The build's id, or its beginning or end.
    pub id: String,
    /// Where to write the page (`-` for standard output); `report.html` in the run's folder without it.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The run folder.
    #[command(flatten)]
    pub runs: Runs,
}

/// Writes the page, or with `--json` prints the timeline.
pub(super) fn report(command: &Report, console: &Console) -> Exit {
    let runs = &command.runs.folder;
    let Some(id) = find(runs, &command.id, console) else {
        return Exit::Input;
    };
    let run = RunDir::new(runs, &id);
    let entries = match Journal::read(&run) {
        Ok((entries, _)) => entries,
        Err(error) => {
            console.error(&format!("{id}: {error}"), &[]);
            return Exit::Input;
        }
    };
    let Some(timeline) = Timeline::of(&entries) else {
        console.error(&format!("the journal of {id} is empty: nothing happened"), &[]);
        return Exit::Input;
    };
    if console.is_json() {
        console.document("timeline", &timeline);
        return Exit::Ok;
    }
    match page(&timeline) {
        Ok(page) => write(command, &run, &console.scrubber.text(&page), console),
        Err(error) => {
            console.error(&format!("cannot make the page: {error}"), &[]);
            Exit::Internal
        }
    }
}

fn write(command: &Report, run: &RunDir, page: &str, console: &Console) -> Exit {
    let path = command.output.clone().unwrap_or_else(|| run.path().join("report.html"));
    if path.as_os_str() == "-" {
        console.line(page);
        return Exit::Ok;
    }
    match std::fs::write(&path, page) {
        Ok(()) => {
            console.say(&format!("wrote {}", path.display()));
            Exit::Ok
        }
        Err(error) => {
            console.error(&format!("cannot write `{}`: {error}", path.display()), &[]);
            Exit::Input
        }
    }
}

fn page(timeline: &Timeline) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // The name's ending switches escaping on: titles and messages come from specs and guests.
    environment.add_template("report.html", include_str!("report/report.html"))?;
    let rows = |rows: &[Row]| rows.iter().map(|row| bar(row, timeline)).collect::<Vec<Value>>();
    environment.get_template("report.html")?.render(context! {
        name => &timeline.name,
        build => &timeline.build,
        tool => &timeline.tool,
        fingerprint => &timeline.fingerprint,
        began => timeline.began.to_string(),
        took => duration(timeline.duration()),
        resumed => timeline.resumed,
        outcome => timeline.outcome.map_or_else(|| "open".to_owned(), |outcome| word(&json!(outcome))),
        steps => rows(&timeline.steps),
        undone => rows(&timeline.undone),
    })
}

fn word(value: &serde_json::Value) -> String {
    value.as_str().unwrap_or_default().replace('_', " ")
}

/// A row with its place on the time line, in percent.
fn bar(row: &Row, timeline: &Timeline) -> Value {
    let whole = timeline.duration().as_secs_f64().max(0.001);
    let before = row.began.map_or(0.0, |began| {
        Duration::try_from(began.duration_since(timeline.began))
            .unwrap_or_default()
            .as_secs_f64()
    });
    let took = Duration::try_from_secs_f64(row.seconds).unwrap_or_default();
    let failure = row.failure.as_ref();
    context! {
        id => &row.id,
        title => &row.title,
        state => word(&json!(row.state)),
        attempts => row.attempts,
        took => if row.began.is_some() { duration(took) } else { String::new() },
        left => format!("{:.2}", before / whole * 100.0),
        width => format!("{:.2}", (row.seconds / whole * 100.0).max(0.2)),
        begun => row.began.is_some(),
        message => failure.map(|failure| failure.message.clone()),
        said => failure.map(|failure| failure.said.clone()).unwrap_or_default(),
        hints => failure.map(|failure| failure.hints.clone()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use reseal_journal::{Entry, Event, FailureRecord, StepHead, event::AfterFailure};

    use super::*;

    #[test]
    fn a_page_stands_alone_and_escapes_what_others_wrote() {
        let step = "guest/01".to_owned();
        let failure = FailureRecord {
            class: "install".into(),
            message: "<script>alert(1)</script>".into(),
            causes: vec![],
            said: vec!["line & line".into()],
            hints: vec![],
        };
        let events = [
            Event::BuildStarted {
                build: "b".into(),
                name: "한국어".into(),
                fingerprint: "f".into(),
                tool: "0".into(),
                steps: vec![StepHead {
                    id: step.clone(),
                    title: "install".into(),
                    fingerprint: String::new(),
                }],
            },
            Event::StepStarted {
                step: step.clone(),
                attempt: 1,
            },
            Event::StepFailed {
                step,
                attempt: 1,
                failure,
                then: AfterFailure::Abort,
            },
        ];
        let entries: Vec<Entry> = (0..).zip(events).map(|(seq, event)| entry(seq, event)).collect();
        let page = page(&Timeline::of(&entries).unwrap()).unwrap();
        assert!(page.contains("한국어") && page.contains("&lt;script&gt;") && page.contains("line &amp; line"));
        assert!(
            !page.contains("<script") && !page.contains("http"),
            "no code, nothing from elsewhere"
        );
    }

    fn entry(seq: u64, event: Event) -> Entry {
        Entry {
            v: 1,
            seq,
            time: Timestamp::from_second(i64::try_from(seq).unwrap() * 10).unwrap(),
            event,
        }
    }
}
