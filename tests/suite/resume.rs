//! `kill -9` at every step: after a resume the image is there and nothing else; after a cleanup nothing is.
//!
//! A process dies at a chosen point of a chosen step, or with a chosen line of the journal on disk; another one, with
//! a client of its own, goes on in the same world.

use reseal::session::Direction;
use reseal_engine::{Hooks, NoHooks, Point, Strike};
use reseal_journal::Outcome;
use reseal_lab::Mode;
use reseal_lab::clock::JumpClock;
use reseal_machine::Clock as _;

use crate::support::{Death, Gone, Order, World, all, plan_of};

const FORWARD: [Point; 3] = [Point::Started, Point::Done, Point::Recorded];
const BACK: [Point; 2] = [Point::UndoStarted, Point::Undone];

/// The step that fails where an unwinding is to be watched: late, so that there is everything to take back.
const LATE: &str = "verify/proof";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_on_the_way_and_resumed() {
    let cases = deaths(&FORWARD, |_| true).await;
    walk("killed on the way and resumed", cases, |death| async move {
        dies_once(death, Direction::Forward, only_the_image).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_on_the_way_and_cleaned_up() {
    let cases = deaths(&FORWARD, |step| step != "image/publish").await;
    walk("killed on the way and cleaned up", cases, |death| async move {
        dies_once(death, Direction::Cleanup, nothing).await
    })
    .await;
}

/// An image that is published stays, whatever a person asks of the build's rest: it may be in use already.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cleaning_up_after_the_commit_point_keeps_the_image() {
    let world = World::open(Mode::Nhn, &[]).await;
    let death = Death::At(Point::Recorded, "image/publish".to_owned());
    let dead = died(world.die(&Order::web(), &death).await).unwrap();
    world.again(&dead, Direction::Cleanup).await;
    world.only_the_image(&dead).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_tidying_after_success() {
    let world = World::open(Mode::Nhn, &[]).await;
    let whole = world.build(&Order::web()).await.unwrap();
    let cases = both_ways(undone_in(&world, &whole.id));
    walk("killed while tidying", cases, |(death, direction)| async move {
        dies_once(death, direction, only_the_image).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_taking_back_after_a_failure() {
    let world = World::open(Mode::Nhn, &[]).await;
    let failed = world.begin(&Order::web(), &fails_late(), None).await.unwrap();
    world.nothing(&failed.id, Outcome::Failed).unwrap();
    let cases = both_ways(undone_in(&world, &failed.id));
    walk("killed while taking back", cases, |(death, direction)| async move {
        let world = World::open(Mode::Nhn, &[]).await;
        let begun = world.begin(&Order::web(), &fails_late(), Some(&death)).await;
        let dead = died(begun.map_err(|refused| format!("{refused:?}"))?)?;
        let gone = world.again(&dead, direction).await;
        world
            .nothing(&dead, Outcome::Failed)
            .map_err(|why| explain(&why, &gone))
    })
    .await;
}

/// With half of another line behind it; every fourth line, and those at both ends that belong to no step.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journal_ends_in_the_middle_of_any_line() {
    let world = World::open(Mode::Nhn, &[]).await;
    let whole = world.build(&Order::web()).await.unwrap();
    let lines = world.journal(&whole.id).0.len();
    let cases = (1..lines)
        .filter(|line| line % 4 == 0 || *line < 4 || line + 4 > lines)
        .map(Death::InLine)
        .collect();
    walk("torn journals", cases, |death| async move {
        dies_once(death, Direction::Forward, only_the_image).await
    })
    .await;
}

/// One build whose process dies at every line: each process gets one line further than the one before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_that_dies_again_and_again_still_ends() {
    let world = World::open(Mode::Nhn, &[]).await;
    let dead = died(world.die(&Order::web(), &Death::AfterLine(1)).await).unwrap();
    let mut processes = 1;
    loop {
        // Its own first line says that it is another process; it dies with its second or third.
        let lines = world.journal(&dead).0.len();
        let death = Death::AfterLine(lines + 3);
        let gone = world.again_until(&dead, Direction::Forward, Some(&death)).await;
        processes += 1;
        if gone.ended.is_some() {
            break;
        }
        assert!(processes < 200, "no progress: {:?}", world.journal(&dead).0.last());
    }
    world.only_the_image(&dead).unwrap();
    assert!(processes > 20, "{processes} processes");
    println!("one build in {processes} processes");
}

/// Finer than steps: the process dies with a request to the cloud under way, everywhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_request_to_the_cloud() {
    let world = World::open(Mode::Nhn, &[]).await;
    let ready = world.plan(&Order::web()).await.unwrap();
    let before = world.lab.request_count();
    let whole = world.carry_out(ready, &NoHooks, None).await;
    let requests = world.lab.request_count() - before;
    world.only_the_image(&whole.id).unwrap();
    let cases = (1..requests).map(Death::AtRequest).collect();
    walk("killed at a request", cases, |death| async move {
        // Every other one is cleaned up; after the commit point that keeps the image as well.
        match death {
            Death::AtRequest(count) if count % 2 == 0 => dies_once(death, Direction::Forward, only_the_image).await,
            _ => dies_once(death, Direction::Cleanup, the_image_if_committed).await,
        }
    })
    .await;
}

/// A build may wait for its resume for an hour.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resumed_after_an_hour() {
    for step in ["cloud/server", "guest/05-harden-tls", "image/capture", "verify/proof"] {
        let world = World::open(Mode::Nhn, &[]).await;
        let dead = died(world.die(&Order::web(), &Death::At(Point::Done, step.to_owned())).await).unwrap();
        later(&world).await;
        let gone = world.again(&dead, Direction::Forward).await;
        let end = world.only_the_image(&dead).map_err(|why| explain(&why, &gone));
        assert!(end.is_ok(), "{step}: {end:?}");
    }
}

/// A generalized machine that nobody asks turns itself off, and what it could have proved is lost: an image of it would
/// be an unproved one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proofs_of_sysprep_do_not_wait_for_an_hour() {
    let world = World::open(Mode::Nhn, &[]).await;
    let death = Death::At(Point::Done, "guest/sysprep".to_owned());
    let dead = died(world.die(&Order::web(), &death).await).unwrap();
    later(&world).await;
    world.again(&dead, Direction::Forward).await;
    world.nothing(&dead, Outcome::Failed).unwrap();
}

/// A build whose process dies once and that another one carries on: why it did not end as it should.
async fn dies_once(death: Death, direction: Direction, end: End) -> Result<(), String> {
    let world = World::open(Mode::Nhn, &[]).await;
    let dead = died(world.die(&Order::web(), &death).await)?;
    let committed = world.journal(&dead).1.committed;
    let gone = world.again(&dead, direction).await;
    end(&world, &dead, committed).map_err(|why| explain(&why, &gone))
}

/// What must be there at the end of a build that was or was not committed when it died.
type End = fn(&World, &str, bool) -> Result<(), String>;

fn only_the_image(world: &World, build: &str, _: bool) -> Result<(), String> {
    world.only_the_image(build).map(drop)
}

fn nothing(world: &World, build: &str, _: bool) -> Result<(), String> {
    world.nothing(build, Outcome::CleanedUp)
}

fn the_image_if_committed(world: &World, build: &str, committed: bool) -> Result<(), String> {
    let end = if committed { only_the_image } else { nothing };
    end(world, build, committed)
}

async fn later(world: &World) {
    let clock: &JumpClock = &world.clock;
    clock.sleep(std::time::Duration::from_mins(61)).await;
}

/// Every point of every step of the web example's plan.
async fn deaths(points: &[Point], wanted: impl Fn(&str) -> bool) -> Vec<Death> {
    let plan = plan_of(&Order::web(), Mode::Nhn).await;
    let steps = plan.steps.iter().filter(|step| wanted(&step.id));
    steps
        .flat_map(|step| points.iter().map(|point| Death::At(*point, step.id.clone())))
        .collect()
}

/// Both points of every undo of a finished build.
fn undone_in(world: &World, id: &str) -> Vec<Death> {
    let undone = world.journal(id).0.into_iter().filter_map(|entry| match entry.event {
        reseal_journal::Event::UndoStarted { step } => Some(step),
        _ => None,
    });
    undone
        .flat_map(|step| BACK.map(|point| Death::At(point, step.clone())))
        .collect()
}

fn both_ways(deaths: Vec<Death>) -> Vec<(Death, Direction)> {
    let ways = [Direction::Forward, Direction::Cleanup];
    deaths
        .into_iter()
        .flat_map(|death| ways.map(|way| (death.clone(), way)))
        .collect()
}

/// Fails before the late step, as if the cloud had refused.
fn fails_late() -> impl Hooks {
    |point: Point, step: &str| match point {
        Point::Started if step == LATE => Strike::Fail,
        _ => NoHooks.at(point, step),
    }
}

/// The id of a build whose process died.
fn died(gone: Gone) -> Result<String, String> {
    match gone.ended {
        None => Ok(gone.id),
        Some(ended) => Err(format!("it did not die but ended: {ended:?}")),
    }
}

fn explain(why: &str, gone: &Gone) -> String {
    let last: Vec<&String> = gone.said.iter().rev().take(4).collect();
    format!("{why}; ended {:?}; said last {last:?}", gone.ended)
}

/// Runs all cases and says how many there were.
#[expect(
    clippy::print_stdout,
    reason = "how many cases ran is what a reader of the log asks first"
)]
async fn walk<C, F>(what: &str, cases: Vec<C>, run: impl Fn(C) -> F)
where
    C: std::fmt::Debug,
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let count = cases.len();
    assert!(count > 8, "{what}: only {count} cases");
    let wrong = all(cases, run).await;
    println!("{what}: {count} cases");
    assert!(
        wrong.is_empty(),
        "{what}: {} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
