//! The answer to logs, as text and as JSON.

use reseal_guest::codes;
use reseal_guest::postmortem::{Evidence, Finding, Phase, Report};
use serde_json::{Value, json};

use crate::console::Console;
use crate::console::text::{cut, tame, wrap};

/// So much of a line of a log is shown; JSON has all of it.
const WIDTH: usize = 220;

/// Shows the report.
pub(super) fn report(report: &Report, logs: usize, console: &Console) {
    if console.is_json() {
        return console.document("logs", document(report, logs));
    }
    for line in lines(report) {
        console.line(&line);
    }
}

fn machine(phase: Phase) -> &'static str {
    match phase {
        Phase::Validation => "nothing has changed yet: sysprep may run again after the cure",
        Phase::Execution => "sysprep had begun to change the system: start again from a fresh machine",
        Phase::FirstBoot => {
            "it happened at the first boot of a clone: cure the image or its answer file, and clone anew"
        }
        Phase::Unknown => "the log does not say whether the machine is still good",
    }
}

fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Validation => "validation",
        Phase::Execution => "execution",
        Phase::FirstBoot => "first_boot",
        Phase::Unknown => "unknown",
    }
}

fn lines(report: &Report) -> Vec<String> {
    let found = &report.verdict;
    let mut lines = vec![format!("{}: {}", found.cause.class, found.cause.meaning)];
    if let Some(subject) = &found.subject {
        lines.push(format!("  names    {}", tame(subject)));
    }
    if let Some(part) = found
        .part
        .as_ref()
        .filter(|part| !found.is_known() || part.owner().is_some())
    {
        let owner = part.owner().map(|owner| format!(" ({owner})")).unwrap_or_default();
        lines.push(format!("  part     {}{owner}", tame(&part.to_string())));
    }
    lines.extend(found.code.map(|code| format!("  code     {}", codes::sentence(code))));
    if !found.is_good() {
        lines.push(format!("  machine  {}", machine(found.phase)));
        lines.push(wrap(&format!("  cure     {}", found.cause.cure), 160));
    }
    if !found.evidence.is_empty() {
        lines.push("the lines that say so:".to_owned());
        lines.extend(found.evidence.iter().map(evidence));
    }
    let more = [("an earlier run failed", &report.earlier), ("also", &report.also)];
    for (head, findings) in more {
        lines.extend(findings.iter().map(|one| aside(head, one)));
    }
    lines.extend(report.not_known.iter().map(|gap| format!("not known: {gap}")));
    lines
}

fn evidence(line: &Evidence) -> String {
    let file = line.file.as_str();
    cut(&format!("  {file}:{}: {}", line.line, tame(&line.text)), WIDTH)
}

fn aside(head: &str, one: &Finding) -> String {
    let subject = one.subject.as_deref().map(|subject| format!(" ({})", tame(subject)));
    let place = one
        .evidence
        .first()
        .map(|line| format!(", {}:{}", line.file, line.line));
    format!(
        "{head}: {}: {}{}{}",
        one.cause.class,
        one.cause.meaning,
        subject.unwrap_or_default(),
        place.unwrap_or_default()
    )
}

fn document(report: &Report, logs: usize) -> Value {
    let mut document = finding(&report.verdict);
    let list = |findings: &[Finding]| Value::Array(findings.iter().map(finding).collect());
    if let Some(document) = document.as_object_mut() {
        document.insert("earlier".to_owned(), list(&report.earlier));
        document.insert("also".to_owned(), list(&report.also));
        document.insert("not_known".to_owned(), json!(report.not_known));
        document.insert("logs".to_owned(), json!(logs));
    }
    document
}

fn finding(one: &Finding) -> Value {
    let evidence: Vec<Value> = one
        .evidence
        .iter()
        .map(|line| json!({ "file": line.file, "line": line.line, "text": line.text }))
        .collect();
    let code = one.code.map(|code| {
        let row = codes::find(code);
        json!({
            "code": format!("0x{code:08x}"),
            "name": row.map(|row| row.name),
            "meaning": row.map(|row| row.meaning),
        })
    });
    let part = one
        .part
        .as_ref()
        .map(|part| json!({ "module": part.module, "function": part.function, "owner": part.owner() }));
    json!({
        "class": one.cause.class,
        "known": one.is_known(),
        "success": one.is_good(),
        "phase": name(one.phase),
        "code": code,
        "part": part,
        "subject": one.subject,
        "meaning": one.cause.meaning,
        "cure": one.cause.cure,
        "evidence": evidence,
        "when": one.when,
    })
}
