//! `install_exe`: an installer program of a known family.

#![expect(
    clippy::doc_markdown,
    reason = "users read these texts in their editor; product names stay plain"
)]

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Operation;
use super::call::{busy_seconds, payload, program_seconds};
use crate::call::{Call, CallContext, Payload, RunAs};
use crate::detect::{self, Detect};
use crate::error::Problems;
use crate::exit_codes::{Codes, ExitCode, Table};
use crate::script::{Script, script};
use crate::source::Source;

pub(super) const SCRIPT: Script = script!("install_exe", "values", "detect", "payload", "process", "install");

/// How an installer program was made; it decides the silent arguments, the log and what the exit codes mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// An MSI inside an Advanced Installer program: `/exenoui /qn /norestart`.
    MsiWrapper,
    /// Inno Setup: `/VERYSILENT /SUPPRESSMSGBOXES /SP- /NORESTART /RESTARTEXITCODE=3010`.
    Inno,
    /// Nullsoft: `/S`. Writes no log; give `detect`.
    Nsis,
    /// A WiX bundle, also the Visual C++ and .NET redistributables: `/quiet /norestart`.
    WixBurn,
    /// InstallShield around an MSI: `/s /v"/qn /norestart …"`.
    InstallshieldMsi,
    /// InstallShield InstallScript: `/s /f1"response.iss"`; needs `response_file`.
    InstallshieldScript,
    /// Squirrel: refused, because it installs into the build account's profile only.
    Squirrel,
    /// Anything else: all arguments are yours.
    Custom,
}

/// Runs an installer program silently. The family knows the arguments; yours are added to them. Detection decides over
/// success, because many installers start a child and end early.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstallExe {
    /// The installer program.
    pub source: Source,
    /// How it was made.
    pub family: Family,
    /// Further arguments, one each; `{log}` stands for the log file's path. Example: `["/TASKS=desktopicon"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// Where to install, for the families that can be told (Inno, NSIS). Example: `C:\Program Files\Tool`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// The recorded answers of an InstallShield InstallScript setup (`.iss`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_file: Option<Source>,
    /// Exit codes that mean success, beside the family's. Example: `[0, 1]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub success_codes: Vec<ExitCode>,
    /// Exit codes that mean success with a restart, beside the family's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reboot_codes: Vec<ExitCode>,
    /// How to see that it is installed, before and after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detect: Option<Detect>,
    /// The account it runs as. Default: `user`, the build account.
    #[serde(default)]
    pub run_as: RunAs,
}

impl Family {
    fn table(self) -> Table {
        match self {
            Self::MsiWrapper | Self::InstallshieldMsi => Table::Msi,
            Self::Inno => Table::Inno,
            Self::Nsis => Table::Nsis,
            Self::WixBurn => Table::Burn,
            Self::InstallshieldScript => Table::InstallShield,
            Self::Squirrel | Self::Custom => Table::Plain,
        }
    }

    /// Its name in a spec and in the scripts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MsiWrapper => "msi-wrapper",
            Self::Inno => "inno",
            Self::Nsis => "nsis",
            Self::WixBurn => "wix-burn",
            Self::InstallshieldMsi => "installshield-msi",
            Self::InstallshieldScript => "installshield-script",
            Self::Squirrel => "squirrel",
            Self::Custom => "custom",
        }
    }

    /// The silent arguments that come before the user's. `{log}` is replaced in the guest.
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::MsiWrapper => &["/exenoui", "/qn", "/norestart", "/l*v", "{log}"],
            Self::Inno => &[
                "/VERYSILENT",
                "/SUPPRESSMSGBOXES",
                "/SP-",
                "/NORESTART",
                "/RESTARTEXITCODE=3010",
                "/LOG={log}",
            ],
            Self::Nsis => &["/S"],
            Self::WixBurn => &["/quiet", "/norestart", "/log", "{log}"],
            Self::InstallshieldMsi => &["/s", "/clone_wait", "/v/qn /norestart REBOOT=ReallySuppress /l*v {log}"],
            Self::InstallshieldScript => &["/s", "/f1{response}", "/f2{log}"],
            Self::Squirrel | Self::Custom => &[],
        }
    }
}

impl InstallExe {
    fn program(&self) -> Payload {
        payload(&self.source, "setup.exe")
    }

    fn response(&self) -> Option<Payload> {
        self.response_file
            .as_ref()
            .map(|source| payload(source, "response.iss"))
    }

    fn all_arguments(&self) -> Vec<String> {
        let own = self.family.arguments().iter().map(|&argument| argument.to_owned());
        own.chain(self.arguments.iter().cloned()).collect()
    }
}

impl Operation for InstallExe {
    fn check(&self, problems: &mut Problems) {
        self.source.check("source", problems);
        if let Some(source) = &self.response_file {
            source.check("response_file", problems);
        }
        if let Some(detect) = &self.detect {
            detect.check("detect", problems);
        }
        match self.family {
            Family::Squirrel => problems.invalid(
                "family",
                "Squirrel installs into the build account's profile, which is gone in the image; take the vendor's machine-wide MSI",
            ),
            Family::InstallshieldScript if self.response_file.is_none() => {
                problems.missing("response_file", "an InstallScript setup is silent only with a response file", &[]);
            }
            Family::Custom if self.arguments.is_empty() => {
                problems.missing("arguments", "`custom` has no silent arguments of its own; give them", &[]);
            }
            _ => {}
        }
        if self.directory.is_some() && !matches!(self.family, Family::Inno | Family::Nsis) {
            problems.invalid(
                "directory",
                "this family cannot be told where to install; use `arguments`",
            );
        }
    }

    fn payloads(&self) -> Vec<Payload> {
        std::iter::once(self.program()).chain(self.response()).collect()
    }

    fn call(&self, cx: &CallContext) -> Call {
        let limit = cx.limit(self.default_timeout());
        let arguments = self.all_arguments();
        let has_log = arguments.iter().any(|argument| argument.contains("{log}"));
        let input = json!({
            "work": cx.work,
            "timeout_seconds": program_seconds(limit),
            "busy_seconds": busy_seconds(limit),
            "family": self.family.as_str(),
            "exe": cx.payload(&self.program()),
            "response_file": self.response().map(|response| cx.payload(&response)),
            "directory": self.directory,
            "arguments": arguments,
            "log": has_log.then(|| cx.in_work("install.log")),
            "codes": Codes::of(self.family.table(), &self.success_codes, &self.reboot_codes).input(),
            "detect": detect::input(self.detect.as_ref()),
        });
        Call::detached(SCRIPT, input, self.run_as, limit)
    }

    fn table(&self) -> Table {
        self.family.table()
    }

    fn may_reboot(&self) -> bool {
        true
    }

    fn default_timeout(&self) -> Duration {
        Duration::from_mins(30)
    }

    fn summary(&self) -> String {
        format!("install {} ({})", self.source.label(), self.family.as_str())
    }
}
