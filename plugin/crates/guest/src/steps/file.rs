//! `file`: a file with given content, a folder, or neither.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Operation;
use super::call::payload;
use crate::call::{Call, CallContext, Payload};
use crate::error::Problems;
use crate::script::{Script, script};
use crate::source::{Source, has_placeholder};

pub(super) const SCRIPT: Script = script!("file", "values", "payload");

/// What should be at a path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// A file.
    #[default]
    File,
    /// A folder.
    Folder,
    /// Nothing; what is there is removed.
    Absent,
}

/// How text is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// UTF-8 without a mark.
    #[default]
    Utf8,
    /// UTF-8 with a byte order mark, as Windows PowerShell wants its scripts.
    Utf8Bom,
    /// UTF-16 little-endian with a mark.
    Utf16,
}

/// Writes a file from the spec or from a source, makes a folder, or removes what is there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The absolute path in the guest. Example: `C:\Tools\tool.ini`.
    pub path: String,
    /// The file's text; or use `source`. Lines keep the ends that you write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("contentMediaType" = "text/plain"))]
    pub content: Option<String>,
    /// The file's bytes; or use `content`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// How `content` is written. Default: `utf8`.
    #[serde(default)]
    pub encoding: Encoding,
    /// `file`, `folder` or `absent`. Default: `file`.
    #[serde(default)]
    pub state: FileState,
}

impl File {
    fn bytes(&self) -> Option<Payload> {
        self.source.as_ref().map(|source| payload(source, "file.bin"))
    }
}

impl Operation for File {
    fn check(&self, problems: &mut Problems) {
        if !is_absolute(&self.path) {
            problems.invalid("path", "must be absolute, for example `C:\\Tools\\tool.ini`");
        }
        if let Some(source) = &self.source {
            source.check("source", problems);
        }
        match (self.state, self.content.is_some(), self.source.is_some()) {
            (FileState::File, true, true) => problems.invalid("source", "give either `content` or `source`, not both"),
            (FileState::File, false, false) => {
                problems.missing("", "one of `content` and `source` is needed", &["content", "source"]);
            }
            (FileState::Folder | FileState::Absent, true, _) => problems.invalid("content", "only files have content"),
            (FileState::Folder | FileState::Absent, _, true) => problems.invalid("source", "only files have a source"),
            _ => {}
        }
    }

    fn payloads(&self) -> Vec<Payload> {
        self.bytes().into_iter().collect()
    }

    fn call(&self, cx: &CallContext) -> Call {
        let input = json!({
            "path": self.path,
            "state": self.state,
            "content": self.content,
            "encoding": self.encoding,
            "payload": self.bytes().map(|payload| cx.payload(&payload)),
        });
        Call::inline(SCRIPT, input)
    }

    fn summary(&self) -> String {
        let verb = match self.state {
            FileState::File => "write",
            FileState::Folder => "make folder",
            FileState::Absent => "remove",
        };
        format!("{verb} {}", self.path)
    }
}

/// Whether a path has a drive or a server in front, as far as it can be told now.
pub(super) fn is_absolute(path: &str) -> bool {
    let mut chars = path.chars();
    let drive = matches!((chars.next(), chars.next(), chars.next()), (Some(letter), Some(':'), Some('\\' | '/')) if letter.is_ascii_alphabetic());
    drive || path.starts_with("\\\\") || path.starts_with('%') || has_placeholder(path)
}
