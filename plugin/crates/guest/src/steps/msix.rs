//! `msix`: an app for all users.

#![expect(
    clippy::doc_markdown,
    reason = "users read these texts in their editor; product names stay plain"
)]

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Operation;
use super::call::{numbered, payload};
use crate::call::{Call, CallContext, Payload, RunAs};
use crate::error::Problems;
use crate::exit_codes::Table;
use crate::script::{Script, script};
use crate::source::Source;

pub(super) const SCRIPT: Script = script!("msix", "values", "payload", "servicing");

/// Provisions an MSIX or AppX package for all users of the image. It is never installed for the build account alone,
/// because sysprep refuses such packages.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Msix {
    /// The package or bundle (`.msix`, `.msixbundle`, `.appx`, `.appxbundle`).
    pub source: Source,
    /// Packages that it depends on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Source>,
    /// Its license file, where the store gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<Source>,
    /// The package's identity name, to see that it is there already. Example: `Microsoft.WindowsTerminal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
}

impl Msix {
    fn main(&self) -> Payload {
        payload(&self.source, "package.msix")
    }

    fn dependencies(&self) -> Vec<Payload> {
        self.dependencies
            .iter()
            .enumerate()
            .map(|(index, source)| numbered(source, index, "dependency.appx"))
            .collect()
    }

    fn license(&self) -> Option<Payload> {
        self.license.as_ref().map(|source| payload(source, "license.xml"))
    }
}

impl Operation for Msix {
    fn check(&self, problems: &mut Problems) {
        self.source.check("source", problems);
        for (index, source) in self.dependencies.iter().enumerate() {
            source.check(&format!("dependencies[{index}]"), problems);
        }
        if let Some(license) = &self.license {
            license.check("license", problems);
        }
    }

    fn payloads(&self) -> Vec<Payload> {
        let mut payloads = vec![self.main()];
        payloads.extend(self.dependencies());
        payloads.extend(self.license());
        payloads
    }

    fn call(&self, cx: &CallContext) -> Call {
        let dependencies: Vec<Value> = self.dependencies().iter().map(|payload| cx.payload(payload)).collect();
        let input = json!({
            "package": cx.payload(&self.main()),
            "dependencies": dependencies,
            "license": self.license().map(|license| cx.payload(&license)),
            "name": self.package,
        });
        Call::detached(SCRIPT, input, RunAs::User, cx.limit(self.default_timeout()))
    }

    fn table(&self) -> Table {
        Table::Dism
    }

    fn default_timeout(&self) -> Duration {
        Duration::from_mins(20)
    }

    fn summary(&self) -> String {
        format!("provision {}", self.source.label())
    }
}
