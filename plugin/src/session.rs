//! One build from a spec to its end: the same path for `build`, `rehearse`, `resume` and `cleanup`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use reseal_diag::{Diagnostic, SourceText};
use reseal_engine::run::Asker;
use reseal_engine::{Ended, Engine, Hooks, Observer, OnError, Plan, Scrub, Stop};
use reseal_journal::{Journal, JournalError, Keyring, RunDir};
use reseal_machine::{BuildId, Clock, Cloud, Communicator};
use reseal_pipeline::facts::{self, Facts, FileFact};
use reseal_pipeline::lock::{self, Resolved};
use reseal_pipeline::plan::{Choices, Planned, ids};
use reseal_pipeline::problem::{Problem, ProblemKind};
use reseal_pipeline::world::Provisioners;
use reseal_pipeline::{actions, secrets};
use reseal_spec::{BuildInfo, Inputs, Loaded, Spec};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::VERSION;
use crate::exit::Exit;
use crate::lockfile;
use crate::rim::files::SpecFolder;
use crate::rim::random;
use crate::scrub::Scrubber;
use crate::wiring::{self, CloudUnavailable};

/// What the command line says about a spec's inputs.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    /// `-var name=value`.
    pub vars: Vec<(String, String)>,
    /// `-var-file`, read.
    pub files: Vec<SourceText>,
    /// From the environment.
    pub environment: Vec<(String, String)>,
}

/// A spec that was read: its builds, and every complaint.
pub struct Document {
    /// Where it is.
    pub path: PathBuf,
    /// Its builds, with what the loader knows of places.
    pub loaded: Loaded,
    /// The same builds with fixed build facts, for the hash of their content.
    canonical: BTreeMap<String, Spec>,
}

impl Document {
    /// Reads a spec file.
    ///
    /// # Errors
    /// When the file itself cannot be read; everything else is a diagnostic.
    pub fn read(path: &Path, folder: &SpecFolder, variables: &Variables, build: BuildInfo) -> std::io::Result<Self> {
        let source = SourceText::new(path.display().to_string(), read_text(path)?);
        Ok(Self::of(&source, path, folder, variables, build))
    }

    /// Reads a spec that stands in no file of its own; `path` is where it would be.
    pub fn of(source: &SourceText, path: &Path, folder: &SpecFolder, variables: &Variables, build: BuildInfo) -> Self {
        let load = |build: BuildInfo| {
            let inputs = Inputs {
                files: folder,
                vars: variables.vars.clone(),
                var_files: variables.files.clone(),
                environment: variables.environment.clone(),
                build,
            };
            reseal_spec::load(source, &inputs)
        };
        let fixed = BuildInfo {
            id: "0".into(),
            date: "00000000".into(),
            time: "000000".into(),
        };
        let canonical = load(fixed)
            .specs
            .into_iter()
            .map(|spec| (spec.name.clone(), spec))
            .collect();
        Self {
            path: path.to_owned(),
            loaded: load(build),
            canonical,
        }
    }

    /// What a problem of the plan looks like at its line.
    pub fn diagnostic(&self, problem: &Problem) -> Diagnostic {
        let diagnostic = if problem.warning {
            Diagnostic::warning(problem.code, problem.message.clone())
        } else {
            Diagnostic::error(problem.code, problem.message.clone())
        };
        let diagnostic = self.loaded.point(diagnostic, &problem.route);
        problem
            .help
            .iter()
            .fold(diagnostic, |diagnostic, help| diagnostic.help(help.clone()))
    }
}

