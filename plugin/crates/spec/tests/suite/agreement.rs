//! The JSON Schema and the loader accept and refuse the same, where a schema can know.

use jsonschema::Validator;
use serde_json::Value;

use crate::world::{files_in, load_file, root};

fn validator() -> Validator {
    jsonschema::validator_for(&reseal_spec::schema::schema()).unwrap()
}

fn value(path: &std::path::Path) -> Option<Value> {
    serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).ok()
}

#[test]
fn the_schema_is_draft_07_and_every_field_is_explained() {
    let schema = reseal_spec::schema::schema();
    assert_eq!(
        schema.get("$schema").and_then(Value::as_str),
        Some("http://json-schema.org/draft-07/schema#")
    );
    jsonschema::draft7::meta::validate(&schema).unwrap();
    let mut silent = Vec::new();
    fields(&schema, "", &mut silent);
    assert!(silent.is_empty(), "without a description: {silent:?}");
}

/// Walks over schemas, not over the names of their fields.
fn fields(schema: &Value, at: &str, silent: &mut Vec<String>) {
    let members = |word: &str| schema.get(word).and_then(Value::as_object).into_iter().flatten();
    for (name, field) in members("properties") {
        let explained = [field, schema].iter().any(|schema| schema.get("description").is_some());
        if !explained && field.get("$ref").is_none() {
            silent.push(format!("{at}.{name}"));
        }
        fields(field, &format!("{at}.{name}"), silent);
    }
    for (name, definition) in members("definitions") {
        fields(definition, name, silent);
    }
    for word in ["oneOf", "anyOf", "allOf"] {
        let forms = schema.get(word).and_then(Value::as_array).into_iter().flatten();
        forms.for_each(|form| fields(form, &format!("{at}|"), silent));
    }
    for word in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get(word) {
            fields(inner, &format!("{at}[]"), silent);
        }
    }
}

#[test]
fn examples_are_accepted_by_both() {
    let validator = validator();
    for path in files_in("examples", ".reseal.yaml") {
        let value = value(&path).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
    }
    let parts = jsonschema::validator_for(&reseal_spec::schema::part_schema()).unwrap();
    assert!(parts.is_valid(&value(&root().join("examples/parts/web.yaml")).unwrap()));
}

#[test]
fn bad_specs_are_refused_by_both_where_a_schema_can_know() {
    let validator = validator();
    for path in files_in("tests/data/spec/bad", ".yaml") {
        let loaded = load_file(&path);
        assert!(!loaded.is_ok(), "{} has no errors", path.display());
        let knows = std::fs::read_to_string(&path)
            .unwrap()
            .starts_with("# schema: refuses this");
        if let Some(value) = value(&path) {
            assert_eq!(!validator.is_valid(&value), knows, "{}", path.display());
        }
    }
}
