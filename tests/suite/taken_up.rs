//! What a builder had begun in the guest when it died is taken up by the next one: nothing is begun twice, nothing that
//! works is cut off, and what cannot be known any more is said.

use std::time::Duration;

use reseal::exit::Exit;
use reseal::session::Direction;
use reseal_engine::Ended;
use reseal_lab::Mode;
use reseal_machine::Clock as _;

use crate::support::specs::small;
use crate::support::{Death, Gone, World};

/// A builder that dies as soon as `last` is said, and another one that comes so much later.
async fn resumed(mode: Mode, rest: &str, last: &str, later: Duration) -> (World, Gone) {
    let world = World::open(mode, &[]).await;
    let order = world.write("small.reseal.yaml", &small(mode, rest));
    let died = world.die(&order, &Death::Saying(last.to_owned())).await;
    assert!(died.ended.is_none(), "it lived: {died:#?}");
    world.clock.sleep(later).await;
    let gone = world.again(&died.id, Direction::Forward).await;
    (world, gone)
}

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sysprep_is_watched_on_by_the_next_builder() {
    let (world, gone) = resumed(Mode::Nhn, "", "Beginning of a new sysprep run", MINUTE).await;
    world.only_the_image(&gone.id).unwrap();
    let builder = &world.room.machines()[0];
    let starts = builder.history.iter().filter(|event| *event == "sysprep started");
    assert_eq!(starts.count(), 1, "{:?}", builder.history);
}

/// The guest has shown its proofs, has cleaned up and is off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_that_finished_alone_is_proved_by_its_serial_port_or_not_at_all() {
    let hours = Duration::from_hours(2);
    let (world, gone) = resumed(Mode::Openstack, "", "Beginning of a new sysprep run", hours).await;
    world.only_the_image(&gone.id).unwrap();
    assert!(
        gone.said.concat().contains("the guest said on its serial port"),
        "{gone:#?}"
    );

    let (_, gone) = resumed(Mode::Nhn, "", "Beginning of a new sysprep run", hours).await;
    assert_eq!(gone.exit(), Exit::Sysprep, "{gone:#?}");
    let Some(Ended::Failed { failure, .. }) = &gone.ended else {
        panic!("{gone:#?}")
    };
    assert!(
        failure.message.contains("nothing proves that it was generalized"),
        "{failure:#?}"
    );
    assert!(
        failure.hints.concat().contains("nobody was there to see them"),
        "{failure:#?}"
    );
}

/// A round of Windows Update wants a restart long before it is done: one at this moment would break it off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_round_of_updates_is_watched_to_its_end_before_anything_restarts() {
    let rest = "software:\n  - windows_update: { rounds: 3, categories: [security] }\nverify: { boot: false }\n";
    for word in ["KB5031539", "restarting Windows: the next round needs it"] {
        let (world, gone) = resumed(Mode::Nhn, rest, word, Duration::ZERO).await;
        world.only_the_image(&gone.id).unwrap();
        let builder = &world.room.machines()[0];
        let installs = builder
            .history
            .iter()
            .filter(|event| *event == "op windows_update")
            .count();
        assert!(
            (2..=4).contains(&installs),
            "{word}: {installs} rounds: {:?}",
            builder.history
        );
    }
}
