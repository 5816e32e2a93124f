//! Where a file comes from, and how to be sure that it is the right one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Problems;

/// A file for the guest: a local file that is pushed, or a URL that the guest downloads by itself. Exactly one of
/// `file` and `url`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// A file on the machine that runs Reseal, relative to the spec. Example: `./payload/agent.msi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// An `https://` or `http://` address that the guest can reach. Example: `https://example.com/agent-4.2.1.msi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The file's SHA-256, 64 hexadecimal digits; checked in the guest before anything is executed. Required with `url`
    /// unless the lock file has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// A part of the Authenticode signer's subject that must be there. Example: `CN=Example Corp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
    /// The file's size in bytes, checked too when given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

impl Source {
    /// A text that is equal for equal origins; the key of [`crate::CallContext::payloads`].
    pub fn key(&self) -> String {
        match (&self.file, &self.url) {
            (Some(file), _) => format!("file:{file}"),
            (None, Some(url)) => format!("url:{url}"),
            (None, None) => String::new(),
        }
    }

    /// The last part of the path or address, made safe as a Windows file name; `fallback` when there is none.
    pub fn file_name(&self, fallback: &str) -> String {
        let origin = self.file.as_deref().or(self.url.as_deref()).unwrap_or_default();
        let origin = origin.split(['?', '#']).next().unwrap_or_default();
        let last = origin.rsplit(['/', '\\']).next().unwrap_or_default();
        let safe: String = last
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || "._-+".contains(c) {
                    c
                } else {
                    '_'
                }
            })
            .collect();
        let safe = safe.trim_matches('.').to_owned();
        if safe.is_empty() { fallback.to_owned() } else { safe }
    }

    pub(crate) fn check(&self, at: &str, problems: &mut Problems) {
        match (&self.file, &self.url) {
            (Some(_), Some(_)) => problems.invalid(at, "give either `file` or `url`, not both"),
            (None, None) => problems.missing(at, "one of `file` and `url` is needed", &["file", "url"]),
            (None, Some(url)) if !is_web_address(url) => {
                problems.invalid(&format!("{at}.url"), "must begin with `https://` or `http://`");
            }
            _ => {}
        }
        if let Some(hash) = &self.sha256
            && !has_placeholder(hash)
            && !(hash.len() == 64 && hash.chars().all(|c| c.is_ascii_hexdigit()))
        {
            problems.invalid(&format!("{at}.sha256"), "a SHA-256 has 64 hexadecimal digits");
        }
    }

    /// What the plan calls it.
    pub(crate) fn label(&self) -> String {
        self.file_name("file")
    }
}

fn is_web_address(url: &str) -> bool {
    has_placeholder(url) || url.starts_with("https://") || url.starts_with("http://")
}

/// Whether a text still has a `${name}` in it, so that its final form cannot be judged yet.
pub(crate) fn has_placeholder(text: &str) -> bool {
    text.contains("${")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_safe() {
        let source = |url: &str| Source {
            url: Some(url.to_owned()),
            ..Source::default()
        };
        assert_eq!(
            source("https://x.test/a/agent 4.msi?token=1").file_name("x"),
            "agent_4.msi"
        );
        assert_eq!(source("https://x.test/").file_name("payload.msi"), "payload.msi");
        assert_eq!(source("https://x.test/..").file_name("payload.msi"), "payload.msi");
        assert_eq!(source("https://x.test/한글.exe").file_name("x"), "__.exe");
    }
}
