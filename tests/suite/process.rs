//! The built program as a process of its own, against a lab in this one: it builds, is killed, and goes on.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use reseal::rim::clock::SystemClock;
use reseal_engine::Plan;
use reseal_journal::RunDir;
use reseal_lab::clock::FastClock;
use reseal_lab::guest::Room;
use reseal_lab::{Lab, Mode, Quota};
use reseal_machine::Clock;
use reseal_machine::cloud::ResourceKind;
use tempfile::TempDir;

use crate::support::{lab, root};

/// How much faster than the wall's the lab's time runs here.
pub(crate) const SPEED: u32 = 300;

/// A lab that processes can reach, and a folder with the examples for them to work in.
pub(crate) struct Site {
    pub(crate) lab: Lab,
    pub(crate) room: Arc<Room>,
    pub(crate) folder: TempDir,
}

impl Site {
    pub(crate) async fn open(mode: Mode) -> Self {
        let clock = Arc::new(FastClock::new(Arc::new(SystemClock::new(1)), SPEED));
        let (lab, room) = lab(mode, clock, &[], Quota::for_builds(1)).await;
        let folder = tempfile::tempdir().unwrap();
        copy(&root().join("examples"), folder.path());
        Self { lab, room, folder }
    }

    /// The program with the lab's variables and none of this machine's.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = reseal(arguments, self.folder.path());
        command.envs(self.lab.env()).env("RESEAL_HURRY", SPEED.to_string());
        command
    }

    /// Runs the program to its end without blocking the lab.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
        finish(self.command(arguments)).await
    }

    pub(crate) fn runs(&self) -> PathBuf {
        self.folder.path().join(".reseal/runs")
    }

    /// The id of the only build.
    pub(crate) fn only_build(&self) -> Option<String> {
        let ids = RunDir::list(&self.runs()).unwrap();
        ids.into_iter().next()
    }

    pub(crate) fn left(&self) -> Vec<ResourceKind> {
        self.lab.leftovers().into_iter().map(|left| left.kind).collect()
    }
}

/// The program in a folder, with an environment that holds nothing of this machine.
pub(crate) fn reseal(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reseal"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("NO_COLOR", "1")
        .env("HOME", folder)
        .stdin(Stdio::null());
    command
}

/// Waits for a program on a thread that may block.
pub(crate) async fn finish(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

const WEB: &str = "windows-2022-web.reseal.yaml";

/// Waits until the journal of the only build says that a step has begun, then kills the process.
async fn kill_at(site: &Site, mut child: Child, step: &str) -> String {
    let clock = SystemClock::new(1);
    let line = format!(r#""step_started","step":"{step}""#);
    for _ in 0..3000 {
        if let Some(id) = site.only_build() {
            let journal = std::fs::read_to_string(RunDir::new(&site.runs(), &id).journal()).unwrap_or_default();
            if journal.contains(&line) {
                // On Unix this is SIGKILL.
                child.kill().unwrap();
                child.wait().unwrap();
                return id;
            }
        }
        assert!(child.try_wait().unwrap().is_none(), "it ended before {step} began");
        clock.sleep(Duration::from_millis(10)).await;
    }
    panic!("{step} never began")
}

async fn killed(site: &Site, step: &str) -> String {
    let mut command = site.command(&["build", WEB]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    kill_at(site, child, step).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_is_resumed_by_another() {
    for step in ["cloud/server-ready", "guest/05-harden-tls", "image/active"] {
        let site = Site::open(Mode::Nhn).await;
        let id = killed(&site, step).await;
        assert!(!site.left().is_empty());
        let output = site.run(&["resume", &id]).await;
        assert_eq!(output.status.code(), Some(0), "{step}: {output:?}");
        assert_eq!(site.left(), [ResourceKind::Image], "{step}");
        assert_eq!(site.room.violations(), Vec::<String>::new());
        assert!(!RunDir::new(&site.runs(), &id).keyring().exists());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_is_cleaned_up_after_by_another() {
    for step in ["cloud/address", "guest/sysprep", "verify/connect"] {
        let site = Site::open(Mode::Nhn).await;
        let id = killed(&site, step).await;
        let output = site.run(&["cleanup", &id]).await;
        assert_eq!(output.status.code(), Some(0), "{step}: {output:?}");
        assert_eq!(site.left(), [], "{step}");
        assert!(!RunDir::new(&site.runs(), &id).keyring().exists());
    }
}

/// The journal is gone; what carries the build's marks is found all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_journal_the_marks_are_enough() {
    let site = Site::open(Mode::Nhn).await;
    killed(&site, "image/active").await;
    std::fs::remove_dir_all(site.runs()).unwrap();
    let other = site.run(&["cleanup", "--by-marks", WEB, "ffffffff"]).await;
    assert_eq!(other.status.code(), Some(0), "{other:?}");
    let said = String::from_utf8_lossy(&other.stderr).into_owned();
    assert!(
        said.contains("nothing in this project carries marks of build `ffffffff`"),
        "{said}"
    );
    let before = site.left();
    let listed = site.run(&["cleanup", "--by-marks", WEB]).await;
    assert_eq!(listed.status.code(), Some(0), "{listed:?}");
    let said = String::from_utf8_lossy(&listed.stderr).into_owned();
    assert!(said.contains("nothing was deleted: name a build's id"), "{said}");
    assert_eq!(site.left(), before, "a build at work elsewhere is nobody's to delete");
    let output = site.run(&["cleanup", "--by-marks", WEB, "--all"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("deleted server reseal-") && said.contains("deleted volume "),
        "{said}"
    );
    // An image that is not finished carries its name only; servers, volumes, addresses, groups and keys carry marks.
    assert!(
        site.left().iter().all(|kind| *kind == ResourceKind::Image),
        "{:?}",
        site.lab.leftovers()
    );
}

/// Two processes never work on one build.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_that_is_being_worked_on_is_left_alone() {
    let site = Site::open(Mode::Nhn).await;
    let id = killed(&site, "guest/connect").await;
    let plan: serde_json::Value =
        serde_json::from_slice(&std::fs::read(RunDir::new(&site.runs(), &id).plan()).unwrap()).unwrap();
    let _: Plan = serde_json::from_value(plan["plan"].clone()).unwrap();
    let journal = reseal_journal::Journal::open(&RunDir::new(&site.runs(), &id), "a test").unwrap();
    let output = site.run(&["resume", &id]).await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("another process"),
        "{output:?}"
    );
    let before = site.left().len();
    let output = site.run(&["cleanup", "--by-marks", WEB, "--all"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("left alone: another process works on build") && site.left().len() == before,
        "{said}"
    );
    drop(journal);
    let output = site.run(&["cleanup"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(site.left(), []);
}
