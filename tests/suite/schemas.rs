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

/// What `reseal` prints when it is started in `folder`, whatever it ends with.
fn said(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_reseal"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The words of `reseal schema`, and the committed files.
const SCHEMAS: [(&str, &str); 5] = [
    ("spec", "reseal.v1.schema.json"),
    ("steps", "reseal-steps.v1.schema.json"),
    ("plan", "reseal-plan.v1.schema.json"),
    ("journal", "reseal-journal.v1.schema.json"),
    ("report", "reseal-report.v1.schema.json"),
];

#[test]
fn the_committed_schemas_are_what_the_binary_prints() {
    for (kind, name) in SCHEMAS {
        assert!(
            read(&root().join("schemas").join(name)) == said(&root(), &["schema", kind]),
            "schemas/{name} is stale; run `cargo xtask schemas` and commit the difference"
        );
    }
    let files = std::fs::read_dir(root().join("schemas")).unwrap();
    assert_eq!(files.count(), SCHEMAS.len(), "a schema that nobody prints");
}

/// A validator for what is written as `name`.
fn validator(name: &str) -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(&read(&root().join("schemas").join(name))).unwrap();
    jsonschema::draft7::meta::validate(&schema).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

/// The JSON Lines of `text`; those of one `kind` where it is given.
fn lines(text: &str, kind: Option<&str>) -> Vec<Value> {
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines
        .filter(|line: &Value| kind.is_none_or(|kind| line["type"] == kind))
        .collect()
}

/// Holds every line against the schema, and then once more without each of its members in turn: a schema that takes
/// everything says nothing.
fn satisfy(name: &str, lines: &[Value]) {
    let validator = validator(name);
    assert!(!lines.is_empty(), "{name}: nothing was written");
    for line in lines {
        let wrong: Vec<String> = validator
            .iter_errors(line)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{name}: {wrong:#?}\n{line}");
        for member in line.as_object().unwrap().keys() {
            let mut less = line.clone();
            less.as_object_mut().unwrap().remove(member);
            let nullable = line[member].is_null();
            assert!(
                nullable || !validator.is_valid(&less),
                "{name}: valid without `{member}`"
            );
        }
    }
}

#[test]
fn what_is_written_satisfies_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let spec = root().join("examples/windows-matrix.reseal.yaml").display().to_string();
    let planned = said(folder.path(), &["plan", "-offline", "-json", &spec]);
    satisfy("reseal-plan.v1.schema.json", &lines(&planned, Some("plan")));

    let small = crate::support::specs::small(reseal_lab::Mode::Nhn, "");
    std::fs::write(folder.path().join("small.reseal.yaml"), small).unwrap();
    for faults in [&[][..], &["-fault", "killed-with-shell"]] {
        let built = said(
            folder.path(),
            &[&["rehearse", "-json", "small.reseal.yaml"], faults].concat(),
        );
        let told = lines(&built, Some("event"));
        let entries: Vec<Value> = told.into_iter().map(|mut line| line["entry"].take()).collect();
        satisfy("reseal-journal.v1.schema.json", &entries);
    }
    let runs = reseal_journal::RunDir::list(&folder.path().join(".reseal/runs")).unwrap();
    assert_eq!(runs.len(), 2);
    for id in runs {
        let run = reseal_journal::RunDir::new(&folder.path().join(".reseal/runs"), &id);
        satisfy("reseal-journal.v1.schema.json", &lines(&read(&run.journal()), None));
        let report = said(folder.path(), &["report", "-json", &id]);
        satisfy("reseal-report.v1.schema.json", &lines(&report, Some("timeline")));
    }
}

#[test]
fn every_example_names_the_schema_and_satisfies_it() {
    let validator = validator("reseal.v1.schema.json");
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
