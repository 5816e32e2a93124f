//! The three loops over every step: run twice, fail before, fail after; and death at every point.

use std::sync::atomic::{AtomicBool, Ordering};

use reseal_engine::{Ended, Hooks, Point, Strike};
use reseal_journal::{Outcome, StepState};

use crate::bench::{Bench, IMAGE};

const POINTS: [Point; 5] = [
    Point::Started,
    Point::Done,
    Point::Recorded,
    Point::UndoStarted,
    Point::Undone,
];

/// One strike at one place, once.
pub(crate) struct Once {
    point: Point,
    step: String,
    strike: Strike,
    spent: AtomicBool,
}

impl Once {
    pub(crate) fn new(point: Point, step: &str, strike: Strike) -> Self {
        Self {
            point,
            step: step.to_owned(),
            strike,
            spent: AtomicBool::new(false),
        }
    }

    fn has_struck(&self) -> bool {
        self.spent.load(Ordering::Relaxed)
    }
}

impl Hooks for Once {
    fn at(&self, point: Point, step: &str) -> Strike {
        if point == self.point && step == self.step && !self.spent.swap(true, Ordering::Relaxed) {
            return self.strike;
        }
        Strike::Pass
    }
}

fn good() -> Ended {
    Ended::Succeeded { stuck: vec![] }
}

fn assert_good(bench: &Bench) {
    assert_eq!(bench.world.left(), [IMAGE]);
    assert_eq!(bench.world.refusals(), 0, "taken back in reverse");
    assert_eq!(bench.state().closed, Some(Outcome::Succeeded));
    assert!(bench.state().committed);
}

#[test]
fn a_build_leaves_its_product_and_nothing_else() {
    let bench = Bench::new();
    assert_eq!(bench.live(), good());
    assert_good(&bench);
    let state = bench.state();
    assert!(matches!(state.step("agent"), StepState::Done(_)));
    assert!(matches!(state.step("image"), StepState::Done(_)));
    assert!(matches!(state.step("server"), StepState::Undone));
}

#[test]
fn every_step_can_be_done_twice() {
    for step in Bench::new().ids() {
        let bench = Bench::new();
        let hooks = Once::new(Point::Done, &step, Strike::Repeat);
        assert_eq!(bench.hurt(&hooks), good(), "{step}");
        assert!(hooks.has_struck());
        assert_good(&bench);
    }
}

#[test]
fn every_step_can_be_undone_twice() {
    for step in ["key", "server", "second"] {
        let bench = Bench::new();
        let hooks = Once::new(Point::Undone, step, Strike::Repeat);
        assert_eq!(bench.hurt(&hooks), good(), "{step}");
        assert_eq!(bench.world.calls("undo", step), 2);
        assert_good(&bench);
    }
}

#[test]
fn a_failure_before_or_after_any_step_leaves_nothing() {
    for point in [Point::Started, Point::Done] {
        for step in Bench::new().ids() {
            let bench = Bench::new();
            let ended = bench.hurt(&Once::new(point, &step, Strike::Fail));
            let Ended::Failed {
                step: failed,
                stuck,
                failure,
            } = ended
            else {
                panic!("{point:?} {step}: {ended:?}")
            };
            assert_eq!((failed, stuck), (step.clone(), vec![]), "{point:?} {step}");
            assert_eq!(failure.class, "cloud");
            assert_eq!(bench.world.left(), [""; 0], "{point:?} {step}");
            assert_eq!(bench.world.refusals(), 0, "{point:?} {step}");
            assert_eq!(bench.state().closed, Some(Outcome::Failed), "{point:?} {step}");
        }
    }
}

#[test]
fn after_death_at_any_point_a_resume_gets_the_image_and_nothing_else() {
    let mut deaths = 0;
    for point in POINTS {
        for step in Bench::new().ids() {
            let bench = Bench::new();
            let hooks = Once::new(point, &step, Strike::Die);
            let ended = bench.hurt(&hooks);
            if !hooks.has_struck() {
                continue;
            }
            deaths += 1;
            assert_eq!(ended, Ended::Died, "{point:?} {step}");
            assert_eq!(bench.live(), good(), "{point:?} {step}");
            assert_good(&bench);
        }
    }
    assert_eq!(deaths, 3 * 7 + 2 * 3, "every step forward, every temporary back");
}

#[test]
fn a_step_that_was_finished_before_death_is_not_done_again() {
    for step in Bench::new().ids() {
        let bench = Bench::new();
        bench.hurt(&Once::new(Point::Recorded, &step, Strike::Die));
        bench.live();
        assert_eq!(bench.world.calls("run", &step), 1, "{step}");
        assert_eq!(bench.world.calls("find", &step), 0, "{step}");
    }
}

#[test]
fn after_death_at_any_point_a_cleanup_leaves_nothing_unless_the_build_had_succeeded() {
    for point in POINTS {
        for step in Bench::new().ids() {
            let bench = Bench::new();
            let hooks = Once::new(point, &step, Strike::Die);
            bench.hurt(&hooks);
            if !hooks.has_struck() {
                continue;
            }
            bench.cleanup();
            let was_good = matches!(point, Point::UndoStarted | Point::Undone)
                || (point, step.as_str()) == (Point::Recorded, "publish");
            let (left, outcome) = if was_good {
                (vec![IMAGE], Outcome::Succeeded)
            } else {
                (vec![], Outcome::CleanedUp)
            };
            assert_eq!(bench.world.left(), left, "{point:?} {step}");
            assert_eq!(bench.state().closed, Some(outcome), "{point:?} {step}");
        }
    }
}

#[test]
fn death_while_a_failed_build_unwinds_is_no_way_back_to_success() {
    for point in [Point::UndoStarted, Point::Undone] {
        for step in ["key", "server", "image", "second"] {
            let bench = Bench::new();
            let fails = Once::new(Point::Started, "publish", Strike::Fail);
            let dies = Once::new(point, step, Strike::Die);
            let hooks = |at: Point, id: &str| match fails.at(at, id) {
                Strike::Pass => dies.at(at, id),
                strike => strike,
            };
            assert_eq!(bench.hurt(&hooks), Ended::Died);
            let ended = bench.live();
            assert!(
                matches!(&ended, Ended::Failed { step, .. } if step == "publish"),
                "{point:?} {step}: {ended:?}"
            );
            assert_eq!(bench.world.left(), [""; 0]);
        }
    }
}