/// Reads a text file; a byte order mark is dropped, other encodings than UTF-8 are an error that says so.
///
/// # Errors
/// What the file system says, or that it is no UTF-8.
pub fn read_text(path: &Path) -> std::io::Result<String> {
    let bytes = fs::read(path)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error
            .as_bytes()
            .get(..error.utf8_error().valid_up_to())
            .unwrap_or_default();
        let line = good.split(|byte| *byte == b'\n').count();
        let message = format!("line {line} is not UTF-8; save the file as UTF-8");
        std::io::Error::new(std::io::ErrorKind::InvalidData, message)
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// What a build needs beside its spec.
pub struct Setting {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The cloud.
    pub cloud: Arc<dyn Cloud>,
    /// Where runs are kept, usually `.reseal/runs`.
    pub runs: PathBuf,
    /// The spec's folder.
    pub folder: SpecFolder,
    /// Learns every secret.
    pub scrubber: Scrubber,
    /// How to stop.
    pub stop: Stop,
}

/// What was decided before a build begins.
pub struct Prepared {
    /// The plan.
    pub planned: Planned,
    /// The spec.
    pub spec: Spec,
    /// What it resolved to, for the lock.
    pub resolved: Resolved,
    /// What is different from the lock; `None` without a lock.
    pub differences: Option<Vec<String>>,
}

/// What the command line decides about a plan.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Build although nothing changed; replace an image of the same name.
    pub force: bool,
    /// Refuse differences from the lock.
    pub locked: bool,
    /// The runner's address in CIDR form, where it is known.
    pub runner: Option<String>,
    /// Others work in the guest too.
    pub provisioners: bool,
}

/// Why there is no plan.
pub enum Unplanned {
    /// Problems of the spec, or of what the cloud has.
    Problems(Vec<Problem>),
    /// The cloud cannot be asked.
    Cloud(CloudUnavailable),
    /// A local file cannot be read.
    File(String, std::io::Error),
    /// The lock says something else.
    Locked(Vec<String>),
}

impl Unplanned {
    /// The exit code: the cloud's fault counts only when the spec is without one.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Problems(problems) if problems.iter().all(|p| p.warning || p.kind == ProblemKind::Cloud) => {
                Exit::Cloud
            }
            Self::Problems(_) | Self::File(..) | Self::Locked(_) => Exit::Input,
            Self::Cloud(_) => Exit::Cloud,
        }
    }
}

/// Asks the cloud and makes the plan of one build.
///
/// # Errors
/// See [`Unplanned`].
pub async fn prepare(document: &Document, spec: &Spec, setting: &Setting, force: bool) -> Result<Prepared, Unplanned> {
    prepare_with(
        document,
        spec,
        setting,
        &Wishes {
            force,
            ..Wishes::default()
        },
    )
    .await
}

/// Asks the cloud and makes the plan of one build, as the command line wishes.
///
/// # Errors
/// See [`Unplanned`].
pub async fn prepare_with(
    document: &Document,
    spec: &Spec,
    setting: &Setting,
    wishes: &Wishes,
) -> Result<Prepared, Unplanned> {
    let facts = gather(spec, setting).await?;
    let resolved = lock::resolve(spec, &facts);
    let lock = lockfile::path(&document.path).display().to_string();
    let differences = lockfile::compare(&document.path, &spec.name, &resolved);
    let differences = differences.map_err(|error| Unplanned::File(lock, error))?;
    if wishes.locked {
        match &differences {
            None => {
                return Err(Unplanned::Locked(vec![
                    "there is no lock for this build yet".to_owned(),
                ]));
            }
            Some(lines) if !lines.is_empty() => return Err(Unplanned::Locked(lines.clone())),
            Some(_) => {}
        }
    }
    let canonical = document.canonical.get(&spec.name).unwrap_or(spec);
    let content = reseal_pipeline::plan::content(canonical, &facts);
    let runner = wishes.runner.clone().unwrap_or_else(|| "0.0.0.0/0".to_owned());
    let choices = Choices {
        force: wishes.force,
        content,
        runner: vec![runner],
        provisioners: wishes.provisioners,
    };
    let mut planned = reseal_pipeline::plan::plan(spec, &facts, &choices).map_err(Unplanned::Problems)?;
    planned.place(|section| document.loaded.place(section));
    Ok(Prepared {
        planned,
        spec: spec.clone(),
        resolved,
        differences,
    })
}

/// Asks the cloud and the local files what a plan must know.
///
/// # Errors
/// See [`Unplanned`].
pub async fn gather(spec: &Spec, setting: &Setting) -> Result<Facts, Unplanned> {
    let mut files: BTreeMap<String, FileFact> = BTreeMap::new();
    for path in facts::local_paths(spec) {
        let fact = setting
            .folder
            .measure(&path)
            .map_err(|error| Unplanned::File(path.clone(), error))?;
        files.insert(path, fact);
    }
    let gathered = facts::gather(setting.cloud.as_ref(), spec, files).await;
    gathered
        .map_err(|error| Unplanned::Cloud(error.into()))?
        .map_err(Unplanned::Problems)
}

