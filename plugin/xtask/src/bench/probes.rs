//! Probes: examples named `bench_*` of the crates, which measure from within.

use std::fs;
use std::path::Path;

use super::row::Row;
use crate::cargo::{Done, cargo, output, root};

/// An example that measures.
pub(crate) struct Probe {
    /// `package: example`.
    pub(crate) name: String,
    package: String,
    example: String,
}

/// All probes of the workspace, the crates' first.
pub(crate) fn all() -> Done<Vec<Probe>> {
    let plugin = root().join("plugin");
    let mut probes = Vec::new();
    for folder in names(&plugin.join("crates"))? {
        probes.extend(of(&plugin.join("crates").join(&folder), &format!("reseal-{folder}"))?);
    }
    probes.extend(of(&plugin, "reseal")?);
    Ok(probes)
}

/// The probes of one package.
fn of(folder: &Path, package: &str) -> Done<Vec<Probe>> {
    let examples = folder.join("examples");
    if !examples.is_dir() {
        return Ok(Vec::new());
    }
    let probe = |file: String| {
        let example = file.strip_suffix(".rs").unwrap_or(&file).to_owned();
        example.starts_with("bench_").then(|| Probe {
            name: format!("{package}: {example}"),
            package: package.to_owned(),
            example,
        })
    };
    Ok(names(&examples)?.into_iter().filter_map(probe).collect())
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
