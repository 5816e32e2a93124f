//! `schemas`: the JSON Schemas in `schemas/`, derived from the types and committed.
//!
//! The spec's schema is what the binary prints; the schema of step files comes from the spec crate's agreement test,
//! which writes both when it is asked to bless.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::{Done, cargo, output, root, sibling, succeed};

const SPEC: &str = "reseal.v1.schema.json";

/// Writes all schemas anew.
pub(crate) fn write() -> Done {
    build()?;
    let path = file(SPEC);
    fs::write(&path, printed()?).map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
    println!("wrote {}", path.display());
    succeed(agreement().env("RESEAL_BLESS", "1"))
}

/// Says whether the schemas are fresh; builds what it needs.
pub(crate) fn check() -> Done {
    build()?;
    check_built()?;
    succeed(&mut agreement())
}

/// Compares the spec's schema with what the binary prints, as the tests have built it.
pub(crate) fn check_built() -> Done {
    let path = file(SPEC);
    if !sibling("reseal")?.exists() {
        build()?;
    }
    let there = fs::read_to_string(&path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    if there == printed()? {
        println!("{SPEC} is fresh");
        return Ok(());
    }
    Err(format!(
        "schemas/{SPEC} is stale; run `cargo xtask schemas` and commit the difference"
    ))
}

fn build() -> Done {
    succeed(&mut cargo(["build", "--quiet", "--locked", "--package", "reseal"]))
}

fn agreement() -> Command {
    cargo([
        "test",
        "--quiet",
        "--locked",
        "--package",
        "reseal-spec",
        "--test",
        "suite",
        "agreement",
    ])
}

fn printed() -> Done<String> {
    output(Command::new(sibling("reseal")?).arg("schema").current_dir(root()))
}

fn file(name: &str) -> PathBuf {
    root().join(Path::new("schemas")).join(name)
}
