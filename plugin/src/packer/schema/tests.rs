//! The blocks against the schema that they come from.

use serde_json::json;

use super::*;

fn sections(names: &[&str]) -> Body {
    Body::sections(names)
}

fn nested<'a>(spec: &'a ObjectSpec, name: &str) -> &'a ObjectSpec {
    match spec.iter().find(|(known, _)| *known == name) {
        Some((_, Spec::Block { nested, .. } | Spec::Blocks { nested })) => nested,
        other => panic!("{name} is no block but {other:?}"),
    }
}

fn attribute(spec: &ObjectSpec, name: &str) -> (Type, bool) {
    match spec.iter().find(|(known, _)| *known == name) {
        Some((_, Spec::Attribute { kind, required, .. })) => (kind.clone(), *required),
        other => panic!("{name} is no attribute but {other:?}"),
    }
}

#[test]
fn mappings_are_blocks_and_simple_things_attributes() {
    let spec = sections(&["base", "name", "image"]).spec();
    assert_eq!(attribute(&spec, "name"), (Type::String, false));
    let base = nested(&spec, "base");
    assert_eq!(attribute(base, "flavor"), (Type::String, true));
    assert_eq!(attribute(base, "allow_from"), (Type::list(Type::String), false));
    assert_eq!(attribute(nested(base, "image"), "newest"), (Type::Bool, false));
    let properties = attribute(nested(&spec, "image"), "properties");
    assert_eq!(properties, (Type::map(Type::String), false));
}

#[test]
fn a_word_that_may_stand_for_a_mapping_is_an_attribute_in_its_block() {
    let body = sections(&["base"]);
    let spec = body.spec();
    let volume = nested(nested(&spec, "base"), "root_volume");
    assert_eq!(attribute(volume, WORD), (Type::String, false));
    assert_eq!(attribute(volume, "size"), (Type::String, false));
    let written = |volume: Value| body.value(json!({ "base": { "root_volume": volume } }).as_object().unwrap());
    let word = written(json!({ "is": "none", "size": null, "type": null }));
    assert_eq!(word, json!({ "base": { "root_volume": "none" } }));
    let mapping = written(json!({ "is": null, "size": "60 GB", "type": null }));
    assert_eq!(mapping, json!({ "base": { "root_volume": { "size": "60 GB" } } }));
}

#[test]
fn a_step_is_a_block_with_a_block_for_every_operation() {
    let body = sections(&["software"]);
    let spec = body.spec();
    let step = nested(&spec, "software");
    for name in reseal_guest::STEP_NAMES {
        nested(step, name);
    }
    assert_eq!(attribute(step, "retries"), (Type::Number, false));
    assert_eq!(attribute(nested(step, "registry"), "values"), (Type::Json, false));
    assert_eq!(attribute(nested(step, "registry"), "key"), (Type::String, true));
    let written = json!({ "software": [
        { "name": "x", "retries": 2, "registry": { "key": "HKLM\\X", "values": { "Mode": { "dword": 1 } }, "view": null },
          "reboot": null, "powershell": null },
        { "name": null, "reboot": { "when": null } },
        { "windows_feature": { "names": ["Web-Server"], "include_management_tools": true } },
    ] });
    let expected = json!({ "software": [
        { "name": "x", "registry": { "key": "HKLM\\X", "values": { "Mode": { "dword": 1 } } }, "retries": 2 },
        { "reboot": {} },
        { "windows_feature": { "include_management_tools": true, "names": ["Web-Server"] } },
    ] });
    assert_eq!(body.value(written.as_object().unwrap()), expected);
}

#[test]
fn what_was_left_out_is_not_there() {
    let body = sections(&["base", "software", "verify", "files"]);
    let nothing = json!({ "base": null, "software": [], "verify": null, "files": [] });
    assert_eq!(body.value(nothing.as_object().unwrap()), json!({}));
}

#[test]
fn every_part_of_a_spec_can_be_written() {
    fn look(shape: &Shape, path: &str, json: &mut Vec<String>) {
        match shape {
            Shape::Plain(Type::Json, _) => json.push(path.to_owned()),
            Shape::Plain(..) => {}
            Shape::One(body) | Shape::Many(body) => {
                assert!(!body.fields.is_empty(), "{path} is an empty block");
                for (name, (shape, _)) in &body.fields {
                    look(shape, &format!("{path}.{name}"), json);
                }
            }
        }
    }
    let mut json = Vec::new();
    let all = sections(&[
        "cloud",
        "base",
        "connect",
        "files",
        "unattend",
        "generalize",
        "image",
        "verify",
    ]);
    look(&Shape::One(all), "", &mut json);
    json.retain(|path| !path.starts_with(".verify.checks."));
    assert_eq!(json, [".unattend.set"]);
}

#[test]
fn braces_are_braces_in_programs_and_documents() {
    fn look(spec: &ObjectSpec, path: &str, literal: &mut Vec<String>) {
        for (name, spec) in spec.iter() {
            let path = format!("{path}.{name}");
            match spec {
                Spec::Attribute { braces, .. } if *braces == Braces::Literal => literal.push(path),
                Spec::Attribute { .. } => {}
                Spec::Block { nested, .. } | Spec::Blocks { nested } => look(nested, &path, literal),
            }
        }
    }
    let mut literal = Vec::new();
    look(
        &sections(&["software", "unattend", "image", "cloudbase_init"]).spec(),
        "",
        &mut literal,
    );
    let expected = [
        ".software.cmd.command",
        ".software.file.content",
        ".software.powershell.inline",
        ".unattend.first_logon_commands.command",
        ".unattend.run_asynchronous.command",
        ".unattend.run_synchronous.command",
        ".unattend.set",
    ];
    literal.retain(|path| !path.ends_with(".detect.script") && !path.ends_with(".only_if"));
    assert_eq!(literal, expected);
}
