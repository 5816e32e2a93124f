//! Every known failure gets its cause, code and phase, and says by which lines; odd logs never panic.

mod cases;

use std::fmt::Write as _;

use proptest::prelude::*;
use reseal_guest::postmortem::{Evidence, Log, Phase, Report, examine};
use reseal_guest::sysprep::explain;

use crate::data;
use cases::{FIRST_BOOT, GOOD, OTHERS, SHAPES, SYSPREP};

fn log(name: &str) -> String {
    std::fs::read_to_string(data(&format!("logs/{name}.log"))).unwrap()
}

fn report(name: &str) -> Report {
    let text = log(name);
    let file = format!("{name}.log");
    let logs = [Log {
        name: &file,
        text: &text,
    }];
    examine(&logs).expect(name)
}

#[test]
fn every_failure_has_its_cause_and_the_lines_that_say_so() {
    let mut wrong = String::new();
    for (name, class, code, phase, names) in [SYSPREP, FIRST_BOOT, OTHERS, SHAPES].concat() {
        let found = report(name).verdict;
        let subject = found.subject.clone().unwrap_or_default();
        let got = (found.cause.class, found.code.unwrap_or(0), found.phase);
        if got != (class, code, phase) || !subject.contains(names) {
            let _ = writeln!(wrong, "{name}: {got:x?} {subject:?}");
        }
        if found.evidence.is_empty() || !proven(&found.evidence, name) {
            let _ = writeln!(wrong, "{name}: {:?}", found.evidence);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Each line of the evidence stands in the file where it says.
fn proven(evidence: &[Evidence], name: &str) -> bool {
    let text = log(name);
    evidence.iter().all(|line| {
        let there = text
            .lines()
            .nth(line.line - 1)
            .unwrap_or_default()
            .replace("\\\\", "\\");
        let words: String = line.text.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        let there: String = there.split_whitespace().collect::<Vec<_>>().join(" ");
        line.file == format!("{name}.log") && there.contains(&words)
    })
}

#[test]
fn every_fixture_is_in_a_table() {
    let known: Vec<&str> = [SYSPREP, FIRST_BOOT, OTHERS, SHAPES]
        .concat()
        .iter()
        .map(|case| case.0)
        .chain(GOOD.iter().copied())
        .collect();
    for entry in std::fs::read_dir(data("logs")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(known.contains(&name.as_str()), "{name}.log is in no table");
    }
}

#[test]
fn good_runs_are_good_with_errors_and_without() {
    for name in GOOD {
        let report = report(name);
        assert!(report.verdict.is_good(), "{name}: {:?}", report.verdict);
        assert_eq!(report.verdict.cause.class, "success", "{name}");
    }
    assert_eq!(report("failure-then-success").earlier.len(), 1);
    let gaps = report("harmless-errors-only").not_known;
    assert!(gaps.iter().any(|gap| gap.contains("setupact.log")), "{gaps:?}");
}

#[test]
fn what_follows_from_an_earlier_failure_names_it() {
    let report = report("f-after-rearm");
    let earlier: Vec<&str> = report.earlier.iter().map(|one| one.cause.class).collect();
    assert_eq!(earlier, ["rearm_exhausted"]);
}

#[test]
fn an_unknown_failure_is_called_so_with_its_part() {
    let report = report("unknown-module");
    let part = report.verdict.part.unwrap();
    assert_eq!(part.function.as_deref(), Some("Sysprep_Generalize_Frob"));
    assert!(report.not_known.iter().any(|gap| gap.contains("cause")));
}

#[test]
fn what_is_not_known_names_who_said_so() {
    let part = report("s-unknown-function").verdict.part.unwrap().to_string();
    assert_eq!(part, "IBS,FrobnicateTheMachine");
    let part = report("unknown-function").verdict.part.unwrap().to_string();
    assert_eq!(part, "SYSPRP,FCreateTagFile");
    let part = report("hang-unknown").verdict.part.unwrap().to_string();
    assert!(part.ends_with("frobnic.dll,Sysprep_Generalize_Frob"), "{part}");
    let lines = report("u-before-the-end").verdict.evidence;
    assert!(lines.iter().any(|line| line.text.contains("contoso.ppkg")), "{lines:?}");
}

#[test]
fn a_cause_that_only_a_code_tells_is_called_that() {
    let gaps = |name: &str| report(name).not_known.join("; ");
    assert!(
        gaps("c-code-alone").contains("only the code"),
        "{}",
        gaps("c-code-alone")
    );
    for name in [
        "f1-pending-reboot",
        "f2-appx",
        "f4-rearm",
        "d-reserved-storage",
        "f3-bitlocker",
    ] {
        assert!(!gaps(name).contains("only the code"), "{name}");
    }
}

#[test]
fn prose_is_no_log_even_with_the_words_of_one() {
    let name = "stdin";
    for text in [
        "sysprep fails, product key invalid? I tried everything\n",
        "My update fails with error 0x80070070 and the disk is full.\n",
        "Error: I cannot join, djoin.exe failed\n",
    ] {
        assert!(examine(&[Log { name, text }]).is_none(), "{text}");
    }
}

#[test]
fn a_join_that_went_well_in_the_end_did_not_fail() {
    let text = log("u-netsetup") + "05/06/2026 14:41:00:000 NetpDoDomainJoin: status: 0x0\r\n";
    let name = "NetSetup.LOG";
    assert!(examine(&[Log { name, text: &text }]).is_none());
}

#[test]
fn a_quiet_log_never_outweighs_one_that_breaks_off() {
    let (quiet, broken) = (
        log("s-quiet"),
        "2026-05-06 14:40:34, Info [0x0f004d] SYSPRP WinMain:begins\r\n",
    );
    let logs = [("dism.log", quiet.as_str()), ("setupact.log", broken)].map(|(name, text)| Log { name, text });
    assert_eq!(examine(&logs).unwrap().verdict.cause.class, "incomplete");
}

#[test]
fn logs_beside_the_point_do_not_decide() {
    let verdict = |names: [&str; 2]| {
        let texts = names.map(|name| (name, log(name)));
        let logs = texts.each_ref().map(|(name, text)| Log { name, text });
        examine(&logs).unwrap()
    };
    let sealed = verdict(["success", "t-devices"]);
    assert_eq!(sealed.verdict.cause.class, "success");
    assert_eq!(
        sealed.also.first().map(|one| one.cause.class),
        Some("device_install_failed")
    );
    let sealed = verdict(["success", "s-hang"]);
    assert_eq!(sealed.verdict.cause.class, "success");
    assert_eq!(sealed.also.first().map(|one| one.cause.class), Some("servicing_hang"));
    let good = "<<<  [Exit status: SUCCESS]\r\n";
    let hung = log("hang-unknown");
    let logs = [("setupapi.dev.log", good), ("setupact.log", hung.as_str())].map(|(name, text)| Log { name, text });
    assert_eq!(examine(&logs).unwrap().verdict.cause.class, "incomplete");
}

#[test]
fn logs_of_a_folder_are_read_together() {
    let (act, err) = (log("failure-then-success"), log("f2-appx"));
    let boot = log("u-password");
    let logs = [
        ("Sysprep/Panther/setupact.log", act.as_str()),
        ("Sysprep/Panther/setuperr.log", err.as_str()),
        ("Panther/UnattendGC/setupact.log", boot.as_str()),
    ]
    .map(|(name, text)| Log { name, text });
    let together = examine(&logs).unwrap();
    assert_eq!(together.verdict.cause.class, "unattend_password");
    let sysprep = examine(logs.get(..2).unwrap()).unwrap();
    assert!(
        sysprep.verdict.is_good(),
        "the whole log outweighs that of errors alone: {:?}",
        sysprep.verdict
    );
    assert!(
        examine(&[Log {
            name: "x",
            text: "Dear all,\nmy cat sat on the keyboard.\n"
        }])
        .is_none()
    );
}

#[test]
fn the_error_log_alone_is_enough() {
    for name in ["f1-pending-reboot", "f2-appx", "f4-rearm", "f7-defender"] {
        let whole = log(name);
        let errors: Vec<&str> = whole.lines().filter(|line| line.contains(", Error")).collect();
        let errors = errors.join("\r\n");
        let (all, few) = (explain(&whole), explain(&errors));
        assert_eq!((all.class, all.hr, all.phase), (few.class, few.hr, few.phase), "{name}");
    }
    assert_eq!(explain("").phase, Phase::Unknown);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn mutated_logs_never_panic(which in 0usize..10, cuts in prop::collection::vec((0usize..6000, 0usize..40, ".{0,6}"), 0..8)) {
        let names = ["f2-appx", "f4-rearm", "shape-other-dates", "success-with-errors", "u-password", "shape-quoted",
            "t-setupdiag", "t-devices", "t-cloudbase-plugin", "s-cut-code"];
        let mut chars: Vec<char> = log(names[which]).chars().collect();
        for (at, length, with) in cuts {
            let at = at.min(chars.len());
            let end = (at + length).min(chars.len());
            chars.splice(at..end, with.chars());
        }
        let verdict = explain(&chars.into_iter().collect::<String>());
        prop_assert!(verdict.lines.len() <= 8);
    }

    #[test]
    fn garbage_never_panics(text in "(?s).{0,400}") {
        let _ = explain(&text);
    }

    #[test]
    fn pieces_of_heads_never_panic(pieces in prop::collection::vec(
        prop::sample::select(vec!["2026-05-06", "14:40:34,", "Error", "[0x0f0070]", "SYSPRP", "IBS", "[oobeldr.exe]", "dwRet =", "0x", "'", "while executing", "from", "\n", "\\", "&lt;", "<", "Package ", "한", " "]), 0..60))
    {
        let _ = explain(&pieces.join(" "));
        let _ = explain(&pieces.concat());
    }
}
