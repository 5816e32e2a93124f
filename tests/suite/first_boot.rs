//! The first boot of the image on a second machine: what stops it is named, its logs come home, and neither name nor alias
//! moves before it is proved.

use reseal::exit::Exit;
use reseal_engine::{Ended, NoHooks};
use reseal_guest::postmortem::{self, Log};
use reseal_journal::{FailureRecord, Outcome};
use reseal_lab::Mode;
use reseal_lab::guest::Inspect;
use reseal_lab::guest::package::Package;

use crate::support::property::ALIAS;
use crate::support::specs::small;
use crate::support::{Gone, World, all};

const VERIFIED: &str = "verify: { boot: true }\n";

/// The failure of a build, or what happened instead.
fn failure(gone: &Gone) -> Result<&FailureRecord, String> {
    match &gone.ended {
        Some(Ended::Failed { failure, .. }) => Ok(failure),
        other => Err(format!("ended {other:?}")),
    }
}

/// Clouds, what is armed, and what the failure must say: in its sentence, and among its evidence.
const STOPS: &[(Mode, &[&str], &str, &str)] = &[
    (
        Mode::Openstack,
        &["clone-boot-loop"],
        "is in a boot loop",
        "on the console",
    ),
    (
        Mode::Openstack,
        &["clone-boot-loop=bugcheck"],
        "is in a boot loop",
        "WinRM never answered",
    ),
    (
        Mode::Openstack,
        &["clone-asks"],
        "first boot has stopped",
        "the console last moved",
    ),
    (
        Mode::Openstack,
        &["clone-bad-answer-file=unknown-setting"],
        "first boot has stopped",
        "WinRM never answered",
    ),
    (
        Mode::Openstack,
        &["clone-asks", "console-silent"],
        "nothing that this cloud shows tells",
        "shows no console output",
    ),
    (
        Mode::Nhn,
        &["clone-boot-loop"],
        "nothing that this cloud shows tells",
        "shows no console output",
    ),
    (Mode::Nhn, &["clone-powers-off"], "turning itself off", "SHUTOFF"),
    (
        Mode::Nhn,
        &["clone-slow-boot=45"],
        "did not end within 30",
        "WinRM never answered",
    ),
    (
        Mode::Nhn,
        &["clone-sid-kept"],
        "was not renewed",
        "it was to be kept by",
    ),
    (Mode::Nhn, &["clone-name-kept"], "still called", "it was to be kept by"),
    (
        Mode::Nhn,
        &["clone-disk-kept"],
        "drive C: has 59 of 70 GB, 10 GB",
        "ExtendVolumesPlugin",
    ),
    (
        Mode::Nhn,
        &["clone-kms-fails"],
        "Windows is not activated",
        "WindowsLicensingPlugin",
    ),
    (
        Mode::Nhn,
        &["clone-no-password"],
        "has set no password",
        "SetUserPasswordPlugin",
    ),
    (
        Mode::Openstack,
        &["clone-no-password"],
        "the instance password did not come",
        "",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_way_to_fail_the_first_boot_is_told_apart() {
    let wrong = all(STOPS.to_vec(), |(mode, faults, sentence, evidence)| async move {
        let world = World::open(mode, faults).await;
        let order = world.write("small.reseal.yaml", &small(mode, VERIFIED));
        let gone = world.build(&order).await.map_err(|refused| format!("{refused:?}"))?;
        let failure = failure(&gone)?;
        let said = failure.said.join("\n");
        if gone.exit() != Exit::Verify || !failure.message.contains(sentence) || !said.contains(evidence) {
            return Err(format!("{:?}: {failure:#?}", gone.exit()));
        }
        world.nothing(&gone.id, Outcome::Failed)
    })
    .await;
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        STOPS.len(),
        wrong.join("\n")
    );
}

/// What a first boot may do and still be good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_first_boot_and_one_that_restarts_are_no_failures() {
    let cases = vec![
        (Mode::Nhn, "clone-slow-boot=12"),
        (Mode::Openstack, "clone-slow-boot"),
        (Mode::Nhn, "clone-restarts-once"),
        (Mode::Openstack, "clone-restarts-once"),
        (Mode::Nhn, "early-winrm"),
    ];
    let wrong = all(cases, |(mode, fault)| async move {
        let world = World::open(mode, &[fault]).await;
        let order = world.write("small.reseal.yaml", &small(mode, VERIFIED));
        let gone = world.build(&order).await.map_err(|refused| format!("{refused:?}"))?;
        world
            .only_the_image(&gone.id)
            .map(drop)
            .map_err(|why| format!("{why}: {:?}", gone.ended))
    })
    .await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The console's text and the logs of Setup come home; where the guest never answered, it is said how to get at them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_logs_come_home_or_it_is_said_how_to_get_them() {
    let world = World::open(Mode::Openstack, &["clone-boot-loop"]).await;
    let order = world.write("small.reseal.yaml", &small(Mode::Openstack, VERIFIED));
    let gone = world.build(&order).await.unwrap();
    let told = failure(&gone).unwrap();
    assert!(
        told.hints.iter().any(|hint| hint.contains("attach the root volume")),
        "{told:#?}"
    );
    assert!(
        told.said
            .iter()
            .any(|line| line.contains("because WinRM never answered")),
        "{told:#?}"
    );
    let console = world.run_dir(&gone.id).guest_logs().join("verify-connect/console.log");
    assert!(
        std::fs::read_to_string(&console)
            .unwrap()
            .matches("BdsDxe: starting")
            .count()
            > 5
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_alias_does_not_move_to_an_image_that_loops() {
    let text = |version: u32| {
        let rest = format!("software:\n  - environment: {{ set: {{ VERSION: 'v{version}' }} }}\n{VERIFIED}");
        small(Mode::Openstack, &rest).replace(
            "image: { name: \"small-${build.date}\"",
            &format!("image: {{ name: \"small-v{version}\", alias: golden"),
        )
    };
    let world = World::open(Mode::Openstack, &[]).await;
    let first = world.build(&world.write("one.reseal.yaml", &text(1))).await.unwrap();
    let image = world.only_the_image(&first.id).unwrap();
    assert_eq!(image.properties[ALIAS], "golden");
    world.room.faults().arm("clone-boot-loop");
    let failed = world.build(&world.write("two.reseal.yaml", &text(2))).await.unwrap();
    assert_eq!(failed.exit(), Exit::Verify, "{:?}", failed.ended);
    assert_eq!(world.lab.images(), [image], "neither alias nor name moved");
}

/// A package of the Store's kind that an installer leaves for its own user is the installer's fault, by name and line,
/// at once and again when sysprep would fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_step_that_brings_an_app_package_is_named() {
    const APP: &str = "Microsoft.Winget.Source_2024.1.1.0_neutral__8wekyb3d8bbwe";
    let world = World::open(Mode::Nhn, &[]).await;
    let package = |appx: Option<&str>, product: &str| {
        let package = Package {
            product: product.to_owned(),
            appx: appx.map(ToOwned::to_owned),
            ..Package::default()
        };
        package.bytes()
    };
    std::fs::write(world.folder.path().join("good.msi"), package(None, "Good")).unwrap();
    std::fs::write(world.folder.path().join("guilty.msi"), package(Some(APP), "Guilty")).unwrap();
    let software = "software:\n  - install_msi: { source: { file: good.msi } }\n  - install_msi: { source: { file: guilty.msi } }\n  \
                    - cmd: { command: echo }\n";
    let order = world.write(
        "small.reseal.yaml",
        &small(Mode::Nhn, &format!("{software}verify: {{ boot: false }}\n")),
    );
    let gone = world.build(&order).await.unwrap();
    let told = failure(&gone).unwrap();
    assert_eq!(gone.exit(), Exit::Sysprep, "{told:#?}");
    let said = told.said.join("\n");
    assert!(
        said.contains(&format!("{APP}: it appeared after step")) && said.contains("guilty.msi"),
        "{told:#?}"
    );
    assert!(said.contains("(line 1"), "{told:#?}");
    let warned: Vec<&String> = gone
        .said
        .iter()
        .filter(|line| line.contains("sysprep refuses a guest"))
        .collect();
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(warned[0].contains("guest/02") && warned[0].contains(APP), "{warned:?}");

    let cured = software.to_owned() + "generalize: { fix: [appx] }\nverify: { boot: false }\n";
    let order = world.write("cured.reseal.yaml", &small(Mode::Nhn, &cured));
    let gone = world.begin(&order, &NoHooks, None).await.unwrap();
    world.only_the_image(&gone.id).unwrap();
}

/// Settings of Cloudbase-Init's are changed where the spec says so, and only read where it says `keep`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cloudbase_init_is_changed_only_where_the_spec_says_so() {
    let world = World::open(Mode::Nhn, &[]).await;
    let rest =
        "cloudbase_init: { set: { kms_host: kms.example.com, activate_windows: \"true\" } }\nverify: { boot: false }\n";
    let gone = world
        .build(&world.write("set.reseal.yaml", &small(Mode::Nhn, rest)))
        .await
        .unwrap();
    world.only_the_image(&gone.id).unwrap();
    let said = gone.said.join("\n");
    assert!(said.contains("cloudbase-init.conf: kms_host"), "{said}");
    assert!(
        said.contains("KMS activation: Cloudbase-Init's WindowsLicensingPlugin"),
        "{said}"
    );

    let world = World::open(Mode::Nhn, &[]).await;
    let rest = "cloudbase_init: { set: { plugins: a.b.MTUPlugin } }\nverify: { boot: false }\n";
    let gone = world
        .build(&world.write("broken.reseal.yaml", &small(Mode::Nhn, rest)))
        .await
        .unwrap();
    let said = gone.said.join("\n");
    assert!(said.contains("password injection: nothing provides it"), "{said}");
    assert!(said.contains("leaves out SetUserPasswordPlugin"), "{said}");
}

