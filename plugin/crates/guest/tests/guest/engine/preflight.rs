//! Preflight in made-up Windows: nothing is found in a healthy one, and each broken one has its finding.

mod cases;
mod cures;
mod pending;

use std::collections::BTreeSet;

use reseal_guest::preflight::{Facts, Options, RULES, Severity, judge};
use reseal_guest::system::{Preflight, Query as _};

use self::cases::all_cases;
use self::pending::pending_sources;
use super::{Batch, Platform, Said, winps};

/// The findings of a case.
fn found(said: &Said, options: &Options) -> (Facts, Vec<(&'static str, Severity)>) {
    let facts = Preflight::read(said.answer()).unwrap();
    let findings = judge(&facts, options);
    let codes = findings
        .iter()
        .map(|finding| (finding.code, finding.severity))
        .collect();
    (facts, codes)
}

#[test]
fn every_rule_has_a_world_that_breaks_it() {
    let cases = all_cases();
    let shown: BTreeSet<&str> = cases
        .iter()
        .flat_map(|((_, _, expected), _)| expected.iter().map(|(code, _)| *code))
        .collect();
    let rules: BTreeSet<&str> = RULES.iter().map(|rule| rule.code).collect();
    assert_eq!(
        shown, rules,
        "each rule needs a case in which the script's answer breaks it"
    );
}

#[test]
fn every_broken_windows_has_its_finding() {
    let Some(winps) = winps("every_broken_windows_has_its_finding") else {
        return;
    };
    let cases = all_cases();
    let mut batch = Batch::new(Platform::Linux);
    for ((name, world, _), _) in &cases {
        batch.add_in(world, name, Preflight::SCRIPT, Preflight::default().input());
    }
    let said = batch.run(&winps);
    for ((name, _, expected), options) in &cases {
        let (facts, codes) = found(&said[*name], options);
        assert_eq!(codes, *expected, "{name}: {facts:#?}");
    }
}

#[test]
fn every_source_of_a_pending_restart_is_named() {
    let Some(winps) = winps("every_source_of_a_pending_restart_is_named") else {
        return;
    };
    let sources = pending_sources();
    let mut batch = Batch::new(Platform::Linux);
    for (signal, world) in &sources {
        batch.add_in(world, signal, Preflight::SCRIPT, Preflight::default().input());
    }
    let said = batch.run(&winps);
    for (signal, _) in &sources {
        let (facts, _) = found(&said[*signal], &Options::default());
        let pending = facts.pending.clone().unwrap();
        let named: BTreeSet<&str> = pending
            .hard
            .iter()
            .chain(&pending.soft)
            .map(|one| one.signal.as_str())
            .collect();
        assert_eq!(named, BTreeSet::from([*signal]), "{pending:?}");
        let message = judge(&facts, &Options::default()).remove(0).message;
        assert!(message.contains(&format!("{signal} (")), "{message}");
    }
}

#[test]
fn every_rule_has_its_page_once() {
    let tables = [RULES, reseal_guest::leftovers::RULES];
    let mut codes: Vec<&str> = tables.into_iter().flatten().map(|rule| rule.code).collect();
    codes.sort_unstable();
    let count = codes.len();
    codes.dedup();
    assert_eq!(codes.len(), count);
    for rule in tables.into_iter().flatten() {
        assert!(!rule.title.ends_with('.') && !rule.cure.ends_with('.'), "{}", rule.code);
        assert!(rule.meaning.len() > 50 && rule.meaning.ends_with('.'), "{}", rule.code);
        assert!(rule.text().contains(rule.cure), "{}", rule.code);
    }
    let appx = RULES.iter().find(|rule| rule.code == "P016").unwrap();
    assert!(appx.text().contains("generalize: { fix: [appx] }"), "{}", appx.text());
}
