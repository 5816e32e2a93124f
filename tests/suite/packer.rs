//! The genuine Packer runs the built program as its plugin, against a lab in this process: `RESEAL_PACKER` names it.
//!
//! Nothing of Packer is part of this project; where it is not at hand, these tests say that they were skipped.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use reseal::rim::clock::SystemClock;
use reseal_journal::{Journal, RunDir};
use reseal_lab::Mode;
use reseal_machine::Clock as _;
use reseal_machine::cloud::ResourceKind;

use crate::process::{SPEED, Site, finish};

mod templates;

/// A template with this inside its one `build` block.
fn template(inside: &str) -> String {
    format!(
        r#"packer {{
  required_plugins {{
    reseal = {{ version = ">= 0.1.0", source = "github.com/reseal/reseal" }}
  }}
}}
source "reseal" "web" {{
  spec           = "windows-2022-web.reseal.yaml"
  sensitive_vars = {{ agent_token = "canary-of-the-template" }}
}}
build {{
  sources = ["source.reseal.web"]
{inside}
}}
"#
    )
}

/// A lab, a folder with the examples, and a Packer that has the plugin installed.
struct Desk {
    site: Site,
    packer: PathBuf,
}

impl Desk {
    #[expect(clippy::print_stdout, reason = "a skipped test says so")]
    async fn open(test: &str) -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "the test's own switch")]
        let packer = std::env::var("RESEAL_PACKER").ok().filter(|path| !path.is_empty());
        let Some(packer) = packer else {
            println!("SKIPPED {test}: RESEAL_PACKER names no Packer");
            return None;
        };
        let desk = Self {
            site: Site::open(Mode::Nhn).await,
            packer: packer.into(),
        };
        let program = env!("CARGO_BIN_EXE_reseal");
        let installed = desk
            .run(&["plugins", "install", "--path", program, "github.com/reseal/reseal"])
            .await;
        assert!(installed.status.success(), "{installed:?}");
        Some(desk)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let folder = self.site.folder.path();
        let mut command = Command::new(&self.packer);
        command
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .envs(self.site.lab.env())
            .env("RESEAL_HURRY", SPEED.to_string())
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", folder)
            .env("PACKER_PLUGIN_PATH", folder.join("plugins"))
            .env("PACKER_CONFIG_DIR", folder)
            .env("CHECKPOINT_DISABLE", "1")
            .env("PACKER_NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        finish(self.command(arguments)).await
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.site.folder.path().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.site.folder.path().join(name)).unwrap()
    }

    /// Builds a template; what it said and whether it succeeded.
    async fn build(&self, text: &str, flags: &[&str]) -> (String, bool) {
        self.write("t.pkr.hcl", text);
        let arguments: Vec<&str> = ["build"]
            .into_iter()
            .chain(flags.iter().copied())
            .chain(["t.pkr.hcl"])
            .collect();
        told(&self.run(&arguments).await)
    }

    /// Begins to build a template in a process group of its own, and waits until it says something.
    async fn begin(&self, text: &str, until: &str) -> Child {
        use std::os::unix::process::CommandExt as _;
        self.write("t.pkr.hcl", text);
        let log = std::fs::File::create(self.site.folder.path().join("out.txt")).unwrap();
        let mut command = self.command(&["build", "t.pkr.hcl"]);
        command.process_group(0).stdout(log.try_clone().unwrap()).stderr(log);
        let mut child = command.spawn().unwrap();
        for _ in 0..3000 {
            if self.read("out.txt").contains(until) {
                return child;
            }
            assert!(
                child.try_wait().unwrap().is_none(),
                "it ended before: {}",
                self.read("out.txt")
            );
            SystemClock::new(1).sleep(Duration::from_millis(10)).await;
        }
        panic!("`{until}` was never said: {}", self.read("out.txt"));
    }

    /// Waits for a process that was begun.
    async fn end(&self, mut child: Child) -> (String, bool) {
        let status = tokio::task::spawn_blocking(move || child.wait().unwrap())
            .await
            .unwrap();
        (self.read("out.txt"), status.success())
    }

    /// The folder of the only build.
    fn only_run(&self) -> RunDir {
        RunDir::new(&self.site.runs(), &self.site.only_build().unwrap())
    }

    fn is_closed(&self) -> bool {
        Journal::read(&self.only_run()).is_ok_and(|(_, state)| state.closed.is_some())
    }
}

fn told(output: &Output) -> (String, bool) {
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    write!(text, "{}", String::from_utf8_lossy(&output.stderr)).unwrap();
    (text, output.status.success())
}

fn signal(name: &str, target: &str) {
    let sent = Command::new("kill").args([name, "--", target]).status().unwrap();
    assert!(sent.success());
}

