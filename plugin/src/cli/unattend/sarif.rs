//! Findings as SARIF 2.1.0, which code review systems show at the lines of a change.

use reseal_diag::{Diagnostic, Severity};
use serde_json::{Value, json};

use super::super::pages;
use crate::VERSION;

/// The report.
pub(super) fn report(diagnostics: &[Diagnostic]) -> String {
    let mut codes: Vec<&str> = diagnostics.iter().map(|one| one.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let rules: Vec<Value> = codes.iter().map(|code| rule(code)).collect();
    let results: Vec<Value> = diagnostics.iter().map(result).collect();
    let report = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "reseal", "version": VERSION, "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_string_pretty(&report).unwrap_or_default()
}

fn rule(code: &str) -> Value {
    let page = pages::find(code);
    json!({
        "id": code,
        "shortDescription": { "text": page.as_ref().map_or(code, |page| page.title.as_str()) },
        "help": { "text": page.as_ref().map_or("", |page| page.text.trim()) },
    })
}

fn result(diagnostic: &Diagnostic) -> Value {
    let level = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let mut text = vec![diagnostic.message.clone()];
    text.extend(diagnostic.help.iter().cloned());
    let place = reseal_diag::json::Report::from(diagnostic).place;
    let locations: Vec<Value> = place
        .into_iter()
        .map(|place| {
            json!({ "physicalLocation": {
                "artifactLocation": { "uri": place.file.replace('\\', "/") },
                "region": {
                    "startLine": place.line,
                    "startColumn": place.column,
                    "endLine": place.end_line,
                    "endColumn": place.end_column,
                },
            }})
        })
        .collect();
    json!({ "ruleId": diagnostic.code, "level": level, "message": { "text": text.join("\n") }, "locations": locations })
}
