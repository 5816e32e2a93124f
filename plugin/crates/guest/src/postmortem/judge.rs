//! What one run of sysprep says.

use super::entry::{Entry, Level};
use super::noise::is_harmless;
use super::number::{reason, whole};
use super::part::Part;
use super::rules::{self, Cause, EXTERNAL, INCOMPLETE, NO_FAILURE, SUCCESS, Scope, Strength, UNKNOWN};
use super::runs::{gives_up, has_tag};
use super::{Evidence, Finding, Phase};

/// So many lines are shown as evidence.
const MOST: usize = 6;

/// An entry with its text in small letters.
pub(super) struct Line<'a> {
    pub(super) entry: &'a Entry,
    pub(super) folded: String,
}

/// The entries that tell a failure, without those of good runs.
pub(super) fn errors<'a>(entries: &[&'a Entry]) -> Vec<Line<'a>> {
    let errors = entries.iter().filter(|entry| entry.is_error());
    let lines = errors.map(|entry| Line {
        entry,
        folded: entry.text.to_lowercase(),
    });
    lines.filter(|line| !is_harmless(&line.folded)).collect()
}

/// What gives a cause away in a run.
pub(super) struct Match {
    pub(super) cause: &'static Cause,
    strength: Strength,
    /// The lines that name the reason.
    pub(super) told: Vec<usize>,
}

/// The strongest match of a scope: the first of the table among the equally strong.
pub(super) fn strongest(scope: Scope, lines: &[Line<'_>], part: Option<&Part>, codes: &[u32]) -> Option<Match> {
    let folded = part.map(Part::folded);
    let candidates = rules::all().filter(|cause| cause.scope == scope && cause.strength < Strength::Aside);
    candidates
        .filter_map(|cause| matching(cause, lines, folded.as_deref(), codes))
        .min_by_key(|found| found.strength)
}

fn matching(cause: &'static Cause, lines: &[Line<'_>], part: Option<&str>, codes: &[u32]) -> Option<Match> {
    let own_part = part.is_some_and(|part| cause.is_part(part));
    let fits = cause.parts.is_empty() || part.is_none() || own_part;
    let told: Vec<usize> = lines
        .iter()
        .filter(|line| cause.warnings || line.entry.level != Some(Level::Warning))
        .filter(|line| tells(cause, line))
        .map(|line| line.entry.line)
        .collect();
    let by_code = cause.codes.iter().any(|code| codes.contains(code));
    let strength = match cause.strength {
        Strength::Consequence if (by_code && part.is_none()) || !told.is_empty() => Strength::Consequence,
        Strength::Part if own_part => Strength::Part,
        strength @ (Strength::Reason | Strength::Code | Strength::Part) if fits && !told.is_empty() => strength,
        Strength::Reason | Strength::Code | Strength::Part if fits && by_code => Strength::Code,
        _ => return None,
    };
    Some(Match { cause, strength, told })
}

/// Whether a line gives a cause away. One that nobody is known to have said must quote enough not to be somebody's prose.
fn tells(cause: &Cause, line: &Line<'_>) -> bool {
    let entry = line.entry;
    let prose = entry.level.is_none() && !entry.has_speaker() && !entry.is_foreign_dialog();
    if prose {
        cause.is_quoted_by(&line.folded)
    } else {
        cause.is_told_by(&line.folded)
    }
}

/// Judges one run; nothing where it has no line of sysprep's.
pub(super) fn run(entries: &[&Entry], file: &str) -> Option<Finding> {
    let lines = errors(entries);
    if !entries.iter().any(|entry| entry.is_sysprep()) {
        return quoted(&lines, file);
    }
    let end = lines.iter().rev().find(|line| gives_up(&line.entry.text));
    let tag = entries.iter().rev().find(|entry| has_tag(&entry.text));
    if let Some(tag) = tag.filter(|tag| end.is_none_or(|end| end.entry.line < tag.line)) {
        return Some(finding(&SUCCESS, None, vec![Evidence::of(tag, file)], tag));
    }
    let told = lines
        .iter()
        .any(|line| line.entry.is_sysprep() || line.entry.level.is_some());
    if !told {
        return quiet(entries, file);
    }
    let code = end
        .and_then(|end| reason(&end.entry.text))
        .or_else(|| lines.iter().rev().find_map(|line| reason(&line.entry.text)));
    let code = code.map(|code| whole(code, lines.iter().filter_map(|line| reason(&line.entry.text))));
    let part = failing_part(&lines).or_else(|| crashed_part(entries, &lines));
    let codes: Vec<u32> = code.into_iter().collect();
    let found = strongest(Scope::Sysprep, &lines, part.as_ref(), &codes);
    let external = end.is_some_and(|end| end.folded.contains("external providers")) && part.is_some();
    let weak = found.as_ref().is_none_or(|found| found.strength > Strength::Part);
    let cause = match &found {
        _ if external && weak => &EXTERNAL,
        Some(found) => found.cause,
        None => &UNKNOWN,
    };
    let told = found.map(|found| found.told).unwrap_or_default();
    let last = end.or(lines.last())?;
    let mut finding = finding(cause, code, evidence(&lines, &told, end, file), last.entry);
    finding.phase = phase(entries, end, part.as_ref(), cause);
    finding.subject = lines
        .iter()
        .filter(|line| told.is_empty() || told.contains(&line.entry.line))
        .find_map(|line| package(&line.entry.text))
        .or_else(|| part.as_ref().map(Part::to_string));
    let speaker = lines
        .iter()
        .find_map(|line| Part::speaking(&line.entry.source, &line.entry.text));
    finding.part = part.or(speaker.filter(|_| cause.letter == '?'));
    Some(finding)
}

