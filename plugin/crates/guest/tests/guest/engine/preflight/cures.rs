//! The cures of what is found, in the worlds in which it is found.

use std::collections::BTreeSet;

use reseal_guest::Remedy;
use reseal_guest::preflight::{Options, RULES};
use reseal_guest::system::{Fixes, Preflight, PreflightFix, PreflightUndo, Query as _};
use serde_json::json;

use super::super::world::{World, service};
use super::super::{Batch, Platform, script, winps};
use super::cases::{EXTERNAL, POLICIES, SETUP, STORE, all_cases, app, client, encrypted};
use super::found;

/// The cure that a rule offers, in the world that breaks the rule: afterwards the same question finds it no more.
#[test]
fn what_is_cured_is_found_no_more() {
    let Some(winps) = winps("what_is_cured_is_found_no_more") else {
        return;
    };
    let mut batch = Batch::new(Platform::Linux);
    let mut cured = Vec::new();
    for ((name, world, expected), _) in all_cases() {
        let world = match name {
            // A cure asks for the system's drive by its letter, which is a folder here.
            "bitlocker" => world.cim("Win32_EncryptableVolume", encrypted("{root}")),
            _ => world,
        };
        for (code, _) in expected {
            let rule = RULES.iter().find(|rule| rule.code == *code).unwrap();
            let Some(Remedy::Fix(fix)) = rule.remedy else { continue };
            batch.add_in(&world, name, PreflightFix::SCRIPT, PreflightFix::new(vec![fix]).input());
            batch.add(
                &format!("{name}, cured"),
                Preflight::SCRIPT,
                Preflight::default().input(),
            );
            cured.push((name, *code, fix));
        }
    }
    let said = batch.run(&winps);
    for (name, code, fix) in &cured {
        let one = PreflightFix::read(said[*name].answer()).unwrap().fixes.remove(0);
        assert_eq!((one.fix, one.done, one.changed), (*fix, true, true), "{name}: {one:?}");
        let (facts, codes) = found(&said[&format!("{name}, cured")], &Options::default());
        assert_eq!(codes, [], "{name} ({code}): {facts:#?}");
    }
    let shown: BTreeSet<Fixes> = cured.iter().map(|(_, _, fix)| *fix).collect();
    let offered: BTreeSet<Fixes> = RULES.iter().filter_map(|rule| fix_of(rule.remedy)).collect();
    assert_eq!(shown, offered, "each cure that a rule offers is shown to cure");
}

fn fix_of(remedy: Option<Remedy>) -> Option<Fixes> {
    match remedy {
        Some(Remedy::Fix(fix)) => Some(fix),
        _ => None,
    }
}

#[test]
// Long because one start of the engine serves many operations.
fn cures_cure() {
    let Some(winps) = winps("cures_cure") else { return };
    let bitlocker = json!([{"DriveLetter": null, "ProtectionStatus": 1, "status": 1}]);
    let stuck = json!({"name": "WSearch", "status": "Running", "start": "Automatic", "dependents": [], "stuck": true});
    let well = World::healthy;
    let cases: Vec<(&str, World, Fixes, bool)> = vec![
        ("appx", well().list("appx", app()), Fixes::Appx, true),
        (
            "files",
            well().file("unattend.xml", "").key(SETUP, json!({"UnattendFile": "x"})),
            Fixes::AnswerFiles,
            true,
        ),
        (
            "providers",
            well()
                .key(
                    &format!(r"{EXTERNAL}\Cleanup"),
                    json!({"{1}": "gone.dll,A", "{2}": "there.dll,B"}),
                )
                .file("Windows/System32/there.dll", ""),
            Fixes::Providers,
            true,
        ),
        (
            "services",
            well().list(
                "services",
                json!([
                    service("WSearch", "Running"),
                    service("sppsvc", "Stopped"),
                    service("CryptSvc", "Running")
                ]),
            ),
            Fixes::Services,
            true,
        ),
        (
            "stuck",
            well().list(
                "services",
                json!([stuck, service("sppsvc", "Running"), service("CryptSvc", "Running")]),
            ),
            Fixes::Services,
            false,
        ),
        ("store", well(), Fixes::Store, true),
        ("reserved", well(), Fixes::ReservedStorage, true),
        (
            "nothing encrypted",
            well().cim("Win32_EncryptableVolume", bitlocker),
            Fixes::Bitlocker,
            true,
        ),
    ];
    let mut batch = Batch::new(Platform::Linux);
    for (name, world, fix, _) in &cases {
        batch.add_in(world, name, PreflightFix::SCRIPT, PreflightFix::new(vec![*fix]).input());
    }
    let said = batch.run(&winps);
    for (name, _, fix, done) in &cases {
        let one = PreflightFix::read(said[*name].answer()).unwrap().fixes.remove(0);
        assert_eq!((one.fix, one.done), (*fix, *done), "{name}: {one:?}");
    }
    let fixed = |name: &str| PreflightFix::read(said[name].answer()).unwrap().fixes.remove(0);
    assert_eq!(fixed("appx").detail, "1 packages removed");
    assert!(!batch.root("files").join("unattend.xml").exists());
    assert_eq!(fixed("files").detail, "2 removed");
    assert_eq!(
        fixed("providers").detail,
        "removed Cleanup gone.dll,A",
        "the one that is there stays"
    );
    assert_eq!(fixed("services").detail, "WSearch stopped, sppsvc started");
    assert!(
        fixed("stuck").detail.contains("WSearch is not Stopped after"),
        "{:?}",
        fixed("stuck")
    );
    assert!(fixed("store").changed);
    let calls = std::fs::read_to_string(batch.root("reserved").join("Windows/System32/calls.txt")).unwrap();
    assert!(calls.contains("/Set-ReservedStorageState /State:Disabled"), "{calls}");
}

