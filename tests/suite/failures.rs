//! Each way to fail ends in its own exit code and a named reason, and leaves nothing behind.

use std::path::Path;
use std::process::{Command, Output};

use reseal::exit::Exit;
use reseal_engine::{Ended, NoHooks, Point, Strike};
use reseal_journal::Outcome;
use reseal_lab::{Mode, Quota};

use crate::support::property::ALIAS;
use crate::support::specs::{machine, small};
use crate::support::{Order, World, all, root};

/// What is armed, how the build ends, and a piece of the reason.
const ENDS: &[(&str, Exit, &str)] = &[
    // The cloud.
    ("floating-quota", Exit::Cloud, "quota"),
    ("flavour-vanished", Exit::Cloud, "lavor"),
    (
        "server-error=No valid host was found",
        Exit::Cloud,
        "No valid host was found",
    ),
    ("server-stuck-build", Exit::Cloud, "the machine's start"),
    ("floating-no-router", Exit::Cloud, "floating"),
    ("keypair-conflict", Exit::Cloud, "key"),
    // The way in.
    (
        "user-data-ignored",
        Exit::Unreachable,
        "an answer of the guest did not come",
    ),
    // The software.
    ("exit-code=example-agent-4.2.1.msi:1603", Exit::Install, "1603"),
    ("constrained-language", Exit::Install, "ConstrainedLanguage"),
    ("disk-full", Exit::Install, "disk"),
    // Sysprep.
    ("reserved-storage", Exit::Sysprep, "reserved storage"),
    ("rearm-zero", Exit::Sysprep, "rearm"),
    ("previous-failure", Exit::Sysprep, "earlier"),
    ("sense-onboarded", Exit::Sysprep, "Defender for Endpoint"),
    ("provider=bad.dll", Exit::Sysprep, "bad.dll"),
    ("hang-validate", Exit::Sysprep, "sysprep"),
    ("hang-pnp", Exit::Sysprep, "sysprep"),
    ("modal", Exit::Sysprep, "sysprep"),
    ("bad-args", Exit::Sysprep, "sysprep"),
    ("killed-with-shell", Exit::Sysprep, "sysprep"),
    ("false-ok", Exit::Sysprep, "sysprep"),
    ("surprise-off", Exit::Sysprep, "off"),
    // The image.
    ("image-killed", Exit::Capture, "killed"),
    ("image-vanishes", Exit::Capture, "vanished"),
    ("volume-error", Exit::Capture, "upload fails"),
    ("upload-stuck", Exit::Capture, "the image"),
    // What is in it.
    ("recovery-partition", Exit::Verify, "drive C:"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_has_its_exit_code_and_its_reason() {
    let wrong = all(ENDS.to_vec(), |(fault, exit, reason)| async move {
        let world = World::open(Mode::Nhn, &[fault]).await;
        let gone = match world.begin(&Order::web(), &NoHooks, None).await {
            Ok(gone) => gone,
            Err(refused) => return Err(format!("no plan: {refused:?}")),
        };
        let Some(Ended::Failed { failure, step, .. }) = &gone.ended else {
            return Err(format!("ended {:?}", gone.ended));
        };
        let text = format!("{failure:?}");
        if gone.exit() != exit || !text.to_lowercase().contains(&reason.to_lowercase()) {
            return Err(format!("{:?} at {step}: {text}", gone.exit()));
        }
        world.nothing(&gone.id, Outcome::Failed)
    })
    .await;
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        ENDS.len(),
        wrong.join("\n")
    );
}

/// An update that was asked for and cannot be installed is no success, however many others are; whoever knows better
/// leaves it out or goes on without it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_that_fails_is_named_with_its_cure() {
    let build = |step: &'static str| async move {
        let world = World::open(Mode::Nhn, &["update-fails=KB5034439"]).await;
        let text = small(Mode::Nhn, &format!("software: [{step}]\nverify: {{ boot: false }}"));
        let gone = world.build(&world.write("small.reseal.yaml", &text)).await.unwrap();
        (world, gone)
    };
    let (world, gone) = build("{ windows_update: { categories: [security], rounds: 2 } }").await;
    let Some(Ended::Failed { failure, .. }) = &gone.ended else {
        panic!("ended {:?}", gone.ended);
    };
    assert_eq!(gone.exit(), Exit::Install);
    let said = failure.said.join("\n");
    assert!(
        said.contains("KB5034439 Security Update (Windows Recovery Environment): failed (0x80070643"),
        "{said}"
    );
    assert!(!failure.hints.is_empty());
    world.nothing(&gone.id, Outcome::Failed).unwrap();
    for step in [
        "{ windows_update: { categories: [security], rounds: 2, exclude: [KB5034439] } }",
        "{ windows_update: { categories: [security], rounds: 2 }, on_failure: continue }",
    ] {
        let (_world, gone) = build(step).await;
        assert_eq!(gone.exit(), Exit::Ok, "{step}: {:?}", gone.ended);
    }
}

