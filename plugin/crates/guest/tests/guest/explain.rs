//! Every known log gets its class, code and phase; odd ones never panic.

use proptest::prelude::*;
use reseal_guest::sysprep::{Phase, explain};

use crate::data;

fn log(name: &str) -> String {
    std::fs::read_to_string(data(&format!("logs/{name}.log"))).unwrap()
}

#[test]
fn every_fixture_has_its_class() {
    use Phase::{Execution, Unknown, Validation};
    let cases = [
        (
            "f1-pending-reboot",
            'c',
            "pending_reboot",
            Some(0x8007_139F),
            Validation,
        ),
        ("f2-appx", 'a', "appx_not_provisioned", Some(0x8007_3CF2), Validation),
        ("f3-bitlocker", 'e', "bitlocker", Some(0x8031_0039), Validation),
        ("f4-rearm", 'b', "rearm_exhausted", Some(0xC004_D307), Execution),
        ("b-rearm-old-form", 'b', "rearm_exhausted", Some(0xC004_D307), Execution),
        (
            "f5-earlier-failure",
            'f',
            "earlier_failure",
            Some(0x8007_001F),
            Execution,
        ),
        ("f6-command-line", 'r', "command_line", None, Validation),
        ("f7-defender", 'g', "defender_onboarded", Some(0x8007_0005), Execution),
        (
            "d-reserved-storage",
            'd',
            "reserved_storage",
            Some(0x8007_0975),
            Validation,
        ),
        (
            "h-external-provider",
            'h',
            "external_provider",
            Some(0x8007_0002),
            Execution,
        ),
        ("hang-drivers", 'o', "hang_drivers", None, Execution),
        (
            "shape-other-dates",
            'c',
            "pending_reboot",
            Some(0x8007_139F),
            Validation,
        ),
        ("success", '-', "success", None, Execution),
        ("success-with-errors", '-', "success", None, Execution),
        ("failure-then-success", '-', "success", None, Execution),
    ];
    for (name, letter, class, hr, phase) in cases {
        let verdict = explain(&log(name));
        assert_eq!(
            (verdict.letter, verdict.class, verdict.hr, verdict.phase),
            (letter, class, hr, phase),
            "{name}"
        );
        assert!(!verdict.cure.is_empty() && !verdict.meaning.is_empty(), "{name}");
        assert_eq!(
            verdict.lines.is_empty(),
            matches!(letter, '-' | 'o'),
            "{name}: {:?}",
            verdict.lines
        );
    }
    assert_eq!(explain("").phase, Unknown);
}

#[test]
fn the_reason_names_its_package() {
    let verdict = explain(&log("f2-appx"));
    assert_eq!(
        verdict.subject.as_deref(),
        Some("Microsoft.Edge.GameAssist_1.0.3423.0_x64__8wekyb3d8bbwe")
    );
    assert!(
        verdict
            .lines
            .last()
            .is_some_and(|line| line.contains("hr = 0x80073cf2")),
        "{:?}",
        verdict.lines
    );
    let verdict = explain(&log("h-external-provider"));
    assert_eq!(verdict.subject.as_deref(), Some("DscCore.dll,SysPrep_Cleanup"));
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
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn mutated_logs_never_panic(which in 0usize..4, cuts in prop::collection::vec((0usize..6000, 0usize..40, ".{0,6}"), 0..8)) {
        let names = ["f2-appx", "f4-rearm", "shape-other-dates", "success-with-errors"];
        let mut chars: Vec<char> = log(names[which]).chars().collect();
        for (at, length, with) in cuts {
            let at = at.min(chars.len());
            let end = (at + length).min(chars.len());
            chars.splice(at..end, with.chars());
        }
        let verdict = explain(&chars.into_iter().collect::<String>());
        prop_assert!(verdict.lines.len() <= 5);
    }

    #[test]
    fn garbage_never_panics(text in "(?s).{0,400}") {
        let _ = explain(&text);
    }
}
