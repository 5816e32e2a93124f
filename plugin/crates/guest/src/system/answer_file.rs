//! The answer file in the guest, and Cloudbase-Init's part in it.

use serde::{Deserialize, Serialize};

use super::Query;
use crate::script::{Script, script};

/// Where the compiled answer file goes: no blanks in the path, because sysprep splits its command line at them.
pub const UNATTEND_PATH: &str = r"C:\Windows\System32\Sysprep\reseal-unattend.xml";

/// Places of the provider's answer file, the first that exists wins.
const PROVIDER_FILES: [&str; 3] = [
    r"C:\Program Files\Cloudbase Solutions\Cloudbase-Init\conf\Unattend.xml",
    r"C:\Program Files\Cloud Solutions\Cloudbase-Init\conf\Unattend.xml",
    r"C:\Program Files\Cloud Solutions\conf\Unattend.xml",
];

/// Looks for the provider's answer file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnattendFind {
    /// Where to look, in this order.
    pub candidates: Vec<String>,
}

impl Default for UnattendFind {
    fn default() -> Self {
        Self {
            candidates: PROVIDER_FILES.iter().map(|&path| path.to_owned()).collect(),
        }
    }
}

/// The provider's answer file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AnswerFile {
    /// There is one.
    pub found: bool,
    /// Where.
    pub path: Option<String>,
    /// Its bytes, base64.
    pub data: Option<String>,
    /// `utf8`, `utf8_bom`, `utf16le` or `utf16be`.
    pub encoding: Option<String>,
    /// The image's architecture as answer files write it.
    pub architecture: String,
}

impl Query for UnattendFind {
    type Answer = AnswerFile;
    const SCRIPT: Script = script!("unattend_find", "values");
}

/// Writes the compiled answer file and removes every other that Setup would find by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnattendPush {
    /// Where to.
    pub path: String,
    /// Its bytes, base64.
    pub data: String,
    /// Their SHA-256.
    pub sha256: String,
}

impl UnattendPush {
    /// Puts `data` (base64, hashing to `sha256`) to the usual place.
    pub fn new(data: String, sha256: String) -> Self {
        Self {
            path: UNATTEND_PATH.to_owned(),
            data,
            sha256,
        }
    }
}

/// What was written and removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnattendPushed {
    /// Where it is.
    pub path: String,
    /// What is there now.
    pub sha256: String,
    /// What is no longer there.
    pub removed: Vec<String>,
}

impl Query for UnattendPush {
    type Answer = UnattendPushed;
    const SCRIPT: Script = script!("unattend_push", "values", "answer_files");
}