/// The process of our plugin that works below this Packer.
fn plugin_of(desk: &Desk) -> String {
    let folder = desk.site.folder.path().join("plugins").display().to_string();
    let listed = Command::new("pgrep")
        .args(["-f", &format!("^{folder}.*start builder")])
        .output()
        .unwrap();
    let ids = String::from_utf8(listed.stdout).unwrap();
    ids.lines().next().expect("the plugin runs").to_owned()
}

fn holds(text: &str, wanted: &[&str]) {
    let mut rest = text;
    for line in wanted {
        let Some((_, after)) = rest.split_once(line) else {
            panic!("`{line}` is missing, or in another place:\n{text}");
        };
        rest = after;
    }
}

const PROVISIONERS: &str = r#"
  provisioner "powershell" {
    inline = ["Write-Output \"inline for $env:PACKER_BUILD_NAME\"", "Set-Content -Path C:\\made.txt -Value made"]
  }
  provisioner "powershell" {
    environment_vars = ["SECRET=${build.Password}"]
    script           = "hello.ps1"
  }
  provisioner "file" {
    source      = "blob.bin"
    destination = "C:/Build/blob.bin"
  }
  provisioner "windows-restart" {}
  provisioner "windows-shell" {
    inline = ["echo %COMPUTERNAME% is back", "type C:\\made.txt"]
  }
  provisioner "file" {
    direction   = "download"
    source      = "C:/Build/blob.bin"
    destination = "back.bin"
  }
  provisioner "shell-local" {
    inline = ["echo 'local ${build.ConnType} ${build.Port} ${build.SourceImageName}'"]
  }
  post-processor "manifest" {
    custom_data = { server = "${build.ID}" }
  }
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn provisioners_of_packer_work_in_the_middle_of_a_build() {
    for gob in ["", "1"] {
        let Some(desk) = Desk::open("provisioners_of_packer_work_in_the_middle_of_a_build").await else {
            return;
        };
        let blob: Vec<u8> = (0..125_000_u32).flat_map(u32::to_le_bytes).collect();
        std::fs::write(desk.site.folder.path().join("blob.bin"), &blob).unwrap();
        desk.write("hello.ps1", "Write-Output \"the password is $env:SECRET\"\n");
        desk.write("t.pkr.hcl", &template(PROVISIONERS));
        let mut command = desk.command(&["build", "t.pkr.hcl"]);
        command
            .env("PACKER_FORCE_GOB", gob)
            .env("PACKER_LOG", "1")
            .env("PACKER_LOG_PATH", "packer.log");
        let (said, good) = told(&finish(command).await);
        assert!(good, "{said}");
        let wanted = [
            "run the template's provisioners",
            "inline for web",
            "the password is <sensitive>",
            "Uploading blob.bin => C:/Build/blob.bin",
            "restarted.",
            "Machine successfully restarted, moving on",
            " is back",
            "made",
            "local winrm 5986 Windows 2022",
            "generalize with sysprep",
            "An image was created: win2022-web-",
        ];
        holds(&said, &wanted);
        assert_eq!(std::fs::read(desk.site.folder.path().join("back.bin")).unwrap(), blob);
        let manifest: serde_json::Value = serde_json::from_str(&desk.read("packer-manifest.json")).unwrap();
        assert_eq!(manifest["builds"][0]["builder_type"], "reseal");
        assert!(manifest["builds"][0]["custom_data"]["server"].as_str().unwrap().len() > 30);
        assert_eq!(desk.site.left(), [ResourceKind::Image]);
        assert_eq!(desk.site.room.violations(), Vec::<String>::new());
        let log = desk.read("packer.log");
        assert!(!log.contains("canary-of-the-template") && !said.contains("canary-of-the-template"));
        assert_eq!(log.contains("\"--protobuf\""), gob.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn validate_says_what_is_wrong_at_its_line() {
    let Some(desk) = Desk::open("validate_says_what_is_wrong_at_its_line").await else {
        return;
    };
    let installed = desk.run(&["plugins", "installed"]).await;
    let (said, _) = told(&installed);
    assert!(said.contains("packer-plugin-reseal_v"), "{said}");
    let check = async |text: &str, wanted: &[&str]| {
        desk.write("t.pkr.hcl", text);
        let (said, good) = told(&desk.run(&["validate", "t.pkr.hcl"]).await);
        holds(&said, wanted);
        assert_eq!(good, wanted == ["The configuration is valid."], "{said}");
    };
    check(&template(""), &["The configuration is valid."]).await;
    let spec = desk.read("windows-2022-web.reseal.yaml");
    desk.write("wrong.reseal.yaml", &spec.replace("flavor: m2", "flavour: m2"));
    let wrong = template("").replace("windows-2022-web", "wrong");
    check(
        &wrong,
        &[
            "error[spec::unknown-field]: unknown field `flavour`",
            "wrong.reseal.yaml:21:3",
            "did you mean `flavor`?",
        ],
    )
    .await;
    check(
        &template("").replace("spec ", "spek "),
        &["Unsupported argument", "t.pkr.hcl line 7"],
    )
    .await;
    let matrix = template("")
        .replace("windows-2022-web", "windows-matrix")
        .replace("sensitive_vars = { agent_token = \"canary-of-the-template\" }", "");
    check(&matrix, &["choose with `build = \"…\"`"]).await;
    let inline = template("").replace(
        "spec           = \"windows-2022-web.reseal.yaml\"",
        "cloud { provider = \"nhm\" }",
    );
    check(&inline, &["`nhm` is not possible here", "source \"web\", as a spec:"]).await;
    assert!(desk.site.only_build().is_none(), "nothing is begun");
}

const FAILING: &str = r#"
  provisioner "powershell" { inline = ["exit 7"] }
  error-cleanup-provisioner "powershell" { inline = ["Write-Output 'tidying up'"] }
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_provisioner_is_dealt_with_as_asked() {
    let tidying = "tidying up";
    for (policy, tidied, kept) in [
        ("cleanup", true, false),
        ("abort", false, true),
        ("run-cleanup-provisioner", true, true),
        // Without a terminal nobody can be asked.
        ("ask", true, false),
    ] {
        let Some(desk) = Desk::open("a_failed_provisioner_is_dealt_with_as_asked").await else {
            return;
        };
        let (said, good) = desk.build(&template(FAILING), &[&format!("-on-error={policy}")]).await;
        assert!(!good && said.contains("non-zero exit status: 7"), "{said}");
        assert_eq!(said.contains(tidying), tidied, "{policy}: {said}");
        assert_eq!(!desk.site.left().is_empty(), kept, "{policy}: {said}");
        assert_eq!(desk.is_closed(), !kept, "{policy}");
        if kept {
            assert!(
                said.contains("reseal cleanup ") && !said.contains("reseal resume "),
                "{said}"
            );
            let cleaned = desk.site.run(&["cleanup"]).await;
            assert!(cleaned.status.success(), "{cleaned:?}");
        }
        assert_eq!(desk.site.left(), [], "{policy}");
    }
}

/// In the lab's time an hour; in ours some seconds.
const SLOW: &str = r#"
  provisioner "powershell" { inline = ["Write-Output 'it begins'", "Start-Sleep -Seconds 3600"] }
"#;
const BEGUN: &str = "Provisioning with powershell script";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_takes_everything_back() {
    for times in [1, 3] {
        let Some(desk) = Desk::open("ctrl_c_takes_everything_back").await else {
            return;
        };
        let child = desk.begin(&template(SLOW), BEGUN).await;
        for _ in 0..times {
            signal("-INT", &format!("-{}", child.id()));
        }
        let (said, good) = desk.end(child).await;
        assert!(!good, "{said}");
        holds(
            &said,
            &[
                "Cancelling build after receiving interrupt",
                "removing everything that the build created",
            ],
        );
        holds(&said, &["Cleanly cancelled builds after being interrupted."]);
        assert!(said.contains("Build was cancelled."), "{said}");
        assert_eq!(desk.site.left(), [], "{said}");
        assert!(desk.is_closed());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_plugin_leaves_a_journal_that_cleanup_finishes() {
    let Some(desk) = Desk::open("a_killed_plugin_leaves_a_journal_that_cleanup_finishes").await else {
        return;
    };
    let child = desk.begin(&template(SLOW), BEGUN).await;
    signal("-KILL", &plugin_of(&desk));
    let (said, good) = desk.end(child).await;
    assert!(!good && said.contains("unexpected EOF"), "{said}");
    assert!(!said.contains("CRASH"), "{said}");
    assert!(!desk.site.left().is_empty() && !desk.is_closed());
    let cleaned = desk.site.run(&["cleanup"]).await;
    assert!(cleaned.status.success(), "{cleaned:?}");
    assert_eq!(desk.site.left(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_packer_is_killed_the_plugin_takes_everything_back_and_ends() {
    let Some(desk) = Desk::open("when_packer_is_killed_the_plugin_takes_everything_back_and_ends").await else {
        return;
    };
    let child = desk.begin(&template(SLOW), BEGUN).await;
    let plugin = plugin_of(&desk);
    let parent = child.id().to_string();
    let children = Command::new("pgrep").args(["-P", &parent]).output().unwrap();
    for id in String::from_utf8(children.stdout).unwrap().lines() {
        signal("-KILL", id);
    }
    desk.end(child).await;
    for _ in 0..1000 {
        let alive = Command::new("kill")
            .args(["-0", &plugin])
            .stderr(Stdio::null())
            .status()
            .unwrap();
        if !alive.success() {
            assert_eq!(desk.site.left(), []);
            assert!(desk.is_closed());
            return;
        }
        SystemClock::new(1).sleep(Duration::from_millis(20)).await;
    }
    panic!("the plugin goes on for ever");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_artifact_that_nobody_keeps_is_destroyed() {
    let Some(desk) = Desk::open("an_artifact_that_nobody_keeps_is_destroyed").await else {
        return;
    };
    desk.write("kept.txt", "x");
    let artifice = r#"post-processor "artifice" {
    files               = ["kept.txt"]
    keep_input_artifact = false
  }"#;
    let (said, good) = desk.build(&template(artifice), &[]).await;
    assert!(good, "{said}");
    assert_eq!(desk.site.left(), [], "{said}");
    assert!(desk.is_closed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_are_built_in_parallel_and_by_name() {
    let Some(desk) = Desk::open("sources_are_built_in_parallel_and_by_name").await else {
        return;
    };
    let build = |name: &str| {
        format!(
            "source \"reseal\" \"w{name}\" {{\n  spec  = \"windows-matrix.reseal.yaml\"\n  build = \"{name}\"\n}}\n"
        )
    };
    let names = ["2019-EN", "2022-EN", "2022-KO"];
    let sources: String = names.iter().map(|name| build(name)).collect();
    let list: Vec<String> = names.iter().map(|name| format!("\"source.reseal.w{name}\"")).collect();
    let text = format!("{sources}build {{\n  sources = [{}]\n}}\n", list.join(", "));
    let (said, good) = desk
        .build(&text, &["-only=*.w2022-*", "-parallel-builds=1", "-machine-readable"])
        .await;
    assert!(good, "{said}");
    for name in ["2022-EN", "2022-KO"] {
        assert!(
            said.contains(&format!("reseal.w{name},artifact,0,builder-id,reseal.image")),
            "{said}"
        );
    }
    assert!(!said.contains("2019-EN"), "{said}");
    assert_eq!(desk.site.left(), [ResourceKind::Image, ResourceKind::Image]);
    assert_eq!(desk.site.room.violations(), Vec::<String>::new());
}

/// Examples that need no other plugin are valid and written as Packer's own formatter writes them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_examples_are_valid() {
    let Some(desk) = Desk::open("the_examples_are_valid").await else {
        return;
    };
    for entry in std::fs::read_dir(desk.site.folder.path().join("packer")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.display().to_string();
        if name.ends_with(".pkr.hcl") {
            let (said, formatted) = told(&desk.run(&["fmt", "-check", "-diff", &name]).await);
            assert!(formatted, "{name}: {said}");
        }
        if name.ends_with("qemu.pkr.hcl") {
            continue;
        }
        let (said, valid) = told(&desk.run(&["validate", &name]).await);
        assert!(valid, "{name}: {said}");
    }
}

/// Sections in HCL, other builders' provisioners of ours, the data source: built, not only checked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_template_without_yaml_builds_and_may_use_everything_of_ours() {
    let Some(desk) = Desk::open("a_template_without_yaml_builds_and_may_use_everything_of_ours").await else {
        return;
    };
    let example = desk.read("packer/inline.pkr.hcl");
    let more = r#"sources = ["source.reseal.inline"]
  provisioner "reseal-software" {
    software {
      name = "From another builder's side"
      registry {
        key    = "HKLM\\SOFTWARE\\Visited"
        values = jsonencode({ By = { string = data.reseal-image.base.name } })
      }
    }
    software {
      reboot {
        when = "always"
      }
    }
  }
"#;
    let data = "data \"reseal-image\" \"base\" {\n  spec = \"windows-2022-nhn.reseal.yaml\"\n}\n";
    let text = example.replace("sources = [\"source.reseal.inline\"]\n", more) + data;
    let (said, good) = desk.build(&text, &[]).await;
    assert!(good, "{said}");
    let wanted = [
        "A local administrator",
        "run the template's provisioners",
        "From another builder's side",
        "restarting Windows: the spec says so",
        "prove the first boot",
        "An image was created: win2022-inline-",
    ];
    holds(&said, &wanted);
    assert!(!said.contains("Change-Me-7!"), "{said}");
    assert_eq!(desk.site.left(), [ResourceKind::Image]);
    assert_eq!(desk.site.room.violations(), Vec::<String>::new());
}
