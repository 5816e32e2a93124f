//! What cannot be taken back is never forgotten.

use reseal_engine::{Ended, Leaves, Point, Strike};
use reseal_journal::Outcome;
use reseal_machine::Clock as _;

use crate::bench::{Bench, IMAGE, step};
use crate::loops::Once;
use crate::world::Mishap::{Lost, Refused, Unwell};

#[test]
fn undo_is_patient_with_what_may_pass() {
    let bench = Bench::new();
    bench.world.spoil("undo", "server", [Unwell; 7]);
    assert_eq!(bench.live(), Ended::Succeeded { stuck: vec![] });
    assert_eq!(bench.clock.now().as_second(), 2 + 4 + 8 + 16 + 32 + 60 + 60);
}

#[test]
fn a_good_build_with_something_stuck_is_good_and_says_what_is_left() {
    let mut steps = Bench::new().plan.steps;
    steps.insert(0, step("address", "make", Leaves::Temporary, None));
    let bench = Bench::with(steps);
    bench.world.spoil("undo", "server", [Unwell; 8]);
    bench.world.spoil("undo", "key", [Refused]);
    let Ended::Succeeded { stuck } = bench.live() else {
        panic!()
    };
    let names: Vec<&str> = stuck.iter().map(|(step, _)| step.as_str()).collect();
    assert_eq!(names, ["key", "server"]);
    assert_eq!(
        bench.world.left(),
        [IMAGE, "0198/key", "0198/server"],
        "what could go went"
    );
    assert_eq!(bench.state().closed, None);
    assert_eq!(bench.state().held.as_deref(), Some("some things could not be removed"));

    assert_eq!(bench.live(), Ended::Succeeded { stuck: vec![] });
    assert_eq!(bench.world.left(), [IMAGE]);
    assert_eq!(bench.state().closed, Some(Outcome::Succeeded));
    assert_eq!(bench.world.calls("run", "image"), 1);
}

#[test]
fn a_failed_build_with_something_stuck_keeps_its_reason() {
    let bench = Bench::new();
    bench.world.spoil("run", "agent", [Refused]);
    bench.world.spoil("undo", "key", [Refused]);
    let Ended::Failed { step, stuck, .. } = bench.live() else {
        panic!()
    };
    assert_eq!((step.as_str(), stuck.len()), ("agent", 1));
    let Ended::Failed { step, stuck, .. } = bench.live() else {
        panic!()
    };
    assert_eq!((step.as_str(), stuck.len()), ("agent", 0));
    assert_eq!(bench.world.left(), [""; 0]);
}

#[test]
fn an_undo_whose_answer_was_lost_finds_nothing_the_next_time() {
    let bench = Bench::new();
    bench.world.spoil("undo", "server", [Lost]);
    let Ended::Succeeded { stuck } = bench.live() else {
        panic!()
    };
    assert_eq!(stuck.len(), 1);
    assert_eq!(bench.live(), Ended::Succeeded { stuck: vec![] });
    assert_eq!(bench.world.left(), [IMAGE]);
}

#[test]
fn undo_can_be_hurt_before_and_after() {
    for point in [Point::UndoStarted, Point::Undone] {
        for step in ["key", "server", "second"] {
            let bench = Bench::new();
            let Ended::Succeeded { stuck } = bench.hurt(&Once::new(point, step, Strike::Fail)) else {
                panic!()
            };
            // What the stuck thing stands on may be stuck with it.
            assert!(stuck.iter().any(|(id, _)| id == step), "{point:?} {step}: {stuck:?}");
            bench.cleanup();
            assert_eq!(bench.world.left(), [IMAGE], "{point:?} {step}");
            assert_eq!(bench.state().closed, Some(Outcome::Succeeded));
        }
    }
}
