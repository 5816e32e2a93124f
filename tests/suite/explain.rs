//! `explain` on the command line: every code has its page, logs are read in every form, and the exit code tells whether
//! an answer was found.

use std::collections::BTreeSet;
use std::fs;

use snapbox::cmd::Command;

use crate::cli::command;
use crate::support::root;

fn explain(arguments: &[&str]) -> (i32, String) {
    let (program, _folder): (Command, _) = command(&[&["explain"], arguments].concat());
    let output = program.assert().get_output().clone();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap_or(-1), text)
}

fn fixture(name: &str) -> String {
    root().join("tests/data/guest/logs").join(name).display().to_string()
}

/// `P001` and so on, wherever the preflight speaks of them.
fn preflight_codes() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for entry in fs::read_dir(root().join("plugin/crates/guest/src/preflight")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let words = text.split(|c: char| !c.is_ascii_alphanumeric());
        let code =
            |word: &&str| word.len() == 4 && word.starts_with('P') && word.chars().skip(1).all(|c| c.is_ascii_digit());
        codes.extend(words.filter(code).map(str::to_owned));
    }
    codes
}

#[test]
fn every_code_has_a_page() {
    let preflight = preflight_codes();
    assert!(preflight.len() > 30, "{preflight:?}");
    let (_, list) = explain(&[]);
    let listed: BTreeSet<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    for code in &preflight {
        assert!(listed.contains(code.as_str()), "{code} has no page");
    }
    let wanted = [
        "appx_not_provisioned",
        "unattend_password",
        "U017",
        "build::sysprep",
        "spec::unknown-step",
    ];
    for code in wanted {
        let (exit, text) = explain(&[code]);
        assert_eq!(exit, 0, "{text}");
        assert!(text.contains(code), "{text}");
    }
}

#[test]
fn codes_of_windows_are_explained_in_every_spelling() {
    for (code, says) in [
        ("0x80073cf2", "appx_not_provisioned"),
        ("-2147009294", "0x80073cf2"),
        ("3010", "Windows Installer"),
        ("1603", "Windows Installer"),
        ("0xC0000005", "STATUS_ACCESS_VIOLATION"),
    ] {
        let (exit, text) = explain(&[code]);
        assert_eq!(exit, 0, "{code}: {text}");
        assert!(text.contains(says), "{code}: {text}");
    }
    let (exit, text) = explain(&["0x80249999"]);
    assert_eq!(exit, 2, "{text}");
    assert!(text.contains("Windows Update"), "{text}");
    let (exit, text) = explain(&["appx_not_provisoned"]);
    assert_eq!(exit, 2);
    assert!(text.contains("did you mean `appx_not_provisioned`"), "{text}");
}

#[test]
fn logs_are_read_from_files_folders_and_standard_input() {
    let log = fixture("f2-appx.log");
    let (exit, text) = explain(&[&log]);
    assert_eq!(exit, 0, "{text}");
    assert!(
        text.contains("appx_not_provisioned") && text.contains("f2-appx.log:"),
        "{text}"
    );

    let folder = tempfile::tempdir().unwrap();
    let panther = folder.path().join("Windows/System32/Sysprep/Panther");
    fs::create_dir_all(&panther).unwrap();
    let utf16: Vec<u8> = fs::read_to_string(&log)
        .unwrap()
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    fs::write(panther.join("setupact.log"), utf16).unwrap();
    let (exit, text) = explain(&[&folder.path().display().to_string()]);
    assert_eq!(exit, 0, "{text}");
    assert!(text.contains("appx_not_provisioned"), "{text}");

    let (program, _folder) = command(&["explain", "-json", "-"]);
    let output = program.stdin(fs::read(&log).unwrap()).assert().success();
    let text = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    let answer: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(
        answer.pointer("/class").and_then(serde_json::Value::as_str),
        Some("appx_not_provisioned")
    );
    assert!(answer.pointer("/evidence/0/line").is_some(), "{text}");
}

#[test]
fn what_is_not_known_is_said_and_ends_with_2() {
    let (exit, text) = explain(&[&fixture("unknown-module.log")]);
    assert_eq!(exit, 2, "{text}");
    for says in [
        "unknown",
        "frobnic.dll",
        "Sysprep_Generalize_Frob",
        "WU_E_SYSPREP_IN_PROGRESS",
        "not known",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
    let (exit, _) = explain(&[&fixture("success-with-errors.log")]);
    assert_eq!(exit, 0);
    let folder = tempfile::tempdir().unwrap();
    let (exit, text) = explain(&[&folder.path().display().to_string()]);
    assert_eq!(exit, 2);
    assert!(text.contains("no log"), "{text}");
}
