//! A world in memory: things that carry marks, depend on each other, and are counted.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context, FailureClass, Verdict};
use reseal_journal::{Journal, RunDir, StepState};
use reseal_machine::{Schedule, Status};
use serde::{Deserialize, Serialize};

/// What goes wrong in one call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mishap {
    /// Refused for good.
    Refused,
    /// Not well at the moment.
    Unwell,
    /// Done, but the answer was lost.
    Lost,
    /// Done, but the answer was lost, and trying again may help.
    Dropped,
}

/// One thing.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Thing {
    marks: String,
    needs: Option<String>,
}

/// All things, by their serial numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Things {
    there: BTreeMap<u32, Thing>,
    made: u32,
    refusals: u32,
}

/// The world and what is planned to go wrong in it.
#[derive(Default)]
pub(crate) struct World {
    things: Mutex<Things>,
    mishaps: Mutex<BTreeMap<String, VecDeque<Mishap>>>,
    calls: Mutex<Vec<String>>,
    run: Mutex<Option<PathBuf>>,
}

impl World {
    /// The marks of all things that are there, sorted.
    pub(crate) fn left(&self) -> Vec<String> {
        let mut left: Vec<String> = self.things().there.values().map(|thing| thing.marks.clone()).collect();
        left.sort();
        left
    }

    /// How often something was to be removed on which something else stood.
    pub(crate) fn refusals(&self) -> u32 {
        self.things().refusals
    }

    /// What was called, as `verb step`.
    pub(crate) fn calls(&self, verb: &str, step: &str) -> usize {
        let wanted = format!("{verb} {step}");
        self.calls
            .lock()
            .unwrap()
            .iter()
            .filter(|call| **call == wanted)
            .count()
    }

    /// The next calls of `verb step` go wrong.
    pub(crate) fn spoil(&self, verb: &str, step: &str, mishaps: impl IntoIterator<Item = Mishap>) {
        self.mishaps
            .lock()
            .unwrap()
            .entry(format!("{verb} {step}"))
            .or_default()
            .extend(mishaps);
    }

    /// From now on every call is compared with the journal in this folder.
    pub(crate) fn watch(&self, root: PathBuf) {
        *self.run.lock().unwrap() = Some(root);
    }

    /// All things, to bring them back later.
    pub(crate) fn snapshot(&self) -> Things {
        self.things().clone()
    }

    /// Brings things back.
    pub(crate) fn restore(&self, things: Things) {
        *self.things() = things;
    }

    fn things(&self) -> MutexGuard<'_, Things> {
        self.things.lock().unwrap()
    }

    /// Notes a call; says what goes wrong in it.
    fn call(&self, verb: &str, cx: &Context<'_>) -> Option<Mishap> {
        let call = format!("{verb} {}", cx.step().id);
        let mishap = self
            .mishaps
            .lock()
            .unwrap()
            .get_mut(&call)
            .and_then(VecDeque::pop_front);
        self.calls.lock().unwrap().push(call);
        mishap
    }

    /// The journal on disk must say already what is about to be done.
    fn intent(&self, cx: &Context<'_>, wanted: fn(&StepState) -> bool) {
        let Some(root) = self.run.lock().unwrap().clone() else {
            return;
        };
        let (_, state) =
            Journal::read(&RunDir::new(&root, cx.build().as_str())).expect("the journal can be read at any time");
        let step = &cx.step().id;
        assert!(
            wanted(state.step(step)),
            "{step} acts while the journal says {:?}",
            state.step(step)
        );
    }
}

fn marks(cx: &Context<'_>) -> String {
    let marks = cx.marks();
    format!("{}/{}", marks.build, marks.step)
}

fn refused(status: Status) -> ActionError {
    ActionError {
        status,
        ..ActionError::new(FailureClass::Cloud, "the world said no").said(["no"])
    }
}

fn before(mishap: Option<Mishap>) -> Result<(), ActionError> {
    match mishap {
        Some(Mishap::Refused) => Err(refused(Status::Permanent)),
        Some(Mishap::Unwell) => Err(refused(Status::Temporary)),
        Some(Mishap::Lost | Mishap::Dropped) | None => Ok(()),
    }
}

fn after(mishap: Option<Mishap>) -> Result<(), ActionError> {
    match mishap {
        Some(Mishap::Lost) => Err(refused(Status::Permanent)),
        Some(Mishap::Dropped) => Err(refused(Status::Temporary)),
        _ => Ok(()),
    }
}

