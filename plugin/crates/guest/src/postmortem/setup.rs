//! What the logs of a first boot, and of servicing, say.

use super::entry::{Entry, Level};
use super::judge::{Line, errors, failing_part, strongest};
use super::number::reason;
use super::part::Part;
use super::rules::{self, SETUP_SUCCESS, Scope, Strength, UNKNOWN};
use super::{Evidence, Finding, Phase};

/// Who writes about servicing; their errors are many in good runs, so only codes and words that are known count.
const SERVICING: [&str; 3] = ["CBS", "CSI", "DISM"];

/// What went wrong, and what went wrong without stopping anything.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) main: Option<Finding>,
    pub(super) asides: Vec<Finding>,
}

/// Judges the lines of a log that are not sysprep's.
pub(super) fn judge(entries: &[&Entry], file: &str) -> Judged {
    let own: Vec<&Entry> = entries.iter().copied().filter(|entry| !entry.is_sysprep()).collect();
    let mut lines = errors(&own);
    lines.extend(own.iter().copied().filter(|entry| speaks(entry)).map(|entry| Line {
        folded: entry.text.to_lowercase(),
        entry,
    }));
    lines.sort_by_key(|line| line.entry.line);
    lines.dedup_by_key(|line| line.entry.line);
    Judged {
        main: main(&own, &lines, file),
        asides: asides(&lines, file),
    }
}

/// Warnings and notes that may tell a reason. (In logs without levels, every line is looked at as an error.)
fn speaks(entry: &Entry) -> bool {
    const NOTES: [&str; 5] = [
        "hrResult = 0x8",
        "UnattendErrorFromResults",
        "SetupComplete.cmd",
        "Unattended Join",
        "time zone",
    ];
    match entry.level {
        Some(Level::Warning) => true,
        Some(Level::Info) | None => NOTES.iter().any(|note| entry.text.contains(note)),
        _ => false,
    }
}

fn main(own: &[&Entry], lines: &[Line<'_>], file: &str) -> Option<Finding> {
    let stoppers: Vec<Line<'_>> = lines
        .iter()
        .filter(|line| counts(line))
        .map(|line| Line {
            entry: line.entry,
            folded: line.folded.clone(),
        })
        .collect();
    let codes: Vec<u32> = lines.iter().filter_map(|line| strict_reason(line)).collect();
    let found = strongest(Scope::Setup, &stoppers, None, &codes);
    let Some(found) = found else {
        return nothing_known(own, lines, file);
    };
    let told: Vec<&Line<'_>> = if found.told.is_empty() {
        lines.iter().filter(|line| is_coded(line, found.cause.codes)).collect()
    } else {
        lines
            .iter()
            .filter(|line| found.told.contains(&line.entry.line))
            .collect()
    };
    let first = told.first().copied().or(lines.first())?;
    let mut evidence: Vec<&Entry> = told.iter().take(4).map(|line| line.entry).collect();
    evidence.extend(sources(lines).map(|line| line.entry));
    evidence.sort_by_key(|entry| entry.line);
    evidence.dedup();
    evidence.truncate(8);
    Some(Finding {
        cause: found.cause,
        code: code(&told).or_else(|| lines.iter().rev().find_map(strict_reason)),
        phase: found.cause.phase,
        part: None,
        subject: subject(lines).or_else(|| failing_part(lines).map(|part| part.to_string())),
        evidence: evidence.into_iter().map(|entry| Evidence::of(entry, file)).collect(),
        when: first.entry.time.clone(),
    })
}

/// The code of the lines that decide; an exit code, which is small, only where there is no other.
fn code(told: &[&Line<'_>]) -> Option<u32> {
    let codes = || told.iter().filter_map(|line| reason(&line.entry.text));
    let large = codes().find(|code| code & 0xFFFF_0000 != 0x8007_0000);
    large.or_else(|| codes().next())
}

/// Warnings count only for causes that want them; that is seen to by what the cause looks for, so all but servicing's do.
fn counts(line: &Line<'_>) -> bool {
    !SERVICING.contains(&line.entry.source.as_str()) || line.folded.contains("8022")
}

/// The code of a line that is an error; what servicing warns about is no reason.
fn strict_reason(line: &Line<'_>) -> Option<u32> {
    (line.entry.level != Some(Level::Warning))
        .then(|| reason(&line.entry.text))
        .flatten()
}

fn is_coded(line: &Line<'_>, codes: &[u32]) -> bool {
    reason(&line.entry.text).is_some_and(|code| codes.contains(&code))
}

/// Lines that name the setting of the answer file.
fn sources<'l, 'e>(lines: &'l [Line<'e>]) -> impl Iterator<Item = &'l Line<'e>> {
    lines
        .iter()
        .filter(|line| line.folded.contains("source = name:"))
        .take(3)
}

