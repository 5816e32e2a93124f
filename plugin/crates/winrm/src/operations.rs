//! The transport's own guest operations: their scripts, inputs and results (`docs/guest-protocol.md`).

use std::time::Duration;

use reseal_machine::CommError;
use reseal_machine::communicator::Probe;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::runner::{Call, Reply};

/// An operation's name and text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
    /// A guest that needs longer is taken for one that hangs.
    pub(crate) limit: Duration,
}

impl Operation {
    /// The operation with an input, which is JSON already.
    pub(crate) fn call(self, input: &str) -> Call<'_> {
        Call {
            name: self.name,
            text: self.text,
            input,
            limit: self.limit,
        }
    }
}

macro_rules! operation {
    ($const:ident, $name:literal, $limit:expr) => {
        pub(crate) const $const: Operation = Operation {
            name: $name,
            text: include_str!(concat!("../scripts/", $name, ".ps1")),
            limit: $limit,
        };
    };
}

/// For what looks only, or reads and writes little.
const SHORT: Duration = Duration::from_mins(3);
/// For what reads a whole file, which may be an image of a DVD on a slow disk.
const LONG: Duration = Duration::from_hours(1);

operation!(PROBE, "probe", SHORT);
operation!(STATE, "transfer_state", LONG);
operation!(PREPARE, "transfer_prepare", LONG);
operation!(HASH, "transfer_hash", SHORT);
operation!(FINISH, "transfer_finish", LONG);
operation!(READ, "transfer_read", LONG);

#[derive(Debug, Serialize)]
pub(crate) struct FileInput<'a> {
    pub(crate) path: &'a str,
    pub(crate) size: u64,
    pub(crate) sha256: &'a str,
}

/// What `transfer_prepare` takes.
#[derive(Debug, Serialize)]
pub(crate) struct RoomInput<'a> {
    /// The file.
    pub(crate) path: &'a str,
    /// Its size.
    pub(crate) size: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct RangeInput<'a> {
    pub(crate) path: &'a str,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ProbeResult {
    pub(crate) boot_time: String,
    #[serde(default)]
    pub(crate) boot_id: Option<u64>,
    pub(crate) computer_name: String,
}

impl From<ProbeResult> for Probe {
    fn from(result: ProbeResult) -> Self {
        Self {
            boot_time: result.boot_time,
            boot_id: result.boot_id,
            computer_name: result.computer_name,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct StateResult {
    pub(crate) equal: bool,
    #[serde(default)]
    pub(crate) partial: Option<Partial>,
    #[serde(default)]
    pub(crate) free_bytes: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Partial {
    pub(crate) size: u64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct PrepareResult {
    pub(crate) size: u64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct HashResult {
    pub(crate) sha256: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct FinishResult {
    pub(crate) sha256: String,
    pub(crate) equal: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ReadResult {
    pub(crate) data: String,
    pub(crate) size: u64,
    #[serde(default)]
    pub(crate) sha256: Option<String>,
}

/// The receiver's answer to a frame.
#[derive(Debug, Deserialize)]
pub(crate) struct WrittenResult {
    pub(crate) sha256: String,
}

/// An operation's answer, as all scripts give it.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    ok: bool,
    #[serde(default)]
    result: Value,
    #[serde(default)]
    error: Option<Problem>,
}

#[derive(Debug, Default, Deserialize)]
struct Problem {
    #[serde(default)]
    message: String,
    #[serde(default)]
    kind: String,
}

impl Answer {
    /// The result, or the script's own words on why there is none.
    pub(crate) fn into_result(self) -> Result<Value, String> {
        if self.ok {
            return Ok(self.result);
        }
        let problem = self.error.unwrap_or_default();
        Err(format!("{} ({})", problem.message, problem.kind))
    }
}

/// Reads the results of one of our operations.
pub(crate) fn read_all<T: for<'de> Deserialize<'de>>(name: &str, replies: Vec<Reply>) -> Result<Vec<T>, CommError> {
    replies.into_iter().map(|reply| read(name, reply)).collect()
}

fn read<T: for<'de> Deserialize<'de>>(name: &str, reply: Reply) -> Result<T, CommError> {
    let failed = |message: String| CommError::Script {
        script: name.to_owned(),
        message,
        tail: reply.tail.clone(),
    };
    let answer = reply.answer.ok_or_else(|| failed("it gave no answer".to_owned()))?;
    let answer: Answer = serde_json::from_value(answer).map_err(|error| CommError::Protocol(error.to_string()))?;
    let result = answer.into_result().map_err(failed)?;
    serde_json::from_value(result).map_err(|error| CommError::Protocol(format!("the answer of `{name}`: {error}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reply(answer: Value) -> Reply {
        Reply {
            answer: Some(answer),
            tail: vec!["last".to_owned()],
        }
    }

    #[test]
    fn results_and_refusals() {
        let state: StateResult = read(
            "x",
            reply(json!({"ok": true, "result": {"equal": false, "partial": {"size": 3}}})),
        )
        .unwrap();
        assert_eq!(state.partial.unwrap().size, 3);
        let refused = read::<StateResult>(
            "x",
            reply(json!({"ok": false, "error": {"message": "no", "kind": "io"}})),
        );
        assert!(
            matches!(refused, Err(CommError::Script { message, tail, .. }) if message == "no (io)" && tail.len() == 1)
        );
        assert!(matches!(
            read::<StateResult>("x", reply(json!([]))),
            Err(CommError::Protocol(_))
        ));
    }
}
