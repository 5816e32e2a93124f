//! What the README shows is what the program does: its spec is valid, its recorded runs happen again.

use std::path::Path;
use std::process::Command;

use crate::support::root;

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

/// The fenced blocks of a kind.
fn blocks(kind: &str) -> Vec<String> {
    let text = readme();
    let fence = format!("```{kind}\n");
    text.split(&fence)
        .skip(1)
        .filter_map(|rest| rest.split("\n```").next().map(str::to_owned))
        .collect()
}

/// Numbers, ids and dates differ from run to run; runs of them become one mark.
fn plain(line: &str) -> String {
    let mut out = String::new();
    for word in line.split_inclusive([' ', '-', '/', '`']) {
        let body: &str = word.trim_end_matches([' ', '-', '/', '`']);
        let is_id = body.len() >= 4 && body.bytes().all(|byte| byte.is_ascii_hexdigit());
        let has_digit = body.bytes().any(|byte| byte.is_ascii_digit());
        out.push_str(if is_id || has_digit { "#" } else { body });
        out.push_str(word.get(body.len()..).unwrap_or_default());
    }
    while out.contains("# #") || out.contains("#-#") {
        out = out.replace("# #", "#").replace("#-#", "#");
    }
    out.trim_end().to_owned()
}

/// Lines that depend on the place or on the speed of the machine.
fn is_local(line: &str) -> bool {
    [
        "run folder",
        "next  ",
        "once the cause",
        "rehearsed in",
        "  took",
        "  after",
    ]
    .iter()
    .any(|word| line.contains(word))
}

#[test]
fn recorded_runs_happen_again() {
    for block in blocks("console") {
        let mut lines = block.lines();
        let command = lines
            .next()
            .and_then(|line| line.strip_prefix("$ reseal "))
            .expect("a block begins with a command");
        let runs = tempfile::tempdir().unwrap();
        let mut run = Command::new(env!("CARGO_BIN_EXE_reseal"));
        run.args(command.split(' '));
        if command.starts_with("rehearse") {
            run.arg("--runs").arg(runs.path());
        }
        let output = run
            .current_dir(root())
            .env_remove("GITHUB_ACTIONS")
            .env_remove("GITLAB_CI")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let mut rest = said.lines().map(plain);
        for line in lines.filter(|line| !line.trim().is_empty() && !is_local(line)) {
            let wanted = plain(line);
            assert!(
                rest.any(|found| found.starts_with(&wanted)),
                "`{command}` does not say, in this order: {line}\n{said}"
            );
        }
    }
}

#[test]
fn the_spec_is_valid() {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["payload", "scripts"] {
        copy(&root().join("examples").join(folder), &dir.path().join(folder));
    }
    let spec = dir.path().join("win2022-web.reseal.yaml");
    std::fs::write(&spec, blocks("yaml").first().expect("a spec")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_reseal"))
        .args(["validate", "-var", "agent_token=0123456789"])
        .arg(&spec)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
