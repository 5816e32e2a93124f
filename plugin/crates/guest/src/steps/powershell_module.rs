//! `powershell_module`: a module for all users.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::call::payload;
use super::{Operation, State};
use crate::call::{Call, CallContext, Payload, RunAs};
use crate::error::Problems;
use crate::script::{Script, script};
use crate::source::Source;

pub(super) const SCRIPT: Script = script!("powershell_module", "values", "payload");

/// Installs a Windows PowerShell module for all users, from a repository or from a zip file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PowershellModule {
    /// The module's name. Example: `NetworkingDsc`.
    pub module: String,
    /// The exact version; without it the newest. Required with `source`. Example: `9.0.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The registered repository. Default: `PSGallery`.
    #[serde(default = "gallery")]
    pub repository: String,
    /// A zip file with the module's files, for guests without the internet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// `present` or `absent`. Default: `present`.
    #[serde(default)]
    pub state: State,
}

fn gallery() -> String {
    "PSGallery".to_owned()
}

impl PowershellModule {
    fn archive(&self) -> Option<Payload> {
        self.source.as_ref().map(|source| payload(source, "module.zip"))
    }
}

impl Operation for PowershellModule {
    fn check(&self, problems: &mut Problems) {
        problems.not_empty("module", self.module.is_empty());
        if self.module.contains(['\\', '/', ':', '*', '?']) {
            problems.invalid("module", "is a plain name");
        }
        if let Some(source) = &self.source {
            source.check("source", problems);
            if self.version.is_none() {
                problems.missing("version", "a module from a file needs its version", &[]);
            }
        }
    }

    fn payloads(&self) -> Vec<Payload> {
        self.archive().into_iter().collect()
    }

    fn call(&self, cx: &CallContext) -> Call {
        let input = json!({
            "work": cx.work,
            "module": self.module,
            "version": self.version,
            "repository": self.repository,
            "archive": self.archive().map(|archive| cx.payload(&archive)),
            "state": self.state.as_str(),
        });
        Call::detached(SCRIPT, input, RunAs::User, cx.limit(self.default_timeout()))
    }

    fn default_timeout(&self) -> Duration {
        Duration::from_mins(15)
    }

    fn summary(&self) -> String {
        let version = self
            .version
            .as_deref()
            .map(|version| format!(" {version}"))
            .unwrap_or_default();
        format!("{} module {}{version}", self.state.verb("install"), self.module)
    }
}