/// Faults that stop the specialize pass, what the answer file needs for it, and the cause that Setup's logs tell.
const TOLD_BY_LOGS: [(&str, &str, &str); 4] = [
    ("clone-copy-profile", COPY_PROFILE, "copy_profile"),
    ("clone-bcd", "", "boot_configuration"),
    ("clone-bad-answer-file=unknown-setting", "", "unattend_unknown_setting"),
    ("clone-bad-answer-file=duplicate", "", "unattend_duplicate"),
];

const COPY_PROFILE: &str = ", set: { specialize: { Microsoft-Windows-Shell-Setup: { CopyProfile: true } } }";

/// The alias stays where it was, and whoever attaches the volume and has its logs read learns the cause.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stopped_the_specialize_pass_stands_in_the_logs_of_the_volume() {
    let wrong = all(TOLD_BY_LOGS.to_vec(), |(fault, answer, class)| async move {
        let world = World::open(Mode::Openstack, &[]).await;
        let text = |name: &str| {
            let text =
                small(Mode::Openstack, VERIFIED).replacen("time_zone: UTC", &format!("time_zone: UTC{answer}"), 1);
            text.replace("small-${build.date}\"", &format!("{name}\", alias: golden"))
        };
        let good = world.build(&world.write("good.reseal.yaml", &text("good"))).await;
        let image = world.only_the_image(&good.map_err(|refused| format!("{refused:?}"))?.id)?;
        world.room.faults().arm(fault);
        let gone = world.build(&world.write("bad.reseal.yaml", &text("bad"))).await;
        let gone = gone.map_err(|refused| format!("{refused:?}"))?;
        let failure = failure(&gone)?;
        let ok = |good: bool, what: &str| {
            good.then_some(())
                .ok_or_else(|| format!("{fault}: {what}: {failure:#?}"))
        };
        ok(gone.exit() == Exit::Verify, "exit")?;
        ok(failure.message.contains("first boot has stopped"), "sentence")?;
        ok(
            failure
                .hints
                .iter()
                .any(|hint| hint.contains("`reseal explain` reads that folder")),
            "hint",
        )?;
        ok(world.lab.images() == [image], "neither alias nor name moved")?;
        let clone = world.room.machines().pop().ok_or("no clone")?;
        let report = postmortem::examine(&setup_logs(&clone)).ok_or("Setup's logs say nothing")?;
        ok(report.verdict.cause.class == class, &format!("{:?}", report.verdict))
    })
    .await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Setup's logs on a disk.
