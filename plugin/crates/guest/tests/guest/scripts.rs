//! The house rules for scripts.

use std::collections::BTreeSet;
use std::process::Command;

use reseal_guest::catalogue::scripts;

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
        assert!(
            !text
                .lines()
                .any(|line| line.trim_start().starts_with("exit ") && !text.contains("$launcher")),
            "{name} ends the runner"
        );
        assert!(readme.contains(&format!("`{name}`")), "{name} is not in README.md");
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
    for other in OTHERS {
        let name = format!("{other}.ps1");
        std::fs::copy(self::folder().join(&name), folder.path().join(&name)).unwrap();
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
