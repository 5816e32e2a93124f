//! `msu` and `cab`: Windows packages from files.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Operation;
use super::call::{busy_seconds, payload, program_seconds};
use crate::call::{Call, CallContext, Payload, RunAs};
use crate::error::Problems;
use crate::exit_codes::{Codes, ExitCode, Table};
use crate::failure::StepFailure;
use crate::outcome::Outcome;
use crate::script::{Script, script};
use crate::source::{Source, has_placeholder};

pub(super) const MSU: Script = script!("msu", "values", "payload", "process", "install");
pub(super) const CAB: Script = script!("cab", "values", "payload", "process", "install");

/// Installs an update package (`.msu`) with `wusa`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Msu {
    /// The package.
    pub source: Source,
    /// The update's number, to see that it is installed already. Example: `KB5034439`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kb: Option<String>,
    /// Fail when the update does not apply to this system; otherwise it is a warning. Default: `false`.
    #[serde(default)]
    pub must_apply: bool,
    /// Exit codes that mean success, beside those of `wusa`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub success_codes: Vec<ExitCode>,
}

/// Adds a Windows package (`.cab`) with `dism`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cab {
    /// The package.
    pub source: Source,
    /// The package's identity, to see that it is installed already. Example:
    /// `Microsoft-Windows-Client-Language-Pack_x64_ko-kr~31bf3856ad364e35~amd64~ko-KR~10.0.20348.1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// Fail when the package does not apply to this system; otherwise it is a warning. Default: `true`.
    #[serde(default = "super::install_msi::yes")]
    pub must_apply: bool,
    /// Exit codes that mean success, beside those of `dism`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub success_codes: Vec<ExitCode>,
}

/// `KB` and digits, as the scripts compare it.
pub(super) fn is_kb(text: &str) -> bool {
    has_placeholder(text)
        || text.get(..2).is_some_and(|kb| kb.eq_ignore_ascii_case("KB"))
            && text
                .get(2..)
                .is_some_and(|digits| digits.len() >= 5 && digits.chars().all(|c| c.is_ascii_digit()))
}

fn input(cx: &CallContext, limit: Duration, codes: &Codes) -> Value {
    json!({
        "work": cx.work,
        "timeout_seconds": program_seconds(limit),
        "busy_seconds": busy_seconds(limit),
        "codes": codes.input(),
    })
}

/// Turns "does not apply" into a warning where the spec allows it.
fn lenient(result: Result<Outcome, StepFailure>, must_apply: bool) -> Result<Outcome, StepFailure> {
    match result {
        Err(failure) if failure.kind == "not_applicable" && !must_apply => Ok(Outcome {
            warnings: vec![failure.message],
            exit_code: failure.code,
            ..Outcome::default()
        }),
        other => other,
    }
}

impl Operation for Msu {
    fn check(&self, problems: &mut Problems) {
        self.source.check("source", problems);
        if self.kb.as_deref().is_some_and(|kb| !is_kb(kb)) {
            problems.invalid("kb", "is `KB` and digits, for example `KB5034439`");
        }
    }

    fn payloads(&self) -> Vec<Payload> {
        vec![payload(&self.source, "update.msu")]
    }

    fn call(&self, cx: &CallContext) -> Call {
        let limit = cx.limit(self.default_timeout());
        let mut input = input(cx, limit, &Codes::of(Table::Wusa, &self.success_codes, &[]));
        input["msu"] = cx.payload(&payload(&self.source, "update.msu"));
        input["kb"] = json!(self.kb.as_ref().map(|kb| kb.to_ascii_uppercase()));
        Call::detached(MSU, input, RunAs::System, limit)
    }

    fn read(&self, answer: &Value) -> Result<Outcome, StepFailure> {
        lenient(Outcome::read(answer, Table::Wusa), self.must_apply)
    }

    fn may_reboot(&self) -> bool {
        true
    }

    fn default_timeout(&self) -> Duration {
        Duration::from_mins(90)
    }

    fn summary(&self) -> String {
        format!("install {}", self.kb.clone().unwrap_or_else(|| self.source.label()))
    }
}

impl Operation for Cab {
    fn check(&self, problems: &mut Problems) {
        self.source.check("source", problems);
    }

    fn payloads(&self) -> Vec<Payload> {
        vec![payload(&self.source, "package.cab")]
    }

    fn call(&self, cx: &CallContext) -> Call {
        let limit = cx.limit(self.default_timeout());
        let mut input = input(cx, limit, &Codes::of(Table::Dism, &self.success_codes, &[]));
        input["cab"] = cx.payload(&payload(&self.source, "package.cab"));
        input["package"] = json!(self.package);
        Call::detached(CAB, input, RunAs::System, limit)
    }

    fn read(&self, answer: &Value) -> Result<Outcome, StepFailure> {
        lenient(Outcome::read(answer, Table::Dism), self.must_apply)
    }

    fn may_reboot(&self) -> bool {
        true
    }

    fn default_timeout(&self) -> Duration {
        Duration::from_hours(1)
    }

    fn summary(&self) -> String {
        format!("add package {}", self.source.label())
    }
}
