//! What follows a failure: another attempt, the next step, a person's word, or the way back.

use std::sync::Mutex;

use async_trait::async_trait;
use reseal_engine::run::{Answer, Asker};
use reseal_engine::{Ended, Leaves, NoHooks, OnError, Policy, Step};
use reseal_journal::event::AfterFailure;
use reseal_journal::{Event, FailureRecord, Outcome, StepState};
use reseal_machine::Clock as _;

use crate::bench::{Bench, IMAGE, Way, step};
use crate::world::Mishap::{Dropped, Lost, Refused, Unwell};

fn retries(retries: u32) -> Policy {
    Policy {
        retries,
        ..Policy::default()
    }
}

/// What followed each failed attempt of a step.
fn followed(bench: &Bench, id: &str) -> Vec<AfterFailure> {
    let entries = bench.watch.entries.lock().unwrap();
    let failures = entries.iter().filter_map(|(entry, _)| match &entry.event {
        Event::StepFailed { step, then, .. } if step == id => Some(*then),
        _ => None,
    });
    failures.collect()
}

#[test]
fn a_guest_that_repeats_a_secret_does_not_get_it_into_the_journal() {
    let mut bench = Bench::new();
    bench.scrub = |text| text.replace("no", "<sensitive>");
    bench.world.spoil("run", "server", [Refused]);
    bench.world.spoil("undo", "key", [Refused]);
    let Ended::Failed { failure, stuck, .. } = bench.live() else {
        panic!()
    };
    assert_eq!(failure.message, "the world said <sensitive>");
    assert_eq!(failure.said, ["<sensitive>"]);
    let [(_, left)] = stuck.as_slice() else {
        panic!("{stuck:?}")
    };
    assert_eq!(left.message, "the world said <sensitive>");
    let written = std::fs::read_to_string(bench.run().journal()).unwrap();
    assert!(written.contains("<sensitive>") && !written.contains("said no"));
}

#[test]
fn what_may_pass_is_tried_again_with_growing_pauses() {
    let mut bench = Bench::new();
    bench.policy("server", retries(3));
    bench.world.spoil("run", "server", [Unwell, Unwell, Unwell]);
    assert_eq!(bench.live(), Ended::Succeeded { stuck: vec![] });
    assert_eq!(followed(&bench, "server"), [AfterFailure::Retry; 3]);
    assert_eq!(bench.clock.now().as_second(), 2 + 4 + 8);
}

#[test]
fn patience_ends_with_the_policy() {
    let mut bench = Bench::new();
    bench.policy("server", retries(2));
    bench.world.spoil("run", "server", [Unwell, Unwell, Unwell]);
    assert!(matches!(bench.live(), Ended::Failed { .. }));
    assert_eq!(
        followed(&bench, "server"),
        [AfterFailure::Retry, AfterFailure::Retry, AfterFailure::Abort]
    );
    assert_eq!(bench.world.left(), [""; 0]);
}

#[test]
fn a_refusal_is_not_tried_again_but_work_in_the_guest_is() {
    let mut bench = Bench::new();
    bench.policy("server", retries(5));
    bench.world.spoil("run", "server", [Refused]);
    assert!(matches!(bench.live(), Ended::Failed { .. }));
    assert_eq!(followed(&bench, "server"), [AfterFailure::Abort]);

    let mut bench = Bench::new();
    bench.policy("agent", retries(1));
    bench.world.spoil("run", "agent", [Refused]);
    assert_eq!(bench.live(), Ended::Succeeded { stuck: vec![] });
    assert_eq!(followed(&bench, "agent"), [AfterFailure::Retry]);
}

#[test]
fn what_was_made_before_the_answer_was_lost_is_found_and_not_made_twice() {
    let mut bench = Bench::new();
    bench.policy("server", retries(1));
    bench.world.spoil("run", "server", [Dropped]);
    assert_eq!(bench.live(), Ended::Succeeded { stuck: vec![] });
    assert_eq!(
        (bench.world.calls("run", "server"), bench.world.calls("find", "server")),
        (1, 1)
    );
    assert_eq!(bench.world.left(), [IMAGE]);
}

#[test]
fn what_was_made_before_a_final_failure_is_found_and_removed() {
    let mut bench = Bench::new();
    bench.policy("server", retries(1));
    bench.world.spoil("run", "server", [Lost]);
    assert!(matches!(bench.live(), Ended::Failed { .. }));
    assert_eq!(bench.world.left(), [""; 0]);
}

#[test]
fn a_failure_that_may_be_passed_over_is() {
    let mut bench = Bench::new();
    let forgiving = Policy {
        continue_on_failure: true,
        ..Policy::default()
    };
    bench.policy("agent", forgiving.clone());
    bench.policy("check", forgiving);
    bench.world.spoil("run", "agent", [Refused]);
    bench.world.spoil("run", "check", [Refused]);
    assert_eq!(bench.live(), Ended::Succeeded { stuck: vec![] });
    assert!(matches!(
        bench.state().step("agent"),
        StepState::Failed { continued: true, .. }
    ));
    assert_eq!(
        bench.state().failure,
        None,
        "what was passed over did not end the build"
    );
    assert_eq!(bench.world.left(), [IMAGE]);
}

