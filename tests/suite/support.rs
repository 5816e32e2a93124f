//! A world to build in: a lab with its machines and a folder for runs, and processes that come, die and come back.
//!
//! The world outlives the processes: each [`World::begin`], [`World::resume`] and [`World::cleanup`] has a cloud client,
//! a scrubber and links of its own, as a new process would.

pub(crate) mod specs;

use std::future::poll_fn;
use std::io::Write as _;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use reseal::exit::Exit;
use reseal::rim::env::Env;
use reseal::rim::files::SpecFolder;
use reseal::scrub::Scrubber;
use reseal::session::{self, Attendance, Direction, Document, Opened, Policy, Prepared, Setting, Unplanned, Variables};
use reseal::wiring;
use reseal_engine::{Ended, Hooks, NoHooks, Observer, Plan, Point, Signal, Stop, Strike};
use reseal_journal::{BuildState, Entry, Journal, Outcome, RunDir};
use reseal_lab::clock::JumpClock;
use reseal_lab::faults::Faults;
use reseal_lab::guest::{Room, RoomOptions};
use reseal_lab::{CapturedImage, Lab, LabOptions, Mode, Quota};
use reseal_machine::Clock;
use reseal_machine::cloud::ResourceKind;
use reseal_machine::marks::BUILD_KEY;
use reseal_spec::Spec;
use reseal_spec::model;
use tempfile::TempDir;

/// No build of a test may take longer than this of the wall's time.
const LIMIT: Duration = Duration::from_mins(2);

/// Builds at the same time: more than cores, because a build also waits for its sockets.
const AT_ONCE: usize = 6;

/// Everything that outlives a process.
pub(crate) struct World {
    pub(crate) lab: Lab,
    pub(crate) room: Arc<Room>,
    pub(crate) clock: Arc<JumpClock>,
    pub(crate) folder: TempDir,
}

/// A spec, and what the command line would say about it.
#[derive(Clone, Default)]
pub(crate) struct Order {
    pub(crate) path: PathBuf,
    pub(crate) vars: Vec<(String, String)>,
    /// Which build of a matrix; the first when empty.
    pub(crate) only: String,
    pub(crate) force: bool,
}

impl Order {
    /// One of the examples that users copy.
    pub(crate) fn example(name: &str) -> Self {
        Self {
            path: root().join("examples").join(format!("{name}.reseal.yaml")),
            ..Self::default()
        }
    }

    /// The example that the README shows.
    pub(crate) fn web() -> Self {
        Self::example("windows-2022-web")
    }
}

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A build that was refused before it began.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) exit: Exit,
    pub(crate) why: Vec<String>,
}

/// A planned build and the process that planned it.
pub(crate) struct Ready {
    pub(crate) document: Document,
    pub(crate) setting: Setting,
    pub(crate) prepared: Prepared,
    /// What the cloud was asked for it, the token included.
    pub(crate) calls: usize,
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Gone {
    /// The build.
    pub(crate) id: String,
    /// The engine's word; `None` when the process died in the middle of it.
    pub(crate) ended: Option<Ended>,
    /// What was said, line by line.
    pub(crate) said: Vec<String>,
}

impl Gone {
    pub(crate) fn exit(&self) -> Exit {
        self.ended.as_ref().map_or(Exit::Internal, session::exit)
    }
}

/// When a process dies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Death {
    /// At a point of a step.
    At(Point, String),
    /// As soon as this line of the journal is on disk, counted from 1.
    AfterLine(usize),
    /// The same, but the disk also got the first half of another line.
    InLine(usize),
    /// As soon as somebody says a line with this in it.
    Saying(String),
    /// As soon as the cloud has got this many requests of the process: their last one is carried out, its answer not read.
    AtRequest(usize),
}

impl World {
    /// A fresh world.
    pub(crate) async fn open(mode: Mode, faults: &[&str]) -> Self {
        Self::open_with(mode, faults, Quota::for_builds(1)).await
    }

