//! The linter over whole answer files: silent about good ones, exact about bad ones.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use reseal_diag::{Severity, SourceText};
use reseal_unattend::{Architecture, Context, Finding, Target, Windows, decode, fix, lint, lint_text};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/data/unattend")
}

fn target(words: &str) -> Target {
    let mut target = Target::default();
    for word in words.split(' ').filter(|word| *word != "-") {
        if let Some(context) = Context::from_word(word) {
            target.context = context;
        } else if let Some(windows) = Windows::from_word(word) {
            target.windows = Some(windows);
        } else {
            target.architecture = Some(word.parse::<Architecture>().unwrap());
        }
    }
    target
}

/// Path below the folder, target, text.
fn cases(kind: &str) -> Vec<(String, Target, String)> {
    let table = std::fs::read_to_string(folder().join("targets.tsv")).unwrap();
    let cases: Vec<_> = table
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .filter(|(path, _)| path.starts_with(kind))
        .map(|(path, words)| {
            let decoded = decode(&std::fs::read(folder().join(path)).unwrap());
            assert_eq!(decoded.finding, None, "{path}");
            (path.to_owned(), target(words), decoded.text)
        })
        .collect();
    let files = std::fs::read_dir(folder().join(kind)).unwrap().count();
    assert_eq!(files, cases.len(), "every file stands in targets.tsv");
    cases
}

fn show(source: &SourceText, findings: &[Finding]) -> String {
    findings.iter().fold(String::new(), |text, finding| {
        let place = source.location(finding.span.start);
        format!(
            "{text}  {place} {:?} {} {}\n",
            finding.severity, finding.code, finding.message
        )
    })
}

#[test]
fn good_files_have_hints_at_most() {
    let mut complaints = String::new();
    let cases = cases("good/");
    assert!(cases.len() >= 30);
    for (path, target, text) in cases {
        let source = SourceText::new(path, text);
        let loud: Vec<Finding> = lint(&source, &target)
            .into_iter()
            .filter(|finding| finding.severity != Severity::Note)
            .collect();
        complaints.push_str(&show(&source, &loud));
    }
    assert!(complaints.is_empty(), "\n{complaints}");
}

#[test]
fn bad_files_are_found_at_their_line() {
    let mut complaints = String::new();
    let cases = cases("bad/");
    assert!(cases.len() >= 30);
    for (path, target, text) in cases {
        let at = text.find("<!-- U").unwrap();
        let code = text.get(at + 5..at + 9).unwrap().to_owned();
        let source = SourceText::new(path, text);
        let line = source.location(at).line;
        let loud: Vec<Finding> = lint(&source, &target)
            .into_iter()
            .filter(|finding| finding.severity != Severity::Note)
            .collect();
        let exact = |finding: &Finding| finding.code == code && source.location(finding.span.start).line == line;
        if loud.len() != 1 || !loud.iter().all(exact) {
            let found = show(&source, &loud);
            complaints = format!(
                "{complaints}{} wants {code} in line {line} only:\n{found}",
                source.name()
            );
        }
    }
    assert!(complaints.is_empty(), "\n{complaints}");
}

/// All Rust sources of the crate, one after the other.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&sources(&path));
        } else if !path.ends_with("codes.rs") {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    text
}

#[test]
fn every_code_has_a_page_and_every_page_a_use() {
    let text = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let quoted = text
        .split('"')
        .filter(|piece| piece.len() == 4 && piece.starts_with('U'));
    let used: std::collections::BTreeSet<&str> = quoted
        .filter(|piece| piece.chars().skip(1).all(|c| c.is_ascii_digit()))
        .collect();
    let pages: std::collections::BTreeSet<&str> = reseal_unattend::CODES.iter().map(|page| page.code).collect();
    assert_eq!(used, pages);
}

