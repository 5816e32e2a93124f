//! `install_msi`: a Windows Installer package.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Operation;
use super::call::{busy_seconds, numbered, payload, program_seconds};
use crate::call::{Call, CallContext, Payload, RunAs};
use crate::detect::{self, Detect};
use crate::error::Problems;
use crate::exit_codes::{Codes, ExitCode, Table};
use crate::script::{Script, script};
use crate::source::{Source, has_placeholder};

pub(super) const SCRIPT: Script = script!("install_msi", "values", "detect", "payload", "process", "install");

/// Installs an MSI package silently with `msiexec`, with a verbose log that is brought home. Without `detect` the
/// product code inside the package decides whether it is installed already.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstallMsi {
    /// The package.
    pub source: Source,
    /// Public properties, by upper-case name. Example: `{ INSTALLDIR: 'C:\Agent', TOKEN: "${agent_token}" }`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, String>,
    /// Features to install (`ADDLOCAL`); without it the package's own choice. Example: `[Core, Tools]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// Transforms (`.mst`), applied in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transforms: Vec<Source>,
    /// Patches (`.msp`) to apply in the same run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<Source>,
    /// Further arguments for `msiexec`, one each. Rarely needed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// Install for all users (`ALLUSERS=1`); `false` leaves it to the package. Default: `true`.
    #[serde(default = "yes")]
    pub all_users: bool,
    /// Exit codes that mean success, beside those of Windows Installer (0, 1641, 3010). Example: `[1638]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub success_codes: Vec<ExitCode>,
    /// Exit codes that mean success with a restart, beside 1641 and 3010.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reboot_codes: Vec<ExitCode>,
    /// How to see that it is installed, before and after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detect: Option<Detect>,
    /// The account it runs as. Default: `user`, the build account.
    #[serde(default)]
    pub run_as: RunAs,
}

pub(super) fn yes() -> bool {
    true
}

impl InstallMsi {
    fn package(&self) -> Payload {
        payload(&self.source, "package.msi")
    }

    fn transforms(&self) -> Vec<Payload> {
        self.transforms
            .iter()
            .enumerate()
            .map(|(index, source)| numbered(source, index, "transform.mst"))
            .collect()
    }

    fn patches(&self) -> Vec<Payload> {
        self.patches
            .iter()
            .enumerate()
            .map(|(index, source)| numbered(source, index, "patch.msp"))
            .collect()
    }

    fn all_properties(&self) -> BTreeMap<String, String> {
        let mut properties = BTreeMap::from([("REBOOT".to_owned(), "ReallySuppress".to_owned())]);
        if self.all_users {
            properties.insert("ALLUSERS".to_owned(), "1".to_owned());
        }
        properties.extend(self.properties.clone());
        properties
    }
}

impl Operation for InstallMsi {
    fn check(&self, problems: &mut Problems) {
        self.source.check("source", problems);
        for (index, source) in self.transforms.iter().enumerate() {
            source.check(&format!("transforms[{index}]"), problems);
        }
        for (index, source) in self.patches.iter().enumerate() {
            source.check(&format!("patches[{index}]"), problems);
        }
        for name in self.properties.keys() {
            if !is_public_property(name) {
                problems.invalid(
                    &format!("properties.{name}"),
                    "only public properties can be set: upper-case letters, digits, `_` and `.`",
                );
            }
        }
        if let Some(detect) = &self.detect {
            detect.check("detect", problems);
        }
    }

    fn payloads(&self) -> Vec<Payload> {
        let mut payloads = vec![self.package()];
        payloads.extend(self.transforms());
        payloads.extend(self.patches());
        payloads
    }

    fn call(&self, cx: &CallContext) -> Call {
        let limit = cx.limit(self.default_timeout());
        let all = |payloads: Vec<Payload>| payloads.iter().map(|payload| cx.payload(payload)).collect::<Vec<_>>();
        let input = json!({
            "work": cx.work,
            "timeout_seconds": program_seconds(limit),
            "busy_seconds": busy_seconds(limit),
            "msi": cx.payload(&self.package()),
            "transforms": all(self.transforms()),
            "patches": all(self.patches()),
            "properties": self.all_properties(),
            "features": self.features,
            "arguments": self.arguments,
            "codes": Codes::of(Table::Msi, &self.success_codes, &self.reboot_codes).input(),
            "detect": detect::input(self.detect.as_ref()),
        });
        Call::detached(SCRIPT, input, self.run_as, limit)
    }

    fn table(&self) -> Table {
        Table::Msi
    }

    fn may_reboot(&self) -> bool {
        true
    }

    fn default_timeout(&self) -> Duration {
        Duration::from_mins(30)
    }

    fn summary(&self) -> String {
        format!("install {}", self.source.label())
    }
}

fn is_public_property(name: &str) -> bool {
    has_placeholder(name)
        || (name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
            && name
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_' || c == '.'))
}
