//! `windows_update`: updates from Windows Update or WSUS.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Operation;
use super::call::program_seconds;
use super::packages::is_kb;
use crate::call::{Call, CallContext, RunAs};
use crate::error::Problems;
use crate::exit_codes::Table;
use crate::script::{Script, script};

pub(super) const SCRIPT: Script = script!("windows_update", "values");

/// Kinds of updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpdateCategory {
    /// Security updates.
    Security,
    /// Critical updates.
    Critical,
    /// Definitions (antivirus).
    Definition,
    /// Other updates.
    Updates,
    /// Update rollups and cumulative updates.
    Rollups,
    /// Service packs.
    ServicePacks,
    /// Feature packs.
    FeaturePacks,
    /// Tools, such as the removal tool.
    Tools,
    /// Drivers.
    Drivers,
    /// Everything.
    All,
}

/// Who is asked for updates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpdateServer {
    /// What the guest is configured for (WSUS where a policy says so).
    #[default]
    Default,
    /// Windows Update.
    WindowsUpdate,
    /// Microsoft Update, which also has Office and SQL Server.
    MicrosoftUpdate,
}

/// Searches, downloads and installs updates, in rounds with restarts between, until nothing is left or the rounds are
/// used up. The report has the result of every single update. What cannot be installed in the last round either fails
/// the step: `exclude` leaves it out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowsUpdate {
    /// Kinds of updates to install. Default: `[security, critical, rollups, definition]`.
    #[serde(default = "usual")]
    pub categories: Vec<UpdateCategory>,
    /// Only these updates, whatever their kind. Example: `[KB5034441]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// Never these updates. Example: `[KB5034439]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// How often to search and install at the most, 1 to 10. Default: 3.
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 10))]
    pub rounds: u32,
    /// Who is asked. Default: `default`.
    #[serde(default)]
    pub server: UpdateServer,
}

fn usual() -> Vec<UpdateCategory> {
    use UpdateCategory::{Critical, Definition, Rollups, Security};
    vec![Security, Critical, Rollups, Definition]
}

fn three() -> u32 {
    3
}

impl Operation for WindowsUpdate {
    fn check(&self, problems: &mut Problems) {
        if !(1..=10).contains(&self.rounds) {
            problems.invalid("rounds", "is 1 to 10");
        }
        problems.not_empty("categories", self.categories.is_empty() && self.include.is_empty());
        for (field, list) in [("include", &self.include), ("exclude", &self.exclude)] {
            for (index, kb) in list.iter().enumerate() {
                if !is_kb(kb) {
                    problems.invalid(
                        &format!("{field}[{index}]"),
                        "is `KB` and digits, for example `KB5034439`",
                    );
                }
            }
        }
        for (index, kb) in self.exclude.iter().enumerate() {
            if self.include.iter().any(|other| other.eq_ignore_ascii_case(kb)) {
                problems.invalid(&format!("exclude[{index}]"), format!("{kb} is also in `include`"));
            }
        }
    }

    fn call(&self, cx: &CallContext) -> Call {
        let limit = cx.limit(self.default_timeout());
        let upper = |list: &[String]| list.iter().map(|kb| kb.to_ascii_uppercase()).collect::<Vec<_>>();
        let input = json!({
            "round": cx.round.max(1),
            "rounds": self.rounds,
            "categories": self.categories,
            "include": upper(&self.include),
            "exclude": upper(&self.exclude),
            "server": self.server,
            "timeout_seconds": program_seconds(limit),
        });
        Call::detached(SCRIPT, input, RunAs::System, limit)
    }

    fn table(&self) -> Table {
        Table::WindowsUpdate
    }

    fn may_reboot(&self) -> bool {
        true
    }

    fn default_timeout(&self) -> Duration {
        Duration::from_hours(3)
    }

    fn summary(&self) -> String {
        match self.include.as_slice() {
            [] => format!("install updates, up to {} rounds", self.rounds),
            list => format!("install {}", super::call::list(list)),
        }
    }

    fn rounds(&self) -> u32 {
        self.rounds
    }
}
