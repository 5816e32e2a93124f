//! Cloudbase-Init before the capture: what it will do on a clone, and making it start there after Setup only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Query;
use super::facts::License;
use crate::script::{Script, script};

/// The name under which the installer registers the service.
pub(super) const SERVICE: &str = "cloudbase-init";

/// Reads what Cloudbase-Init will do on a clone and, with `change`, makes it start there only when Setup has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CloudbasePrepare {
    /// The service's name.
    pub service: String,
    /// Change it; otherwise only look.
    pub change: bool,
    /// Values for its configuration file, by name.
    pub set: BTreeMap<String, String>,
}

impl Default for CloudbasePrepare {
    fn default() -> Self {
        Self {
            service: SERVICE.to_owned(),
            change: true,
            set: BTreeMap::new(),
        }
    }
}

/// What was found and prepared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CloudbasePrepared {
    /// The service exists.
    pub present: bool,
    /// How it started before.
    pub start_mode_before: Option<String>,
    /// How it starts now.
    pub start_mode: Option<String>,
    /// What became of SetupComplete.cmd: `created`, `kept`, `extended` or `none`.
    pub setup_complete: String,
    /// SetupComplete.cmd puts the service back and starts it.
    pub starts_after_setup: bool,
    /// Keys of earlier instances that were deleted.
    pub state_removed: u32,
    /// Settings that were changed.
    pub set: Vec<String>,
    /// The service's configuration.
    pub config: Configuration,
    /// The configuration of the run inside the specialize pass.
    pub unattend_config: Configuration,
    /// Partitions behind C: on its disk; `None` when they could not be read.
    pub behind: Option<Vec<Partition>>,
    /// How the build machine is licensed.
    pub license: Option<License>,
    /// Worth knowing.
    pub warnings: Vec<String>,
}

/// One configuration file of Cloudbase-Init's: only what decides the first boot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Configuration {
    /// Where it is.
    pub path: String,
    /// It is there.
    pub found: bool,
    /// Its settings by name.
    pub values: BTreeMap<String, String>,
}

impl Configuration {
    /// Whether a switch is on; `usual` where the file says nothing.
    pub fn is_on(&self, name: &str, usual: bool) -> bool {
        self.values.get(name).map_or(usual, |value| {
            ["true", "1", "yes", "on"].contains(&value.trim().to_ascii_lowercase().as_str())
        })
    }

    /// Whether a plugin is in the list, by its class. A file without a list runs `usual`.
    pub fn runs(&self, class: &str, usual: bool) -> bool {
        let listed = |list: &String| {
            list.split(',')
                .any(|plugin| plugin.trim().rsplit('.').next() == Some(class))
        };
        self.values.get("plugins").map_or(usual && self.found, listed)
    }
}

/// A partition behind C:.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// Its type in Windows' words, e.g. `Recovery`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its size.
    pub bytes: u64,
}

impl Query for CloudbasePrepare {
    type Answer = CloudbasePrepared;
    const SCRIPT: Script = script!("cloudbase_prepare", "values", "cloudbase");
}

impl CloudbasePrepared {
    /// Whether it gives the clone its server's name; `in_specialize` as for [`outlook`](crate::promises::outlook).
    pub fn sets_name(&self, in_specialize: bool) -> bool {
        let class = "SetHostNamePlugin";
        let early = in_specialize && self.unattend_config.runs(class, true);
        self.present && (early || self.config.runs(class, true))
    }

    /// Whether it was told to activate Windows.
    pub fn activates(&self) -> bool {
        self.present && self.config.runs("WindowsLicensingPlugin", true) && self.config.is_on("activate_windows", false)
    }
}
