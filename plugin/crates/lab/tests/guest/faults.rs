//! Every way in which sysprep fails, as a client sees it.

use reseal_lab::guest::faults;
use reseal_lab::room::{MachineRoom, Power};
use serde_json::json;

use crate::support::Runner;
use crate::world::{World, poll, seal};

/// Seals a machine that has a fault, and waits.
async fn sealed(fault: &str, seconds: u64) -> (World, std::sync::Arc<dyn reseal_lab::room::Machine>, Runner) {
    let world = World::new(&[fault]);
    let machine = world.build_machine("Windows 2022").await;
    let mut runner = world.runner(&machine).await;
    seal(&mut runner, |text| text).await;
    world.wait(seconds).await;
    let machine_runner = world.runner(&machine).await;
    (world, machine, machine_runner)
}

#[tokio::test]
async fn what_validation_finds_leaves_the_guest_healthy() {
    let cases = [
        (
            "appx=Microsoft.Edge.GameAssist_1.0.3423.0_x64__8wekyb3d8bbwe",
            "0x80073cf2",
            "Microsoft.Edge.GameAssist",
        ),
        ("pending-reboot=cbs", "0x8007139f", "require a reboot"),
        ("bitlocker=100", "0x80310039", "BitLocker is on"),
        ("reserved-storage", "0x80070975", "reserved storage is in use"),
    ];
    for (fault, hr, reason) in cases {
        let (_world, machine, mut runner) = sealed(fault, 100).await;
        let polled = runner.good("sysprep_poll", &poll()).await;
        assert_eq!(polled["status"]["phase"], "failed", "{fault}");
        let errors = polled["err"]["text"].as_str().unwrap();
        assert!(errors.contains(hr) && errors.contains(reason), "{fault}: {errors}");
        assert!(errors.contains("pre-validate"), "{fault}: {errors}");
        assert_eq!(polled["evidence"]["generalization_state"], 7, "{fault}");
        assert_eq!(machine.power(), Power::On, "{fault}");
    }
}

#[tokio::test]
async fn what_breaks_off_half_way_spoils_the_guest() {
    for (fault, hr) in [
        ("rearm-zero", "0xc004d307"),
        ("sense-onboarded", "0x80070005"),
        ("provider=x.dll", "0x80070002"),
    ] {
        let (_world, machine, mut runner) = sealed(fault, 100).await;
        let polled = runner.good("sysprep_poll", &poll()).await;
        assert_eq!(polled["status"]["phase"], "failed", "{fault}");
        assert!(polled["err"]["text"].as_str().unwrap().contains(hr), "{fault}");
        let evidence = &polled["evidence"];
        assert_eq!(
            (&evidence["generalization_state"], &evidence["good"]),
            (&json!(3), &json!(false)),
            "{fault}"
        );
        assert_eq!(machine.power(), Power::On, "{fault}");
    }
}

#[tokio::test]
async fn an_earlier_failure_is_final() {
    let (_world, _machine, mut runner) = sealed("previous-failure", 100).await;
    let polled = runner.good("sysprep_poll", &poll()).await;
    assert!(polled["err"]["text"].as_str().unwrap().contains("0x8007001f"));
}

#[tokio::test]
async fn success_that_is_none_is_no_success() {
    for fault in ["false-ok", "stale-success"] {
        let (_world, machine, mut runner) = sealed(fault, 200).await;
        let polled = runner.good("sysprep_poll", &poll()).await;
        assert_eq!(polled["status"]["phase"], "failed", "{fault}");
        assert_eq!(
            (&polled["status"]["exit_code"], &polled["status"]["reason"]),
            (&json!(0), &json!("not_generalized"))
        );
        assert_eq!(polled["evidence"]["tag"], fault == "stale-success");
        assert_eq!(machine.power(), Power::On);
    }
}

