//! Probes: examples named `bench_*` of the crates, which measure from within.

use std::fs;
use std::path::Path;

use super::row::Row;
use crate::cargo::{Done, cargo, output, root};

/// An example that measures.
pub(crate) struct Probe {
    /// `crate: example`.
    pub(crate) name: String,
    package: String,
    example: String,
}

/// All probes of the workspace, sorted.
pub(crate) fn all() -> Done<Vec<Probe>> {
    let crates = root().join("plugin/crates");
    let mut probes = Vec::new();
    for folder in names(&crates)? {
        let examples = crates.join(&folder).join("examples");
        if !examples.is_dir() {
            continue;
        }
        let found = names(&examples)?.into_iter().filter_map(|file| example(&folder, &file));
        probes.extend(found);
    }
    Ok(probes)
}

fn example(folder: &str, file: &str) -> Option<Probe> {
    let example = file.strip_suffix(".rs").unwrap_or(file);
    example.starts_with("bench_").then(|| Probe {
        name: format!("{folder}: {example}"),
        package: format!("reseal-{folder}"),
        example: example.to_owned(),
    })
}

impl Probe {
    /// Runs it, built for release, and reads its rows.
    pub(crate) fn measure(&self) -> Done<Vec<Row>> {
        let flags = [
            "run",
            "--quiet",
            "--release",
            "--locked",
            "--package",
            &self.package,
            "--example",
            &self.example,
        ];
        let rows: Vec<Row> = output(&mut cargo(flags))?.lines().filter_map(Row::parse).collect();
        if rows.is_empty() {
            Err("it printed no row".to_owned())
        } else {
            Ok(rows)
        }
    }
}

fn names(folder: &Path) -> Done<Vec<String>> {
    let entries = fs::read_dir(folder).map_err(|error| format!("cannot read `{}`: {error}", folder.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    Ok(names)
}