/// What stands in a run's folder so that another process can go on with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ticket {
    /// The spec's file.
    pub spec: PathBuf,
    /// `nhn`, `openstack` or `lab`.
    pub cloud: reseal_spec::model::Cloud,
    /// The plan.
    pub plan: Plan,
}

/// Begins a build: folder, plan, keyring and journal are on disk when this returns.
///
/// # Errors
/// When the run's folder cannot be written.
pub fn begin(setting: &Setting, document: &Path, prepared: &Prepared, build: &BuildId) -> Result<Opened, JournalError> {
    let run = RunDir::new(&setting.runs, build.as_str());
    let io = |source| JournalError::Io {
        path: run.path().to_owned(),
        source,
    };
    run.create().map_err(io)?;
    let ticket = Ticket {
        spec: document.to_owned(),
        cloud: prepared.spec.cloud.clone(),
        plan: prepared.planned.plan.clone(),
    };
    let text = serde_json::to_vec_pretty(&ticket).unwrap_or_default();
    fs::write(run.plan(), text).map_err(io)?;
    let keyring = Keyring::open(&run.keyring()).map_err(io)?;
    for (name, secret) in &prepared.spec.secrets {
        let secret = SecretString::from(secret.expose_secret().to_owned());
        setting.scrubber.learn(&secret);
        keyring.put(&secrets::key(name), secret).map_err(io)?;
    }
    let journal = Journal::create(&run, &owner())?;
    Ok(Opened {
        build: build.clone(),
        run,
        plan: ticket.plan,
        keyring,
        journal,
    })
}

/// Opens a build that another process began.
///
/// # Errors
/// When its journal or plan cannot be read, or somebody works on it.
pub fn reopen(runs: &Path, scrubber: &Scrubber, id: &str) -> Result<(Opened, Ticket), JournalError> {
    let run = RunDir::new(runs, id);
    let io = |source| JournalError::Io {
        path: run.plan(),
        source,
    };
    let ticket: Ticket = serde_json::from_slice(&fs::read(run.plan()).map_err(io)?)
        .map_err(|error| io(std::io::Error::new(std::io::ErrorKind::InvalidData, error)))?;
    let keyring = Keyring::open(&run.keyring()).map_err(io)?;
    for secret in keyring.values() {
        scrubber.learn(&secret);
    }
    let journal = Journal::open(&run, &owner())?;
    let plan = ticket.plan.clone();
    Ok((
        Opened {
            build: BuildId::new(id),
            run,
            plan,
            keyring,
            journal,
        },
        ticket,
    ))
}

/// A build whose journal is open.
pub struct Opened {
    /// The build.
    pub build: BuildId,
    /// Its folder.
    pub run: RunDir,
    /// Its plan.
    pub plan: Plan,
    /// Its secrets.
    pub keyring: Keyring,
    /// Its journal.
    pub journal: Journal,
}

/// Which way to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the image.
    Forward,
    /// Take everything back.
    Cleanup,
}

/// Who watches and who decides.
pub struct Attendance<'a> {
    /// Sees everything.
    pub observer: &'a dyn Observer,
    /// Ways to be hurt.
    pub hooks: &'a dyn Hooks,
    /// What to do when a step fails.
    pub on_error: Policy<'a>,
}

/// What to do when a step fails.
#[derive(Clone, Copy)]
pub enum Policy<'a> {
    /// Take everything back.
    Cleanup,
    /// Keep everything.
    Abort,
    /// Ask a person.
    Ask(&'a dyn Asker),
}

/// Carries a build on until it is closed, held or stuck.
///
/// # Errors
/// When the journal cannot be written.
pub async fn carry_on(
    setting: &Setting,
    opened: Opened,
    direction: Direction,
    with: Attendance<'_>,
) -> Result<Ended, JournalError> {
    carry_on_among(setting, opened, direction, with, Others::default()).await
}

