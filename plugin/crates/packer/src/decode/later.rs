//! What a build says of its machine, put where the template asked for it.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use crate::data::GeneratedData;
use crate::hcl::{Braces, ObjectSpec, Spec};
use crate::interpolate::placeholder;

/// The options with the values that were asked for; what is not there stays a placeholder. Only texts that are templates
/// are looked at.
pub(crate) fn filled(
    spec: &ObjectSpec,
    options: &Map<String, Json>,
    asked: &BTreeSet<String>,
    data: &GeneratedData,
) -> Map<String, Json> {
    let known = asked
        .iter()
        .filter_map(|name| Some((placeholder(name), data.get(name)?.shown())));
    body(spec, options, &known.collect::<Vec<_>>())
}

fn body(spec: &ObjectSpec, options: &Map<String, Json>, known: &[(String, String)]) -> Map<String, Json> {
    let mut options = options.clone();
    for (name, spec) in spec.iter() {
        if let Some(value) = options.get_mut(name) {
            option(spec, value, known);
        }
    }
    options
}

fn option(spec: &Spec, value: &mut Json, known: &[(String, String)]) {
    match (spec, value) {
        (Spec::Attribute { braces, .. }, value) if *braces != Braces::Literal => texts(value, known),
        (Spec::Block { nested, .. }, Json::Object(options)) => *options = body(nested, options, known),
        (Spec::Blocks { nested }, Json::Array(blocks)) => {
            for options in blocks.iter_mut().filter_map(Json::as_object_mut) {
                *options = body(nested, options, known);
            }
        }
        _ => {}
    }
}

fn texts(value: &mut Json, known: &[(String, String)]) {
    match value {
        Json::String(text) => {
            for (placeholder, value) in known {
                *text = text.replace(placeholder, value);
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| texts(item, known)),
        Json::Object(entries) => entries.values_mut().for_each(|value| texts(value, known)),
        _ => {}
    }
}