    /// A fresh world whose project may use so much.
    pub(crate) async fn open_with(mode: Mode, faults: &[&str], quota: Quota) -> Self {
        let start = "2026-11-22T03:00:00Z".parse().unwrap();
        let clock = Arc::new(JumpClock::new(start));
        let faults: Vec<String> = faults.iter().map(|fault| (*fault).to_owned()).collect();
        let (lab, room) = lab(mode, Arc::<JumpClock>::clone(&clock), &faults, quota).await;
        Self {
            lab,
            room,
            clock,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A spec of the test's own, written into the world's folder.
    pub(crate) fn write(&self, name: &str, text: &str) -> Order {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        Order {
            path,
            ..Order::default()
        }
    }

    pub(crate) fn runs(&self) -> PathBuf {
        self.folder.path().join("runs")
    }

    pub(crate) fn run_dir(&self, id: &str) -> RunDir {
        RunDir::new(&self.runs(), id)
    }

    /// What a new process has.
    async fn process(&self, spec: &Path, cloud: &model::Cloud) -> Result<Setting, Refused> {
        let scrubber = Scrubber::default();
        let clock: Arc<dyn Clock> = Arc::<JumpClock>::clone(&self.clock);
        let env = Env::of(self.lab.env());
        let client = wiring::cloud(cloud, &env, Arc::clone(&clock), &scrubber).await;
        let cloud = client.map_err(|error| Refused {
            exit: Exit::Cloud,
            why: vec![error.to_string()],
        })?;
        Ok(Setting {
            clock,
            cloud,
            runs: self.runs(),
            folder: SpecFolder::of(spec, &self.runs(), scrubber.clone()),
            scrubber,
            stop: Stop::default(),
        })
    }

    /// Reads a spec, asks the cloud and makes the plan.
    pub(crate) async fn plan(&self, order: &Order) -> Result<Ready, Refused> {
        let folder = SpecFolder::of(&order.path, &self.runs(), Scrubber::default());
        let facts = session::new_build(self.clock.as_ref()).1;
        let variables = Variables {
            vars: order.vars.clone(),
            ..Variables::default()
        };
        let document = Document::read(&order.path, &folder, &variables, facts).unwrap();
        if document
            .loaded
            .diagnostics
            .iter()
            .any(reseal_diag::Diagnostic::is_error)
        {
            let why = document.loaded.diagnostics.iter().map(|found| format!("{found:?}"));
            return Err(Refused {
                exit: Exit::Input,
                why: why.collect(),
            });
        }
        let fits = |spec: &&Spec| order.only.is_empty() || spec.name == order.only;
        let wanted = document.loaded.specs.iter().find(fits).expect("a build of that name");
        let own = model::Cloud {
            cloud: None,
            region: None,
            availability_zone: None,
            ..wanted.cloud.clone()
        };
        let before = self.lab.request_count();
        let setting = self.process(&order.path, &own).await?;
        let mut calls = self.lab.request_count() - before;
        let (spec, _) = reseal::rehearsal::adapt(wanted, setting.cloud.as_ref()).await.unwrap();
        let before = self.lab.request_count();
        match session::prepare(&document, &spec, &setting, order.force).await {
            Ok(prepared) => {
                calls += self.lab.request_count() - before;
                Ok(Ready {
                    document,
                    setting,
                    prepared,
                    calls,
                })
            }
            Err(why) => Err(Refused {
                exit: why.exit(),
                why: reasons(&why),
            }),
        }
    }

    /// Begins a build and carries it on until it ends or dies.
    pub(crate) async fn begin(&self, order: &Order, hooks: &dyn Hooks, death: Option<&Death>) -> Result<Gone, Refused> {
        let ready = self.plan(order).await?;
        Ok(self.carry_out(ready, hooks, death).await)
    }

    /// Carries out what was planned.
    pub(crate) async fn carry_out(&self, ready: Ready, hooks: &dyn Hooks, death: Option<&Death>) -> Gone {
        let (id, _) = session::new_build(self.clock.as_ref());
        let opened = session::begin(&ready.setting, &ready.document.path, &ready.prepared, &id).unwrap();
        self.carry_on(&ready.setting, opened, Direction::Forward, hooks, death)
            .await
    }

    /// A whole build without any accident.
    pub(crate) async fn build(&self, order: &Order) -> Result<Gone, Refused> {
        self.begin(order, &NoHooks, None).await
    }

    /// A build that dies; the next process is another matter.
    pub(crate) async fn die(&self, order: &Order, death: &Death) -> Gone {
        self.begin(order, &NoHooks, Some(death)).await.expect("a plan")
    }

    /// Another process goes on with a build.
    pub(crate) async fn again(&self, id: &str, direction: Direction) -> Gone {
        self.again_until(id, direction, None).await
    }

    /// Another process goes on with a build, and perhaps dies as well.
    pub(crate) async fn again_until(&self, id: &str, direction: Direction, death: Option<&Death>) -> Gone {
        let (opened, ticket) = session::reopen(&self.runs(), &Scrubber::default(), id).unwrap();
        let setting = self.process(&ticket.spec, &ticket.cloud).await.expect("a cloud");
        for secret in opened.keyring.values() {
            setting.scrubber.learn(&secret);
        }
        self.carry_on(&setting, opened, direction, &NoHooks, death).await
    }

    async fn carry_on(
        &self,
        setting: &Setting,
        opened: Opened,
        direction: Direction,
        hooks: &dyn Hooks,
        death: Option<&Death>,
    ) -> Gone {
        let (id, run) = (opened.build.to_string(), opened.run.clone());
        let deadly = Deadly { hooks, death };
        let witness = Witness {
            death,
            said: Mutex::default(),
        };
        let attendance = Attendance {
            observer: &witness,
            hooks: &deadly,
            on_error: Policy::Cleanup,
        };
        let last = match death {
            Some(Death::AtRequest(count)) => self.lab.request_count() + count,
            _ => usize::MAX,
        };
        let work = session::carry_on(setting, opened, direction, attendance);
        let mut work = Box::pin(AssertUnwindSafe(work).catch_unwind());
        let done = tokio::time::timeout(
            LIMIT,
            poll_fn(|cx| match self.lab.request_count() {
                count if count >= last => {
                    let killed: Payload = Box::<Killed>::default();
                    Poll::Ready(Err(killed))
                }
                _ => work.as_mut().poll(cx),
            }),
        );
        let ended = match done.await.unwrap_or_else(|_| panic!("build {id} hangs: {death:?}")) {
            Ok(ended) => Some(ended.unwrap()),
            Err(killed) if killed.is::<Killed>() => None,
            Err(bug) => std::panic::resume_unwind(bug),
        };
        drop(work);
        if let Some(Death::InLine(_)) = death {
            tear(&run);
        }
        Gone {
            id,
            ended: ended.filter(|ended| *ended != Ended::Died),
            said: witness.said.into_inner().unwrap(),
        }
    }

    /// The journal of a build.
    pub(crate) fn journal(&self, id: &str) -> (Vec<Entry>, BuildState) {
        Journal::read(&self.run_dir(id)).unwrap()
    }

    /// The image is there as it should be, and nothing else is; otherwise what is wrong.
    pub(crate) fn only_the_image(&self, id: &str) -> Result<CapturedImage, String> {
        let left = self.lab.leftovers();
        let [image] = left.as_slice() else {
            return Err(format!("left: {left:?}"));
        };
        let images = self.lab.images();
        let [captured] = images.as_slice() else {
            return Err(format!("images: {images:?}"));
        };
        sound(captured)?;
        if image.kind != ResourceKind::Image {
            return Err(format!("left: {image:?}"));
        }
        self.closed(id, Outcome::Succeeded)?;
        Ok(captured.clone())
    }

    /// Nothing is there; otherwise what is.
    pub(crate) fn nothing(&self, id: &str, outcome: Outcome) -> Result<(), String> {
        let left = self.lab.leftovers();
        if !left.is_empty() {
            return Err(format!("left: {left:?}"));
        }
        self.closed(id, outcome)
    }

    /// The build is closed, its secrets are gone, and nobody broke a rule of the guest.
    fn closed(&self, id: &str, outcome: Outcome) -> Result<(), String> {
        let run = self.run_dir(id);
        let (_, state) = Journal::read(&run).map_err(|error| format!("journal: {error}"))?;
        if state.closed != Some(outcome) {
            return Err(format!("closed: {:?}, failure: {:?}", state.closed, state.failure));
        }
        if run.keyring().exists() {
            return Err("the keyring is still there".to_owned());
        }
        match self.room.violations() {
            violations if violations.is_empty() => Ok(()),
            violations => Err(format!("violations: {violations:?}")),
        }
    }
}

/// An image that a user may have.
fn sound(image: &CapturedImage) -> Result<(), String> {
    let has = |name: &str| image.properties.contains_key(name);
    if image.status == "active"
        && has(property::FINGERPRINT)
        && has(property::RUN)
        && !has(BUILD_KEY)
        && !image.taken_while_running
    {
        Ok(())
    } else {
        Err(format!("the image is not sound: {image:?}"))
    }
}

/// The properties of a finished image, as users' scripts read them: written out so that a change is noticed.
pub(crate) mod property {
    pub(crate) const FINGERPRINT: &str = "reseal_fingerprint";
    pub(crate) const RUN: &str = "reseal_run";
    pub(crate) const ALIAS: &str = "reseal_alias";
}

/// A lab with machines behind real endpoints.
pub(crate) async fn lab(mode: Mode, clock: Arc<dyn Clock>, faults: &[String], quota: Quota) -> (Lab, Arc<Room>) {
    let armed = Arc::new(Faults::default());
    for fault in faults {
        armed.arm(fault);
    }
    let room = Arc::new(Room::new(RoomOptions {
        faults: armed,
        ..RoomOptions::new(Arc::clone(&clock))
    }));
    let mut options = LabOptions::new(mode, clock, Arc::<Room>::clone(&room));
    options.faults = faults.to_vec();
    options.quota = quota;
    (Lab::start(options).await.unwrap(), room)
}

fn reasons(why: &Unplanned) -> Vec<String> {
    match why {
        Unplanned::Problems(problems) => problems
            .iter()
            .map(|problem| format!("{}: {}", problem.route, problem.message))
            .collect(),
        Unplanned::Cloud(error) => vec![error.to_string()],
        Unplanned::File(path, error) => vec![format!("{path}: {error}")],
        Unplanned::Locked(differences) => differences.clone(),
    }
}

/// What a killed process leaves in the place of a result.
#[derive(Default)]
struct Killed;

/// What a panic carries.
type Payload = Box<dyn std::any::Any + Send>;

/// Kills at the chosen point.
struct Deadly<'a> {
    hooks: &'a dyn Hooks,
    death: Option<&'a Death>,
}

impl Hooks for Deadly<'_> {
    fn at(&self, point: Point, step: &str) -> Strike {
        match self.death {
            Some(Death::At(when, whose)) if *when == point && whose == step => Strike::Die,
            _ => self.hooks.at(point, step),
        }
    }
}

