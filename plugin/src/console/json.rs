//! JSON Lines: one versioned object for each event, signal, diagnostic, message and end.

use jiff::Timestamp;
use reseal_diag::Diagnostic;
use reseal_engine::Signal;
use reseal_journal::Entry;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::Console;
use super::tally::Tally;
use super::watcher::Renderer;

/// The version of the format. New members may come without a new version; readers skip what they do not know.
const FORMAT: u32 = 1;

/// Shows one build.
pub(super) struct Json {
    console: Console,
}

impl Json {
    pub(super) fn new(console: &Console) -> Self {
        Self {
            console: console.clone(),
        }
    }
}

/// One line.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Line<'a, T> {
    /// The version of the format. New members may come without a new version.
    v: u32,
    /// What kind of line this is.
    #[serde(rename = "type")]
    kind: &'a str,
    /// When it was written.
    time: Timestamp,
    /// What it says.
    #[serde(flatten)]
    fields: T,
}

/// One line of the kind `kind`; `fields` is a structure or a map.
pub(super) fn line(kind: &str, fields: impl Serialize) -> String {
    let line = Line {
        v: FORMAT,
        kind,
        time: super::now(),
        fields,
    };
    serde_json::to_string(&line).unwrap_or_default()
}

/// A diagnostic.
pub(super) fn diagnostic(diagnostic: &Diagnostic) -> String {
    let report = reseal_diag::json::Report::from(diagnostic);
    line("diagnostic", report)
}

/// Durations become seconds: readers need not know how Rust writes them.
fn signal(signal: &Signal) -> Value {
    let mut value = serde_json::to_value(signal).unwrap_or_default();
    if let (Signal::Waiting { elapsed, limit, .. }, Some(map)) = (signal, value.as_object_mut()) {
        map.remove("elapsed");
        map.remove("limit");
        map.insert("elapsed_seconds".to_owned(), json!(elapsed.as_secs()));
        map.insert("limit_seconds".to_owned(), json!(limit.as_secs()));
    }
    value
}

impl Renderer for Json {
    fn event(&self, entry: &Entry, tally: &Tally) {
        let fields = json!({ "build": tally.build, "name": tally.name, "entry": entry });
        self.console.put_out(&line("event", fields));
    }

    fn signal(&self, what: &Signal, tally: &Tally) {
        let mut fields = json!({ "build": tally.build, "name": tally.name });
        if let (Some(map), Value::Object(more)) = (fields.as_object_mut(), signal(what)) {
            map.extend(more);
        }
        self.console.put_out(&line("signal", fields));
    }
}
