//! Detached work: the three operations of the guest protocol.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Query;
use crate::call::RunAs;
use crate::script::{Script, script};

/// The script of `task_start`.
pub const TASK_START: Script = TaskStart::SCRIPT;
/// The script of `task_poll`.
pub const TASK_POLL: Script = TaskPoll::SCRIPT;
/// The script of `task_remove`.
pub const TASK_REMOVE: Script = TaskRemove::SCRIPT;

/// Writes an operation into a folder and starts it as a scheduled task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskStart {
    /// The task's name, `reseal-<build>-<n>`.
    pub task: String,
    /// Its folder, without blanks.
    pub work: String,
    /// The operation's name.
    pub op: String,
    /// The operation's script text.
    pub script: String,
    /// The operation's input.
    pub input: Value,
    /// When the task scheduler ends it.
    pub timeout_seconds: u64,
    /// The account.
    pub run_as: RunAs,
}

/// Whether the task was started by this call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct TaskStarted {
    /// False when it exists already.
    pub started: bool,
}

impl Query for TaskStart {
    type Answer = TaskStarted;
    const SCRIPT: Script = script!("task_start", "values", "tasks");
}

/// Looks how a task is getting on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaskPoll {
    /// The task's name.
    pub task: String,
    /// Its folder.
    pub work: String,
    /// Where to read the log from, in bytes.
    pub offset: u64,
}

/// How a task is getting on.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct TaskPolled {
    /// `running`, `done`, `missing` or `died`.
    pub state: String,
    /// The log's text from the offset on.
    pub log: String,
    /// Where the next look should read on.
    pub offset: u64,
    /// The operation's whole answer, when it is done.
    pub result: Option<Value>,
    /// What the task scheduler says.
    pub task_result: Option<String>,
}

impl Query for TaskPoll {
    type Answer = TaskPolled;
    const SCRIPT: Script = script!("task_poll", "values", "tasks");
}

/// Removes a task and its folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaskRemove {
    /// The task's name.
    pub task: String,
    /// Its folder.
    pub work: String,
}

/// Nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct TaskRemoved {}

impl Query for TaskRemove {
    type Answer = TaskRemoved;
    const SCRIPT: Script = script!("task_remove", "values", "tasks");
}