/// A clone that Setup does not let up proves that the image is worth nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_whose_first_boot_fails_is_not_published() {
    let world = World::open(Mode::Nhn, &[]).await;
    let faults = std::sync::Arc::clone(world.room.faults());
    let hooks = move |point: Point, step: &str| {
        if (point, step) == (Point::Started, "verify/server") {
            faults.arm("bad-answer-file=unknown-setting");
        }
        Strike::Pass
    };
    let gone = world.begin(&Order::web(), &hooks, None).await.unwrap();
    assert_eq!(gone.exit(), Exit::Verify, "{:?}", gone.ended);
    world.nothing(&gone.id, Outcome::Failed).unwrap();
}

/// The quota is looked at before the launch where the cloud tells it, and felt at the launch where it does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_quota_is_the_clouds_fault() {
    let none = Quota {
        instances: 0,
        ..Quota::for_builds(1)
    };
    let world = World::open_with(Mode::Openstack, &[], none).await;
    let order = world.write("small.reseal.yaml", &small(Mode::Openstack, ""));
    let refused = world.plan(&order).await.map(drop).unwrap_err();
    assert_eq!(refused.exit, Exit::Cloud);
    assert!(refused.why.join("; ").contains("quota"), "{:?}", refused.why);
    for mode in [Mode::Nhn, Mode::Openstack] {
        for fault in ["quota-instances", "quota-cores"] {
            let world = World::open(mode, &[fault]).await;
            let gone = world
                .build(&world.write("small.reseal.yaml", &small(mode, "")))
                .await
                .unwrap();
            assert_eq!(gone.exit(), Exit::Cloud, "{:?}", gone.ended);
            assert!(
                format!("{:?}", gone.ended).contains("Quota exceeded"),
                "{:?}",
                gone.ended
            );
            world.nothing(&gone.id, Outcome::Failed).unwrap();
        }
    }
}

/// Faults that a build must get over by itself.
const OVERCOME: &[&str] = &[
    "token-expires",
    "unauthorized-once",
    "slow-build",
    "slow-shutoff",
    "password-not-offered",
    "force-refused",
    "slow-upload",
    "image-queued-long",
    "floating-500-once",
    "sg-in-use",
    "rate-limit",
    "html-503",
    "reset",
    "appx",
    "pending-reboot",
    "idle-close",
    "winrm-drops",
    "slow-boot=5",
    "early-winrm",
    "clock-step=7200",
    "no-host-process*1",
    "codepage",
    "clixml-noise",
    "msi-busy*2",
    "raw-stdin-altered",
    "runner-dies*1",
    "slow-powershell=20",
    "cloudbase-race",
    "cloudbase-winrm-listener",
    "servicing-busy",
    "reboot-answers",
    "strict-channel-bindings",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_passes_by_itself_does_not_end_a_build() {
    let wrong = all(OVERCOME.to_vec(), |fault| async move {
        let world = World::open(Mode::Nhn, &[fault]).await;
        let gone = match world.begin(&Order::web(), &NoHooks, None).await {
            Ok(gone) => gone,
            Err(refused) => return Err(format!("no plan: {refused:?}")),
        };
        let image = world.only_the_image(&gone.id).map(drop);
        image.map_err(|why| format!("{why} {:?}", gone.ended))
    })
    .await;
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        OVERCOME.len(),
        wrong.join("\n")
    );
}

