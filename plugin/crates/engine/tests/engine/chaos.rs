//! Whatever happens in whatever order: the journal stays legal, and nothing is left that should not be.

use std::collections::BTreeMap;
use std::sync::Mutex;

use proptest::prelude::*;
use reseal_engine::{Ended, Hooks, OnError, Point, Strike};
use reseal_journal::Outcome;

use crate::bench::{Bench, IMAGE, Way};
use crate::world::Mishap;

/// Lives of processes after which every build must be over.
const LIVES: usize = 40;

/// Strikes at places; each is spent once.
struct Fate(Mutex<BTreeMap<(Point, String), Vec<Strike>>>);

impl Hooks for Fate {
    fn at(&self, point: Point, step: &str) -> Strike {
        let mut fate = self.0.lock().unwrap();
        fate.get_mut(&(point, step.to_owned()))
            .and_then(Vec::pop)
            .unwrap_or(Strike::Pass)
    }
}

fn place() -> impl Strategy<Value = (Point, String)> {
    use Point::{Done, Recorded, Started, UndoStarted, Undone};
    let point = prop_oneof![
        Just(Started),
        Just(Done),
        Just(Recorded),
        Just(UndoStarted),
        Just(Undone)
    ];
    (point, proptest::sample::select(Bench::new().ids()))
}

fn strike() -> impl Strategy<Value = Strike> {
    prop_oneof![2 => Just(Strike::Die), 1 => Just(Strike::Fail), 1 => Just(Strike::Repeat)]
}

fn mishap() -> impl Strategy<Value = (String, String, Mishap)> {
    let verb = prop_oneof![Just("run"), Just("undo"), Just("find")];
    let mishap = prop_oneof![
        Just(Mishap::Refused),
        Just(Mishap::Unwell),
        Just(Mishap::Lost),
        Just(Mishap::Dropped)
    ];
    (verb, proptest::sample::select(Bench::new().ids()), mishap)
        .prop_map(|(verb, step, mishap)| (verb.into(), step, mishap))
}

/// Lives one after the other until the build is closed.
fn live_on(bench: &Bench, fate: &Fate, cleanup_at: usize) -> Ended {
    for life in 0..LIVES {
        let way = if life == cleanup_at { Way::Cleanup } else { Way::Forward };
        let on_error = if life % 2 == 0 {
            OnError::Abort
        } else {
            OnError::Cleanup
        };
        let ended = bench.go(way, fate, on_error);
        // Reading replays the whole journal through the same rules that wrote it.
        if bench.state().closed.is_some() {
            return ended;
        }
    }
    panic!("{LIVES} lives and no end: {:?}", bench.state());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_fate_breaks_the_journal_or_leaves_anything(
        strikes in proptest::collection::vec((place(), strike()), 0..8),
        mishaps in proptest::collection::vec(mishap(), 0..6),
        cleanup_at in 0..12_usize,
    ) {
        let bench = Bench::new();
        for (verb, step, mishap) in mishaps {
            bench.world.spoil(&verb, &step, [mishap]);
        }
        let mut fate: BTreeMap<_, Vec<Strike>> = BTreeMap::new();
        for (place, strike) in strikes {
            fate.entry(place).or_default().push(strike);
        }
        let ended = live_on(&bench, &Fate(Mutex::new(fate)), cleanup_at);
        let state = bench.state();
        let left = bench.world.left();
        if state.closed == Some(Outcome::Succeeded) {
            prop_assert_eq!(ended, Ended::Succeeded { stuck: vec![] });
            prop_assert_eq!(left, [IMAGE]);
        } else {
            prop_assert!(!state.committed, "a good build was taken back");
            prop_assert_eq!(left, [""; 0]);
        }
    }
}
