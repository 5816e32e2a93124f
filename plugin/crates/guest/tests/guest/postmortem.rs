//! Every known failure gets its cause, code and phase, and says by which lines; odd logs never panic.

use std::fmt::Write as _;

use proptest::prelude::*;
use reseal_guest::postmortem::{Evidence, Log, Phase, Report, examine};
use reseal_guest::sysprep::explain;

use crate::data;

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

/// Name of the fixture, class, code, phase, what it names.
type Case = (&'static str, &'static str, u32, Phase, &'static str);

const APPX: &str = "Microsoft.Edge.GameAssist_1.0.3423.0_x64__8wekyb3d8bbwe";

/// Sysprep's own failures: the whole catalogue.
const SYSPREP: &[Case] = &[
    (
        "f1-pending-reboot",
        "pending_reboot",
        0x8007_139F,
        Phase::Validation,
        "spopk.dll",
    ),
    ("f2-appx", "appx_not_provisioned", 0x8007_3CF2, Phase::Validation, APPX),
    (
        "a-appx-staged",
        "appx_not_provisioned",
        0x8007_3CFA,
        Phase::Execution,
        "LanguageExperiencePackko-KR",
    ),
    (
        "a-appx-service-disabled",
        "appx_service_disabled",
        0x8007_0422,
        Phase::Validation,
        "AppxSysprep.dll",
    ),
    (
        "a-appx-other",
        "appx_cleanup",
        0x8007_0490,
        Phase::Execution,
        "AppxSysprep.dll",
    ),
    ("f4-rearm", "rearm_exhausted", 0xC004_D307, Phase::Execution, "slc.dll"),
    (
        "b-rearm-old-form",
        "rearm_exhausted",
        0xC004_D307,
        Phase::Execution,
        "SLReArmWindows",
    ),
    (
        "b-rearm-stopping",
        "licensing_service",
        0xC004_F075,
        Phase::Execution,
        "slc.dll",
    ),
    (
        "b-rearm-refused",
        "rearm_failed",
        0x8007_0005,
        Phase::Execution,
        "slc.dll",
    ),
    (
        "c-servicing",
        "servicing_unavailable",
        0x8007_0005,
        Phase::Validation,
        "spopk.dll",
    ),
    (
        "d-reserved-storage",
        "reserved_storage",
        0x8007_0975,
        Phase::Validation,
        "spopk.dll",
    ),
    (
        "f3-bitlocker",
        "bitlocker",
        0x8031_0039,
        Phase::Validation,
        "BdeSysprep.dll",
    ),
    (
        "f5-earlier-failure",
        "earlier_failure",
        0x8007_001F,
        Phase::Execution,
        "",
    ),
    ("f-after-rearm", "earlier_failure", 0x8007_001F, Phase::Execution, ""),
    ("f6-command-line", "command_line", 0, Phase::Validation, ""),
    (
        "f7-defender",
        "defender_onboarded",
        0x8007_0005,
        Phase::Execution,
        "Windows-SenseClient-Service",
    ),
    (
        "g-access-denied",
        "access_denied",
        0x8007_0005,
        Phase::Execution,
        "Contoso-Agent",
    ),
    (
        "h-external-provider",
        "dsc_configured",
        0x8007_0002,
        Phase::Execution,
        "DscCore.dll",
    ),
    (
        "h-external-agent",
        "external_provider",
        0x8007_007E,
        Phase::Execution,
        "agent.dll",
    ),
    (
        "h-not-loadable",
        "provider_not_loadable",
        0x8007_00C1,
        Phase::Execution,
        "SysWOW64\\iesysprep.dll",
    ),
    ("h-cloud-agent", "cloud_agent", 0, Phase::Execution, ""),
    (
        "i-upgrade-leftovers",
        "upgrade_leftovers",
        0x8007_0003,
        Phase::Execution,
        "",
    ),
    (
        "j-boot-configuration",
        "boot_configuration",
        0x8007_0002,
        Phase::Execution,
        "spbcd.dll",
    ),
    (
        "j-boot-configuration-clone",
        "boot_configuration",
        0x8007_0490,
        Phase::FirstBoot,
        "spbcd.dll",
    ),
    (
        "k-search",
        "search_service",
        0x8007_0005,
        Phase::Execution,
        "mssrch.dll",
    ),
    ("l-msdtc", "msdtc", 0x8010_0101, Phase::Execution, "msdtcprx.dll"),
    (
        "m-cryptography",
        "cryptography",
        0xC002_0036,
        Phase::Execution,
        "capisp.dll",
    ),
    (
        "n-media-sharing",
        "media_sharing",
        0x8000_4005,
        Phase::Execution,
        "drmv2clt.dll",
    ),
    (
        "o-device-failure",
        "device_cleanup",
        0x8007_0057,
        Phase::Execution,
        "sppnp.dll",
    ),
    ("hang-drivers", "hang_drivers", 0, Phase::Execution, ""),
    ("hang-validation", "hang_validation", 0, Phase::Validation, ""),
    ("hang-update-service", "hang_update_service", 0, Phase::Execution, ""),
    ("p-dialog", "dialog_cancelled", 0, Phase::Validation, ""),
    ("q-not-elevated", "not_elevated", 0, Phase::Validation, ""),
    (
        "unknown-module",
        "unknown",
        0x8024_0041,
        Phase::Execution,
        "frobnic.dll,Sysprep_Generalize_Frob",
    ),
];

/// Failures of the first boot.
const FIRST_BOOT: &[Case] = &[
    (
        "u-invalid-value",
        "unattend_invalid_value",
        0x8022_0005,
        Phase::FirstBoot,
        "[Order=\"2\"]/Path",
    ),
    (
        "u-unknown-setting",
        "unattend_unknown_setting",
        0x8022_0001,
        Phase::FirstBoot,
        "Shell-Setup: RunSynchronous",
    ),
    (
        "u-duplicate",
        "unattend_duplicate",
        0x8022_001B,
        Phase::FirstBoot,
        "Microsoft-Windows-Deployment",
    ),
    ("u-password", "unattend_password", 0x8007_000D, Phase::FirstBoot, ""),
    (
        "u-password-errors-only",
        "unattend_rejected",
        0x8030_000B,
        Phase::FirstBoot,
        "",
    ),
    ("u-copy-profile", "copy_profile", 0x8007_0003, Phase::FirstBoot, ""),
    ("u-earlier", "earlier_setup_failure", 0x8007_001F, Phase::FirstBoot, ""),
    ("u-time-zone", "time_zone_ignored", 0, Phase::FirstBoot, ""),
    ("u-domain-join", "domain_join", 0x8007_052E, Phase::FirstBoot, ""),
    (
        "u-dialogs",
        "unattend_not_applied",
        0,
        Phase::FirstBoot,
        "Microsoft-Windows-Shell-Setup",
    ),
];

/// One failure in the shapes in which people send it.
const SHAPES: &[Case] = &[
    (
        "shape-other-dates",
        "pending_reboot",
        0x8007_139F,
        Phase::Validation,
        "spopk.dll",
    ),
    (
        "shape-quoted",
        "rearm_exhausted",
        0xC004_D307,
        Phase::Execution,
        "slc.dll",
    ),
    (
        "shape-wrapped",
        "rearm_exhausted",
        0xC004_D307,
        Phase::Execution,
        "slc.dll",
    ),
    (
        "shape-no-dates",
        "rearm_exhausted",
        0xC004_D307,
        Phase::Execution,
        "slc.dll",
    ),
    (
        "shape-no-levels",
        "rearm_exhausted",
        0xC004_D307,
        Phase::Execution,
        "slc.dll",
    ),
    (
        "shape-build-tool",
        "rearm_exhausted",
        0xC004_D307,
        Phase::Execution,
        "slc.dll",
    ),
    (
        "shape-one-line",
        "rearm_exhausted",
        0xC004_D307,
        Phase::Execution,
        "slc.dll",
    ),
    (
        "shape-newest-first",
        "rearm_exhausted",
        0xC004_D307,
        Phase::Execution,
        "slc.dll",
    ),
];

/// Runs that ended well, with errors and without.
const GOOD: &[&str] = &[
    "success",
    "success-with-errors",
    "failure-then-success",
    "harmless-errors-only",
    "u-success",
];

#[test]
fn every_failure_has_its_cause_and_the_lines_that_say_so() {
    let mut wrong = String::new();
    for (name, class, code, phase, names) in [SYSPREP, FIRST_BOOT, SHAPES].concat() {
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
    let known: Vec<&str> = [SYSPREP, FIRST_BOOT, SHAPES]
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
    fn mutated_logs_never_panic(which in 0usize..6, cuts in prop::collection::vec((0usize..6000, 0usize..40, ".{0,6}"), 0..8)) {
        let names = ["f2-appx", "f4-rearm", "shape-other-dates", "success-with-errors", "u-password", "shape-quoted"];
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
