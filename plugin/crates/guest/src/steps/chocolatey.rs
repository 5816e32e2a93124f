//! `chocolatey`: a package of Chocolatey.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Operation;
use super::call::{busy_seconds, payload, program_seconds};
use crate::call::{Call, CallContext, Payload, RunAs};
use crate::error::Problems;
use crate::exit_codes::{Codes, ExitCode, Table};
use crate::script::{Script, script};
use crate::source::Source;

pub(super) const SCRIPT: Script = script!("chocolatey", "values", "payload", "process", "install");

/// Installs a package with Chocolatey, which must be in the image or be given as `bootstrap`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Chocolatey {
    /// The package's id. Example: `7zip`.
    pub package: String,
    /// The exact version; without it the newest. Example: `23.1.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The feed: an address, a folder in the guest or a configured name. Default: Chocolatey's own configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed: Option<String>,
    /// Further arguments for `choco install`, one each. Example: `["--params=/NoDesktopIcon"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// Chocolatey's own package (`chocolatey.nupkg`), to install it first where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bootstrap: Option<Source>,
    /// Exit codes that mean success, beside Chocolatey's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub success_codes: Vec<ExitCode>,
}

impl Chocolatey {
    fn bootstrap(&self) -> Option<Payload> {
        self.bootstrap
            .as_ref()
            .map(|source| payload(source, "chocolatey.nupkg"))
    }
}

impl Operation for Chocolatey {
    fn check(&self, problems: &mut Problems) {
        problems.not_empty("package", self.package.is_empty());
        if self.package.contains([' ', ';', '"']) {
            problems.invalid("package", "is one package's id");
        }
        if let Some(source) = &self.bootstrap {
            source.check("bootstrap", problems);
        }
    }

    fn payloads(&self) -> Vec<Payload> {
        self.bootstrap().into_iter().collect()
    }

    fn call(&self, cx: &CallContext) -> Call {
        let limit = cx.limit(self.default_timeout());
        let input = json!({
            "work": cx.work,
            "timeout_seconds": program_seconds(limit),
            "busy_seconds": busy_seconds(limit),
            "package": self.package,
            "version": self.version,
            "feed": self.feed,
            "arguments": self.arguments,
            "bootstrap": self.bootstrap().map(|bootstrap| cx.payload(&bootstrap)),
            "codes": Codes::of(Table::Choco, &self.success_codes, &[]).input(),
        });
        Call::detached(SCRIPT, input, RunAs::User, limit)
    }

    fn table(&self) -> Table {
        Table::Choco
    }

    fn may_reboot(&self) -> bool {
        true
    }

    fn default_timeout(&self) -> Duration {
        Duration::from_mins(45)
    }

    fn summary(&self) -> String {
        let version = self
            .version
            .as_deref()
            .map(|version| format!(" {version}"))
            .unwrap_or_default();
        format!("install {}{version}", self.package)
    }
}
