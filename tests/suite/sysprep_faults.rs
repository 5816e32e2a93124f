//! Sysprep fails in every known way: each build ends bounded, names the cause and the cure, has the logs at home, and
//! leaves nothing in the cloud.

use std::collections::BTreeSet;
use std::path::Path;

use reseal::exit::Exit;
use reseal_engine::Ended;
use reseal_journal::Outcome;
use reseal_lab::Mode;
use reseal_lab::guest::sysprep_faults;
use reseal_machine::Clock as _;

use crate::support::specs::small;
use crate::support::{World, all, root};

/// Where a failure shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// The look before sysprep sees it: sysprep is not even started.
    Before,
    /// Sysprep's own log tells it.
    Log,
    /// Sysprep says nothing about it; the proofs are missing, or it never ends.
    Proofs,
}
use Shown::{Before, Log, Proofs};

/// A fault, where it shows, a piece of the cause's name, and a piece of the cure.
type Case = (&'static str, Shown, &'static str, &'static str);

const CASES: &[Case] = &[
    // a: apps
    (
        "appx=Microsoft.Edge.GameAssist_1.0_x64__8wekyb3d8bbwe",
        Before,
        "Microsoft.Edge.GameAssist_1.0",
        "remove these packages",
    ),
    (
        "sysprep-appx=Microsoft.Winget.Source_2024.506_neutral__8wekyb3d8bbwe",
        Log,
        "Microsoft.Winget.Source_2024.506",
        "remove the package",
    ),
    ("appx-service-disabled", Before, "AppXSvc", "manual"),
    ("sysprep-appx-service", Log, "AppXSvc", "manual"),
    // b: licensing
    ("rearm-zero", Before, "no rearm is left", "SkipRearm"),
    ("sysprep-rearm", Log, "rearm", "SkipRearm"),
    ("sysprep-rearm-old-form", Log, "rearm", "SkipRearm"),
    ("sysprep-licensing-stopping", Log, "licensing service", "sppsvc"),
    ("licensing-service-disabled", Before, "licensing service", "sppsvc"),
    // c: restarts and servicing. A restart that is pending before is simply made, so only the late one fails.
    ("sysprep-pending-reboot", Log, "updates wait for a restart", "restart"),
    ("sysprep-servicing-unavailable", Log, "servicing", "settle"),
    // d
    (
        "reserved-storage",
        Before,
        "reserved storage is in use",
        "switch reserved storage off",
    ),
    (
        "sysprep-reserved-storage",
        Log,
        "reserved storage",
        "switch reserved storage off",
    ),
    // e
    ("bitlocker=40", Before, "BitLocker is on for C:", "manage-bde -off"),
    ("sysprep-bitlocker", Log, "BitLocker is on", "decrypt"),
    // f
    (
        "previous-failure",
        Before,
        "an earlier sysprep did not end well",
        "base image",
    ),
    (
        "sysprep-earlier-failure",
        Log,
        "an earlier sysprep failed",
        "base image",
    ),
    // g
    ("sense-onboarded", Before, "Defender for Endpoint", "offboarding"),
    ("sysprep-sense", Log, "Defender for Endpoint", "offboard"),
    // h: other programs' parts
    ("provider=Example.dll,Clean", Log, "Example.dll", "SysPrepExternal"),
    ("sysprep-browser-provider", Log, "iesysprep.dll", "repair"),
    ("hang-cloud-agent", Log, "cloud agent", "SysPrepExternal"),
    // i: warned of before, and fails
    ("upgraded", Log, "upgraded in place", "clean installation"),
    (
        "sysprep-upgrade-leftovers",
        Log,
        "upgraded in place",
        "clean installation",
    ),
    // j
    ("bcd-unreadable", Log, "boot configuration", "bcdboot"),
    ("sysprep-bcd", Log, "boot configuration", "bcdboot"),
    // k to n: services at work
    ("search-running", Log, "search service", "WSearch"),
    ("sysprep-search", Log, "search service", "WSearch"),
    ("sysprep-msdtc", Log, "transaction coordinator", "msdtc -install"),
    ("cryptography-disabled", Log, "cryptographic services", "CryptSvc"),
    ("sysprep-cryptography", Log, "cryptographic services", "CryptSvc"),
    ("media-sharing-running", Log, "media sharing", "WMPNetworkSvc"),
    ("sysprep-media-sharing", Log, "media sharing", "WMPNetworkSvc"),
    // o: it never ends
    ("hang-validate", Log, "validator hangs", "restart"),
    ("hang-pnp", Log, "drivers hangs", "PersistAllDeviceInstalls"),
    ("hang-update-service", Log, "update services", "wuauserv"),
    ("update-service-disabled", Log, "update services", "wuauserv"),
    // p to r: how it was started
    ("modal", Proofs, "did not end in time", "a window may wait"),
    ("sysprep-dialog-cancelled", Log, "window was closed", "/quiet"),
    (
        "filtered-token",
        Before,
        "no elevated token",
        "LocalAccountTokenFilterPolicy",
    ),
    ("sysprep-not-elevated", Log, "lacks privileges", "administrator"),
    ("bad-args", Log, "command line", "without blanks"),
    // s
    ("domain-joined", Before, "corp.example", "outside the domain"),
    // t: resealed, and not generalized
    (
        "audit-mode",
        Before,
        "IMAGE_STATE_SPECIALIZE_RESEAL_TO_OOBE",
        "base image",
    ),
    (
        "sysprep-reseals-only",
        Proofs,
        "proofs are missing: ImageState",
        "original base image",
    ),
    // more families
    ("sysprep-remote-desktop", Log, "Remote Desktop", "UEFI"),
    (
        "killed-with-shell",
        Proofs,
        "proofs are missing: tag file",
        "stopped half-way",
    ),
    ("surprise-off", Proofs, "the machine is off", "run the build again"),
    ("stale-success", Proofs, "not generalized", "run the build again"),
    (
        "false-ok",
        Proofs,
        "exit code 0, and the machine is not generalized",
        "run the build again",
    ),
];

/// Sysprep never ends, and its last line is no error. On its way into the generalize phase it writes none either.
const SILENT: [&str; 5] = [
    "hang-validate",
    "hang-pnp",
    "hang-update-service",
    "update-service-disabled",
    "hang-cloud-agent",
];

/// Sysprep may take forty minutes, and what the lab's machines do besides is quick.
const LONGEST_HOURS: i64 = 4;

async fn fails((fault, shown, cause, cure): Case) -> Result<(), String> {
    let world = World::open(Mode::Nhn, &[fault]).await;
    let begun = world.clock.now();
    let order = world.write("small.reseal.yaml", &small(Mode::Nhn, ""));
    let gone = world
        .build(&order)
        .await
        .map_err(|refused| format!("no plan: {refused:?}"))?;
    let Some(Ended::Failed { failure, step, .. }) = &gone.ended else {
        return Err(format!("ended {:?}", gone.ended));
    };
    let said = [std::slice::from_ref(&failure.message), &failure.causes, &failure.said]
        .concat()
        .join("\n");
    let cures = failure.hints.join("\n");
    let ok = |good: bool, what: &str| {
        good.then_some(())
            .ok_or_else(|| format!("{what}: {failure:#?} at {step}"))
    };
    ok(gone.exit() == Exit::Sysprep, "exit")?;
    ok(said.contains(cause), "cause")?;
    ok(!cure.is_empty() && cures.contains(cure), "cure")?;
    ok((step == "guest/preflight") == (shown == Before), "place")?;
    if shown == Before || fault == "surprise-off" {
        let started = world
            .room
            .machines()
            .iter()
            .any(|machine| machine.history.contains(&"sysprep started".to_owned()));
        ok(started == (shown != Before), "sysprep's start")?;
    } else {
        let complained = shown == Log && !SILENT.contains(&fault);
        at_home(&world.run_dir(&gone.id).path().join("logs"), complained)?;
    }
    let hours = world.clock.now().duration_since(begun).as_hours();
    ok(hours < LONGEST_HOURS, "bounded")?;
    world.nothing(&gone.id, Outcome::Failed)
}

/// Both logs are in the run's folder, and where sysprep complained the second one is not empty.
fn at_home(logs: &Path, complained: bool) -> Result<(), String> {
    let mut found = Vec::new();
    let mut folders = vec![logs.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            let kind = if path.is_dir() { &mut folders } else { &mut found };
            kind.push(path);
        }
    }
    let text = |name: &str| {
        let path = found.iter().find(|path| path.ends_with(name));
        path.and_then(|path| std::fs::read_to_string(path).ok())
    };
    let act = text("setupact.log").unwrap_or_default();
    let err = text("setuperr.log").ok_or_else(|| format!("setuperr.log is not at home: {found:?}"))?;
    // The image's own older runs stand before the build's.
    if act.matches("Beginning of a new sysprep run").count() < 3 || err.contains("Error") != complained {
        return Err(format!("the logs at home are not whole: {act}\n{err}"));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_to_fail_is_named_cured_and_bounded() {
    let wrong = all(CASES.to_vec(), fails).await;
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        CASES.len(),
        wrong.join("\n")
    );
}

/// The faults that a build gets over by itself, because it restarts or waits.
const OVERCOME: [&str; 1] = ["pending-reboot"];

fn name(fault: &str) -> &str {
    fault.split('=').next().unwrap_or(fault)
}

#[test]
fn every_fault_of_sysprep_is_here() {
    let known: BTreeSet<&str> = sysprep_faults().iter().map(|fault| fault.name).collect();
    let cases = CASES.iter().map(|(fault, ..)| name(fault));
    assert_eq!(cases.chain(OVERCOME).collect::<BTreeSet<_>>(), known);
}

/// `/mode:vm` in the spec reaches sysprep's command line.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mode_of_the_spec_is_that_of_sysprep() {
    for (mode, wanted) in [("full", false), ("vm", true)] {
        let world = World::open(Mode::Nhn, &[]).await;
        let text = small(Mode::Nhn, &format!("generalize: {{ mode: {mode} }}"));
        let gone = world.build(&world.write("small.reseal.yaml", &text)).await.unwrap();
        world.only_the_image(&gone.id).unwrap();
        let said = gone.said.join("\n");
        assert!(said.contains("Found supported command line option 'GENERALIZE'"));
        assert_eq!(
            said.contains("WinMain:Sysprep mode [vm]; was specified"),
            wanted,
            "{mode}"
        );
    }
}

