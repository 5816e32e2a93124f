//! The lock: what a spec resolved to when its image was last built, kept beside the spec and read in reviews.
//!
//! `NAME.reseal.lock` is YAML, one entry for each build of the matrix. A plan compares itself with it; `-locked` refuses
//! a difference; a build that succeeds writes it anew.

use std::collections::{BTreeMap, BTreeSet};

use reseal_spec::Spec;
use serde::{Deserialize, Serialize};

use crate::facts::{Facts, FileFact};

/// The version of the lock's format.
pub const FORMAT: u32 = 1;

/// A lock file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Format version.
    pub reseal_lock: u32,
    /// The version of the tool that wrote it.
    pub tool: String,
    /// What each build resolved to.
    pub builds: BTreeMap<String, Resolved>,
}

impl Lock {
    /// A lock without builds.
    pub fn new(tool: &str) -> Self {
        Self {
            reseal_lock: FORMAT,
            tool: tool.to_owned(),
            builds: BTreeMap::new(),
        }
    }
}

/// What one build resolved to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Resolved {
    /// The base image's id.
    pub base_id: String,
    /// The base image's name.
    pub base_name: String,
    /// When the base image was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_created: Option<String>,
    /// SHA-256 of every local file that goes into the guest.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// SHA-256 of everything that the guest downloads.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub urls: BTreeMap<String, String>,
    /// The signers that were asked for.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub publishers: BTreeSet<String>,
    /// The updates that were installed.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub updates: BTreeSet<String>,
}

/// What a spec resolves to now. Updates are known only after a build.
pub fn resolve(spec: &Spec, facts: &Facts) -> Resolved {
    let mut resolved = Resolved {
        base_id: facts.image.id.to_string(),
        base_name: facts.image.name.clone(),
        base_created: facts.image.created_at.map(|time| time.to_string()),
        ..Resolved::default()
    };
    for (path, fact) in &facts.files {
        match fact {
            FileFact::File { sha256, .. } => {
                resolved.files.insert(path.clone(), sha256.clone());
            }
            FileFact::Folder(inner) => {
                let inner = inner
                    .iter()
                    .map(|(name, (_, sha256))| (format!("{path}/{name}"), sha256.clone()));
                resolved.files.extend(inner);
            }
        }
    }
    for payload in spec
        .software
        .iter()
        .chain(&spec.checks)
        .flat_map(|step| step.step.payloads())
    {
        resolved.publishers.extend(payload.source.publisher.clone());
        if let (Some(url), Some(sha256)) = (&payload.source.url, &payload.source.sha256) {
            resolved.urls.insert(url.clone(), sha256.to_ascii_lowercase());
        }
    }
    resolved
}

/// What is different, one line each. Updates do not count: what a build will install is not known before it.
pub fn differences(locked: &Resolved, now: &Resolved) -> Vec<String> {
    let mut lines = Vec::new();
    if locked.base_id != now.base_id {
        lines.push(format!(
            "base image: {} ({}) -> {} ({})",
            locked.base_name, locked.base_id, now.base_name, now.base_id
        ));
    }
    compare("file", &locked.files, &now.files, &mut lines);
    compare("download", &locked.urls, &now.urls, &mut lines);
    lines.extend(
        now.publishers
            .difference(&locked.publishers)
            .map(|new| format!("signer: + {new}")),
    );
    lines.extend(
        locked
            .publishers
            .difference(&now.publishers)
            .map(|old| format!("signer: - {old}")),
    );
    lines
}

fn compare(what: &str, locked: &BTreeMap<String, String>, now: &BTreeMap<String, String>, lines: &mut Vec<String>) {
    for (name, hash) in now {
        match locked.get(name) {
            None => lines.push(format!("{what}: + {name}")),
            Some(old) if old != hash => lines.push(format!("{what}: {name} has changed")),
            Some(_) => {}
        }
    }
    lines.extend(
        locked
            .keys()
            .filter(|name| !now.contains_key(*name))
            .map(|name| format!("{what}: - {name}")),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_difference_has_its_line() {
        let map = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let locked = Resolved {
            base_id: "1".into(),
            base_name: "old".into(),
            files: map(&[("a", "1"), ("b", "2")]),
            publishers: BTreeSet::from(["CN=A".to_owned()]),
            updates: BTreeSet::from(["KB1".to_owned()]),
            ..Resolved::default()
        };
        let now = Resolved {
            base_id: "2".into(),
            base_name: "new".into(),
            files: map(&[("a", "9"), ("c", "3")]),
            ..Resolved::default()
        };
        let expect = [
            "base image: old (1) -> new (2)",
            "file: a has changed",
            "file: + c",
            "file: - b",
            "signer: - CN=A",
        ];
        assert_eq!(differences(&locked, &now), expect);
        assert_eq!(differences(&now, &now), Vec::<String>::new());
    }
}