/// What a cure changed for a while goes back to what it was, with its notes, and the notes of a build stay.
#[test]
fn what_was_changed_for_a_while_is_taken_back() {
    let Some(winps) = winps("what_was_changed_for_a_while_is_taken_back") else {
        return;
    };
    let mut batch = Batch::new(Platform::Linux);
    let way_in = json!({"kind": "value", "path": POLICIES, "name": "LocalAccountTokenFilterPolicy", "existed": false, "data": null});
    let worlds = [
        ("untouched", client()),
        (
            "set before",
            client().key(STORE, json!({"AutoDownload": 4, "Other": 1})),
        ),
        (
            "in a build",
            client().key(UNDO, json!({"0000": way_in.to_string(), "0005": way_in.to_string()})),
        ),
    ];
    let facts = || Preflight::default().input();
    let look = |batch: &mut Batch, name: String| {
        batch.add(&name, script("condition"), json!({"script": WHAT_IS_LEFT}));
    };
    for (name, world) in &worlds {
        batch.add_in(
            world,
            name,
            PreflightFix::SCRIPT,
            PreflightFix::new(vec![Fixes::Store]).input(),
        );
        batch.add(&format!("{name}, cured"), Preflight::SCRIPT, facts());
        for round in ["undo", "undo again"] {
            batch.add(
                &format!("{name}, {round}"),
                PreflightUndo::SCRIPT,
                PreflightUndo::default().input(),
            );
        }
        batch.add(&format!("{name}, after"), Preflight::SCRIPT, facts());
        look(&mut batch, format!("{name}, left"));
    }
    let said = batch.run(&winps);
    for (name, before, left) in [
        ("untouched", None, "left:  /"),
        ("set before", Some(4), "left:  / Other"),
        ("in a build", None, "left: 0000+0005 /"),
    ] {
        let store = |when: &str| {
            let (facts, _) = found(&said[&format!("{name}, {when}")], &Options::default());
            facts.store.unwrap().auto_download
        };
        assert_eq!((store("cured"), store("after")), (Some(2), before), "{name}");
        let undone = |round: &str| {
            PreflightUndo::read(said[&format!("{name}, {round}")].answer())
                .unwrap()
                .changes
        };
        let names: Vec<String> = undone("undo").iter().map(|change| change.name.clone()).collect();
        assert_eq!(
            names,
            ["DisableWindowsConsumerFeatures", "AutoDownload"],
            "{name}: the last change first"
        );
        assert!(
            undone("undo")
                .iter()
                .all(|change| change.done && change.fix == Fixes::Store)
        );
        assert_eq!(undone("undo again"), [], "{name}");
        let left_over = &said[&format!("{name}, left")];
        assert_eq!(left_over.result()["value"], json!(true), "a key without notes goes too");
        let log = &left_over.log;
        assert!(log.iter().any(|line| line.trim_end() == left), "{name}: {log:?}");
    }
}

const UNDO: &str = r"HKLM:\SOFTWARE\Reseal\Undo";

/// The notes, and the values beside `AutoDownload`.
const WHAT_IS_LEFT: &str = r"$names = { param($Path) $key = Get-Item -LiteralPath $Path -ErrorAction SilentlyContinue; if ($null -ne $key) { $key.GetValueNames() } }
$notes = @(& $names 'HKLM:\SOFTWARE\Reseal\Undo') -join '+'
$others = @(& $names 'HKLM:\SOFTWARE\Policies\Microsoft\WindowsStore' | Where-Object { $_ -ne 'AutoDownload' }) -join '+'
[Console]::Out.WriteLine(('left: ' + $notes + ' / ' + $others))
(Test-Path -LiteralPath 'HKLM:\SOFTWARE\Reseal') -eq [bool]$notes";
