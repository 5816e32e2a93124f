//! The committed schemas are what the types say, and the examples are what the schemas say.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Compares a committed schema with a fresh one.
fn fresh(name: &str, schema: &Value) {
    let expect = format!("{}\n", serde_json::to_string_pretty(schema).unwrap());
    let committed = read(&root().join("schemas").join(name));
    assert!(
        committed == expect,
        "schemas/{name} is stale; run `cargo xtask schemas` and commit the difference"
    );
}

#[test]
fn schemas_are_fresh() {
    fresh("reseal.v1.schema.json", &reseal_spec::schema::schema());
    fresh("reseal-steps.v1.schema.json", &reseal_spec::schema::part_schema());
}

#[test]
fn the_binary_prints_the_committed_schema() {
    let output = Command::new(env!("CARGO_BIN_EXE_reseal"))
        .arg("schema")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed: Value = serde_json::from_slice(&output.stdout).expect("the schema is JSON");
    let committed: Value = serde_json::from_str(&read(&root().join("schemas/reseal.v1.schema.json"))).unwrap();
    assert_eq!(
        printed, committed,
        "run `cargo xtask schemas` and commit the difference"
    );
}

#[test]
fn every_example_names_the_schema_and_satisfies_it() {
    let schema: Value = serde_json::from_str(&read(&root().join("schemas/reseal.v1.schema.json"))).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut seen = 0;
    for entry in std::fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if !path.to_string_lossy().ends_with(".reseal.yaml") {
            continue;
        }
        seen += 1;
        let (name, text) = (path.display(), read(&path));
        let first = text.lines().next().unwrap_or_default();
        assert!(
            first.contains("$schema=../schemas/reseal.v1.schema.json"),
            "{name}: the first line names the schema for editors"
        );
        let value: Value = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let wrong: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
    }
    assert!(seen >= 5, "only {seen} examples");
}
