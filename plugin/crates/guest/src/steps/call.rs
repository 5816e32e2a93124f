//! Pieces that the calls of several steps share.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::call::{CallContext, Payload};
use crate::exit_codes::{Codes, ExitCode, Table};
use crate::source::Source;

/// How long a program may run so that the script around it still has time to end it and to answer.
pub(super) fn program_seconds(limit: Duration) -> u64 {
    let seconds = limit.as_secs();
    seconds.saturating_sub(60).max(seconds / 2).max(1)
}

/// How long to wait for another installation to end.
pub(super) fn busy_seconds(limit: Duration) -> u64 {
    (program_seconds(limit) / 2).min(900)
}

/// A payload under its own name.
pub(super) fn payload(source: &Source, fallback: &str) -> Payload {
    Payload {
        source: source.clone(),
        file_name: source.file_name(fallback),
    }
}

/// A payload whose name in the guest is made unique by a number.
pub(super) fn numbered(source: &Source, index: usize, fallback: &str) -> Payload {
    Payload {
        source: source.clone(),
        file_name: format!("{}-{}", index + 1, source.file_name(fallback)),
    }
}

/// `a, b and 3 more`.
pub(super) fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [one, two] => format!("{one}, {two}"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
    }
}

/// What the inputs of `cmd` and `powershell` have in common: `own` is what each has for itself.
pub(super) fn run_input(
    cx: &CallContext,
    limit: Duration,
    own: Value,
    surroundings: (&BTreeMap<String, String>, Option<&str>),
    codes: (&[ExitCode], &[ExitCode]),
) -> Value {
    let mut input = json!({ "work": cx.work, "timeout_seconds": program_seconds(limit) });
    let common = json!({
        "environment": surroundings.0,
        "folder": surroundings.1,
        "codes": Codes::of(Table::Plain, codes.0, codes.1).input(),
    });
    for part in [own, common] {
        if let (Value::Object(input), Value::Object(part)) = (&mut input, part) {
            input.extend(part);
        }
    }
    input
}
