//! `reseal preflight` against a guest of the lab, over the real wire: the program as a process of its own.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use reseal_lab::clock::JumpClock;
use reseal_lab::faults::Faults;
use reseal_lab::guest::{Room, RoomOptions};
use reseal_lab::room::Machine as _;
use reseal_machine::Clock;
use serde_json::Value;

const PASSWORD: &str = "Canary-Preflight-7!";

/// A guest that stands, with these faults, and what the program says about it.
struct Scene {
    _room: Arc<Room>,
    host: String,
}

fn scene(faults: &[&str]) -> Scene {
    let armed = Arc::new(Faults::default());
    for fault in faults {
        armed.arm(fault);
    }
    let clock: Arc<dyn Clock> = Arc::new(JumpClock::new("2026-11-22T03:00:00Z".parse().unwrap()));
    let room = Arc::new(Room::new(RoomOptions {
        faults: armed,
        ..RoomOptions::new(clock)
    }));
    let machine = room
        .standing("Windows 2022 STD(2026.03.10.) EN", "builder", PASSWORD)
        .unwrap();
    let host = machine.address().to_string();
    Scene { _room: room, host }
}

impl Scene {
    fn asks(&self, arguments: &[&str], password: Option<&str>) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reseal"));
        command
            .args(["preflight", &self.host, "-user", "builder"])
            .args(arguments)
            .env_clear()
            .env("NO_COLOR", "1");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(password) = password {
            command.env("RESEAL_GUEST_PASSWORD", password);
        }
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        if password.is_none() {
            writeln!(input, "{PASSWORD}").unwrap();
        }
        drop(input);
        let output = child.wait_with_output().unwrap();
        assert!(!said(&output).contains(PASSWORD), "the password was shown");
        output
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text
        .lines()
        .find(|line| line.contains("\"preflight\""))
        .unwrap_or_else(|| panic!("{}", said(output)));
    serde_json::from_str(line).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_guest_passes_and_a_broken_one_does_not() {
    let healthy = scene(&[]);
    let output = healthy.asks(&["-insecure"], Some(PASSWORD));
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("sysprep can succeed"), "{}", said(&output));

    let broken = scene(&["previous-failure", "reserved-storage"]);
    let output = broken.asks(&["-http"], None);
    assert_eq!(output.status.code(), Some(7), "{}", said(&output));
    assert!(
        said(&output).contains("P015  reserved storage is in use"),
        "{}",
        said(&output)
    );
    let output = broken.asks(&["-http", "-json"], Some(PASSWORD));
    let report = json(&output);
    assert_eq!((output.status.code(), &report["ok"]), (Some(7), &Value::Bool(false)));
    let findings = report["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["code"] == "P015").unwrap();
    assert_eq!(
        (&found["severity"], &found["fix"]),
        (&"error".into(), &"reserved_storage".into())
    );
    let output = broken.asks(&["-http", "-accept", "P015"], Some(PASSWORD));
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_asked_for_is_cured_and_nothing_else() {
    let scene = scene(&[]);
    let old = |output: &Output| {
        let report = json(output);
        let findings = report["findings"].as_array().unwrap().clone();
        (
            findings.iter().any(|finding| finding["code"] == "P027"),
            report["fixed"].clone(),
        )
    };
    let output = scene.asks(&["-insecure", "-fix", "store,appx", "-json"], Some(PASSWORD));
    assert_eq!(old(&output), (true, serde_json::json!([])), "{}", said(&output));
    let output = scene.asks(&["-insecure", "-fix", "answer_files", "-json"], Some(PASSWORD));
    let (left, fixed) = old(&output);
    assert!(
        !left && fixed[0]["fix"] == "answer_files" && fixed[0]["done"] == true,
        "{}",
        said(&output)
    );
    let output = scene.asks(&["-insecure", "-json"], Some(PASSWORD));
    assert!(!old(&output).0, "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_that_cannot_be_asked_ends_with_5_and_a_hint() {
    let scene = scene(&[]);
    let cases: [(&[&str], &str, &str); 4] = [
        (&["-http"], "wrong", "refused the account"),
        (&[], PASSWORD, "-pin SHA256"),
        (&["-pin", &"00".repeat(32)], PASSWORD, "-pin SHA256"),
        (&["-http", "-port", "1"], PASSWORD, "cannot be reached"),
    ];
    for (arguments, password, piece) in cases {
        let output = scene.asks(arguments, Some(password));
        assert_eq!(output.status.code(), Some(5), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(piece), "{arguments:?}: {}", said(&output));
    }
    let output = scene.asks(&["-pin", "nonsense"], Some(PASSWORD));
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}
