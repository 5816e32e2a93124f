//! How a build ended, as data: what failed, what was done about it, what to type next.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reseal_diag::{Diagnostic, SourceText, Span};
use reseal_engine::plan::{Leaves, Origin};
use reseal_engine::{Ended, FailureClass, Plan};
use reseal_journal::{BuildState, FailureRecord, Journal, RunDir, StepState};
use reseal_machine::BuildId;
use reseal_pipeline::plan::ids;
use serde::Serialize;

use super::tally::Tally;
use super::text::quoted;
use super::timeline::Timeline;
use crate::cli::DEFAULT_RUNS;
use crate::session::{self, Ticket};

/// What is known when a build ends.
#[derive(Clone, Copy)]
pub struct Closing<'a> {
    /// The build.
    pub build: &'a BuildId,
    /// Where runs are kept.
    pub runs: &'a Path,
    /// What was to be done.
    pub plan: &'a Plan,
    /// How the engine ended.
    pub ended: &'a Ended,
    /// Who watched.
    pub watcher: &'a super::Watcher,
    /// Whether the cloud ends with this process: then nobody can go on later.
    pub rehearsed: bool,
    /// Where a manifest is wanted, beside the run's own.
    pub manifest: Option<&'a Path>,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Succeeded,
    Failed,
    Held,
    CleanedUp,
    Died,
}

impl Outcome {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Held => "held",
            Self::CleanedUp => "cleaned up",
            Self::Died => "killed",
        }
    }
}

/// The image that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Made {
    pub(super) id: String,
    pub(super) name: String,
}

/// The step that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Failed {
    pub(super) step: String,
    pub(super) title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) origin: Option<Origin>,
    #[serde(flatten)]
    pub(super) record: FailureRecord,
}

/// Something that could not be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Stuck {
    pub(super) step: String,
    pub(super) title: String,
    pub(super) message: String,
}

/// Everything that is said at a build's end.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Ending {
    pub(super) build: String,
    pub(super) name: String,
    pub(super) outcome: Outcome,
    pub(super) exit: u8,
    pub(super) image: Option<Made>,
    pub(super) failure: Option<Failed>,
    /// Titles of what was taken back.
    pub(super) undone: Vec<String>,
    /// Titles of what is still there and should not stay.
    pub(super) kept: Vec<String>,
    pub(super) stuck: Vec<Stuck>,
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub(super) duration: Duration,
    pub(super) restarts: usize,
    pub(super) bytes: u64,
    pub(super) folder: PathBuf,
    /// Commands to go on with.
    pub(super) next: Vec<String>,
    #[serde(skip)]
    spec: Option<PathBuf>,
}

fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

impl Ending {
    /// Puts together what plan, journal and tally know. `typed` is the command that would do the same again.
    pub(super) fn of(closing: &Closing<'_>, tally: &Tally, typed: &str) -> Self {
        let run = RunDir::new(closing.runs, closing.build.as_str());
        let (entries, state) = Journal::read(&run).unwrap_or_default();
        let (outcome, failure, stuck) = parts(closing.ended);
        let plan = closing.plan;
        let title = |step: &str| {
            plan.step(step)
                .map_or_else(|| step.to_owned(), |step| step.title.clone())
        };
        let ticket = fs::read(run.plan()).ok();
        let ticket: Option<Ticket> = ticket.and_then(|text| serde_json::from_slice(&text).ok());
        let stuck: Vec<Stuck> = stuck
            .iter()
            .map(|(step, record)| Stuck {
                step: step.clone(),
                title: title(step),
                message: record.message.clone(),
            })
            .collect();
        let ending = Self {
            build: closing.build.to_string(),
            name: plan.name.clone(),
            outcome,
            exit: session::exit(closing.ended).code(),
            image: image(&state, plan),
            failure: failure.map(|(step, record)| Failed {
                step: step.clone(),
                title: title(step),
                origin: plan.step(step).and_then(|step| step.origin.clone()),
                record: record.clone(),
            }),
            undone: undone(&state, plan),
            kept: kept(&state, plan, &stuck),
            stuck,
            duration: Timeline::of(&entries)
                .map(|timeline| timeline.duration())
                .unwrap_or_default(),
            restarts: tally.restarts(),
            bytes: tally.bytes(),
            folder: run.path().to_owned(),
            next: vec![],
            spec: ticket.map(|ticket| ticket.spec),
        };
        let next = match outcome {
            Outcome::Succeeded | Outcome::CleanedUp if closing.rehearsed => vec![],
            _ if closing.rehearsed => vec![typed.to_owned()],
            _ => ending.next(closing.runs, typed),
        };
        Self { next, ..ending }
    }