#[tokio::test]
async fn hangs_end_by_the_wrappers_limit() {
    for fault in ["hang-validate", "hang-pnp"] {
        let (world, machine, mut runner) = sealed(fault, 600).await;
        let polled = runner.good("sysprep_poll", &poll()).await;
        assert_eq!(
            (&polled["status"]["phase"], &polled["sysprep_running"]),
            (&json!("generalizing"), &json!(1))
        );
        world.wait(1300).await;
        let mut runner = world.runner(&machine).await;
        assert_eq!(
            runner.good("sysprep_poll", &poll()).await["status"]["reason"],
            "timeout"
        );
    }
}

#[tokio::test]
async fn power_can_fail_and_can_stay() {
    let world = World::new(&["surprise-off"]);
    let machine = world.build_machine("Windows 2022").await;
    let mut runner = world.runner(&machine).await;
    seal(&mut runner, |text| text).await;
    world.wait(60).await;
    assert_eq!(machine.power(), Power::Off);
    let inspect = world.room.machines().remove(0);
    assert_eq!(
        (inspect.image_state.as_str(), inspect.generalization_state),
        ("IMAGE_STATE_UNDEPLOYABLE", 3)
    );

    let world = World::new(&["no-poweroff"]);
    let machine = world.build_machine("Windows 2022").await;
    let mut runner = world.runner(&machine).await;
    seal(&mut runner, |text| text).await;
    world.wait(3600).await;
    assert_eq!(machine.power(), Power::On);
    assert!(
        world
            .room
            .machines()
            .remove(0)
            .history
            .contains(&"generalized".to_owned())
    );
}

#[tokio::test]
async fn sysprep_that_waits_or_is_killed_or_misread_fails_by_name() {
    let cases = [
        ("modal", 1900, "timeout", 7),
        ("bad-args", 100, "not_generalized", 7),
        ("killed-with-shell", 100, "not_generalized", 3),
    ];
    for (fault, seconds, reason, state) in cases {
        let (_world, _machine, mut runner) = sealed(fault, seconds).await;
        let polled = runner.good("sysprep_poll", &poll()).await;
        assert_eq!(polled["status"]["reason"], reason, "{fault}");
        assert_eq!(polled["evidence"]["generalization_state"], state, "{fault}");
    }
}

#[tokio::test]
async fn winrm_that_answers_too_early_vanishes_again() {
    let world = World::new(&[]);
    let machine = world.build_machine("Windows 2022").await;
    let mut runner = world.runner(&machine).await;
    let before = runner.good("probe", &json!({})).await;
    world.room.faults().arm("early-winrm*1");
    world.room.faults().arm("clock-step=90*1");
    assert!(
        runner
            .run("reboot_request", &json!({"reason": "", "delay_seconds": 0}))
            .await
            .is_none()
    );
    world.wait(31).await;
    let mut early = world.runner(&machine).await;
    world.wait(10).await;
    assert!(early.run("probe", &json!({})).await.is_none(), "gone again");
    world.wait(120).await;
    let mut runner = world.runner(&machine).await;
    let after = runner.good("probe", &json!({})).await;
    assert_eq!(
        after["boot_id"].as_u64().unwrap(),
        before["boot_id"].as_u64().unwrap() + 1
    );
}

#[tokio::test]
async fn a_listener_that_was_replaced_comes_back() {
    let world = World::new(&["cloudbase-winrm-listener"]);
    let disk = world.room.provider_disk("Windows 2022");
    let machine = world.boot("builder", disk, Some(crate::world::user_data()));
    world.wait(180).await;
    let replaced = world.room.machines().remove(0);
    world.wait(120).await;
    let back = world.room.machines().remove(0);
    assert_ne!(replaced.listeners, back.listeners);
    assert_eq!(back.tasks, ["reseal-r1-way-in"]);
    machine.destroy();
}

#[test]
fn faults_have_names_of_their_own() {
    let mut names: Vec<&str> = faults().iter().map(|fault| fault.name).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
    assert!(
        names
            .iter()
            .all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'))
    );
}