/// What a step of [`Make`] is given.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Wanted {
    /// An earlier step whose thing it stands on.
    pub(crate) on: Option<String>,
}

/// What is known of a made thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Made {
    /// Its number.
    pub(crate) serial: u32,
}

/// Makes a thing that can be found by its marks. Making it twice is a violation; removing what others stand on is refused.
pub(crate) struct Make(pub(crate) Arc<World>);

#[async_trait]
impl Action for Make {
    type Params = Wanted;
    type Output = Made;

    async fn find(&self, cx: &Context<'_>, _wanted: &Wanted) -> Result<Option<Made>, ActionError> {
        self.0.intent(cx, |state| *state == StepState::Perhaps);
        before(self.0.call("find", cx))?;
        Ok(self.0.things().find(&marks(cx)).map(|serial| Made { serial }))
    }

    async fn run(&self, cx: &Context<'_>, wanted: &Wanted) -> Result<Made, ActionError> {
        self.0.intent(cx, |state| *state == StepState::Perhaps);
        let mishap = self.0.call("run", cx);
        before(mishap)?;
        if let Some(on) = &wanted.on {
            let below: Made = cx.output(on)?;
            assert!(
                self.0.things().there.contains_key(&below.serial),
                "what `{on}` made is still there"
            );
        }
        let serial = self
            .0
            .things()
            .make(marks(cx), wanted.on.as_ref().map(|on| format!("{}/{on}", cx.build())));
        after(mishap)?;
        Ok(Made { serial })
    }

    async fn undo(&self, cx: &Context<'_>, _wanted: &Wanted, made: Option<&Made>) -> Result<(), ActionError> {
        self.0.intent(cx, |state| matches!(state, StepState::Undoing(_)));
        let mishap = self.0.call("undo", cx);
        before(mishap)?;
        let mut things = self.0.things();
        let found = things.find(&marks(cx));
        if let (Some(made), Some(found)) = (made, found) {
            assert_eq!(made.serial, found, "the output names the thing that carries the marks");
        }
        if let Some(serial) = found {
            things.remove(serial)?;
        }
        drop(things);
        after(mishap)
    }
}

impl Things {
    fn find(&self, marks: &str) -> Option<u32> {
        self.there
            .iter()
            .find(|(_, thing)| thing.marks == marks)
            .map(|(serial, _)| *serial)
    }

    fn make(&mut self, marks: String, needs: Option<String>) -> u32 {
        assert_eq!(self.find(&marks), None, "`{marks}` is made twice");
        self.made += 1;
        self.there.insert(self.made, Thing { marks, needs });
        self.made
    }

    /// As clouds do: refused while something stands on it.
    fn remove(&mut self, serial: u32) -> Result<(), ActionError> {
        let marks = &self.there[&serial].marks;
        if self.there.values().any(|thing| thing.needs.as_ref() == Some(marks)) {
            self.refusals += 1;
            return Err(refused(Status::Permanent));
        }
        self.there.remove(&serial);
        Ok(())
    }
}

/// Does something inside a container: it cannot be found, may be repeated, and goes with its container.
pub(crate) struct Write(pub(crate) Arc<World>);

#[async_trait]
impl Action for Write {
    type Params = Wanted;
    type Output = ();

    async fn run(&self, cx: &Context<'_>, wanted: &Wanted) -> Result<(), ActionError> {
        self.0.intent(cx, |state| *state == StepState::Perhaps);
        let mishap = self.0.call("run", cx);
        before(mishap)?;
        if let Some(container) = &wanted.on {
            let _: Made = cx.output(container)?;
        }
        after(mishap)
    }
}

/// Waits for what never comes.
pub(crate) struct WaitForGodot(pub(crate) Arc<World>);

#[async_trait]
impl Action for WaitForGodot {
    type Params = Wanted;
    type Output = ();

    async fn run(&self, cx: &Context<'_>, _wanted: &Wanted) -> Result<(), ActionError> {
        self.0.call("run", cx);
        let schedule = Schedule::up_to(Duration::from_mins(10));
        cx.wait_until("Godot", schedule, || async {
            Ok(Verdict::Waiting("a tree".to_owned()))
        })
        .await
    }
}
