//! First boots of clones: what each fault shows to the cloud, on the network and inside.

use std::sync::Arc;

use reseal_lab::guest::Inspect;
use reseal_lab::room::{Machine, Power};
use serde_json::{Value, json};

use crate::support::{Raw, Runner};
use crate::world::{ACCOUNT, PASSWORD, World, seal, user_data};

/// A clone of a sealed machine, with a fault that may not touch the machine that is sealed.
async fn cloned(fault: &str) -> (World, Arc<dyn Machine>) {
    let world = World::new(&[fault]);
    let machine = world.build_machine("Windows 2022").await;
    let mut runner = world.runner(&machine).await;
    seal(&mut runner, |text| text).await;
    world.wait(200).await;
    assert_eq!(machine.power(), Power::Off, "{fault}");
    let builder = world.room.machines().remove(0);
    assert_eq!(
        (builder.violations.as_slice(), builder.computer_name.as_str()),
        (&[][..], "builder"),
        "{fault}"
    );
    let clone = world.boot_on(80, "clone", machine.disk(), Some(user_data()));
    (world, clone)
}

fn inside(world: &World) -> Inspect {
    world.room.machines().remove(1)
}

fn boots(clone: &dyn Machine) -> usize {
    clone.console().matches("BdsDxe: starting").count()
}

async fn silent(clone: &Arc<dyn Machine>) -> bool {
    Raw::connect(clone.address()).await.http("", b"").await.is_none()
}

async fn facts(clone: &Arc<dyn Machine>) -> Value {
    let mut runner = Runner::start(clone.address(), ACCOUNT, PASSWORD).await;
    runner.good("verify_facts", &json!({})).await
}

#[tokio::test]
async fn a_stopped_setup_is_silent_for_ever() {
    let cases = [
        ("clone-asks", "Setup waits for a person: language and region"),
        ("clone-asks=licence terms", "Setup waits for a person: licence terms"),
        ("clone-bad-answer-file=unknown-setting", "does not exist"),
        ("clone-bcd", "could not configure one or more system components"),
    ];
    for (fault, dialog) in cases {
        let (world, clone) = cloned(fault).await;
        world.wait(7200).await;
        assert!(silent(&clone).await, "{fault}");
        assert_eq!((clone.power(), clone.posted_password()), (Power::On, None), "{fault}");
        let stuck = inside(&world).stuck.unwrap();
        assert!(stuck.contains(dialog), "{fault}: {stuck}");
        let serial = clone.console();
        assert!(
            boots(clone.as_ref()) <= 2 && !serial.contains("cloudbaseinit"),
            "{fault}: {serial}"
        );
    }
}

#[tokio::test]
async fn a_boot_loop_shows_on_the_serial_port_only() {
    for (fault, screen) in [
        ("clone-boot-loop", "for pass [specialize]"),
        ("clone-boot-loop=bugcheck", "INACCESSIBLE BOOT DEVICE"),
    ] {
        let (world, clone) = cloned(fault).await;
        for minute in 1..30 {
            world.wait(60).await;
            assert!(silent(&clone).await, "{fault}");
            assert_eq!(clone.power(), Power::On, "{fault}");
            assert!(boots(clone.as_ref()) >= minute, "{fault}: {}", clone.console());
        }
        let inspect = inside(&world);
        assert!(
            inspect.screen.iter().any(|line| line.contains(screen)),
            "{fault}: {:?}",
            inspect.screen
        );
        assert_eq!((inspect.stuck, clone.posted_password()), (None, None), "{fault}");
        let log = inspect
            .files
            .iter()
            .any(|path| path == "C:\\Windows\\Panther\\setuperr.log");
        assert_eq!(log, !fault.ends_with("bugcheck"));
    }
}

#[tokio::test]
async fn a_clone_can_switch_itself_off() {
    let (world, clone) = cloned("clone-powers-off").await;
    world.wait(60).await;
    assert_eq!((clone.power(), clone.posted_password()), (Power::Off, None));
}

#[tokio::test]
async fn a_slow_boot_is_silent_and_comes_to_its_end() {
    let (world, clone) = cloned("clone-slow-boot=20").await;
    world.wait(20 * 60).await;
    assert!(silent(&clone).await);
    assert_eq!(boots(clone.as_ref()), 1, "alive, and not looping");
    world.wait(300).await;
    assert_eq!(facts(&clone).await["image_state"], "IMAGE_STATE_COMPLETE");
}

#[tokio::test]
async fn a_clone_may_answer_before_its_last_restart() {
    let (world, clone) = cloned("clone-restarts-once").await;
    world.wait(100).await;
    let early = facts(&clone).await;
    assert_eq!(early["image_state"], "IMAGE_STATE_SPECIALIZE_RESEAL_TO_OOBE");
    world.wait(60).await;
    assert!(silent(&clone).await);
    world.wait(180).await;
    let late = facts(&clone).await;
    assert_eq!(late["image_state"], "IMAGE_STATE_COMPLETE");
    assert_eq!(late["machine_sid"], early["machine_sid"]);
    assert_eq!(boots(clone.as_ref()), 2);
    assert_eq!(inside(&world).violations, Vec::<String>::new());
}

#[tokio::test]
async fn promises_of_the_first_boot_can_be_broken_one_by_one() {
    let gib = |facts: &Value| facts["drive_c_bytes"].as_u64().unwrap() >> 30;
    let faults = [
        "clone-sid-kept",
        "clone-name-kept",
        "clone-disk-kept",
        "clone-kms-fails",
        "clone-no-password",
    ];
    for broken in faults {
        let (world, clone) = cloned(broken).await;
        world.wait(300).await;
        let builder = world.room.machines().remove(0);
        let facts = facts(&clone).await;
        assert_eq!(facts["image_state"], "IMAGE_STATE_COMPLETE", "{broken}");
        assert_eq!(
            facts["machine_sid"] == builder.machine_sid.as_str(),
            broken == "clone-sid-kept",
            "{broken}"
        );
        assert_eq!(
            facts["computer_name"] == "builder",
            broken == "clone-name-kept",
            "{broken}"
        );
        let kept = broken == "clone-disk-kept";
        assert_eq!(gib(&facts), if kept { 59 } else { 79 }, "{broken}");
        assert_eq!(facts["disk_unallocated_bytes"] != 0, kept, "{broken}");
        let license = &facts["license"];
        assert_eq!(
            license["status"] == 1,
            broken != "clone-kms-fails",
            "{broken}: {license}"
        );
        assert_eq!(
            clone.posted_password().is_none(),
            broken == "clone-no-password",
            "{broken}"
        );
    }
}
