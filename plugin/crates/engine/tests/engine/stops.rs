//! Waits have limits and names, and somebody can ask to stop at any time.

use std::time::Duration;

use reseal_engine::{Ended, Leaves, Point, Policy, Signal, Step, Stop, Strike};
use reseal_journal::Outcome;
use reseal_machine::Clock as _;

use crate::bench::{Bench, step};
use crate::world::Mishap::Unwell;

fn waiting() -> Vec<Step> {
    vec![
        step("key", "make", Leaves::Temporary, None),
        step("godot", "wait", Leaves::Nothing, None),
    ]
}

fn waits(bench: &Bench) -> Vec<(Duration, Duration)> {
    let signals = bench.watch.signals.lock().unwrap();
    let times = signals.iter().filter_map(|signal| match signal {
        Signal::Waiting {
            what,
            seen,
            elapsed,
            limit,
            ..
        } => {
            assert_eq!((what.as_str(), seen.as_str()), ("Godot", "a tree"));
            Some((*elapsed, *limit))
        }
        _ => None,
    });
    times.collect()
}

#[test]
fn a_wait_ends_at_its_limit_and_says_its_name_and_what_it_saw_last() {
    let bench = Bench::with(waiting());
    let Ended::Failed { step, failure, .. } = bench.live() else {
        panic!()
    };
    assert_eq!(step, "godot");
    assert_eq!(failure.message, "Godot did not come within 10m; last seen: a tree");
    assert_eq!(bench.clock.now().as_second(), 600, "the last look is at the limit");
    let waits = waits(&bench);
    assert!(waits.is_sorted() && waits.iter().all(|(_, limit)| *limit == Duration::from_mins(10)));
    assert!(waits.len() > 60 && waits.len() < 75, "{}", waits.len());
    assert_eq!(bench.world.left(), [""; 0]);
}

#[test]
fn the_first_ctrl_c_leaves_the_wait_and_takes_everything_back() {
    let mut bench = Bench::with(waiting());
    let cancel = bench.stop.cancel.clone();
    bench.watch.reaction = Some(Box::new(move |_| cancel.cancel()));
    let Ended::Failed { failure, stuck, .. } = bench.live() else {
        panic!()
    };
    assert_eq!((failure.class.as_str(), stuck), ("cancelled", vec![]));
    assert_eq!(waits(&bench).len(), 1);
    assert_eq!(bench.clock.now().as_second(), 0, "nobody waited any longer");
    assert_eq!(bench.world.left(), [""; 0]);
    assert_eq!(bench.state().closed, Some(Outcome::Failed));
}

#[test]
fn the_second_ctrl_c_keeps_everything() {
    let mut bench = Bench::with(waiting());
    let stop = bench.stop.clone();
    bench.watch.reaction = Some(Box::new(move |_| {
        stop.cancel.cancel();
        stop.hold.cancel();
    }));
    assert!(matches!(bench.live(), Ended::Held { .. }));
    assert_eq!(bench.world.left(), ["0198/key"]);
    assert!(bench.state().held.is_some() && bench.state().closed.is_none());
}

#[test]
fn the_second_ctrl_c_stops_the_way_back_and_a_resume_finishes_it() {
    let mut bench = Bench::new();
    bench.world.spoil("undo", "server", [Unwell, Unwell]);
    let hold = bench.stop.hold.clone();
    bench.watch.reaction = Some(Box::new(move |_| hold.cancel()));
    let Ended::Succeeded { stuck } = bench.live() else {
        panic!()
    };
    let stuck: Vec<_> = stuck
        .iter()
        .map(|(step, failure)| (step.as_str(), failure.class.as_str()))
        .collect();
    assert_eq!(
        stuck,
        [("key", "cancelled"), ("server", "cloud")],
        "all that is left is known"
    );
    assert_eq!(bench.world.left(), ["0198/image", "0198/key", "0198/server"]);
    assert_eq!(bench.clock.now().as_second(), 0, "nobody waited any longer");

    bench.stop = Stop::default();
    bench.watch.reaction = None;
    assert_eq!(bench.live(), Ended::Succeeded { stuck: vec![] });
    assert_eq!(bench.world.left(), ["0198/image"]);
}

/// Between two steps of the way back nothing is in work that could say so.
#[test]
fn what_the_way_back_has_not_come_to_is_left_and_known() {
    let mut bench = Bench::new();
    let hold = bench.stop.hold.clone();
    let hooks = move |point, id: &str| {
        if (point, id) == (Point::Undone, "server") {
            hold.cancel();
        }
        Strike::Pass
    };
    let Ended::Succeeded { stuck } = bench.hurt(&hooks) else {
        panic!()
    };
    let stuck: Vec<_> = stuck.iter().map(|(step, _)| step.as_str()).collect();
    assert_eq!(stuck, ["key"]);
    assert_eq!(bench.world.left(), ["0198/image", "0198/key"]);
    assert!(bench.state().closed.is_none());

    bench.stop = Stop::default();
    assert_eq!(bench.live(), Ended::Succeeded { stuck: vec![] });
    assert_eq!(bench.world.left(), ["0198/image"]);
}

#[test]
fn nothing_new_begins_after_ctrl_c() {
    let bench = Bench::new();
    bench.stop.cancel.cancel();
    let Ended::Failed { step, failure, .. } = bench.live() else {
        panic!()
    };
    assert_eq!((step.as_str(), failure.class.as_str()), ("check", "cancelled"));
    assert_eq!(bench.world.calls("run", "check"), 0);
}

#[test]
fn a_pause_before_another_attempt_is_left_too() {
    let mut bench = Bench::new();
    bench.policy(
        "server",
        Policy {
            retries: 9,
            ..Policy::default()
        },
    );
    bench.world.spoil("run", "server", [Unwell; 9]);
    let cancel = bench.stop.cancel.clone();
    let hooks = move |point, id: &str| {
        if (point, id) == (Point::Done, "server") {
            cancel.cancel();
        }
        Strike::Pass
    };
    let Ended::Failed { failure, .. } = bench.hurt(&hooks) else {
        panic!()
    };
    assert_eq!(bench.world.calls("run", "server"), 1, "{failure:?}");
    assert_eq!(bench.clock.now().as_second(), 0);
    assert_eq!(bench.world.left(), [""; 0]);
}