/// Without a line of sysprep's for sure, only the very words of a known failure count.
fn quoted(lines: &[Line<'_>], file: &str) -> Option<Finding> {
    let mut causes = rules::all().filter(|cause| cause.scope == Scope::Sysprep);
    causes.find_map(|cause| {
        let told = lines.iter().filter(|line| line.entry.source.is_empty());
        let told: Vec<&Line<'_>> = told.filter(|line| cause.is_quoted_by(&line.folded)).collect();
        let first = told.first()?;
        let shown = told.iter().take(3).map(|line| Evidence::of(line.entry, file)).collect();
        let mut found = finding(cause, reason(&first.entry.text), shown, first.entry);
        found.subject = package(&first.entry.text);
        Some(found)
    })
}

fn finding(cause: &'static Cause, code: Option<u32>, evidence: Vec<Evidence>, last: &Entry) -> Finding {
    Finding {
        cause,
        code,
        phase: cause.phase,
        part: None,
        subject: None,
        evidence,
        when: last.time.clone(),
    }
}

/// A run without errors: it hangs, it was cut off, or all its errors are harmless.
fn quiet(entries: &[&Entry], file: &str) -> Option<Finding> {
    let last = entries
        .iter()
        .rev()
        .find(|entry| entry.is_sysprep() && !entry.text.is_empty())?;
    let harmless = entries.iter().any(|entry| entry.level >= Some(Level::Error));
    let only_errors = entries.iter().all(|entry| entry.level != Some(Level::Info));
    let cause = match rules::by_silence(last) {
        Some(cause) => cause,
        None if harmless && only_errors => &NO_FAILURE,
        None => &INCOMPLETE,
    };
    let mut found = finding(cause, None, vec![Evidence::of(last, file)], last);
    found.part = Part::begun(&last.text);
    Some(found)
}

/// The part that failed: sysprep names it when it launches it, and the last one is what it gave up about.
pub(super) fn failing_part(lines: &[Line<'_>]) -> Option<Part> {
    let with = |words: &'static str| {
        let mut lines = lines.iter().rev().filter(move |line| line.folded.contains(words));
        lines.find_map(|line| Part::of(&line.entry.text))
    };
    with("while executing")
        .or_else(|| with("oad dll"))
        .or_else(|| with("error in executing action for"))
}

/// A part that crashed is not named beside its crash, but it has said that it begins: `Entering Sysprep_X`.
fn crashed_part(entries: &[&Entry], lines: &[Line<'_>]) -> Option<Part> {
    let crash = lines.iter().find(|line| line.folded.contains("unhandled exception"))?;
    let before = entries
        .iter()
        .rev()
        .skip_while(|entry| !std::ptr::eq(**entry, crash.entry));
    let mut begun = before.filter_map(|entry| Part::begun(&entry.text));
    begun.next()
}

/// `pre-validate` in the last line means that nothing has changed; so do the lines before any processing.
fn phase(entries: &[&Entry], end: Option<&Line<'_>>, part: Option<&Part>, cause: &Cause) -> Phase {
    let end = end.map(|end| end.folded.as_str()).unwrap_or_default();
    if end.contains("pre-validate") || end.contains("pre- validate") {
        return Phase::Validation;
    }
    let has = |text: &str| entries.iter().any(|entry| entry.text.contains(text));
    let specializes = part.is_some_and(|part| part.folded().contains("specialize"));
    if end.contains("specialize") || specializes || has("ActionFiles\\Specialize.xml; dwRet") {
        return Phase::FirstBoot;
    }
    if end.contains("while processing sysprep") || has("WinMain:Processing 'generalize'") {
        return Phase::Execution;
    }
    if has("Error in validating actions") || has("Failed while validating") {
        return Phase::Validation;
    }
    if has("Error in executing actions from") || has("Failed while executing Sysprep") {
        return Phase::Execution;
    }
    cause.phase
}

/// The lines that name the reason, or else the last errors before a part failed, and what tells that it did.
fn evidence(lines: &[Line<'_>], told: &[usize], end: Option<&Line<'_>>, file: &str) -> Vec<Evidence> {
    let launch = lines.iter().rposition(|line| line.folded.contains("while executing '"));
    let mut shown: Vec<&Entry> = if told.is_empty() {
        let before = launch.unwrap_or(0).saturating_sub(2);
        lines.iter().skip(before).take(3).map(|line| line.entry).collect()
    } else {
        let wanted = lines.iter().filter(|line| told.contains(&line.entry.line));
        wanted.take(3).map(|line| line.entry).collect()
    };
    shown.extend(launch.and_then(|at| lines.get(at)).map(|line| line.entry));
    shown.extend(end.map(|line| line.entry));
    each_once(shown, file)
}

/// Entries in the order of the log, each once, as evidence.
pub(super) fn each_once(mut shown: Vec<&Entry>, file: &str) -> Vec<Evidence> {
    shown.sort_by_key(|entry| entry.line);
    let mut all: Vec<Evidence> = Vec::new();
    for one in shown.into_iter().map(|entry| Evidence::of(entry, file)) {
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all.truncate(MOST);
    all
}

/// `Package X was installed`, `staged package X.`
fn package(text: &str) -> Option<String> {
    let after = text.split_once("ackage ").map(|(_, rest)| rest)?;
    let name = after.split([' ', ':']).next()?.trim_end_matches('.');
    name.contains('_').then(|| name.to_owned())
}
