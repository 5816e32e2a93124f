//! Every example becomes an image in the lab, and nothing else is left of the build.

use std::path::PathBuf;

use reseal_engine::Ended;
use reseal_journal::{Event, Outcome};
use reseal_lab::Mode;

use crate::support::property::{FINGERPRINT, RUN};
use crate::support::specs::small;
use crate::support::{Order, World, all, root};

/// All examples, with every build of their matrices.
fn orders() -> Vec<Order> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(root().join("examples"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".reseal.yaml"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 5, "{paths:?}");
    paths.into_iter().flat_map(|path| builds(&path)).collect()
}

fn builds(path: &PathBuf) -> Vec<Order> {
    let text = std::fs::read_to_string(path).unwrap();
    let order = Order {
        path: path.clone(),
        ..Order::default()
    };
    if !text.contains("\nmatrix:") {
        return vec![order];
    }
    let only = |name: &str| Order {
        only: name.to_owned(),
        ..order.clone()
    };
    ["win.2019-EN", "win.2019-KO", "win.2022-EN", "win.2022-KO"]
        .map(only)
        .to_vec()
}

fn mode_of(order: &Order) -> Mode {
    if order.path.to_string_lossy().contains("openstack") {
        Mode::Openstack
    } else {
        Mode::Nhn
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_example_becomes_an_image_and_nothing_else() {
    let cases: Vec<_> = orders()
        .into_iter()
        .map(|order| (order.path.display().to_string(), order.only.clone()))
        .collect();
    let wrong = all(cases, |(path, only)| async move {
        let order = Order {
            path: path.into(),
            only,
            ..Order::default()
        };
        twice(&order, mode_of(&order)).await
    })
    .await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_small_spec_ends_well_on_both_families_of_cloud() {
    let rest = "software:\n  - windows_feature: { names: [Web-Server] }\n  - reboot: {}\nverify: { boot: true }\n";
    for mode in [Mode::Nhn, Mode::Openstack] {
        for transport in ["https", "http"] {
            let rest = format!("{rest}connect: {{ winrm: {{ transport: {transport} }} }}\n");
            let world = World::open(mode, &[]).await;
            let order = world.write("small.reseal.yaml", &small(mode, &rest));
            let gone = world.build(&order).await.unwrap();
            let image = world.only_the_image(&gone.id);
            assert!(image.is_ok(), "{mode:?} {transport}: {image:?} {gone:#?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_verification_no_second_machine_is_started() {
    let world = World::open(Mode::Nhn, &[]).await;
    let order = world.write("small.reseal.yaml", &small(Mode::Nhn, "verify: { boot: false }\n"));
    let gone = world.build(&order).await.unwrap();
    world.only_the_image(&gone.id).unwrap();
    assert_eq!(world.room.machines().len(), 1);
}

/// Builds, looks at everything, and asks for the same once more.
async fn twice(order: &Order, mode: Mode) -> Result<(), String> {
    let world = World::open(mode, &[]).await;
    let gone = world.build(order).await.map_err(|refused| format!("{refused:?}"))?;
    if gone.ended != Some(Ended::Succeeded { stuck: Vec::new() }) {
        return Err(format!("{:#?}", gone.ended));
    }
    let image = world.only_the_image(&gone.id)?;
    check(image.properties[RUN] == gone.id, || "the run is named".to_owned())?;
    check(image.properties[FINGERPRINT].len() == 64, || {
        format!("{:?}", image.properties)
    })?;
    let (entries, state) = world.journal(&gone.id);
    check(state.committed && state.closed == Some(Outcome::Succeeded), || {
        "closed".to_owned()
    })?;
    let failed = entries
        .iter()
        .filter(|entry| matches!(entry.event, Event::StepFailed { .. } | Event::UndoFailed { .. }));
    check(failed.count() == 0, || "nothing failed on the way".to_owned())?;
    unchanged(&world, order).await
}

/// The second run finds the image and asks little for it.
async fn unchanged(world: &World, order: &Order) -> Result<(), String> {
    let again = world.plan(order).await.map_err(|refused| format!("{refused:?}"))?;
    let calls = again.calls;
    check(again.prepared.planned.unchanged.is_some(), || {
        "the second run sees no change".to_owned()
    })?;
    check(calls <= 6, || format!("{calls} calls to see that nothing changed"))
}

fn check(good: bool, what: impl Fn() -> String) -> Result<(), String> {
    if good { Ok(()) } else { Err(what()) }
}
