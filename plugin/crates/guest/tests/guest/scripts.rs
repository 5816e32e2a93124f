//! The house rules for scripts.

use std::collections::BTreeSet;
use std::process::Command;

use reseal_guest::catalogue::scripts;
use reseal_guest::system::{BootstrapValues, Role, SysprepSettings, SysprepStart, user_data};

use crate::engine::winps;

fn folder() -> std::path::PathBuf {
    std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("ops")
}

/// Scripts that are no operations: one runs by itself, one is user data.
const OTHERS: [&str; 2] = ["bootstrap_user_data", "sysprep_wrapper"];

#[test]
fn every_file_is_in_the_catalogue() {
    let files: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .filter_map(|entry| {
            entry
                .unwrap()
                .file_name()
                .to_str()?
                .strip_suffix(".ps1")
                .map(str::to_owned)
        })
        .filter(|name| !OTHERS.contains(&name.as_str()))
        .collect();
    let names: BTreeSet<String> = scripts().iter().map(|script| script.name.to_owned()).collect();
    assert_eq!(files, names);
}

#[test]
fn scripts_keep_the_house_rules() {
    let readme = std::fs::read_to_string(folder().join("README.md")).unwrap();
    for script in scripts() {
        let (name, text) = (script.name, script.text);
        assert!(text.is_ascii(), "{name} is not ASCII");
        assert!(text.starts_with("<#\n.SYNOPSIS\n"), "{name} has no help");
        assert!(text.contains("param([Parameter(Mandatory"), "{name} has no parameter");
        assert!(text.contains("Set-StrictMode -Version 3.0"), "{name} is not strict");
        assert_eq!(text.matches("function Invoke-Operation {").count(), 1, "{name}");
        assert!(text.contains("Send-"), "{name} never answers");
        for forbidden in [
            "Invoke-Expression",
            "Win32_Product ",
            "Write-Host",
            "systeminfo",
            "Get-WmiObject",
        ] {
            assert!(!text.contains(forbidden), "{name} uses {forbidden}");
        }
        assert!(!ends_its_host(text), "{name} ends the runner");
        assert!(readme.contains(&format!("`{name}`")), "{name} is not in README.md");
    }
}

/// Whether a script has an `exit` of its own; what stands in a here-string runs somewhere else.
fn ends_its_host(text: &str) -> bool {
    let mut quoted = false;
    text.lines().any(|line| {
        let word = line.trim();
        if quoted {
            quoted = !word.starts_with("'@");
            return false;
        }
        quoted = word.ends_with("@'");
        word == "exit" || word.starts_with("exit ") || word.contains("{ exit") || word.contains("; exit")
    })
}

#[test]
fn an_exit_is_seen_beside_a_launcher() {
    assert!(!ends_its_host("$launcher = @'\nexit 1\n'@\nSend-Result 1"));
    for text in [
        "exit 0",
        "  exit",
        "if ($x) { exit 3 }",
        "$launcher = @'\nexit 1\n'@\nexit 2",
    ] {
        assert!(ends_its_host(text), "{text}");
    }
}

/// The scripts that run by themselves, as the guest gets them.
fn others() -> [(&'static str, String); 2] {
    let values = BootstrapValues {
        run: "4f2a".to_owned(),
        role: Role::Build,
        account: "reseal-4f2a".to_owned(),
        password: "p".to_owned(),
        pfx: "AA==".to_owned(),
        pfx_password: "p".to_owned(),
        thumbprint: "AB".to_owned(),
        port: 5986,
        open_port: 5986,
        remote_addresses: vec![],
        dead_man_hours: 8,
    };
    let wrapper = SysprepStart::new("", "", SysprepSettings::new("4f2a", 60)).wrapper;
    [
        ("bootstrap_user_data", user_data(&values, None)),
        ("sysprep_wrapper", wrapper),
    ]
}

#[test]
fn the_others_keep_the_rules_that_are_for_them() {
    let names: Vec<&str> = others().iter().map(|(name, _)| *name).collect();
    assert_eq!(names, OTHERS);
    for (name, text) in others() {
        assert!(text.is_ascii(), "{name} is not ASCII");
        assert!(text.contains("<#\n.SYNOPSIS\n"), "{name} has no help");
        assert!(text.contains("Set-StrictMode -Version 3.0"), "{name} is not strict");
        assert!(!text.contains("# reseal:libraries"), "{name} lacks its libraries");
    }
}

#[test]
fn every_library_is_used() {
    let all: String = scripts().iter().map(|script| script.text).collect();
    for entry in std::fs::read_dir(folder().join("lib")).unwrap().flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let used = all.contains(&text) || others().iter().any(|(_, other)| other.contains(&text));
        assert!(text.is_ascii() && used, "{:?}", entry.path());
    }
}

#[test]
fn the_checker_finds_no_error() {
    let Some(winps) = winps("the_checker_finds_no_error") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for script in scripts() {
        std::fs::write(folder.path().join(format!("{}.ps1", script.name)), script.text).unwrap();
    }
    for (name, text) in others() {
        std::fs::write(folder.path().join(format!("{name}.ps1")), text).unwrap();
    }
    let output = Command::new(winps)
        .args(["check", "--target", "server2016", "--strict"])
        .arg(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let bad: Vec<&str> = said
        .lines()
        .filter(|line| line.contains(": error ") || line.contains(": warning "))
        .collect();
    assert!(output.status.success() && bad.is_empty(), "{}", bad.join("\n"));
}
