//! What a build leaves: found, judged, cleaned, and found no more.

use std::collections::BTreeSet;

use reseal_guest::leftovers::{Options, RULES, judge};
use reseal_guest::system::{Category, Hygiene, Leftovers, Query as _, Residue};
use reseal_guest::{Remedy, Severity};
use serde_json::json;

use super::world::{SCRIPT_LOG, World};
use super::{Batch, Platform, Said, winps};

fn look(answer_file: &str) -> Leftovers {
    Leftovers {
        answer_file: answer_file.to_owned(),
        ..Leftovers::new("/nowhere/reseal-4f2a".to_owned())
    }
}

fn findings(said: &Said) -> Vec<(&'static str, Severity)> {
    let facts = Leftovers::read(said.answer()).unwrap();
    let options = Options {
        build_account: Some("reseal-4f2a".to_owned()),
        own_tasks: "reseal-4f2a".to_owned(),
    };
    let found = judge(&facts, &options);
    found.iter().map(|finding| (finding.code, finding.severity)).collect()
}

const UNDO: &str = r"HKLM:\SOFTWARE\Reseal\Undo";
const WINLOGON: &str = r"HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon";
const POLICIES: &str = r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System";
const WSUS: &str = r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate";

/// A Windows as this build's own way in changes it: all of it is taken back after sysprep.
fn in_a_build(root: &str) -> World {
    let undo = [
        json!({"kind": "certificate", "thumbprint": "AB12"}),
        json!({"kind": "firewall", "name": "reseal-4f2a"}),
        json!({"kind": "listener", "existed": false, "thumbprint": null}),
        json!({"kind": "task", "name": "reseal-4f2a-way-in"}),
        json!({"kind": "value", "path": "HKLM:\\x", "name": "LocalAccountTokenFilterPolicy", "existed": false, "data": null}),
    ];
    let mut entries = serde_json::Map::new();
    for (number, entry) in undo.iter().enumerate() {
        entries.insert(format!("{number:04}"), json!(entry.to_string()));
    }
    World::healthy()
        .key(UNDO, json!(entries))
        .profile(root, "reseal-4f2a", &[])
        .list("accounts", json!([{"Name": "Administrator"}, {"Name": "reseal-4f2a"}]))
        .list("firewall", json!([{"Name": "reseal-4f2a"}]))
        .list(
            "tasks",
            json!([{"TaskName": "reseal-4f2a-way-in"}, {"TaskName": "reseal-4f2a-3"}]),
        )
        .list(
            "certificates",
            json!([{"Thumbprint": "AB12", "Subject": "CN=build", "HasPrivateKey": true}]),
        )
        .list(
            "listeners",
            json!([{"Transport": "HTTPS", "Port": "5986", "CertificateThumbprint": "AB12"}]),
        )
}

