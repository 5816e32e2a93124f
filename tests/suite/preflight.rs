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

/// The store is held for a while only: outside of a build nobody takes that back by himself, so it is said, and can be done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_cure_leaves_is_said_and_taken_back() {
    let scene = scene(&["store-updates"]);
    let ask = |arguments: &[&str]| {
        let output = scene.asks(&[&["-insecure"], arguments].concat(), Some(PASSWORD));
        (output.status.code(), said(&output))
    };
    let warned = |text: &str| text.contains("P018  the store may update apps");
    let (code, text) = ask(&[]);
    assert!(
        code == Some(0) && warned(&text) && !text.contains("left in the guest"),
        "{text}"
    );
    let (code, text) = ask(&["-fix", "store"]);
    let left = "left in the guest: the policies `AutoDownload` and `DisableWindowsConsumerFeatures`; `-undo`";
    assert!(code == Some(0) && !warned(&text) && text.contains(left), "{text}");
    let (_, text) = ask(&["-fix", "store"]);
    assert!(
        !warned(&text) && !text.contains("left in the guest"),
        "nothing was changed now: {text}"
    );

    let output = scene.asks(&["-insecure", "-undo", "-json"], Some(PASSWORD));
    let report = json(&output);
    let names: Vec<&Value> = report["undone"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(
        (output.status.code(), names),
        (
            Some(0),
            vec![&"DisableWindowsConsumerFeatures".into(), &"AutoDownload".into()]
        )
    );
    let (code, text) = ask(&["-undo"]);
    assert!(
        code == Some(0) && text.contains("there is nothing to take back"),
        "{text}"
    );
    assert!(warned(&ask(&[]).1), "the guest is as it was");
    let (_, text) = ask(&["-fix", "store"]);
    assert!(text.contains("left in the guest"), "{text}");
    let (_, text) = ask(&["-undo"]);
    let back =
        r"taken back: store: AutoDownload under HKLM:\SOFTWARE\Policies\Microsoft\WindowsStore: not set any more";
    assert!(text.contains(back), "{text}");
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
