//! One build on a bench: a plan, a folder, a clock that jumps, and a person at the side.

use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use reseal_engine::{
    Ended, Engine, Hooks, Leaves, NoHooks, Observer, OnError, Plan, Policy, Registry, Signal, Step, Stop,
};
use reseal_journal::{BuildState, Entry, Journal, JournalError, Keyring, RunDir};
use reseal_machine::{BuildId, Clock};
use serde_json::json;
use tempfile::TempDir;

use crate::world::{Make, Things, WaitForGodot, World, Write};

/// The build's id.
pub(crate) const BUILD: &str = "0198";
/// What is left after a good build.
pub(crate) const IMAGE: &str = "0198/image";

/// A clock on which sleeping takes no time.
#[derive(Debug)]
pub(crate) struct Jump(Mutex<Timestamp>);

#[async_trait]
impl Clock for Jump {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::task::yield_now().await;
        let mut now = self.0.lock().unwrap();
        *now = now.checked_add(duration).unwrap();
    }
}

/// What somebody does when a signal comes.
type Reaction = Box<dyn Fn(&Signal) + Send + Sync>;

/// Remembers everything; may react to signals.
#[derive(Default)]
pub(crate) struct Watch {
    pub(crate) entries: Mutex<Vec<(Entry, Things)>>,
    pub(crate) signals: Mutex<Vec<Signal>>,
    pub(crate) reaction: Option<Reaction>,
    world: Arc<World>,
}

impl Observer for Watch {
    fn event(&self, entry: &Entry) {
        self.entries
            .lock()
            .unwrap()
            .push((entry.clone(), self.world.snapshot()));
    }

    fn signal(&self, signal: &Signal) {
        self.signals.lock().unwrap().push(signal.clone());
        if let Some(reaction) = &self.reaction {
            reaction(signal);
        }
    }
}

/// Which way to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Forward,
    Cleanup,
}

/// One build.
pub(crate) struct Bench {
    pub(crate) plan: Plan,
    pub(crate) world: Arc<World>,
    pub(crate) clock: Jump,
    pub(crate) watch: Watch,
    pub(crate) stop: Stop,
    pub(crate) scrub: fn(&str) -> String,
    folder: TempDir,
    registry: Registry,
}

impl Bench {
    /// A build like a real one: temporaries that stand on each other, work inside, a product, a commit point.
    pub(crate) fn new() -> Self {
        Self::with(vec![
            step("check", "write", Leaves::Nothing, None),
            step("key", "make", Leaves::Temporary, None),
            step("server", "make", Leaves::Temporary, Some("key")),
            step("agent", "write", Leaves::Contained, Some("server")),
            step("image", "make", Leaves::Product, None),
            step("second", "make", Leaves::Temporary, Some("image")),
            Step {
                commits: true,
                ..step("publish", "write", Leaves::Nothing, Some("image"))
            },
        ])
    }

    /// A build with these steps.
    pub(crate) fn with(steps: Vec<Step>) -> Self {
        let world = Arc::new(World::default());
        let mut registry = Registry::default();
        registry.add("make", Make(Arc::clone(&world)));
        registry.add("write", Write(Arc::clone(&world)));
        registry.add("wait", WaitForGodot(Arc::clone(&world)));
        let folder = tempfile::tempdir().unwrap();
        world.watch(folder.path().to_owned());
        Self {
            plan: Plan::new("bench", steps),
            clock: Jump(Mutex::new(Timestamp::UNIX_EPOCH)),
            watch: Watch {
                world: Arc::clone(&world),
                ..Watch::default()
            },
            stop: Stop::default(),
            scrub: str::to_owned,
            world,
            folder,
            registry,
        }
    }

    /// Changes a step's policy.
    pub(crate) fn policy(&mut self, id: &str, policy: Policy) {
        self.plan.steps.iter_mut().find(|step| step.id == id).unwrap().policy = policy;
    }

    /// Ids of all steps.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.plan.steps.iter().map(|step| step.id.clone()).collect()
    }

    /// One process's life: begins or goes on, unhurt, and takes everything back when a step fails.
    pub(crate) fn live(&self) -> Ended {
        self.go(Way::Forward, &NoHooks, OnError::Cleanup)
    }

    /// One process's life that is hurt.
    pub(crate) fn hurt(&self, hooks: &dyn Hooks) -> Ended {
        self.go(Way::Forward, hooks, OnError::Cleanup)
    }

    /// Takes everything back.
    pub(crate) fn cleanup(&self) -> Ended {
        self.go(Way::Cleanup, &NoHooks, OnError::Cleanup)
    }

    /// One process's life.
    pub(crate) fn go(&self, way: Way, hooks: &dyn Hooks, on_error: OnError<'_>) -> Ended {
        let keyring = Keyring::open(&self.run().keyring()).unwrap();
        let engine = Engine {
            build: BuildId::new(BUILD),
            plan: &self.plan,
            journal: self.journal().unwrap(),
            registry: &self.registry,
            clock: &self.clock,
            keyring: &keyring,
            scrub: &self.scrub,
            observer: &self.watch,
            on_error,
            stop: self.stop.clone(),
            hooks,
            tool: "test",
        };
        let life = async {
            match way {
                Way::Forward => engine.run().await,
                Way::Cleanup => engine.cleanup().await,
            }
        };
        wait(life).unwrap()
    }

    /// The build's folder.
    pub(crate) fn run(&self) -> RunDir {
        RunDir::new(self.root(), BUILD)
    }

    /// The state on disk.
    pub(crate) fn state(&self) -> BuildState {
        Journal::read(&self.run()).unwrap().1
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn journal(&self) -> Result<Journal, JournalError> {
        let run = self.run();
        if run.journal().exists() {
            return Journal::open(&run, "test");
        }
        run.create().unwrap();
        Journal::create(&run, "test")
    }
}

/// A step of a bench.
pub(crate) fn step(id: &str, action: &str, leaves: Leaves, on: Option<&str>) -> Step {
    Step {
        id: id.into(),
        title: format!("do {id}"),
        action: action.into(),
        params: json!({ "on": on }),
        leaves,
        policy: Policy::default(),
        origin: None,
        fingerprint: String::new(),
        commits: false,
    }
}

/// Runs a future; a build that hangs is a failed test.
fn wait<T>(life: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let limit = Duration::from_mins(1);
    runtime
        .block_on(async { tokio::time::timeout(limit, life).await })
        .expect("the engine hangs")
}
