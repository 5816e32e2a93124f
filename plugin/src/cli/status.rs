//! `status`: builds that were begun before.

use clap::Args;
use jiff::Timestamp;
use reseal_journal::{BuildState, Entry, Event, Journal, Outcome, RunDir};
use reseal_machine::Clock as _;
use serde_json::json;

use super::args::Runs;
use crate::console::Console;
use crate::console::table::Table;
use crate::console::text::duration;
use crate::exit::Exit;
use crate::rim::clock::SystemClock;

/// `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Also builds that are closed.
    #[arg(long)]
    pub all: bool,
    /// The run folder.
    #[command(flatten)]
    pub runs: Runs,
}

/// One build, as far as its journal tells.
struct Found {
    id: String,
    state: BuildState,
    entries: Vec<Entry>,
    locked: bool,
}

/// Shows builds.
pub(super) fn status(command: &Status, console: &Console) -> Exit {
    let runs = &command.runs.folder;
    let ids = match RunDir::list(runs) {
        Ok(ids) => ids,
        Err(error) => {
            console.error(&format!("cannot read `{}`: {error}", runs.display()), &[]);
            return Exit::Input;
        }
    };
    let mut found = Vec::new();
    let mut exit = Exit::Ok;
    for id in ids {
        let run = RunDir::new(runs, &id);
        match Journal::read(&run) {
            Ok((entries, state)) if command.all || state.closed.is_none() => found.push(Found {
                locked: Journal::is_locked(&run),
                id,
                state,
                entries,
            }),
            Ok(_) => {}
            Err(error) => {
                console.error(&format!("{id}: {error}"), &[]);
                exit = Exit::Input;
            }
        }
    }
    show(&found, command.all, console);
    exit
}

fn show(found: &[Found], all: bool, console: &Console) {
    if console.is_json() {
        let builds: Vec<_> = found.iter().map(document).collect();
        return console.document("status", json!({ "builds": builds }));
    }
    if found.is_empty() {
        console.say(if all {
            "no builds"
        } else {
            "no open builds (`-all` shows closed ones too)"
        });
        return;
    }
    let now = SystemClock::new(1).now();
    let mut table = Table::with_head(&["id", "name", "age", "step", "state"]);
    for build in found {
        table.row(vec![
            build.id.clone(),
            build.state.name.clone(),
            build
                .entries
                .first()
                .map(|first| age(first.time, now))
                .unwrap_or_default(),
            build.step().unwrap_or("-").to_owned(),
            build.what(),
        ]);
    }
    for line in table.lines() {
        console.line(&line);
    }
}

/// A rehearsal's journal may be ahead of the wall's time.
fn age(began: Timestamp, now: Timestamp) -> String {
    duration(std::time::Duration::try_from(now.duration_since(began)).unwrap_or_default())
}

fn document(build: &Found) -> serde_json::Value {
    json!({
        "id": build.id,
        "name": build.state.name,
        "began": build.entries.first().map(|entry| entry.time),
        "last": build.entries.last().map(|entry| entry.time),
        "step": build.step(),
        "state": build.word(),
        "locked": build.locked,
        "committed": build.state.committed,
        "held": build.state.held,
        "stuck": build.state.stuck,
        "failure": build.state.failure.as_ref().map(|(step, failure)| json!({ "step": step, "failure": failure })),
    })
}

impl Found {
    /// The step that failed, or that was last begun.
    fn step(&self) -> Option<&str> {
        if let Some((step, _)) = &self.state.failure {
            return Some(step);
        }
        if self.state.closed.is_some() {
            return None;
        }
        self.entries.iter().rev().find_map(|entry| match &entry.event {
            Event::StepStarted { step, .. } | Event::UndoStarted { step } => Some(step.as_str()),
            _ => None,
        })
    }

    fn word(&self) -> &'static str {
        match self.state.closed {
            Some(Outcome::Succeeded) => "succeeded",
            Some(Outcome::Failed) => "failed",
            Some(Outcome::CleanedUp) => "cleaned_up",
            None if self.locked => "in_work",
            None if !self.state.stuck.is_empty() => "stuck",
            None if self.state.held.is_some() => "held",
            None => "interrupted",
        }
    }

    /// The state in words, with what it needs.
    fn what(&self) -> String {
        match self.word() {
            "in_work" => "in work".to_owned(),
            "cleaned_up" => "cleaned up".to_owned(),
            "stuck" => format!(
                "stuck: {} not removed; `reseal cleanup` tries again",
                self.state.stuck.len()
            ),
            "held" => format!("held: {}", self.state.held.as_deref().unwrap_or_default()),
            "interrupted" => "its process is gone; `reseal resume` or `reseal cleanup` goes on".to_owned(),
            word => word.to_owned(),
        }
    }
}
