//! The sections of `setupapi.dev.log` that failed: which device or driver package, and with which code.

use super::number::hex;
use super::rules::{Cause, SETUP, Strength};
use super::{Evidence, Finding, Log, Phase};

const FAILED: Cause = Cause {
    letter: 'o',
    class: "device_install_failed",
    strength: Strength::Aside,
    phase: Phase::Unknown,
    meaning: "a device or a driver package could not be installed; Setup mostly goes on without it",
    cure: "take a driver that is made and signed for this Windows; where the device is of no use to the image, leave it",
    ..SETUP
};

const INSTALLED: Cause = Cause {
    letter: '-',
    class: "devices_installed",
    meaning: "every device and driver package of this log was installed",
    cure: "nothing to do",
    ..FAILED
};

pub(super) const CAUSES: &[Cause] = &[FAILED, INSTALLED];

/// A section: its name, its errors, how it ended.
#[derive(Default)]
struct Section {
    name: String,
    errors: Vec<Evidence>,
    end: Option<Evidence>,
    code: Option<u32>,
}

/// Its finding, where the log is one of device installation: the last section that failed.
pub(super) fn judge(log: &Log<'_>) -> Option<Finding> {
    let sections = sections(log);
    let last = sections.last()?;
    let failed = sections.iter().rev().find(|section| section.code.is_some());
    let of = failed.unwrap_or(last);
    let errors = of.errors.iter().rev().take(3).rev();
    Some(Finding {
        cause: CAUSES.get(usize::from(failed.is_none()))?,
        code: of.code,
        phase: Phase::Unknown,
        part: None,
        subject: failed.map(|section| section.name.clone()),
        evidence: errors.chain(&of.end).cloned().collect(),
        when: None,
    })
}

fn sections(log: &Log<'_>) -> Vec<Section> {
    let mut all = Vec::new();
    let mut open = Section::default();
    for (at, line) in log.text.lines().enumerate() {
        let line = bare(line);
        let evidence = || Evidence {
            file: log.name.to_owned(),
            line: at + 1,
            text: line.to_owned(),
        };
        if let Some(inner) = line.strip_prefix(">>>").map(str::trim) {
            if inner.starts_with('[') {
                let name = inner.trim_matches(['[', ']']).to_owned();
                open = Section {
                    name,
                    ..Section::default()
                };
            }
        } else if line.starts_with("!!!") {
            open.errors.push(evidence());
        } else if let Some((_, status)) = line.split_once("[Exit status: ") {
            open.code = status
                .strip_prefix("FAILURE(")
                .and_then(|rest| hex(rest.split(')').next()?));
            open.end = Some(evidence());
            all.push(std::mem::take(&mut open));
        }
    }
    all
}

/// Without what quoting puts before a line: `> \>>>` is `>>>`.
fn bare(line: &str) -> &str {
    let line = line.trim();
    let quoted = line.strip_prefix("> ").map(str::trim_start);
    quoted.unwrap_or(line).trim_start_matches('\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_failed_section_is_named() {
        let text = ">>>  [Device Install - PCI\\VEN_1]\n!!!  dvi: no driver\n<<<  [Exit status: FAILURE(0xe0000228)]\n\
                    > \\>>>  [Device Install - USB\\VID_2]\n<<<  [Exit status: SUCCESS]\n";
        let found = judge(&Log { name: "d", text }).unwrap();
        assert_eq!(found.subject.as_deref(), Some("Device Install - PCI\\VEN_1"));
        assert_eq!((found.code, found.evidence.len()), (Some(0xE000_0228), 2));
        let good = judge(&Log {
            name: "d",
            text: "<<<  [Exit status: SUCCESS]",
        });
        assert!(good.unwrap().is_good());
        assert!(
            judge(&Log {
                name: "d",
                text: ">>> prose"
            })
            .is_none()
        );
    }
}