/// A Windows in which everything was left.
fn dirty(root: &str) -> World {
    let people = [
        (
            "AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt",
            "net user x S3cret",
        ),
        ("Documents/20260506/PowerShell_transcript.VM.abc.txt", "transcript"),
        ("Downloads/agent.msi", "x"),
        ("AppData/Local/Temp/x.tmp", "x"),
    ];
    World::healthy()
        .profile(root, "Administrator", &people)
        .profile(root, "reseal-0000", &[])
        .list("accounts", json!([{"Name": "reseal-0000"}]))
        .list("firewall", json!([{"Name": "reseal-0000"}]))
        .list("tasks", json!([{"TaskName": "reseal-0000-dead-man"}]))
        .list("certificates", json!([{"Thumbprint": "CD34", "Subject": "CN=old", "HasPrivateKey": true}, {"Thumbprint": "EF", "Subject": "CN=root", "HasPrivateKey": false}]))
        .list("listeners", json!([{"Transport": "HTTPS", "Port": "5986", "CertificateThumbprint": "CD34"}]))
        .list("wsman", json!({r"WSMan:\localhost\Service\Auth\Basic": "true", r"WSMan:\localhost\Service\AllowUnencrypted": "true"}))
        .events(SCRIPT_LOG, 17, false)
        .key(WINLOGON, json!({"AutoAdminLogon": "1", "DefaultPassword": "S3cret", "DefaultUserName": "x"}))
        .key(WSUS, json!({"SusClientId": "1"}))
        .key(r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\RunOnce", json!({"later": "x.exe"}))
        .key(r"HKLM:\SOFTWARE\Cloudbase Solutions\Cloudbase-Init\0f1e", json!({}))
        .file("Windows/Panther/unattend.xml", "<a><AdministratorPassword><Value>x</Value></AdministratorPassword></a>")
        .file("unattend.xml", "<unattend/>")
        .file("ProgramData/ssh/ssh_host_rsa_key", "key")
        .file("ProgramData/PuppetLabs/puppet/etc/ssl/private_keys/a.pem", "key")
        .file("Windows/System32/drivers/etc/hosts", "# comment\n10.0.0.1 repo.example\n")
        .file("Windows/MEMORY.DMP", "dump")
        .file("Windows/Temp/left.tmp", "x")
        .file("Windows/Logs/CBS/CBS.log", "x")
        .file("Windows.old/x", "x")
        .file("hiberfil.sys", "x")
}

/// What is found in it.
fn dirty_findings() -> Vec<(&'static str, Severity)> {
    let warned = [
        "H001", "H002", "H003", "H004", "H005", "H006", "H006", "H007", "H008", "H009", "H011", "H013", "H014", "H015",
        "H016", "H020", "H021", "H022", "H024", "H027",
    ];
    let known = ["H017", "H018", "H018", "H019", "H028"];
    let mut expected: Vec<_> = warned.map(|code| (code, Severity::Warning)).into();
    expected.extend(["H010", "H012"].map(|code| (code, Severity::Error)));
    expected.extend(known.map(|code| (code, Severity::Info)));
    expected.sort_unstable();
    expected
}

/// A Windows in which nothing is left, not even a policy.
fn tidy() -> World {
    World::healthy().key(POLICIES, json!({"LocalAccountTokenFilterPolicy": 0}))
}

/// A Windows with so many bytes in each place that is measured.
fn measured(bytes: u64) -> World {
    tidy()
        .sized("Windows/Temp/large.tmp", bytes)
        .sized("Windows/SoftwareDistribution/Download/x.cab", bytes)
        .sized("Windows/Logs/CBS/CBS.log", bytes)
}

/// So much is worth a word.
const WORTH: u64 = 64 << 20;

/// A world that is made for its root.
type Make = fn(&str) -> World;

/// A world by its name, and what is found in it.
type Case = (&'static str, Make, Vec<(&'static str, Severity)>);

/// Every Windows of these tests, and what is found in it.
fn left_cases() -> Vec<Case> {
    let info = |code| (code, Severity::Info);
    vec![
        ("build", in_a_build, vec![]),
        ("dirty", dirty, dirty_findings()),
        (
            "ballast",
            |_| measured(WORTH),
            ["H023", "H025", "H026"].map(info).into(),
        ),
        ("nearly ballast", |_| measured(WORTH - 1), vec![]),
        (
            "closed",
            |_| tidy().list("listeners", json!({"throws": "Access is denied."})),
            vec![info("H029")],
        ),
        ("tidy", |_| tidy(), vec![]),
    ]
}

#[test]
fn every_rule_has_a_world_that_breaks_it() {
    let cases = left_cases();
    let shown: BTreeSet<&str> = cases
        .iter()
        .flat_map(|(.., found)| found)
        .map(|(code, _)| *code)
        .collect();
    let rules: BTreeSet<&str> = RULES.iter().map(|rule| rule.code).collect();
    assert_eq!(
        shown, rules,
        "each rule needs a case in which the script's answer breaks it"
    );
}

#[test]
fn everything_that_is_left_is_found_and_what_goes_by_itself_is_not() {
    let Some(winps) = winps("everything_that_is_left_is_found_and_what_goes_by_itself_is_not") else {
        return;
    };
    let mut batch = Batch::new(Platform::Linux);
    for (name, world, _) in left_cases() {
        let root = batch.root(name).to_str().unwrap().to_owned();
        let own = format!("{root}/Windows/System32/Sysprep/unattend.xml");
        let world = world(&root).file("Windows/System32/Sysprep/unattend.xml", "<Password/>");
        batch.add_in(&world, name, Leftovers::SCRIPT, look(&own).input());
    }
    let said = batch.run(&winps);
    for (name, _, expected) in left_cases() {
        let mut found = findings(&said[name]);
        found.sort_unstable();
        assert_eq!(found, expected, "{name}: {:#?}", said[name].result());
    }
    assert!(
        !format!("{:?}", said["dirty"]).contains("S3cret"),
        "places are told, not contents"
    );
}

