//! The engine's promises over real clients: what fails is taken back, what is done twice is done once.

use reseal_engine::{Ended, NoHooks, Point, Strike};
use reseal_journal::Outcome;
use reseal_lab::Mode;

use crate::support::specs::small;
use crate::support::{Order, World, all, plan_of};

/// Strikes whenever a step comes to the point.
fn strike(point: Point, step: Option<String>, strike: Strike) -> impl Fn(Point, &str) -> Strike + Send + Sync {
    move |now, whose| {
        let hit = now == point && step.as_deref().is_none_or(|step| step == whose);
        if hit { strike } else { Strike::Pass }
    }
}

async fn steps() -> Vec<String> {
    let plan = plan_of(&Order::web(), Mode::Nhn).await;
    plan.steps.into_iter().map(|step| step.id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_fails_before_or_after_its_call_leaves_nothing() {
    let points = [Point::Started, Point::Done];
    let cases: Vec<_> = steps()
        .await
        .into_iter()
        .flat_map(|step| points.map(|point| (point, step.clone())))
        .collect();
    let count = cases.len();
    let wrong = all(cases, |(point, step)| async move {
        let world = World::open(Mode::Nhn, &[]).await;
        let hooks = strike(point, Some(step.clone()), Strike::Fail);
        let gone = world.begin(&Order::web(), &hooks, None).await.unwrap();
        match &gone.ended {
            Some(Ended::Failed {
                step: failed, stuck, ..
            }) if *failed == step && stuck.is_empty() => {}
            other => return Err(format!("{other:?}")),
        }
        world.nothing(&gone.id, Outcome::Failed)
    })
    .await;
    println!("failed steps: {count} cases");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_may_be_done_twice() {
    for mode in [Mode::Nhn, Mode::Openstack] {
        let world = World::open(mode, &[]).await;
        let rest = "software:\n  - windows_feature: { names: [Web-Server] }\n  - powershell: { name: Say, inline: 'Write-Output 1' }\n  - reboot: {}\nverify: { boot: true }\n";
        let order = match mode {
            Mode::Nhn => Order::web(),
            Mode::Openstack => world.write("small.reseal.yaml", &small(mode, rest)),
        };
        let hooks = strike(Point::Done, None, Strike::Repeat);
        let gone = world.begin(&order, &hooks, None).await.unwrap();
        let image = world.only_the_image(&gone.id);
        assert!(image.is_ok(), "{mode:?}: {image:?} {:?}", gone.ended);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_undo_may_be_done_twice() {
    let twice = strike(Point::Undone, None, Strike::Repeat);
    let world = World::open(Mode::Nhn, &[]).await;
    let gone = world.begin(&Order::web(), &twice, None).await.unwrap();
    world.only_the_image(&gone.id).unwrap();

    let world = World::open(Mode::Nhn, &[]).await;
    let hooks = |point: Point, step: &str| match (point, step) {
        (Point::Started, "verify/proof") => Strike::Fail,
        (Point::Undone, _) => Strike::Repeat,
        _ => Strike::Pass,
    };
    let gone = world.begin(&Order::web(), &hooks, None).await.unwrap();
    world.nothing(&gone.id, Outcome::Failed).unwrap();
}

/// What cannot be taken back is named, kept on record, and taken back by a later cleanup.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stuck_undo_is_finished_by_cleanup() {
    for (point, left) in [(Point::UndoStarted, 1), (Point::Undone, 0)] {
        let world = World::open(Mode::Nhn, &[]).await;
        let hooks = |now: Point, step: &str| match (now, step) {
            (Point::Started, "guest/connect") => Strike::Fail,
            (now, "cloud/security-group") if now == point => Strike::Fail,
            _ => Strike::Pass,
        };
        let gone = world.begin(&Order::web(), &hooks, None).await.unwrap();
        let Some(Ended::Failed { stuck, .. }) = &gone.ended else {
            panic!("{:?}", gone.ended)
        };
        assert_eq!(stuck.len(), 1, "{stuck:?}");
        assert_eq!(world.lab.leftovers().len(), left);
        world.again(&gone.id, reseal::session::Direction::Cleanup).await;
        world.nothing(&gone.id, Outcome::Failed).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_are_lost_make_nothing_twice() {
    let kinds = ["server", "image", "floatingip", "security-group", "keypair"];
    let faults = ["reset-after-create", "503-after-create"];
    let cases: Vec<String> = kinds
        .iter()
        .flat_map(|kind| faults.map(|fault| format!("{fault}={kind}*2")))
        .collect();
    let wrong = all(cases, |fault| async move {
        let world = World::open(Mode::Nhn, &[&fault]).await;
        let gone = world.begin(&Order::web(), &NoHooks, None).await.unwrap();
        world
            .only_the_image(&gone.id)
            .map(drop)
            .map_err(|why| format!("{why} {:?} {:?}", gone.ended, gone.said.last()))
    })
    .await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