#[test]
fn what_a_passed_over_step_left_behind_is_removed() {
    let mut steps = Bench::new().plan.steps;
    steps.insert(2, step("address", "make", Leaves::Temporary, None));
    let mut bench = Bench::with(steps);
    bench.policy(
        "address",
        Policy {
            continue_on_failure: true,
            ..Policy::default()
        },
    );
    bench.world.spoil("run", "address", [Lost]);
    assert_eq!(bench.live(), Ended::Succeeded { stuck: vec![] });
    assert_eq!(bench.world.left(), [IMAGE]);
}

#[test]
fn hold_keeps_everything_and_resume_goes_on_from_there() {
    let bench = Bench::new();
    bench.world.spoil("run", "image", [Refused]);
    let ended = bench.go(Way::Forward, &NoHooks, OnError::Abort);
    assert!(
        matches!(&ended, Ended::Held { step, .. } if step == "image"),
        "{ended:?}"
    );
    assert_eq!(bench.world.left(), ["0198/key", "0198/server"]);
    assert_eq!(bench.state().held.as_deref(), Some("the world said no"));
    assert_eq!(bench.live(), Ended::Succeeded { stuck: vec![] });
    assert_eq!(bench.world.calls("run", "server"), 1);
    assert_eq!(bench.world.left(), [IMAGE]);
}

#[test]
fn a_held_build_can_be_cleaned_up() {
    let bench = Bench::new();
    bench.world.spoil("run", "second", [Refused]);
    bench.go(Way::Forward, &NoHooks, OnError::Abort);
    bench.cleanup();
    assert_eq!(
        bench.world.left(),
        [""; 0],
        "the image too: the build had not succeeded"
    );
    assert_eq!(bench.state().closed, Some(Outcome::CleanedUp));
}

/// Somebody who gives these answers, and remembers the questions.
struct Person {
    answers: Mutex<Vec<Answer>>,
    asked: Mutex<Vec<String>>,
}

impl Person {
    fn saying(answers: &[Answer]) -> Self {
        Self {
            answers: Mutex::new(answers.iter().rev().copied().collect()),
            asked: Mutex::default(),
        }
    }
}

#[async_trait]
impl Asker for Person {
    async fn ask(&self, step: &Step, failure: &FailureRecord) -> Answer {
        self.asked
            .lock()
            .unwrap()
            .push(format!("{}: {}", step.id, failure.message));
        self.answers.lock().unwrap().pop().expect("nobody has more to say")
    }
}

#[test]
fn a_person_decides_when_asked() {
    let ask = |answers: &[Answer]| {
        let bench = Bench::new();
        bench.world.spoil("run", "agent", [Refused, Refused]);
        let person = Person::saying(answers);
        let ended = bench.go(Way::Forward, &NoHooks, OnError::Ask(&person));
        assert_eq!(
            person.asked.into_inner().unwrap(),
            vec!["agent: the world said no"; answers.len()]
        );
        (ended, bench.world.left())
    };
    let (ended, left) = ask(&[Answer::Retry, Answer::Cleanup]);
    assert!(matches!(ended, Ended::Failed { .. }) && left.is_empty());
    let (ended, left) = ask(&[Answer::Abort]);
    assert!(matches!(ended, Ended::Held { .. }) && left.len() == 2);

    let bench = Bench::new();
    bench.world.spoil("run", "agent", [Refused]);
    let person = Person::saying(&[Answer::Retry]);
    assert_eq!(
        bench.go(Way::Forward, &NoHooks, OnError::Ask(&person)),
        Ended::Succeeded { stuck: vec![] }
    );
}

#[test]
fn an_action_of_another_version_fails_with_a_hint_and_everything_goes() {
    let mut steps = Bench::new().plan.steps;
    steps[3].action = "guest.teleport".into();
    let bench = Bench::with(steps);
    let Ended::Failed { failure, .. } = bench.live() else {
        panic!()
    };
    assert_eq!(failure.class, "internal");
    assert!(failure.message.contains("guest.teleport") && failure.hints.len() == 1);
    assert_eq!(bench.world.left(), [""; 0]);
}

#[test]
fn what_fails_after_the_commit_point_does_not_take_the_image_back() {
    let mut steps = Bench::new().plan.steps;
    steps.push(step("tell", "write", Leaves::Nothing, None));
    let bench = Bench::with(steps);
    bench.world.spoil("run", "tell", [Refused]);
    assert_eq!(bench.live(), Ended::Succeeded { stuck: vec![] });
    assert_eq!(bench.world.left(), [IMAGE]);
}
