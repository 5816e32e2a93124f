//! What `SetupDiag`, the tool of Windows that looks through the logs of a failed setup, has found: text, XML or JSON.

use super::number::hex;
use super::rules::{Cause, SETUP, Strength};
use super::{Evidence, Finding, Log, Phase};

const RESULT: Cause = Cause {
    class: "setupdiag",
    strength: Strength::Consequence,
    lines: &[&["setupdiag reports"]],
    phase: Phase::Unknown,
    meaning: "SetupDiag, the tool of Windows that reads the logs of a failed setup, names the rule that fits",
    cure: "its own lines say what it advises; it knows upgrades best, and the logs that it read say more",
    ..SETUP
};

const NO_MATCH: Cause = Cause {
    letter: '?',
    class: "setupdiag_no_match",
    lines: &[&["setupdiag was unable to match"]],
    meaning: "SetupDiag has looked through the logs and found nothing that it knows",
    cure: "give the logs themselves: those of C:\\Windows\\Panther and of C:\\Windows\\System32\\Sysprep\\Panther",
    ..RESULT
};

const UPGRADED: Cause = Cause {
    letter: '-',
    class: "setupdiag_success",
    lines: &[&["setupdiag reports successful upgrade"]],
    meaning: "SetupDiag found an upgrade that ended well",
    cure: "nothing to do",
    ..RESULT
};

pub(super) const CAUSES: &[Cause] = &[NO_MATCH, UPGRADED, RESULT];

/// Its finding, where the log is a result of `SetupDiag`.
pub(super) fn judge(log: &Log<'_>) -> Option<Finding> {
    let (at, said) = log
        .text
        .lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line.to_lowercase()))
        .find(|(_, line)| CAUSES.iter().any(|cause| cause.is_told_by(line)))?;
    let index = CAUSES.iter().position(|cause| cause.is_told_by(&said))?;
    let text = log.text.lines().nth(at - 1).unwrap_or_default().trim();
    Some(Finding {
        cause: CAUSES.get(index)?,
        code: code(log.text),
        phase: Phase::Unknown,
        part: None,
        subject: profile(log.text),
        evidence: vec![Evidence {
            file: log.name.to_owned(),
            line: at,
            text: text.replace("<FailureData>", ""),
        }],
        when: None,
    })
}

/// The name of the rule: `<ProfileName>X</ProfileName>`, `"ProfileName":"X"`, or `Matching Profile found: X - guid`.
fn profile(text: &str) -> Option<String> {
    let after = |mark: &str| text.split_once(mark).map(|(_, rest)| rest.trim_start());
    let marks = ["<ProfileName>", "\"ProfileName\":\"", "Matching Profile found:"];
    let rest = marks.into_iter().find_map(after)?;
    let name = rest.split(['<', '"', ' ', '\r', '\n']).next()?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// The first code that its lines give: `Error: 0x8007001F - 0x50015`, `Err = 0x00000057`.
fn code(text: &str) -> Option<u32> {
    let after = |mark: &str| {
        let mut places = text.split(mark).skip(1);
        places.find_map(|rest| {
            let word: String = rest
                .trim_start()
                .chars()
                .take_while(char::is_ascii_alphanumeric)
                .collect();
            hex(&word).filter(|code| *code != 0)
        })
    };
    ["Error:", "Err =", "ErrorCode ="].into_iter().find_map(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(&'static str, Option<u32>, Option<String>)> {
        let one = judge(&Log { name: "r", text })?;
        Some((one.cause.class, one.code, one.subject))
    }

    #[test]
    fn text_xml_and_json_are_read() {
        let text = "Matching Profile found: DiskFull - 1234\n\nError: SetupDiag reports no room, Error: 0x80070070 - 0x50015\n";
        assert_eq!(
            found(text),
            Some(("setupdiag", Some(0x8007_0070), Some("DiskFull".to_owned())))
        );
        let xml = "<SetupDiag>\n<ProfileName>FindX</ProfileName>\n<FailureData>\nError: SetupDiag reports Fatal Error.\n\
                   Error: 0x00000057</FailureData>\n</SetupDiag>";
        assert_eq!(found(xml), Some(("setupdiag", Some(0x57), Some("FindX".to_owned()))));
        let json =
            "{\"ProfileName\":\"FindY\",\"FailureData\":[\"Error: SetupDiag reports X.\\u000aError: 0x00000057\"]}";
        assert_eq!(found(json), Some(("setupdiag", Some(0x57), Some("FindY".to_owned()))));
    }

    #[test]
    fn what_it_does_not_know_is_said_and_other_logs_are_left_alone() {
        let nothing = found("Error: SetupDiag was unable to match to any known failure signatures.");
        assert_eq!(nothing.map(|one| one.0), Some("setupdiag_no_match"));
        let good = found("Error: SetupDiag reports successful upgrade found.");
        assert_eq!(good.map(|one| one.0), Some("setupdiag_success"));
        assert_eq!(found("2026-05-06 14:40:34, Error SYSPRP x"), None);
    }
}
