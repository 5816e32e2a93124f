//! How far the first boot of a machine made from an image has come.

use serde::{Deserialize, Serialize};

use super::facts::CloudbaseState;
use super::{Query, SERVICE};
use crate::script::{Script, script};

/// Asks how far the first boot has come: cheap, and changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FirstBoot {
    /// The name of Cloudbase-Init's service.
    pub service: String,
}

impl Default for FirstBoot {
    fn default() -> Self {
        Self {
            service: SERVICE.to_owned(),
        }
    }
}

/// How far the first boot has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FirstBootState {
    /// `IMAGE_STATE_COMPLETE` when Setup has ended well.
    pub image_state: String,
    /// 7 when nothing is to be done any more; on a fresh clone 4, then 3.
    pub generalization_state: Option<i64>,
    /// Setup says that it is at work.
    pub setup_in_progress: bool,
    /// When this boot began.
    pub boot_utc: Option<String>,
    /// The guest's clock.
    pub now_utc: String,
    /// Cloudbase-Init's state.
    pub cloudbase: CloudbaseState,
    /// Setup's error logs that are not empty.
    pub setup_errors: Vec<String>,
}

impl FirstBootState {
    /// Setup has ended well.
    pub fn is_complete(&self) -> bool {
        self.image_state == "IMAGE_STATE_COMPLETE" && !self.setup_in_progress
    }
}

impl Query for FirstBoot {
    type Answer = FirstBootState;
    const SCRIPT: Script = script!("first_boot", "values", "cloudbase");
}