fn clean(category: Category, keep: &[String]) -> Hygiene {
    Hygiene {
        categories: vec![category],
        keep: keep.to_vec(),
        timeout_seconds: 60,
    }
}

/// The category that a rule offers, in the world that breaks the rule: afterwards the same question finds it no more.
#[test]
fn what_a_rule_offers_to_clean_is_found_no_more() {
    let Some(winps) = winps("what_a_rule_offers_to_clean_is_found_no_more") else {
        return;
    };
    let mut batch = Batch::new(Platform::Linux);
    let mut cleaned = Vec::new();
    for (world, make, expected) in left_cases() {
        let codes: BTreeSet<&str> = expected.iter().map(|(code, _)| *code).collect();
        for code in codes {
            let rule = RULES.iter().find(|rule| rule.code == code).unwrap();
            let Some(Remedy::Clean(category)) = rule.remedy else {
                continue;
            };
            let name = format!("{world} {code}");
            let root = batch.root(&name).to_str().unwrap().to_owned();
            batch.add_in(&make(&root), &name, Hygiene::SCRIPT, clean(category, &[]).input());
            batch.add(&format!("{name}, cleaned"), Leftovers::SCRIPT, look("").input());
            cleaned.push((name, code));
        }
    }
    let said = batch.run(&winps);
    assert!(cleaned.len() > 10, "{cleaned:?}");
    for (name, code) in &cleaned {
        let one = Hygiene::read(said[name].answer()).unwrap().categories.remove(0);
        assert!(one.done && one.failed == 0, "{name}: {one:?}");
        let found = findings(&said[&format!("{name}, cleaned")]);
        assert!(!found.iter().any(|(other, _)| other == code), "{name}: {found:?}");
    }
}

#[test]
fn what_is_cleaned_is_found_no_more() {
    let Some(winps) = winps("what_is_cleaned_is_found_no_more") else {
        return;
    };
    let mut batch = Batch::new(Platform::Linux);
    let root = batch.root("clean").to_str().unwrap().to_owned();
    let world = dirty(&root)
        .file("Windows/Temp/reseal-4f2a/keep.txt", "x")
        .events(SCRIPT_LOG, 17, true);
    let keep = format!("{root}/Windows/Temp/reseal-4f2a");
    let hygiene = Hygiene {
        categories: vec![
            Category::Temp,
            Category::CrashDumps,
            Category::AnswerFiles,
            Category::Winlogon,
            Category::WsusId,
            Category::SshHostKeys,
            Category::WindowsOld,
            Category::Logs,
            Category::ComponentStore,
            Category::ShadowCopies,
            Category::Hibernation,
            Category::Trim,
            Category::PowershellHistory,
        ],
        keep: vec![keep.clone()],
        timeout_seconds: 60,
    };
    batch.add_in(&world, "clean", Hygiene::SCRIPT, hygiene.input());
    batch.add("after", Leftovers::SCRIPT, look("").input());
    let said = batch.run(&winps);
    let cleaned = Hygiene::read(said["clean"].answer()).unwrap();
    assert!(cleaned.categories.iter().all(|category| category.done), "{cleaned:#?}");
    let removed = |category: Category| {
        cleaned
            .categories
            .iter()
            .find(|one| one.category == category)
            .unwrap()
            .removed
    };
    assert_eq!(
        (
            removed(Category::AnswerFiles),
            removed(Category::Winlogon),
            removed(Category::WsusId)
        ),
        (2, 3, 1)
    );
    assert_eq!((removed(Category::SshHostKeys), removed(Category::WindowsOld)), (1, 1));
    assert!(
        std::path::Path::new(&keep).join("keep.txt").exists(),
        "the build's own folder is still needed"
    );
    let calls = std::fs::read_to_string(batch.root("clean").join("Windows/System32/calls.txt")).unwrap();
    for call in [
        "dism.exe /English /Online /Cleanup-Image",
        "vssadmin.exe delete shadows",
        "powercfg.exe /h off",
        "defrag.exe",
    ] {
        assert!(calls.contains(call), "{call}: {calls}");
    }
    let found = findings(&said["after"]);
    for code in [
        "H010", "H011", "H012", "H013", "H014", "H015", "H016", "H021", "H024", "H027",
    ] {
        assert!(!found.iter().any(|(other, _)| *other == code), "{code}: {found:?}");
    }
    // A log that is being recorded cannot be cleared: that is a warning with its name.
    let history = cleaned.categories.last().unwrap();
    let warning = history.warning().unwrap();
    assert!(history.failed == 1 && warning.contains(SCRIPT_LOG), "{warning}");
}

