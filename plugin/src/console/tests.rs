//! All renderers over one canned stream.

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use reseal_engine::plan::{Leaves, Origin, Policy, Step};
use reseal_engine::{Ended, Observer as _, Plan, Signal};
use reseal_journal::event::AfterFailure;
use reseal_journal::{Event, FailureRecord, Journal, Outcome, RunDir, Unwinding};
use reseal_machine::BuildId;
use reseal_machine::communicator::Stream;
use secrecy::SecretString;
use serde_json::json;

use super::sink::Sink;
use super::{Closing, Console};
use crate::cli::Look;
use crate::rim::env::Env;

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Buffer {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

const BUILD: &str = "0192-b";

fn plan(spec: &str) -> Plan {
    let step = |id: &str, title: &str, leaves: Leaves| Step {
        id: id.into(),
        title: title.into(),
        action: "x".into(),
        params: json!({}),
        leaves,
        policy: Policy::default(),
        origin: None,
        fingerprint: String::new(),
        commits: id == "image/publish",
    };
    let mut install = step("guest/01-agent", "install the agent", Leaves::Contained);
    install.origin = Some(Origin {
        file: spec.into(),
        line: 2,
        column: 5,
        route: "/software/0".into(),
    });
    Plan::new(
        "web",
        vec![
            step("cloud/server", "start the machine", Leaves::Temporary),
            install,
            step("image/publish", "publish", Leaves::Nothing),
        ],
    )
}

/// A build that is played into a journal and a watcher.
struct Stage {
    dir: tempfile::TempDir,
    console: Console,
    out: Buffer,
    err: Buffer,
    plan: Plan,
}

impl Stage {
    fn new(look: &Look, env: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (out, err) = (Buffer::default(), Buffer::default());
        let env = Env::of(
            env.iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let sink = Sink::of(out.clone(), err.clone());
        let console = Console::over(look, &env, "reseal build web.yaml".into(), sink);
        console.scrubber.learn(&SecretString::from("canary"));
        let spec = dir.path().join("web.yaml");
        std::fs::write(&spec, "software:\n  - install_msi: { name: 한글 }\n").unwrap();
        let plan = plan(&spec.display().to_string());
        Self {
            dir,
            console,
            out,
            err,
            plan,
        }
    }

    /// Plays; returns everything that was shown, without what changes from run to run.
    fn play(&self, moments: Vec<Moment>, ended: &Ended) -> String {
        let runs = self.dir.path();
        let build = BuildId::new(BUILD);
        let run = RunDir::new(runs, BUILD);
        run.create().unwrap();
        let mut journal = Journal::create(&run, "test").unwrap();
        let watcher = self.console.watch(&self.plan, runs, &build);
        let mut second = 1_700_000_000;
        for moment in moments {
            match moment {
                Moment::Event(event) => {
                    second += 10;
                    let entry = journal.append(Timestamp::from_second(second).unwrap(), event).unwrap();
                    watcher.event(&entry);
                }
                Moment::Signal(signal) => watcher.signal(&signal),
            }
        }
        self.console.ended(&Closing {
            build: &build,
            runs,
            plan: &self.plan,
            ended,
            watcher: &watcher,
            rehearsed: false,
            manifest: None,
        });
        let shown = format!("{}{}", self.out.text(), self.err.text());
        shown.replace(&runs.display().to_string(), "DIR")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join(BUILD).join("build.log")).unwrap()
    }
}

enum Moment {
    Event(Event),
    Signal(Signal),
}

fn begin() -> Vec<Moment> {
    let step = || "guest/01-agent".to_owned();
    let plan = plan("web.yaml");
    vec![
        Moment::Event(Event::BuildStarted {
            build: BUILD.into(),
            name: "web".into(),
            fingerprint: "f".into(),
            tool: "0".into(),
            steps: plan.heads(),
        }),
        Moment::Event(Event::StepStarted {
            step: "cloud/server".into(),
            attempt: 1,
        }),
        Moment::Signal(Signal::Waiting {
            step: "cloud/server".into(),
            what: "the machine".into(),
            seen: "BUILD".into(),
            elapsed: Duration::from_secs(30),
            limit: Duration::from_mins(10),
        }),
        Moment::Event(Event::StepSucceeded {
            step: "cloud/server".into(),
            output: json!({}),
        }),
        Moment::Event(Event::StepStarted {
            step: step(),
            attempt: 1,
        }),
        Moment::Signal(Signal::Output {
            step: step(),
            stream: Stream::Out,
            text: "installing with can".into(),
        }),
        Moment::Signal(Signal::Output {
            step: step(),
            stream: Stream::Out,
            text: "ary\u{1b}[2J\r\n##[error]not me\nlast".into(),
        }),
    ]
}

fn good() -> (Vec<Moment>, Ended) {
    let mut moments = begin();
    let events = [
        Event::StepSucceeded {
            step: "guest/01-agent".into(),
            output: json!({}),
        },
        Event::StepStarted {
            step: "image/publish".into(),
            attempt: 1,
        },
        Event::StepSucceeded {
            step: "image/publish".into(),
            output: json!({ "image": "id-1", "name": "web-2026" }),
        },
        Event::Committed,
        Event::UnwindStarted {
            after: Unwinding::Success,
        },
        Event::UndoStarted {
            step: "cloud/server".into(),
        },
        Event::UndoSucceeded {
            step: "cloud/server".into(),
        },
        Event::BuildClosed {
            outcome: Outcome::Succeeded,
        },
    ];
    moments.extend(events.map(Moment::Event));
    (moments, Ended::Succeeded { stuck: vec![] })
}

fn failure() -> FailureRecord {
    FailureRecord {
        class: "install".into(),
        message: "exit code 1603".into(),
        causes: vec!["a cause".into()],
        said: vec!["MSI said canary".into()],
        hints: vec!["look into the log".into()],
    }
}

fn bad() -> (Vec<Moment>, Ended) {
    let mut moments = begin();
    let step = "guest/01-agent".to_owned();
    let events = [
        Event::StepFailed {
            step: step.clone(),
            attempt: 1,
            failure: failure(),
            then: AfterFailure::Abort,
        },
        Event::UnwindStarted {
            after: Unwinding::Failure,
        },
        Event::UndoStarted {
            step: "cloud/server".into(),
        },
        Event::UndoFailed {
            step: "cloud/server".into(),
            failure: FailureRecord {
                message: "409 conflict".into(),
                ..failure()
            },
        },
        Event::BuildHeld {
            reason: "some things could not be removed".into(),
        },
    ];
    moments.extend(events.map(Moment::Event));
    let ended = Ended::Failed {
        step,
        failure: failure(),
        stuck: vec![(
            "cloud/server".into(),
            FailureRecord {
                message: "409 conflict".into(),
                ..failure()
            },
        )],
    };
    (moments, ended)
}

#[test]
fn plain_lines_of_a_good_build() {
    let stage = Stage::new(&Look::default(), &[]);
    let (moments, ended) = good();
    insta::assert_snapshot!(stage.play(moments, &ended), @r"
    ==> web: build 0192-b, 3 steps
    ==> web: start the machine
        web: waiting for the machine: BUILD (30s of 10m)
        web: done in 10s
    ==> web: install the agent
        web:   installing with <sensitive>
        web:   ##[error]not me
        web:   last
        web: done in 10s
    ==> web: publish
        web: done in 10s
        web: the image is good: from here on the build has succeeded
    ==> web: removing what was needed for the build only
    ==> web: undo: start the machine
        web: undone in 10s
        web: closed: the image is there, and nothing else

    web: image `web-2026` is ready
      image id    id-1
      took        1m 50s
      run folder  DIR/0192-b
    ");
    insta::assert_snapshot!(stage.log(), @r"
    2023-11-14T22:13:30Z ==> build 0192-b, 3 steps
    2023-11-14T22:13:40Z ==> start the machine
    2023-11-14T22:13:40Z     waiting for the machine: BUILD (30s of 10m)
    2023-11-14T22:13:50Z     done in 10s
    2023-11-14T22:14:00Z ==> install the agent
    2023-11-14T22:14:00Z     | installing with <sensitive>
    2023-11-14T22:14:00Z     | ##[error]not me
    2023-11-14T22:14:00Z     | last
    2023-11-14T22:14:10Z     done in 10s
    2023-11-14T22:14:20Z ==> publish
    2023-11-14T22:14:30Z     done in 10s
    2023-11-14T22:14:40Z     the image is good: from here on the build has succeeded
    2023-11-14T22:14:50Z ==> removing what was needed for the build only
    2023-11-14T22:15:00Z ==> undo: start the machine
    2023-11-14T22:15:10Z     undone in 10s
    2023-11-14T22:15:20Z     closed: the image is there, and nothing else
    ");
    let manifest = std::fs::read_to_string(stage.dir.path().join(BUILD).join("reseal-manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["builds"][0]["artifact_id"], "id-1");
    assert_eq!(manifest["builds"][0]["custom_data"]["image_name"], "web-2026");
    assert_eq!(manifest["last_run_uuid"], BUILD);
}

#[test]
fn plain_lines_of_a_bad_build() {
    let stage = Stage::new(&Look::default(), &[]);
    let (moments, ended) = bad();
    let shown = stage.play(moments, &ended);
    let last = shown.split("held: ").last().unwrap();
    insta::assert_snapshot!(last, @r"
    some things could not be removed

    error[build::install]: web: install the agent: exit code 1603
     --> DIR/web.yaml:2:5
      |
    2 |   - install_msi: { name: 한글 }
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^ this step
      |
      = help: look into the log
      because: a cause
    what was said:
      | MSI said <sensitive>

    web: failed, and something is left behind
      after       1m 20s
      left behind start the machine: 409 conflict
      next        reseal cleanup 0192-b -runs DIR
                  removes what is left
      run folder  DIR/0192-b
      exit code   6: a step of the software failed
    ");
}

#[test]
fn github_folds_steps_and_marks_the_line() {
    let summary = tempfile::NamedTempFile::new().unwrap();
    let path = summary.path().display().to_string();
    let stage = Stage::new(
        &Look::default(),
        &[("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", &path)],
    );
    let (moments, ended) = bad();
    let shown = stage.play(moments, &ended);
    let commands: Vec<&str> = shown.lines().filter(|line| line.starts_with("::")).collect();
    insta::assert_snapshot!(commands.join("\n"), @r"
    ::group::web: start the machine
    ::endgroup::
    ::group::web: install the agent
    ::endgroup::
    ::error file=DIR/web.yaml,line=2,col=5,title=build%3A%3Ainstall::web: install the agent: exit code 1603
    ");
    assert!(!shown.contains("##["), "the guest's words are no commands");
    let section = std::fs::read_to_string(Path::new(&path)).unwrap();
    assert!(
        section.contains("exit code 1603") && section.contains("| start the machine |"),
        "{section}"
    );
    assert!(!section.contains("canary"));
}

#[test]
fn programs_read_json_lines() {
    let look = Look {
        json: true,
        ..Look::default()
    };
    let stage = Stage::new(&look, &[]);
    let (moments, ended) = bad();
    let shown = stage.play(moments, &ended);
    assert!(!shown.contains("canary"));
    let lines: Vec<serde_json::Value> = shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().all(|line| line["v"] == 1 && line["time"].is_string()));
    let wait = lines.iter().find(|line| line["signal"] == "waiting").unwrap();
    assert_eq!((&wait["elapsed_seconds"], &wait["name"]), (&json!(30), &json!("web")));
    let end = lines.last().unwrap();
    assert_eq!(
        (&end["type"], &end["outcome"], &end["exit"]),
        (&json!("end"), &json!("failed"), &json!(6))
    );
    assert_eq!(end["failure"]["origin"]["line"], 2);
    assert_eq!(end["stuck"][0]["title"], "start the machine");
    assert!(
        end["next"][0]
            .as_str()
            .unwrap()
            .starts_with("reseal cleanup 0192-b -runs ")
    );
}

#[test]
fn programs_read_packers_lines() {
    let look = Look {
        machine_readable: true,
        ..Look::default()
    };
    let stage = Stage::new(&look, &[]);
    let (moments, ended) = good();
    let shown = stage.play(moments, &ended);
    let fields: Vec<String> = shown
        .lines()
        .map(|line| line.split_once(',').unwrap().1.to_owned())
        .collect();
    insta::assert_snapshot!(fields.join("\n"), @r"
    ,ui,say,==> web: build 0192-b%!(PACKER_COMMA) 3 steps
    ,ui,say,==> web: start the machine
    ,ui,message,    web: waiting for the machine: BUILD (30s of 10m)
    ,ui,message,    web: done in 10s
    ,ui,say,==> web: install the agent
    ,ui,message,    web:   installing with <sensitive>
    ,ui,message,    web:   ##[error]not me
    ,ui,message,    web:   last
    ,ui,message,    web: done in 10s
    ,ui,say,==> web: publish
    ,ui,message,    web: done in 10s
    ,ui,message,    web: the image is good: from here on the build has succeeded
    ,ui,say,==> web: removing what was needed for the build only
    ,ui,say,==> web: undo: start the machine
    ,ui,message,    web: undone in 10s
    ,ui,message,    web: closed: the image is there%!(PACKER_COMMA) and nothing else
    web,artifact-count,1
    web,artifact,0,builder-id,reseal
    web,artifact,0,id,id-1
    web,artifact,0,string,An image was created: web-2026 (id-1)
    web,artifact,0,files-count,0
    web,artifact,0,end
    ,ui,say,web: image `web-2026` is ready
    ,ui,say,  image id    id-1
    ,ui,say,  took        1m 50s
    ,ui,say,  run folder  DIR/0192-b
    ");
}

#[test]
fn noisy_guests_are_cut_short_on_the_console_only() {
    let stage = Stage::new(&Look::default(), &[]);
    let (mut moments, _) = good();
    let noise: Vec<String> = (0..100).map(|number| format!("noise {number}")).collect();
    let noise = Moment::Signal(Signal::Output {
        step: "guest/01-agent".into(),
        stream: Stream::Out,
        text: noise.join("\n"),
    });
    moments.truncate(5);
    moments.push(noise);
    moments.push(Moment::Event(Event::StepSucceeded {
        step: "guest/01-agent".into(),
        output: json!({}),
    }));
    let shown = stage.play(moments, &Ended::Died);
    assert!(shown.contains("noise 59") && !shown.contains("noise 60"));
    assert!(shown.contains("(40 more lines of the guest are in build.log)"));
    assert!(stage.log().contains("noise 99"));
    assert!(shown.contains("reseal resume 0192-b -runs DIR"));
}
