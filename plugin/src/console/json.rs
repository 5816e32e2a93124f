//! JSON Lines: one versioned object for each event, signal, diagnostic, message and end.

use reseal_diag::Diagnostic;
use reseal_engine::Signal;
use reseal_journal::Entry;
use serde_json::{Map, Value, json};

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

/// One line: `v`, `type` and `time` come first.
pub(super) fn line(kind: &str, fields: Value) -> String {
    let mut map = Map::new();
    map.insert("v".to_owned(), json!(FORMAT));
    map.insert("type".to_owned(), json!(kind));
    map.insert("time".to_owned(), json!(super::now().to_string()));
    if let Value::Object(fields) = fields {
        map.extend(fields);
    }
    Value::Object(map).to_string()
}

/// A diagnostic.
pub(super) fn diagnostic(diagnostic: &Diagnostic) -> String {
    let report = reseal_diag::json::Report::from(diagnostic);
    line("diagnostic", serde_json::to_value(report).unwrap_or_default())
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
