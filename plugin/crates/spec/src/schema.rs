//! The JSON Schema, derived from the types.

use schemars::{Schema, SchemaGenerator, json_schema};

pub(crate) fn step(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object" })
}
