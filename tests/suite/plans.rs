//! Every example has a golden plan: a change of the planner shows its whole effect in the diff.
//!
//! `RESEAL_BLESS=1` writes them anew.

use std::fmt::Write as _;
use std::path::PathBuf;

use reseal_engine::Plan;
use reseal_lab::Mode;

use crate::support::specs::small;
use crate::support::{self, Order, World};

/// What a reviewer reads: one line a step.
fn listing(plan: &Plan) -> String {
    let mut text = format!("{}\n", plan.name);
    for step in &plan.steps {
        let leaves = format!("{:?}", step.leaves).to_lowercase();
        let origin = step
            .origin
            .as_ref()
            .map(|origin| format!("  line {}", origin.line))
            .unwrap_or_default();
        let commits = if step.commits { "  commits" } else { "" };
        let _ = writeln!(
            text,
            "  {:<34}{:<11}{}{origin}{commits}",
            step.id,
            leaves,
            dateless(&step.title)
        );
    }
    text
}

/// The day of the build stands in names.
fn dateless(title: &str) -> String {
    let words = title.split('-').map(|part| {
        let digits = part.trim_end_matches('`');
        let is_date = digits.len() == 8 && digits.starts_with("20") && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_date {
            part.replace(digits, "DATE")
        } else {
            part.to_owned()
        }
    });
    words.collect::<Vec<_>>().join("-")
}

async fn check(example: &str, mode: Mode) -> Result<(), String> {
    let plan = support::plan_of(&Order::example(example), mode).await;
    let found = listing(&plan);
    let path: PathBuf = support::root().join("tests/data/plans").join(format!("{example}.txt"));
    if std::env::var_os("RESEAL_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, found).unwrap();
        return Ok(());
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    if found == expected {
        Ok(())
    } else {
        Err(format!(
            "the plan of {example} has changed:\n{found}\nexpected:\n{expected}"
        ))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_has_its_golden_plan() {
    let mut wrong = Vec::new();
    for example in [
        "windows-2022-nhn",
        "windows-2022-web",
        "windows-2022-hardened",
        "windows-2022-ko",
    ] {
        wrong.extend(check(example, Mode::Nhn).await.err());
    }
    assert!(
        wrong.is_empty(),
        "{}\n`RESEAL_BLESS=1 cargo test -p reseal --test suite plans` accepts",
        wrong.join("\n")
    );
}

/// The parameters of the step with this action.
fn parameters(plan: &Plan, action: &str) -> serde_json::Value {
    let step = plan.steps.iter().find(|step| step.action == action);
    step.map(|step| step.params.clone()).unwrap_or_default()
}

/// Each word of `cleanup` means its own category of the guest script, and no other.
#[tokio::test]
async fn every_word_of_cleanup_means_what_it_says() {
    let all = "temp, crash_dumps, recycle_bin, prefetch, event_logs, component_store, update_cache, delivery_optimization, history";
    let mut seen = std::collections::BTreeSet::new();
    for word in all.split(", ") {
        let world = World::open(Mode::Nhn, &[]).await;
        let rest = format!("generalize: {{ cleanup: [{word}] }}");
        let order = world.write("small.reseal.yaml", &small(Mode::Nhn, &rest));
        let plan = world.plan(&order).await.unwrap().prepared.planned.plan;
        let found = parameters(&plan, "guest.hygiene")["categories"].clone();
        let expected = match word {
            "history" => serde_json::json!(["powershell_history", "run_history"]),
            other => serde_json::json!([other]),
        };
        assert_eq!(found, expected, "{word}");
        for category in found.as_array().unwrap() {
            assert!(seen.insert(category.to_string()), "{category} has two words");
        }
    }
}

/// `plan` tells what a condition leaves out, and what the build was made for.
#[test]
fn the_plan_tells_what_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let text = small(
        Mode::Nhn,
        "matrix: { tier: [web, db] }\nvariables: { debug: { default: false }, token: { sensitive: true, default: s3cr3t-token } }\nsoftware:\n  \
         - cmd: { name: Only for web, command: echo web, when: matrix.tier == \"web\" }\n  - cmd: { command: echo all }",
    )
    .replace("small-${build.date}", "small-${matrix.tier}-${build.date}");
    std::fs::write(folder.path().join("small.reseal.yaml"), text).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_reseal"))
        .args(["plan", "--offline", "small.reseal.yaml"])
        .current_dir(folder.path())
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let left =
        "left out     01-only-for-web `Only for web`: `when: matrix.tier == \"web\"` is false (small.reseal.yaml:";
    assert_eq!(said.matches(left).count(), 1, "{said}");
    assert!(
        said.contains("matrix       tier=db") && said.contains("variables    debug=false"),
        "{said}"
    );
    assert!(!said.contains("s3cr3t-token"), "{said}");
}