/// Listens, and kills at the chosen line.
struct Witness<'a> {
    death: Option<&'a Death>,
    said: Mutex<Vec<String>>,
}

impl Observer for Witness<'_> {
    fn event(&self, entry: &Entry) {
        if let Some(Death::AfterLine(line) | Death::InLine(line)) = self.death
            && entry.seq + 1 == u64::try_from(*line).unwrap()
        {
            // No panic hook: this is no bug, and nothing is printed.
            std::panic::resume_unwind(Box::new(Killed));
        }
    }

    fn signal(&self, signal: &Signal) {
        let text = match signal {
            Signal::Note { step, text } | Signal::Warning { step, text } => format!("{step}: {text}"),
            Signal::Output { step, text, .. } => format!("{step}| {text}"),
            Signal::Waiting { .. } | Signal::Progress { .. } => return,
        };
        let last = matches!(self.death, Some(Death::Saying(word)) if text.contains(word.as_str()));
        self.said.lock().unwrap().push(text);
        if last {
            std::panic::resume_unwind(Box::new(Killed));
        }
    }
}

/// Half of a line, as a crash in the middle of writing leaves it.
fn tear(run: &RunDir) {
    let mut file = std::fs::OpenOptions::new().append(true).open(run.journal()).unwrap();
    file.write_all(br#"{"v":1,"seq":99,"time":"2026-11-22T03:1"#).unwrap();
}

/// Runs all cases, some at a time, and returns what went wrong: one line a case.
pub(crate) async fn all<C, F>(cases: Vec<C>, run: impl Fn(C) -> F) -> Vec<String>
where
    C: std::fmt::Debug,
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let tasks = cases.into_iter().map(|case| {
        let name = format!("{case:?}");
        let work = tokio::spawn(run(case));
        async move {
            match work.await {
                Ok(Ok(())) => None,
                Ok(Err(why)) => Some(format!("{name}: {why}")),
                Err(panic) => Some(format!("{name}: {panic}")),
            }
        }
    });
    let wrong: Vec<Option<String>> = futures::stream::iter(tasks).buffer_unordered(AT_ONCE).collect().await;
    wrong.into_iter().flatten().collect()
}

/// The plan of an order, from a world that is thrown away.
pub(crate) async fn plan_of(order: &Order, mode: Mode) -> Plan {
    let world = World::open(mode, &[]).await;
    world.plan(order).await.unwrap().prepared.planned.plan
}