    fn next(&self, runs: &Path, typed: &str) -> Vec<String> {
        let runs = if runs == Path::new(DEFAULT_RUNS) {
            String::new()
        } else {
            format!(" -runs {}", quoted(&runs.display().to_string()))
        };
        let resume = format!("reseal resume {}{runs}", self.build);
        let cleanup = format!("reseal cleanup {}{runs}", self.build);
        let left = !self.stuck.is_empty() || !self.kept.is_empty();
        match self.outcome {
            // What others did in the guest can only be done again by them, from the beginning.
            Outcome::Held
                if self
                    .failure
                    .as_ref()
                    .is_some_and(|failed| failed.step == ids::PROVISION) =>
            {
                vec![cleanup]
            }
            Outcome::Held | Outcome::Died => vec![resume, cleanup],
            _ if left => vec![cleanup],
            Outcome::Failed => vec![self.again(typed)],
            Outcome::Succeeded | Outcome::CleanedUp => vec![],
        }
    }

    /// A build that was gone on with and has failed is closed: another one must begin.
    fn again(&self, typed: &str) -> String {
        match &self.spec {
            Some(spec) if typed.split(' ').any(|word| word == "resume") => {
                format!("reseal build {}", quoted(&spec.display().to_string()))
            }
            _ => typed.to_owned(),
        }
    }

    /// The failure as a diagnostic at the line of the spec, when that can be read.
    pub(super) fn diagnostic(&self) -> Option<Diagnostic> {
        let failed = self.failure.as_ref()?;
        let message = format!("{}: {}: {}", self.name, failed.title, failed.record.message);
        let mut diagnostic = Diagnostic::error(code(&failed.record.class), message);
        if let Some((source, span)) = failed.origin.as_ref().and_then(|origin| self.place(origin)) {
            diagnostic = diagnostic.at(&source, span, "this step");
        }
        diagnostic.help.clone_from(&failed.record.hints);
        Some(diagnostic)
    }

    /// The line of the spec, from the step on.
    fn place(&self, origin: &Origin) -> Option<(SourceText, Span)> {
        let beside = self
            .spec
            .as_ref()
            .and_then(|spec| Some(spec.parent()?.join(&origin.file)));
        let paths = [Some(PathBuf::from(&origin.file)), beside];
        let path = paths.into_iter().flatten().find(|path| path.is_file())?;
        let source = SourceText::new(&origin.file, session::read_text(&path).ok()?);
        let line = source.line_span(origin.line)?;
        let written = source.slice(line);
        let start = written.char_indices().nth(origin.column.saturating_sub(1))?.0;
        let end = written.trim_end().len().max(start + 1);
        let span = Span::new(line.start + start, line.start + end);
        Some((source.clone(), span))
    }
}

type Parts<'a> = (
    Outcome,
    Option<(&'a String, &'a FailureRecord)>,
    &'a [(String, FailureRecord)],
);

fn parts(ended: &Ended) -> Parts<'_> {
    match ended {
        Ended::Succeeded { stuck } => (Outcome::Succeeded, None, stuck),
        Ended::Failed { step, failure, stuck } => (Outcome::Failed, Some((step, failure)), stuck),
        Ended::Held { step, failure } => (Outcome::Held, Some((step, failure)), &[]),
        Ended::CleanedUp { stuck } => (Outcome::CleanedUp, None, stuck),
        Ended::Died => (Outcome::Died, None, &[]),
    }
}

/// The image by the output of the step that commits; its name is in the same place.
fn image(state: &BuildState, plan: &Plan) -> Option<Made> {
    let commit = plan.steps.iter().find(|step| step.commits)?;
    let output = state.output(&commit.id)?;
    let text = |key: &str| Some(output.get(key)?.as_str()?.to_owned());
    Some(Made {
        id: text("image")?,
        name: text("name").unwrap_or_default(),
    })
}

fn undone(state: &BuildState, plan: &Plan) -> Vec<String> {
    let steps = plan.steps.iter().rev();
    steps
        .filter(|step| *state.step(&step.id) == StepState::Undone)
        .map(|step| step.title.clone())
        .collect()
}

/// What a step has made and nobody has taken back.
fn kept(state: &BuildState, plan: &Plan, stuck: &[Stuck]) -> Vec<String> {
    let stays = |leaves: Leaves| match leaves {
        Leaves::Temporary => true,
        Leaves::Product => !state.committed,
        Leaves::Nothing | Leaves::Contained => false,
    };
    let there = |id: &str| {
        matches!(
            state.step(id),
            StepState::Done(_) | StepState::Perhaps | StepState::Failed { .. } | StepState::Undoing(_)
        )
    };
    let steps = plan.steps.iter().filter(|step| stays(step.leaves) && there(&step.id));
    steps
        .filter(|step| !stuck.iter().any(|one| one.step == step.id))
        .map(|step| step.title.clone())
        .collect()
}

/// The code whose page explains a class of failures.
fn code(class: &str) -> &'static str {
    match FailureClass::from_word(class) {
        FailureClass::Internal => "build::internal",
        FailureClass::Input => "build::input",
        FailureClass::Cloud => "build::cloud",
        FailureClass::Unreachable => "build::unreachable",
        FailureClass::Install => "build::install",
        FailureClass::Sysprep => "build::sysprep",
        FailureClass::Capture => "build::capture",
        FailureClass::Verify => "build::verify",
        FailureClass::Cancelled => "build::cancelled",
    }
}