#[test]
fn safe_fixes_cure_and_settle() {
    for (path, target, text) in cases("bad/").into_iter().chain(cases("good/")) {
        let findings = lint_text(&text, &target);
        let safe = findings
            .iter()
            .filter(|one| one.fix.as_ref().is_some_and(|fix| fix.safe))
            .count();
        let fixed = fix(&text, &findings);
        let after = lint_text(&fixed, &target);
        if safe == 0 {
            assert_eq!(fixed, text, "{path}");
        } else {
            assert!(after.len() < findings.len(), "{path}: {after:?}");
        }
        let settled = fix(&fixed, &after);
        assert_eq!(fix(&settled, &lint_text(&settled, &target)), settled, "{path}");
    }
}

/// What works and is yet worth a word: file, piece of the line, rule, target.
const HINTS: &[(&str, &str, &str)] = &[
    ("good/cloudbase-init.xml", "<SkipMachineOOBE>", "U015"),
    ("good/commands-without-action.xml", "<RunAsynchronousCommand>", "U009"),
    ("good/commands-without-action.xml", "<RunSynchronousCommand>", "U009"),
    ("good/commands-without-action.xml", "<LocalAccount>", "U009"),
    ("good/disks-without-action.xml", "<Disk>", "U009"),
    ("good/emptied-labels.xml", "<Label>", "U008"),
    ("good/installer-switches.xml", "<UserData>", "U028"),
    ("good/installer-switches.xml", "EnhancedStorage-Adm", "U007"),
    ("good/names-of-old-windows.xml", "SQMAPI", "U005"),
    ("good/names-of-old-windows.xml", "<RestartEnabled>", "U006"),
    ("good/terms-read-by-hand.xml", "<Path>", "U008"),
    ("good/terms-read-by-hand.xml", "<UserData>", "U028"),
    ("good/windows-on-a-stick.xml", "disabled", "U002"),
    ("good/windows-on-a-stick.xml", "OutOfBoxExperience", "U007"),
    ("good/windows-on-a-stick.xml", "WinRE-RecoveryAgent", "U001"),
    ("good/windows-on-a-stick.xml", "Shell-Setup", "U001"),
    ("good/windows-on-a-stick.xml", "<ComputerName>", "U007"),
    ("good/windows-on-a-stick.xml", "00000409", "U012"),
];

#[test]
fn hints_are_given_at_their_line() {
    let cases = cases("good/");
    for (path, piece, code) in HINTS {
        let (_, target, text) = cases.iter().find(|(own, ..)| own == path).unwrap();
        let source = SourceText::new(*path, text.clone());
        let line = source.location(text.find(piece).unwrap()).line;
        let findings = lint(&source, target);
        let found = findings
            .iter()
            .any(|one| one.code == *code && source.location(one.span.start).line == line);
        assert!(found, "{path} {code}:\n{}", show(&source, &findings));
    }
}

/// A fix touches its own span and nothing else, and needs to be applied but once.
#[test]
fn fixes_keep_all_other_bytes() {
    for (path, target, text) in cases("bad/").into_iter().chain(cases("good/")) {
        let findings = lint_text(&text, &target);
        let mut spans: Vec<_> = findings
            .iter()
            .filter_map(|one| one.fix.as_ref())
            .filter(|fix| fix.safe)
            .map(|fix| (fix.span.start, fix.span.end, fix.replacement.as_str()))
            .collect();
        spans.sort_unstable();
        spans.dedup();
        let fixed = fix(&text, &findings);
        let (mut old, mut rest) = (0, fixed.as_str());
        for (start, end, with) in spans {
            let kept = text.get(old..start).unwrap();
            rest = rest
                .strip_prefix(kept)
                .and_then(|rest| rest.strip_prefix(with))
                .expect(&path);
            old = end;
        }
        assert_eq!(rest, text.get(old..).unwrap(), "{path}");
        assert_eq!(fix(&fixed, &lint_text(&fixed, &target)), fixed, "{path}: a second time");
    }
}
