//! Every example has a golden plan: a change of the planner shows its whole effect in the diff.
//!
//! `RESEAL_BLESS=1` writes them anew.

use std::fmt::Write as _;
use std::path::PathBuf;

use reseal_engine::Plan;
use reseal_lab::Mode;

use crate::support::{self, Order};

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