/// The setting, or the component and pass, that the lines name.
fn subject(lines: &[Line<'_>]) -> Option<String> {
    let setting = sources(lines).find_map(|line| setting(&line.entry.text));
    let between = |text: &str, before: &str| {
        let (_, rest) = text.split_once(before)?;
        rest.split_once(']').map(|(name, _)| name.trim().to_owned())
    };
    let component = || lines.iter().find_map(|line| between(&line.entry.text, "component ["));
    let pass = || {
        lines
            .iter()
            .find_map(|line| between(&line.entry.text, "for pass [").map(|pass| format!("pass {pass}")))
    };
    let zone = || lines.iter().find_map(|line| between(&line.entry.text, "domain ["));
    setting.or_else(component).or_else(pass).or_else(zone)
}

/// `Source = Name: C, Language: …, VersionScope: nonSxS, /settings/A/B` is `C: A/B`.
fn setting(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("Name: ")?;
    let component = rest.split([',', ' ']).next()?;
    let path = rest.split_once("ettings/").map(|(_, path)| path.trim());
    Some(match path {
        Some(path) if !path.is_empty() => format!("{component}: {path}"),
        _ => component.to_owned(),
    })
}

/// No cause is known: the machine may have come up well, or stopped for a reason that is new.
fn nothing_known(own: &[&Entry], lines: &[Line<'_>], file: &str) -> Option<Finding> {
    let program = |entry: &&&Entry| entry.text.starts_with('[') && entry.level.is_some();
    let last = own.iter().rev().find(program);
    let good = |text: &str| text.contains("windeploy.exe") && text.to_lowercase().contains("code [0x0]");
    let failures: Vec<&Line<'_>> = lines
        .iter()
        .filter(|line| line.entry.level >= Some(Level::Error) && !is_aside(line))
        .collect();
    let stops = |line: &&&Line<'_>| line.entry.text.starts_with('[') || line.entry.source == "IBS";
    if let Some(end) = last.filter(|entry| good(&entry.text) && !failures.iter().any(|line| stops(&line))) {
        return Some(Finding {
            cause: &SETUP_SUCCESS,
            code: None,
            phase: Phase::FirstBoot,
            part: None,
            subject: None,
            evidence: vec![Evidence::of(end, file)],
            when: end.time.clone(),
        });
    }
    let line = failures.iter().rev().find(stops).or(failures.last())?;
    let part = Part::of(&line.entry.text).or_else(|| {
        (!line.entry.source.is_empty()).then(|| Part {
            module: Some(line.entry.source.clone()),
            function: None,
        })
    });
    Some(Finding {
        cause: &UNKNOWN,
        code: reason(&line.entry.text).or_else(|| failures.iter().rev().find_map(|line| reason(&line.entry.text))),
        phase: Phase::Unknown,
        part,
        subject: None,
        evidence: failures
            .iter()
            .take(3)
            .map(|line| Evidence::of(line.entry, file))
            .collect(),
        when: line.entry.time.clone(),
    })
}

fn is_aside(line: &Line<'_>) -> bool {
    let program = |line: &Line<'_>| line.entry.text.split(']').next().unwrap_or_default().to_lowercase();
    let asides = || rules::all().filter(|cause| cause.strength == Strength::Aside);
    asides().any(|cause| cause.is_told_by(&line.folded)) || program(line).contains("netiougc")
}

fn asides(lines: &[Line<'_>], file: &str) -> Vec<Finding> {
    let causes = rules::all().filter(|cause| cause.strength == Strength::Aside);
    causes
        .filter_map(|cause| {
            let told = lines.iter().filter(|line| cause.is_told_by(&line.folded));
            let told: Vec<&Line<'_>> = told.collect();
            let first = told.first()?;
            Some(Finding {
                cause,
                code: reason(&first.entry.text),
                phase: cause.phase,
                part: None,
                subject: None,
                evidence: told.iter().take(3).map(|line| Evidence::of(line.entry, file)).collect(),
                when: first.entry.time.clone(),
            })
        })
        .collect()
}