/// Who else has to do with a build.
#[derive(Clone, Default)]
pub struct Others {
    /// They work in the guest too.
    pub provisioners: Option<Arc<dyn Provisioners>>,
    /// The guest, when somebody else has made and connected it.
    pub guest: Option<Arc<dyn Communicator>>,
}

/// The same among others.
///
/// # Errors
/// When the journal cannot be written.
pub async fn carry_on_among(
    setting: &Setting,
    opened: Opened,
    direction: Direction,
    with: Attendance<'_>,
    others: Others,
) -> Result<Ended, JournalError> {
    let Opened {
        build,
        run: _,
        plan,
        keyring,
        journal,
    } = opened;
    let world = wiring::world(
        Arc::clone(&setting.cloud),
        Arc::clone(&setting.clock),
        &setting.folder,
        &setting.scrubber,
    )
    .with_provisioners(others.provisioners)
    .with_guest(ids::CONNECT, others.guest);
    let registry = actions::registry(&world);
    let watching = Learning {
        observer: with.observer,
        keyring: &keyring,
        scrubber: &setting.scrubber,
    };
    let engine = Engine {
        build,
        plan: &plan,
        journal,
        registry: &registry,
        clock: setting.clock.as_ref(),
        keyring: &keyring,
        scrub: &watching,
        observer: &watching,
        on_error: match with.on_error {
            Policy::Cleanup => OnError::Cleanup,
            Policy::Abort => OnError::Abort,
            Policy::Ask(asker) => OnError::Ask(asker),
        },
        stop: setting.stop.clone(),
        hooks: with.hooks,
        tool: VERSION,
    };
    let ended = match direction {
        Direction::Forward => engine.run().await?,
        Direction::Cleanup => engine.cleanup().await?,
    };
    if is_closed(&ended) {
        // The build is closed: nobody will need its secrets again.
        let _ = keyring.remove();
    }
    Ok(ended)
}

fn is_closed(ended: &Ended) -> bool {
    match ended {
        Ended::Succeeded { stuck } | Ended::Failed { stuck, .. } | Ended::CleanedUp { stuck } => stuck.is_empty(),
        Ended::Held { .. } | Ended::Died => false,
    }
}

/// The exit code of an ended build.
pub fn exit(ended: &Ended) -> Exit {
    match ended {
        Ended::Succeeded { stuck } if stuck.is_empty() => Exit::Ok,
        Ended::Succeeded { .. } => Exit::Leftovers,
        Ended::Failed { failure, .. } | Ended::Held { failure, .. } => {
            reseal_engine::FailureClass::from_word(&failure.class).into()
        }
        Ended::CleanedUp { stuck } if stuck.is_empty() => Exit::Ok,
        Ended::CleanedUp { stuck } if stuck.iter().all(|(_, why)| why.class == "cancelled") => Exit::Interrupted,
        Ended::CleanedUp { .. } => Exit::Cloud,
        Ended::Died => Exit::Internal,
    }
}

/// Who holds a journal's lock.
fn owner() -> String {
    format!("process {}", std::process::id())
}

/// A new build's id and the facts that its spec may use.
pub fn new_build(clock: &dyn Clock) -> (BuildId, BuildInfo) {
    let now = clock.now();
    let id = random::build_id(now);
    let utc = now.to_zoned(jiff::tz::TimeZone::UTC);
    let info = BuildInfo {
        id: id.to_string(),
        date: utc.strftime("%Y%m%d").to_string(),
        time: utc.strftime("%H%M%S").to_string(),
    };
    (id, info)
}

/// Teaches the scrubber every secret that a step makes, before anything of that step is shown or written.
struct Learning<'a> {
    observer: &'a dyn Observer,
    keyring: &'a Keyring,
    scrubber: &'a Scrubber,
}

impl Learning<'_> {
    fn learn(&self) {
        for secret in self.keyring.values() {
            self.scrubber.learn(&secret);
        }
    }
}

impl Observer for Learning<'_> {
    fn event(&self, entry: &reseal_journal::Entry) {
        self.learn();
        self.observer.event(entry);
    }

    fn signal(&self, signal: &reseal_engine::Signal) {
        self.learn();
        self.observer.signal(signal);
    }
}

impl Scrub for Learning<'_> {
    fn scrub(&self, text: &str) -> String {
        self.learn();
        self.scrubber.text(text)
    }
}