#[test]
fn what_cannot_be_removed_is_a_warning_with_its_name() {
    let Some(winps) = winps("what_cannot_be_removed_is_a_warning_with_its_name") else {
        return;
    };
    let mut batch = Batch::new(Platform::Linux);
    let world = World::healthy()
        .file("unattend.xml", "<a/>")
        .file("ProgramData/ssh/ssh_host_rsa_key", "key");
    let hygiene = Hygiene {
        categories: vec![Category::AnswerFiles, Category::SshHostKeys],
        keep: vec![],
        timeout_seconds: 60,
    };
    batch.add_in(&world, "locked", stubborn(), hygiene.input());
    let said = batch.run(&winps);
    let cleaned = Hygiene::read(said["locked"].answer()).unwrap();
    let warnings: Vec<String> = cleaned
        .categories
        .iter()
        .filter_map(reseal_guest::system::CategoryResult::warning)
        .collect();
    assert_eq!(warnings.len(), 2, "{cleaned:#?}");
    assert!(warnings[0].contains("answer files: 1 could not be removed") && warnings[0].contains("unattend.xml"));
    assert!(warnings[1].contains("ssh_host_rsa_key"), "{warnings:?}");
}

/// `hygiene` in a system that lets nobody delete.
fn stubborn() -> reseal_guest::Script {
    let text = Hygiene::SCRIPT.text.replacen(
        "function Get-FreeBytes",
        "function Remove-Item { [CmdletBinding()] param([string]$LiteralPath, [switch]$Force, [switch]$Recurse) throw 'Access is denied.' }\nfunction Get-FreeBytes",
        1,
    );
    reseal_guest::Script {
        name: "hygiene_stubborn",
        text: String::leak(text),
    }
}

#[test]
fn residue_says_what_it_did_not_search() {
    let Some(winps) = winps("residue_says_what_it_did_not_search") else {
        return;
    };
    let mut batch = Batch::new(Platform::Linux);
    let folder = batch.folder.path().join("searched");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("large.bin"), vec![b'x'; 2000]).unwrap();
    std::fs::write(folder.join("escaped.xml"), "<Value>a&amp;b&lt;cd</Value>").unwrap();
    std::fs::write(folder.join("escaped.json"), r#"{"v":"say \"hello\""}"#).unwrap();
    let residue = Residue {
        secrets: vec!["abc".to_owned(), "a&b<cd".to_owned(), "say \"hello\"".to_owned()],
        names: vec!["pin".to_owned(), "xml".to_owned(), "json".to_owned()],
        roots: Some(vec![batch.native(&folder)]),
        max_file_bytes: 1000,
    };
    batch.add("search", Residue::SCRIPT, residue.input());
    let uneven = Residue {
        names: vec![],
        ..residue
    };
    batch.add("uneven", Residue::SCRIPT, uneven.input());
    let said = batch.run(&winps);
    let result = Residue::read(said["search"].answer()).unwrap();
    assert_eq!(result.short, ["pin"]);
    assert_eq!((result.skipped_files, result.skipped[0].why.as_str()), (1, "too_large"));
    assert!(result.skipped[0].path.ends_with("large.bin"));
    let gaps = result.gaps();
    assert!(
        gaps[0].contains("pin") && gaps[1].contains("large.bin (too large)"),
        "{gaps:?}"
    );
    let mut found: Vec<&str> = result.hits.iter().map(|hit| hit.name.as_str()).collect();
    found.sort_unstable();
    assert_eq!(found, ["json", "xml"], "{result:?}");
    assert_eq!(said["uneven"].kind(), "invalid_input");
}
