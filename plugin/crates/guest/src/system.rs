//! What a build does in the guest by itself: looking, answer file, sysprep, hygiene, proofs.
//!
//! Every operation is a type whose fields are the input of `ops/README.md` and whose [`Query::Answer`] is the result.

mod answer_file;
mod bootstrap;
mod clean;
mod cloudbase;
mod condition;
mod facts;
mod files;
mod first_boot;
mod generalize;
mod reboot;
mod tasks;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use self::answer_file::{AnswerFile, UNATTEND_PATH, UnattendFind, UnattendPush, UnattendPushed};
pub use self::bootstrap::{BootstrapValues, Role, user_data};
pub use self::clean::{
    Category, CategoryResult, CleanupSelf, CleanupSelfResult, CollectLogs, Hit, Hygiene, HygieneResult, Leftovers,
    LogFile, Logs, Residue, ResidueResult, Skipped,
};
pub use self::cloudbase::{CloudbasePrepare, CloudbasePrepared, Configuration, Partition};
pub use self::condition::{Condition, ConditionHolds};
pub use self::facts::{
    CloudbaseState, Identity, IdentityFacts, License, Product, Products, ProductsList, VerifyFacts, VerifyFactsResult,
};
pub use self::files::{FetchUrl, Fetched, Signature, SignatureResult};
pub use self::first_boot::{FirstBoot, FirstBootState};
pub use self::generalize::{
    AppxBlockers, Evidence, FixResult, Fixes, LogTail, Preflight, PreflightFix, PreflightUndo, Status, SysprepPoll,
    SysprepPolled, SysprepSettings, SysprepStart, TaskStarted, Undone, UndoneChange,
};
pub use self::reboot::{Pending, PendingReboot, RebootRequest, RebootRequested, Signal};
pub use self::tasks::{TASK_POLL, TASK_REMOVE, TASK_START, TaskPoll, TaskPolled, TaskRemove, TaskStart};

use crate::call::Call;
use crate::failure::StepFailure;
use crate::outcome::unwrap;
use crate::script::Script;

use self::cloudbase::SERVICE;

/// The scripts of all system operations.
pub(crate) const SYSTEM_SCRIPTS: &[Script] = &[
    Identity::SCRIPT,
    PendingReboot::SCRIPT,
    RebootRequest::SCRIPT,
    TaskStart::SCRIPT,
    TaskPoll::SCRIPT,
    TaskRemove::SCRIPT,
    FetchUrl::SCRIPT,
    Signature::SCRIPT,
    Products::SCRIPT,
    UnattendFind::SCRIPT,
    UnattendPush::SCRIPT,
    CloudbasePrepare::SCRIPT,
    Preflight::SCRIPT,
    PreflightFix::SCRIPT,
    PreflightUndo::SCRIPT,
    SysprepStart::SCRIPT,
    SysprepPoll::SCRIPT,
    Hygiene::SCRIPT,
    Residue::SCRIPT,
    Leftovers::SCRIPT,
    CollectLogs::SCRIPT,
    CleanupSelf::SCRIPT,
    VerifyFacts::SCRIPT,
    AppxBlockers::SCRIPT,
    FirstBoot::SCRIPT,
    Condition::SCRIPT,
];

/// A system operation: its fields are the input.
pub trait Query: Serialize {
    /// What it answers.
    type Answer: DeserializeOwned;

    /// The script.
    const SCRIPT: Script;

    /// The call, inline.
    fn call(&self) -> Call {
        Call::inline(Self::SCRIPT, self.input())
    }

    /// The input.
    fn input(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }

    /// Reads the answer: either the whole `{"ok":…}` or only its `result`.
    ///
    /// # Errors
    /// The guest's error by its kind; `unexpected` when the result has another shape.
    fn read(answer: &Value) -> Result<Self::Answer, StepFailure> {
        read::<Self>(answer)
    }
}

/// As every answer is read that has no meaning of its own.
fn read<Q: Query + ?Sized>(answer: &Value) -> Result<Q::Answer, StepFailure> {
    let result = unwrap(answer)?;
    serde_path_to_error::deserialize(result).map_err(|error| {
        let message = format!(
            "the answer of `{}` is not understood at `{}`: {}",
            Q::SCRIPT.name,
            error.path(),
            error.inner()
        );
        StepFailure::new("unexpected", message)
    })
}