fn setup_logs(clone: &Inspect) -> Vec<Log<'_>> {
    let logs = clone
        .files
        .iter()
        .filter(|path| path.starts_with(r"C:\Windows\Panther\") && path.to_lowercase().ends_with(".log"));
    let read = logs.filter_map(|name| {
        let text = clone.text(name)?;
        Some(Log { name, text })
    });
    read.collect()
}

/// Without `CopyProfile` nobody minds an entry without a folder; with it the build does not even begin sysprep, unless the
/// spec says so, and then the clone shows why it should not have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stale_profile_stops_only_who_copies_profiles() {
    let build = |fault: &'static str, answer: &'static str, rest: &'static str| async move {
        let world = World::open(Mode::Openstack, &[fault]).await;
        let text = small(Mode::Openstack, &format!("{VERIFIED}{rest}"));
        let text = text.replacen("time_zone: UTC", &format!("time_zone: UTC{answer}"), 1);
        let gone = world.build(&world.write("small.reseal.yaml", &text)).await.unwrap();
        let refused = failure(&gone).map(|failure| failure.said.clone()).unwrap_or_default();
        let named = gone.said.iter().chain(&refused).any(|line| line.contains("P050 "));
        (gone.exit(), named)
    };
    assert_eq!(build("clone-copy-profile", "", "").await, (Exit::Ok, false));
    assert_eq!(build("stale-profile", "", "").await, (Exit::Ok, true));
    assert_eq!(build("stale-profile", COPY_PROFILE, "").await, (Exit::Sysprep, true));
    let accepted = "generalize: { accept: [P050] }\n";
    assert_eq!(
        build("stale-profile", COPY_PROFILE, accepted).await,
        (Exit::Verify, true)
    );
}
