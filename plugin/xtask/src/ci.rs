//! `ci`: everything that must pass before a change lands.
//!
//! All parts run, also after one failed, so that one run tells everything. Clippy comes first: it needs only the
//! dependencies' metadata and finds a broken change soonest. Tests then build each crate once, for all its targets.

use std::time::{Duration, Instant};

use crate::cargo::{Done, cargo, has, succeed};
use crate::packer;
use crate::schemas;

/// How one part ended.
enum Ended {
    Passed,
    Failed(String),
    Skipped(&'static str),
}

struct Part {
    name: &'static str,
    ended: Ended,
    took: Duration,
}

/// A part's name and its work.
type Work = (&'static str, fn() -> Ended);

const PARTS: [Work; 7] = [
    ("format", || {
        done(succeed(&mut cargo(["fmt", "--all", "--", "--check"])))
    }),
    ("clippy", || done(clippy())),
    ("tests", || done(tests(has("nextest")))),
    ("doc-tests", || {
        done(succeed(&mut cargo(["test", "--workspace", "--locked", "--doc"])))
    }),
    ("schemas", || done(schemas::check_built())),
    ("packer-host", packer_host),
    ("dependencies", dependencies),
];

/// Runs all parts, or those that are named, and prints a table at the end.
pub(crate) fn run(names: &[&str]) -> Done {
    if let Some(unknown) = names.iter().find(|name| PARTS.iter().all(|(part, _)| part != *name)) {
        let known = PARTS.map(|(name, _)| name).join(", ");
        return Err(format!("no part `{unknown}`; there are {known}"));
    }
    let wanted = PARTS
        .iter()
        .filter(|(name, _)| names.is_empty() || names.contains(name));
    let parts: Vec<Part> = wanted.map(|(name, work)| part(name, *work)).collect();
    table(&parts);
    match parts
        .iter()
        .filter(|part| matches!(part.ended, Ended::Failed(_)))
        .count()
    {
        0 => Ok(()),
        count => Err(format!("{count} of {} parts failed", parts.len())),
    }
}

fn clippy() -> Done {
    succeed(&mut cargo([
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]))
}

fn tests(nextest: bool) -> Done {
    if nextest {
        return succeed(&mut cargo([
            "nextest",
            "run",
            "--workspace",
            "--all-targets",
            "--locked",
            "--no-fail-fast",
        ]));
    }
    succeed(&mut cargo([
        "test",
        "--workspace",
        "--all-targets",
        "--locked",
        "--no-fail-fast",
    ]))
}

/// HashiCorp's own code against our plugin.
fn packer_host() -> Ended {
    if !packer::can_test() {
        return Ended::Skipped("Go or its modules are NOT here: HashiCorp's SDK did NOT drive the plugin");
    }
    done(packer::test())
}

/// Licences, sources and banned crates. The advisory database is left out: it needs a network that CI may not have.
fn dependencies() -> Ended {
    if !has("deny") {
        return Ended::Skipped("cargo-deny is NOT installed: licences, sources and bans were NOT checked");
    }
    done(succeed(&mut cargo([
        "deny",
        "--workspace",
        "check",
        "bans",
        "licenses",
        "sources",
    ])))
}

fn done(result: Done) -> Ended {
    match result {
        Ok(()) => Ended::Passed,
        Err(why) => Ended::Failed(why),
    }
}

#[expect(clippy::disallowed_methods, reason = "a chore measures real time")]
fn part(name: &'static str, work: fn() -> Ended) -> Part {
    println!("\n==== {name}");
    let begun = Instant::now();
    let ended = work();
    match &ended {
        Ended::Passed => {}
        Ended::Failed(why) => eprintln!("FAILED {name}: {why}"),
        Ended::Skipped(why) => eprintln!("SKIPPED {name}: {why}"),
    }
    Part {
        name,
        ended,
        took: begun.elapsed(),
    }
}

fn table(parts: &[Part]) {
    println!("\n==== summary");
    for part in parts {
        let (word, remark) = match &part.ended {
            Ended::Passed => ("passed", ""),
            Ended::Failed(_) => ("FAILED", ""),
            Ended::Skipped(why) => ("SKIPPED", *why),
        };
        println!("{:<14}{word:<9}{:>7.1} s  {remark}", part.name, part.took.as_secs_f64());
    }
}
