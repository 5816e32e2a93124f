//! `schemas`: the JSON Schemas in `schemas/`, derived from the types, printed by the binary, and committed.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::cargo::{Done, cargo, output, root, sibling, succeed};

/// The words of `reseal schema`, and the files that hold what it prints.
const SCHEMAS: [(&str, &str); 5] = [
    ("spec", "reseal.v1.schema.json"),
    ("steps", "reseal-steps.v1.schema.json"),
    ("plan", "reseal-plan.v1.schema.json"),
    ("journal", "reseal-journal.v1.schema.json"),
    ("report", "reseal-report.v1.schema.json"),
];

/// Writes all schemas anew.
pub(crate) fn write() -> Done {
    build()?;
    for (kind, name) in SCHEMAS {
        let path = file(name);
        fs::write(&path, printed(kind)?).map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
        println!("wrote {}", path.display());
    }
    Ok(())
}

/// Says whether the schemas are fresh; builds what it needs.
pub(crate) fn check() -> Done {
    build()?;
    check_built()
}

/// Compares the schemas with what the binary prints, as the tests have built it.
pub(crate) fn check_built() -> Done {
    if !sibling("reseal")?.exists() {
        build()?;
    }
    SCHEMAS.into_iter().try_for_each(|(kind, name)| fresh(kind, name))
}

fn fresh(kind: &str, name: &str) -> Done {
    let path = file(name);
    let there = fs::read_to_string(&path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    if there != printed(kind)? {
        return Err(format!(
            "schemas/{name} is stale; run `cargo xtask schemas` and commit the difference"
        ));
    }
    println!("{name} is fresh");
    Ok(())
}

fn build() -> Done {
    succeed(&mut cargo(["build", "--quiet", "--locked", "--package", "reseal"]))
}

fn printed(kind: &str) -> Done<String> {
    output(
        Command::new(sibling("reseal")?)
            .args(["schema", kind])
            .current_dir(root()),
    )
}

fn file(name: &str) -> PathBuf {
    root().join("schemas").join(name)
}
