//! `zip` and `unzip`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Operation;
use super::call::payload;
use super::file::is_absolute;
use crate::call::{Call, CallContext, Payload, RunAs};
use crate::detect::{self, Detect};
use crate::error::Problems;
use crate::script::{Script, script};
use crate::source::Source;

pub(super) const ZIP: Script = script!("zip", "values");
pub(super) const UNZIP: Script = script!("unzip", "values", "detect", "payload");

/// Packs a folder of the guest into a zip file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Zip {
    /// The folder in the guest. Example: `C:\Tools`.
    pub from: String,
    /// The zip file in the guest; replaced when it exists. Example: `C:\Backup\tools.zip`.
    pub to: String,
}

/// Unpacks a zip file. Entries that point out of the folder are refused.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unzip {
    /// The zip file.
    pub source: Source,
    /// The folder in the guest. Example: `C:\Program Files\Tool`.
    pub to: String,
    /// How to see that it is there already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detect: Option<Detect>,
}

impl Unzip {
    fn archive(&self) -> Payload {
        payload(&self.source, "archive.zip")
    }
}

impl Operation for Zip {
    fn check(&self, problems: &mut Problems) {
        for (field, path) in [("from", &self.from), ("to", &self.to)] {
            if !is_absolute(path) {
                problems.invalid(field, "must be absolute, for example `C:\\Tools`");
            }
        }
    }

    fn call(&self, cx: &CallContext) -> Call {
        let input = json!({"from": self.from, "to": self.to});
        Call::detached(ZIP, input, RunAs::User, cx.limit(self.default_timeout()))
    }

    fn default_timeout(&self) -> Duration {
        Duration::from_mins(15)
    }

    fn summary(&self) -> String {
        format!("pack {} into {}", self.from, self.to)
    }
}

impl Operation for Unzip {
    fn check(&self, problems: &mut Problems) {
        self.source.check("source", problems);
        if !is_absolute(&self.to) {
            problems.invalid("to", "must be absolute, for example `C:\\Tools`");
        }
        if let Some(detect) = &self.detect {
            detect.check("detect", problems);
        }
    }

    fn payloads(&self) -> Vec<Payload> {
        vec![self.archive()]
    }

    fn call(&self, cx: &CallContext) -> Call {
        let input = json!({
            "archive": cx.payload(&self.archive()),
            "to": self.to,
            "detect": detect::input(self.detect.as_ref()),
        });
        Call::detached(UNZIP, input, RunAs::User, cx.limit(self.default_timeout()))
    }

    fn default_timeout(&self) -> Duration {
        Duration::from_mins(15)
    }

    fn summary(&self) -> String {
        format!("unpack {} into {}", self.source.label(), self.to)
    }
}
