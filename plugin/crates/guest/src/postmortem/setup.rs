//! What the logs of a first boot, and of servicing, say.

use super::entry::{Entry, Level};
use super::judge::{Line, each_once, errors, failing_part, strongest};
use super::number::reason;
use super::part::Part;
use super::rules::{self, QUIET, SETUP_SUCCESS, Scope, Strength, UNKNOWN};
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
    forget_retries(&mut lines);
    Judged {
        main: main(&own, &lines, file),
        asides: asides(&lines, file),
    }
}

/// A join of a domain that went well in the end was none that failed.
fn forget_retries(lines: &mut Vec<Line<'_>>) {
    const STATUS: &str = "netpdodomainjoin: status: 0x";
    let joined = lines.iter().rfind(|line| line.folded.contains(STATUS));
    if joined.is_some_and(|line| line.folded.trim_end().ends_with("status: 0x0")) {
        lines.retain(|line| !line.folded.contains(STATUS));
    }
}

/// Warnings and notes that may tell a reason. (In logs without levels, every line is looked at as an error.)
fn speaks(entry: &Entry) -> bool {
    const NOTES: [&str; 8] = [
        "hrResult = 0x8",
        "UnattendErrorFromResults",
        "SetupComplete.cmd",
        "Unattended Join",
        "time zone",
        "no unattend file was present",
        "Found no unattend file",
        "NetpDoDomainJoin: status: 0x",
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
    let before = unexplained(found.cause, &stoppers, first);
    let mut evidence: Vec<&Entry> = told.iter().take(4).map(|line| line.entry).collect();
    evidence.extend(sources(lines).chain(before.iter().copied()).map(|line| line.entry));
    let reasons: Vec<&Line<'_>> = before.iter().chain(&told).copied().collect();
    Some(Finding {
        cause: found.cause,
        code: code(&reasons).or_else(|| lines.iter().rev().find_map(strict_reason)),
        phase: phase(found.cause, &told),
        part: None,
        subject: subject(lines).or_else(|| failing_part(lines).map(|part| part.to_string())),
        evidence: each_once(evidence, file),
        when: first.entry.time.clone(),
    })
}

/// Some passes are none of a clone's: generalize belongs to sysprep, two others to the installation.
fn phase(cause: &rules::Cause, told: &[&Line<'_>]) -> Phase {
    const ELSEWHERE: [&str; 3] = ["[generalize]", "[windowspe]", "[offlineservicing]"];
    let elsewhere = |line: &&Line<'_>| ELSEWHERE.iter().any(|pass| line.folded.contains(pass));
    if told.iter().any(elsewhere) {
        return Phase::Unknown;
    }
    cause.phase
}

/// What Setup ends with whatever went wrong before.
const INCOMPLETE_INSTALLATION: u32 = 0x8004_FC00;

/// The code of the lines that decide; an exit code, which is small, only where there is no other.
fn code(told: &[&Line<'_>]) -> Option<u32> {
    const EXIT: u32 = 0x8007_001F;
    let codes = || told.iter().filter_map(|line| reason(&line.entry.text));
    let large = codes().find(|code| code & 0xFFFF_0000 != 0x8007_0000 && *code != INCOMPLETE_INSTALLATION);
    let specific = || codes().find(|code| *code != EXIT && *code != INCOMPLETE_INSTALLATION);
    large.or_else(specific).or_else(|| codes().next())
}

/// The last errors before what is only a consequence: no rule knows them, but they are nearer to the reason.
fn unexplained<'l, 'e>(cause: &rules::Cause, stoppers: &'l [Line<'e>], told: &Line<'_>) -> Vec<&'l Line<'e>> {
    if cause.strength != Strength::Consequence {
        return Vec::new();
    }
    let is_error = |line: &&Line<'_>| line.entry.level >= Some(Level::Error) && !is_aside(line);
    let before = stoppers.iter().take_while(|line| line.entry.line < told.entry.line);
    let mut last: Vec<&Line<'_>> = before.filter(is_error).collect();
    last.split_off(last.len().saturating_sub(2))
}

/// Warnings count only for causes that want them; that is seen to by what the cause looks for, so all but servicing's do.
fn counts(line: &Line<'_>) -> bool {
    let telling = ["8022", "queue item installer"];
    !SERVICING.contains(&line.entry.source.as_str()) || telling.iter().any(|words| line.folded.contains(words))
}

/// The code of a line that is an error; what servicing warns about is no reason. In what may be prose, only the codes of
/// answer files count.
fn strict_reason(line: &Line<'_>) -> Option<u32> {
    let entry = line.entry;
    let prose = entry.level.is_none() && !entry.has_speaker();
    (entry.level != Some(Level::Warning))
        .then(|| reason(&entry.text))
        .flatten()
        .filter(|code| !prose || matches!(code >> 16, 0x8022 | 0x8030 | 0xC00C))
}

fn is_coded(line: &Line<'_>, codes: &[u32]) -> bool {
    reason(&line.entry.text).is_some_and(|code| codes.contains(&code))
}

/// Lines that name the setting of the answer file.
fn sources<'l, 'e>(lines: &'l [Line<'e>]) -> impl Iterator<Item = &'l Line<'e>> {
    lines
        .iter()
        .filter(|line| line.folded.contains("dump: source = "))
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
    let named = |before: &'static str, end: char| {
        let mut names = lines.iter().filter_map(move |line| {
            let (_, rest) = line.entry.text.split_once(before)?;
            rest.split_once(end).map(|(name, _)| name.trim().to_owned())
        });
        names.next()
    };
    setting
        .or_else(component)
        .or_else(pass)
        .or_else(zone)
        .or_else(|| bracketed(lines))
        .or_else(|| named("value named '", '\''))
        .or_else(|| named("answer file's <", '>'))
        .or_else(|| named("queue item Installer: ", '('))
}