/// The table that users read: `cause`, `seen before sysprep by`, `only in sysprep by`.
fn table() -> Vec<Vec<String>> {
    let path = root().join("plugin/docs/sysprep-failures.md");
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    rows.map(|row| row.split('|').map(|cell| cell.trim().to_owned()).collect())
        .collect()
}

fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn the_table_in_the_docs_has_every_fault_and_the_place_where_it_shows() {
    let rows = table();
    let cells = |column: usize| rows.iter().filter_map(move |row| row.get(column));
    let before: BTreeSet<&str> = cells(3).flat_map(|cell| quoted(cell)).collect();
    let within: BTreeSet<&str> = cells(4).flat_map(|cell| quoted(cell)).collect();
    let shown = |place: fn(Shown) -> bool| {
        let cases = CASES.iter().filter(move |(_, shown, ..)| place(*shown));
        cases.map(|(fault, ..)| name(fault)).collect::<BTreeSet<_>>()
    };
    let mut expected = shown(|shown| shown == Before);
    expected.extend(OVERCOME);
    assert_eq!(before, expected);
    assert_eq!(within, shown(|shown| shown != Before));
}

/// What a cure or a spec allows must not fail the build all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_spec_allows_does_not_stop_the_build() {
    let skip = "set: { generalize: { Microsoft-Windows-Security-SPP: { SkipRearm: 1 } } }";
    for (fault, unattend, rest) in [
        ("rearm-zero", format!("time_zone: UTC, {skip}"), ""),
        (
            "domain-joined",
            "time_zone: UTC".to_owned(),
            "generalize: { accept: [P020] }",
        ),
    ] {
        let world = World::open(Mode::Nhn, &[fault]).await;
        let text = small(Mode::Nhn, &format!("verify: {{ boot: false }}\n{rest}"));
        let text = text.replacen("time_zone: UTC", &unattend, 1);
        let gone = world.build(&world.write("small.reseal.yaml", &text)).await.unwrap();
        assert_eq!(gone.exit(), Exit::Ok, "{fault}: {:?}", gone.ended);
        world.only_the_image(&gone.id).unwrap();
    }
}

