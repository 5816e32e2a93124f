//! The command line as a user meets it: few tests of help, exit codes and the ways commands play together.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use snapbox::cmd::Command;

use crate::process::{finish, reseal};
use crate::support::root;

/// The program, with nothing of this machine in its environment.
pub(crate) fn command(arguments: &[&str]) -> (Command, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let command = Command::new(env!("CARGO_BIN_EXE_reseal"))
        .args(arguments)
        .current_dir(folder.path())
        .env_clear()
        .env("NO_COLOR", "1");
    (command, folder)
}

fn example(name: &str) -> String {
    root().join("examples").join(name).display().to_string()
}

#[test]
fn help_lists_the_commands() {
    let (command, _folder) = command(&["--help"]);
    let output = command.assert().success();
    let text = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    let commands = [
        "validate",
        "plan",
        "build",
        "rehearse",
        "lab",
        "status",
        "resume",
        "cleanup",
        "schema",
        "explain",
        "init",
        "unattend",
        "doctor",
        "preflight",
        "completions",
    ];
    for name in commands {
        assert!(
            text.lines().any(|line| line.trim_start().starts_with(name)),
            "{name}:\n{text}"
        );
    }
}

#[test]
fn what_is_not_known_ends_with_2() {
    for arguments in [&["validate", "--nonsense", "x"][..], &["bulid"], &[]] {
        let (command, _folder) = command(arguments);
        command.assert().code(2);
    }
}

#[test]
fn validate_says_yes_and_no() {
    let web = example("windows-2022-web.reseal.yaml");
    let (yes, _folder) = command(&["validate", &web]);
    yes.assert().success();
    let bad = root()
        .join("tests/data/spec/bad/unknown-step.yaml")
        .display()
        .to_string();
    let (no, _folder) = command(&["validate", &bad]);
    no.assert().code(2);
    let (missing, _folder) = command(&["validate", "no-such-file.yaml"]);
    missing.assert().code(2);
}

#[test]
fn options_may_begin_with_one_dash() {
    let web = example("windows-2022-web.reseal.yaml");
    let (command_, _folder) = command(&[
        "validate",
        "-var",
        "agent_server=a.example.com",
        "-var=agent_token=x",
        &web,
    ]);
    command_.assert().success();
    let (wrong, _folder) = command(&["validate", "-var", "no_such=1", &web]);
    wrong.assert().code(2);
}

#[test]
fn the_schema_is_json() {
    let (command, _folder) = command(&["schema"]);
    let output = command.assert().success();
    let schema: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    assert!(schema["properties"]["reseal"].is_object());
}

#[test]
fn where_nothing_was_built_there_is_nothing_to_show_or_clean() {
    for arguments in [&["status"][..], &["cleanup"]] {
        let (command, _folder) = command(arguments);
        command.assert().success();
    }
    let (command, _folder) = command(&["resume", "nobody"]);
    command.assert().code(2);
}

#[test]
fn without_credentials_a_build_says_what_is_missing() {
    let (command, _folder) = command(&["build", &example("windows-2022-nhn.reseal.yaml")]);
    let output = command.assert().code(4);
    let text = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(text.contains("OS_AUTH_URL"), "{text}");
}

/// A child that ends with the test.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Two terminals: `reseal lab` in one, a build with the printed variables in the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_finds_the_lab_of_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let mut serve = reseal(&["lab", "--speed", "300"], folder.path());
    let mut served = Served(serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut lines = BufReader::new(served.0.stdout.take().unwrap()).lines();
    let mut variables = Vec::new();
    for line in lines.by_ref() {
        let line = line.unwrap();
        let Some(pair) = line.trim().strip_prefix("export ") else {
            continue;
        };
        let (name, value) = pair.split_once('=').unwrap();
        variables.push((name.to_owned(), value.trim_matches('\'').to_owned()));
        if name == "RESEAL_HURRY" {
            break;
        }
    }
    assert!(variables.iter().any(|(name, _)| name == "OS_AUTH_URL"), "{variables:?}");
    let spec = folder.path().join("small.reseal.yaml");
    let text = crate::support::specs::small(reseal_lab::Mode::Nhn, "verify: { boot: false }\n");
    std::fs::write(&spec, text).unwrap();
    let mut build = reseal(&["build", "small.reseal.yaml"], folder.path());
    build.envs(variables);
    let output = finish(build).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}