/// The component, or else the pass, of a dialog in whatever language: both are in brackets.
fn bracketed(lines: &[Line<'_>]) -> Option<String> {
    let dialog = lines.iter().find(|line| line.entry.is_foreign_dialog())?;
    let inner = || {
        dialog
            .entry
            .text
            .split('[')
            .skip(1)
            .filter_map(|part| part.split_once(']'))
    };
    let component = inner().find(|(name, _)| name.starts_with("Microsoft-Windows-"));
    let pass = || inner().find(|(name, _)| !name.contains('\\'));
    component.or_else(pass).map(|(name, _)| name.to_owned())
}

/// `Source = Name: C, Language: …, VersionScope: nonSxS, /settings/A/B` is `C: A/B`.
fn setting(text: &str) -> Option<String> {
    let Some((_, rest)) = text.split_once("Name: ") else {
        let (_, path) = text.split_once("Source = ")?;
        let path = path.split_whitespace().next()?.trim_matches(['.', '/', ',']);
        return (!path.is_empty()).then(|| path.to_owned());
    };
    let component = rest.split([',', ' ']).next()?;
    let path = rest.split_once("ettings/").map(|(_, path)| path.trim());
    let path = path.and_then(|path| path.split_whitespace().next());
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
        .filter(|line| tells_a_failure(line.entry) && !is_aside(line))
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
    let Some(line) = failures.iter().rev().find(stops).or(failures.last()) else {
        return nothing_failed(own, file);
    };
    let text = line.entry.text.as_str();
    Some(Finding {
        cause: &UNKNOWN,
        code: reason(text).or_else(|| failures.iter().rev().find_map(|line| reason(&line.entry.text))),
        phase: Phase::Unknown,
        part: Part::of(text).or_else(|| Part::speaking(&line.entry.source, text)),
        subject: None,
        evidence: each_once(failures.iter().rev().take(3).map(|line| line.entry).collect(), file),
        when: line.entry.time.clone(),
    })
}

/// An error; in logs that have lost their levels, what a program or a known source says in words of failure.
fn tells_a_failure(entry: &Entry) -> bool {
    entry.level >= Some(Level::Error) || (entry.level.is_none() && entry.has_speaker() && entry.is_error())
}

/// A log of Setup or servicing without failures is one all the same.
fn nothing_failed(own: &[&Entry], file: &str) -> Option<Finding> {
    let last = own.iter().rev().find(|entry| entry.has_speaker())?;
    let warnings = own.iter().rev().filter(|entry| entry.level == Some(Level::Warning));
    let shown = warnings.take(2).chain([last]).copied().collect();
    Some(Finding {
        cause: &QUIET,
        code: None,
        phase: Phase::Unknown,
        part: None,
        subject: None,
        evidence: each_once(shown, file),
        when: last.time.clone(),
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
