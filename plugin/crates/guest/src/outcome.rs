//! What a step operation answered.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::codes;
use crate::detect::Detected;
use crate::exit_codes::{self, Table};
use crate::failure::StepFailure;

/// How a step ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts of an answer, not states"
)]
pub struct Outcome {
    /// Something in the guest is different now.
    pub changed: bool,
    /// It was there already; nothing was executed.
    pub already: bool,
    /// Windows must be restarted before this has its full effect.
    pub reboot_required: bool,
    /// The program's exit code, where one ran.
    pub exit_code: Option<u32>,
    /// What the code means, where our tables know it.
    pub exit_meaning: Option<String>,
    /// One line for the person who watches.
    pub detail: String,
    /// What detection said before.
    pub before: Option<Detected>,
    /// What detection said afterwards.
    pub after: Option<Detected>,
    /// Files in the guest to bring home.
    pub logs: Vec<String>,
    /// Things that are worth knowing and did not fail the step.
    pub warnings: Vec<String>,
    /// What happened to the single things (updates, features).
    pub items: Vec<Item>,
    /// The same step should be called again after a restart.
    pub more: bool,
}

/// One of several things that an operation dealt with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its name, e.g. `KB5034441`.
    pub id: String,
    /// Its title, as Windows gives it.
    pub title: String,
    /// What became of it.
    pub state: ItemState,
    /// The result code, e.g. `0x80070643`.
    pub code: Option<String>,
    /// It wants a restart.
    pub reboot_required: bool,
}

/// What became of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemState {
    /// Installed now.
    Installed,
    /// Taken away now.
    Removed,
    /// It was as wanted before.
    Already,
    /// Left out on purpose.
    Skipped,
    /// Tried, and failed.
    Failed,
    /// Does not fit this system.
    NotApplicable,
}

impl std::fmt::Display for ItemState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Installed => "installed",
            Self::Removed => "removed",
            Self::Already => "nothing to do",
            Self::Skipped => "left out",
            Self::Failed => "failed",
            Self::NotApplicable => "does not fit this system",
        })
    }
}

impl Item {
    /// For the person who watches: `KB5034439 Title: failed (0x80070643 …)`.
    pub fn line(&self) -> String {
        let title = if self.title == self.id { "" } else { self.title.as_str() };
        let name = format!("{} {title}", self.id);
        let code = self.code.as_deref().filter(|_| self.state == ItemState::Failed);
        let why = code.and_then(codes::parse).map(codes::sentence);
        let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
        format!("{}: {}{why}", name.trim_end(), self.state)
    }
}

impl Outcome {
    /// The same with every text that the guest wrote passed through `clean`.
    #[must_use]
    pub fn cleaned(mut self, clean: impl Fn(&str) -> String) -> Self {
        let titles = self.items.iter_mut().map(|item| &mut item.title);
        for text in self.warnings.iter_mut().chain(titles).chain([&mut self.detail]) {
            *text = clean(text);
        }
        self
    }

    /// Reads a whole answer (`{"ok":…}`), or only its `result`, with the exit codes of `table`.
    pub(crate) fn read(answer: &Value, table: Table) -> Result<Self, StepFailure> {
        let result = unwrap(answer).map_err(|failure| explained(failure, table))?;
        let object = result
            .as_object()
            .ok_or_else(|| StepFailure::new("unexpected", "the guest's result is not a JSON object"))?;
        let flag = |key: &str| object.get(key).and_then(Value::as_bool).unwrap_or(false);
        let exit_code = object
            .get("exit_code")
            .and_then(Value::as_i64)
            .and_then(exit_codes::normalize);
        Ok(Self {
            changed: flag("changed"),
            already: flag("already"),
            reboot_required: flag("reboot_required"),
            exit_code,
            exit_meaning: exit_code
                .and_then(|code| exit_codes::meaning(table, code))
                .map(|known| known.text.to_owned()),
            detail: object
                .get("detail")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            before: Detected::read(object.get("before")),
            after: Detected::read(object.get("after")),
            logs: texts(object.get("logs")),
            warnings: texts(object.get("warnings")),
            items: items(object.get("items")),
            more: flag("more"),
        })
    }
}

/// The `result` of an answer, or its `error` as a failure. A value without `ok` is taken for a bare result.
pub(crate) fn unwrap(answer: &Value) -> Result<&Value, StepFailure> {
    match answer.get("ok").and_then(Value::as_bool) {
        None => Ok(answer),
        Some(true) => Ok(answer.get("result").unwrap_or(&Value::Null)),
        Some(false) => Err(StepFailure::from_error(answer.get("error").unwrap_or(&Value::Null))),
    }
}

/// Adds what our tables know about the exit code.
fn explained(mut failure: StepFailure, table: Table) -> StepFailure {
    if let Some(known) = failure.code.and_then(|code| exit_codes::meaning(table, code)) {
        failure.message = format!("{} ({})", failure.message, known.text);
        if failure.hint.is_none() {
            failure.hint = known.hint.map(str::to_owned);
        }
    }
    failure
}

/// A list of texts; other things in it are passed over. A single text counts as a list of one.
pub(crate) fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(text)) => vec![text.clone()],
        _ => Vec::new(),
    }
}

/// A list of items; what is no item is passed over.
pub(crate) fn items(value: Option<&Value>) -> Vec<Item> {
    let list = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .filter_map(|item| serde_json::from_value(item.clone()).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_thing_says_what_its_code_means() {
        let item = |title: &str, state, code: &str| Item {
            id: "KB1".into(),
            title: title.into(),
            state,
            code: Some(code.into()),
            reboot_required: false,
        };
        let failed = item("Update", ItemState::Failed, "0x80070643").line();
        assert!(failed.starts_with("KB1 Update: failed (0x80070643 "), "{failed}");
        assert_eq!(item("KB1", ItemState::Installed, "0x00000000").line(), "KB1: installed");
    }
}
