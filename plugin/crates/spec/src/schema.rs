//! The JSON Schema, derived from the types.

use reseal_guest::{RESERVED_FIELDS, STEP_NAMES, step_schema};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use crate::model::{Policy, SpecFile, Variable};

/// The schema of a spec, draft-07, as editors read it.
pub fn schema() -> Value {
    let generator = SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<SpecFile>().to_value();
    let definitions = schema.pointer_mut("/definitions").and_then(Value::as_object_mut);
    let sections = definitions
        .into_iter()
        .flatten()
        .filter(|(name, _)| !name.starts_with("Variable"));
    sections.for_each(|(_, definition)| allow_variables(definition));
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), json!("Reseal spec, version 1"));
    }
    schema
}

/// Lets a variable stand for a value that is not text, which would carry it anyway.
fn allow_variables(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            map.values_mut().for_each(allow_variables);
            let kind = map.get("type").and_then(Value::as_str);
            if matches!(kind, Some("boolean" | "integer" | "number" | "array")) && !map.contains_key("const") {
                let kinds = json!([kind, "string"]);
                map.insert("type".to_owned(), kinds);
                map.insert("pattern".to_owned(), json!(VARIABLE));
            } else if let Some(forms) = map.get_mut("oneOf").and_then(Value::as_array_mut)
                && forms.iter().all(|form| form.get("const").is_some_and(Value::is_string))
            {
                forms.push(json!({ "type": "string", "pattern": VARIABLE, "description": "A variable." }));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(allow_variables),
        _ => {}
    }
}

/// A text that is nothing but a variable.
const VARIABLE: &str = r"^\$\{[^}]+\}$";

/// The schema of a step in map form: exactly one operation, or `use`, and the common fields.
pub(crate) fn step(generator: &mut SchemaGenerator) -> Schema {
    let mut forms = vec![used(generator)];
    forms.extend(STEP_NAMES.iter().map(|name| operation(generator, name)));
    json_schema!({ "description": "One step: an operation with its options, or the steps of another file.", "oneOf": forms })
}

/// The definition that holds the common fields.
const COMMON: &str = "StepCommon";

/// References to the common fields, as properties.
fn common(generator: &mut SchemaGenerator) -> Map<String, Value> {
    if !generator.definitions().contains_key(COMMON) {
        let definition = json!({ "type": "object", "description": "The fields that every step has.", "properties": common_fields(generator) });
        generator.definitions_mut().insert(COMMON.to_owned(), definition);
    }
    let reference = |field: &str| json!({ "$ref": format!("#/definitions/{COMMON}/properties/{field}") });
    RESERVED_FIELDS
        .iter()
        .map(|field| ((*field).to_owned(), reference(field)))
        .collect()
}

fn common_fields(generator: &mut SchemaGenerator) -> Map<String, Value> {
    let policy = Policy::json_schema(generator).to_value();
    let mut fields = policy
        .get("properties")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    fields.insert(
        "name".to_owned(),
        json!({ "type": "string", "description": "What a person calls this step." }),
    );
    let when =
        "A condition over variables and the matrix, decided before the build, for example `matrix.os == \"2022\"`.";
    fields.insert(
        "when".to_owned(),
        json!({ "type": ["string", "boolean"], "description": when }),
    );
    fields
}

fn operation(generator: &mut SchemaGenerator, name: &str) -> Value {
    let mut properties = common(generator);
    properties.insert(name.to_owned(), options(generator, name));
    json!({ "type": "object", "additionalProperties": false, "required": [name], "properties": properties })
}

/// The options of an operation; its definition gets the common fields too.
fn options(generator: &mut SchemaGenerator, name: &str) -> Value {
    let schema = step_schema(name, generator).unwrap_or_default().to_value();
    let shared = common(generator);
    let definition = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.rsplit('/').next())
        .and_then(|definition| generator.definitions_mut().get_mut(definition))
        .and_then(Value::as_object_mut);
    let Some(definition) = definition else { return schema };
    let properties = definition.entry("properties").or_insert_with(|| json!({}));
    if let Some(properties) = properties.as_object_mut() {
        for (field, schema) in shared {
            properties.entry(field).or_insert(schema);
        }
    }
    if definition.contains_key("required") {
        return schema;
    }
    let description = definition.get("description").cloned().unwrap_or_default();
    json!({ "description": description, "anyOf": [schema, { "type": "null" }] })
}

fn used(_: &mut SchemaGenerator) -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": ["use"],
        "description": "The steps of another file.",
        "properties": {
            "use": { "type": "string", "description": "The file of steps, relative to the spec." },
            "with": { "type": "object", "description": "Values for the variables of that file." },
            "when": { "type": ["string", "boolean"], "description": "A condition over variables and the matrix, decided before the build." },
            "name": { "type": "string", "description": "What a person calls these steps." }
        }
    })
}

/// The schema of a file of steps, for `use:`.
pub fn part_schema() -> Value {
    let mut generator = SchemaSettings::draft07().into_generator();
    let step = generator.subschema_for::<crate::model::StepMap>().to_value();
    let variable = generator.subschema_for::<Variable>().to_value();
    let definitions = generator.take_definitions(true);
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Reseal steps, version 1",
        "type": "object", "additionalProperties": false, "required": ["steps"],
        "properties": {
            "description": { "type": "string", "description": "What these steps are for." },
            "variables": { "type": "object", "additionalProperties": variable, "description": "Values that `with` gives." },
            "steps": { "type": "array", "items": step, "description": "The steps, in order." }
        },
        "definitions": definitions
    })
}
