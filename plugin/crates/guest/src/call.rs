//! What to run in the guest, and where.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::script::Script;
use crate::source::Source;

/// Who a detached task runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum RunAs {
    /// The build account, with its full token and a logon that is not a network logon.
    #[default]
    User,
    /// `LocalSystem`.
    System,
}

impl RunAs {
    /// The word of the guest protocol.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::System => "system",
        }
    }
}

/// Where a script runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// In the resident runner; quick things only.
    Inline,
    /// In a scheduled task of its own, so that it survives the loss of the connection.
    Detached {
        /// The task's account.
        run_as: RunAs,
        /// When the task is ended by force.
        timeout: Duration,
    },
}

/// One script with its input.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The script.
    pub script: Script,
    /// Its input. May contain `${name}` placeholders of sensitive variables; they are replaced last.
    pub input: Value,
    /// Where it runs.
    pub mode: Mode,
}

impl Call {
    /// A quick call in the runner.
    pub fn inline(script: Script, input: Value) -> Self {
        Self {
            script,
            input,
            mode: Mode::Inline,
        }
    }

    /// A long call in a task.
    pub fn detached(script: Script, input: Value, run_as: RunAs, timeout: Duration) -> Self {
        Self {
            script,
            input,
            mode: Mode::Detached { run_as, timeout },
        }
    }
}

/// A file that a step needs in the guest before it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// Where it comes from.
    pub source: Source,
    /// The name it should have in the step's work folder; safe, without folders.
    pub file_name: String,
}

/// A payload that has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The file's path in the guest.
    pub path: String,
    /// Its SHA-256 as measured while it was brought, lower-case hex.
    pub sha256: Option<String>,
}

/// What a step must know of its surroundings to be called.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallContext {
    /// The step's own folder in the guest, e.g. `C:\Windows\Temp\reseal-4f2a\3`; without blanks.
    pub work: String,
    /// Where the payloads are, by [`Source::key`].
    pub payloads: BTreeMap<String, Delivered>,
    /// The time limit from the spec; without it the step's own default holds.
    pub timeout: Option<Duration>,
    /// Which call of this step it is, from 1; only steps with [`crate::Outcome::more`] care.
    pub round: u32,
}

impl CallContext {
    /// A path in the work folder.
    pub(crate) fn in_work(&self, name: &str) -> String {
        format!("{}\\{name}", self.work.trim_end_matches('\\'))
    }

    /// The limit to use.
    pub(crate) fn limit(&self, default: Duration) -> Duration {
        self.timeout.unwrap_or(default)
    }

    /// The payload's JSON as the scripts take it.
    pub(crate) fn payload(&self, payload: &Payload) -> Value {
        let delivered = self.payloads.get(&payload.source.key());
        let path = delivered.map_or_else(|| self.in_work(&payload.file_name), |delivered| delivered.path.clone());
        let measured = delivered.and_then(|delivered| delivered.sha256.clone());
        serde_json::json!({
            "path": path,
            "sha256": payload.source.sha256.clone().or(measured).map(|hash| hash.to_ascii_lowercase()),
            "publisher": payload.source.publisher,
            "size": payload.source.size,
        })
    }
}