/// States that the look before sysprep only warns of: the warning's code, and whether `fix` cures it.
const WARNED: [(&str, &str, bool); 6] = [
    ("search-running", "P031", true),
    ("media-sharing-running", "P031", true),
    ("cryptography-disabled", "P046", true),
    ("update-service-disabled", "P032", true),
    ("upgraded", "P025", false),
    ("bcd-unreadable", "P035", false),
];

/// What sysprep then stumbles over was said before; and where the spec lets the build cure it, there is an image.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_warned_of_fails_and_what_is_cured_does_not() {
    let wrong = all(WARNED.to_vec(), |(fault, code, cured)| async move {
        let world = World::open(Mode::Nhn, &[fault]).await;
        let order = world.write("small.reseal.yaml", &small(Mode::Nhn, ""));
        let gone = world.build(&order).await.map_err(|refused| format!("{refused:?}"))?;
        let warned = gone.said.iter().any(|line| line.contains(&format!("{code} ")));
        if gone.exit() != Exit::Sysprep || !warned {
            return Err(format!("{fault}: {code} was not said before: {:?}", gone.said));
        }
        if !cured {
            return Ok(());
        }
        let world = World::open(Mode::Nhn, &[fault]).await;
        let text = small(Mode::Nhn, "verify: { boot: false }\ngeneralize: { fix: [services] }");
        let gone = world.build(&world.write("small.reseal.yaml", &text)).await.unwrap();
        let image = world.only_the_image(&gone.id).map(drop);
        image.map_err(|why| format!("{fault}: {why}: {:?}", gone.ended))
    })
    .await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A policy that a cure sets for a while is not in the image.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_cured_for_a_while_is_taken_back_after_sysprep() {
    let world = World::open(Mode::Nhn, &["store-updates"]).await;
    let text = small(Mode::Nhn, "verify: { boot: false }\ngeneralize: { fix: [store] }");
    let gone = world.build(&world.write("small.reseal.yaml", &text)).await.unwrap();
    world.only_the_image(&gone.id).unwrap();
    assert!(
        gone.said.iter().any(|line| line.contains("cured store")),
        "{:?}",
        gone.said
    );
    let policies = r"HKLM\SOFTWARE\Policies\Microsoft\WindowsStore";
    let machine = world.room.machines().remove(0);
    assert_eq!(machine.registry(policies, "AutoDownload"), None);
    assert_eq!(machine.registry(r"HKLM\SOFTWARE\Reseal\Undo", "AutoDownload"), None);
}