#[tokio::test]
async fn what_cannot_be_planned_is_refused_before_anything_is_made() {
    let cases = [
        ("wrong-password", Exit::Cloud, "401"),
        ("image-list-empty", Exit::Cloud, "no image"),
        ("catalog-without-volume", Exit::Cloud, "block storage"),
    ];
    for (fault, exit, reason) in cases {
        let world = World::open(Mode::Nhn, &[fault]).await;
        let order = world.write("small.reseal.yaml", &small(Mode::Nhn, ""));
        let Err(refused) = world.plan(&order).await else {
            panic!("{fault}: there is a plan")
        };
        let text = refused.why.join("; ").to_lowercase();
        assert_eq!(refused.exit, exit, "{fault}: {text}");
        assert!(text.contains(reason), "{fault}: {text}");
        assert!(world.lab.leftovers().is_empty());
    }
}

#[tokio::test]
async fn rules_of_nhn_are_checked_before_the_cloud_is_asked() {
    let nhn = machine(Mode::Nhn);
    let cases = [
        (nhn.replace("m2.c2m4", "u2.c2m4"), "u2"),
        (
            nhn.replace("  network:", "  server_name: sixteen-letters1\n  network:"),
            "15",
        ),
        (nhn.replace("60 GB", "20 GB"), "50"),
    ];
    for (machine, reason) in cases {
        let world = World::open(Mode::Nhn, &[]).await;
        let text = small(Mode::Nhn, "").replace(nhn, &machine);
        let order = world.write("small.reseal.yaml", &text);
        let refused = world.plan(&order).await.map(drop).unwrap_err();
        let text = refused.why.join("; ").to_lowercase();
        assert_eq!(refused.exit, Exit::Input, "{text}");
        assert!(text.contains(reason), "{text}");
        assert!(world.lab.leftovers().is_empty());
    }
}

/// Nobody may find an image that was not proved, and the proved one stays what the alias means.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alias_and_name_stay_where_they_are_when_the_proof_fails() {
    let text = |version: u32| {
        let rest =
            format!("software:\n  - environment: {{ set: {{ VERSION: 'v{version}' }} }}\nverify: {{ boot: true }}\n");
        small(Mode::Nhn, &rest).replace(
            "image: { name: \"small-${build.date}\"",
            &format!("image: {{ name: \"small-v{version}\", alias: golden"),
        )
    };
    let world = World::open(Mode::Nhn, &[]).await;
    let first = world.build(&world.write("one.reseal.yaml", &text(1))).await.unwrap();
    let image = world.only_the_image(&first.id).unwrap();
    assert_eq!(
        (image.name.as_str(), image.properties[ALIAS].as_str()),
        ("small-v1", "golden")
    );

    world.room.faults().arm("recovery-partition");
    let second = world.write("two.reseal.yaml", &text(2));
    let failed = world.build(&second).await.unwrap();
    assert_eq!(failed.exit(), Exit::Verify, "{:?}", failed.ended);
    let images = world.lab.images();
    assert_eq!(images, std::slice::from_ref(&image), "neither alias nor name moved");
    assert_eq!(world.lab.leftovers().len(), 1);

    world.room.faults().arm("recovery-partition*0");
    let built = world.build(&second).await.unwrap();
    assert_eq!(built.exit(), Exit::Ok, "{:?}", built.ended);
    let images = world.lab.images();
    let golden: Vec<_> = images
        .iter()
        .filter(|image| image.properties.contains_key(ALIAS))
        .collect();
    assert_eq!(golden.len(), 1, "{images:?}");
    assert_eq!(golden[0].name, "small-v2");
}

fn reseal(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_reseal"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

#[test]
fn twelve_mistakes_are_told_at_once_with_their_places() {
    let folder = root().join("tests/data/spec/bad");
    let output = reseal(&["validate", "twelve.yaml"], &folder);
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    let places = [
        "6:13", "7:3", "8:1", "9:50", "10:24", "13:12", "13:36", "15:5", "16:24", "17:25", "20:27", "21:3",
    ];
    for place in places {
        assert!(
            text.contains(&format!("twelve.yaml:{place}")),
            "{place} is missing:\n{text}"
        );
    }
}
