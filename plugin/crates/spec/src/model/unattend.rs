//! `unattend:` — the answer file.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The answer file of the image's first boot: a base, and what is changed in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Unattend {
    /// The file that the changes are made to.
    #[serde(default)]
    pub base: AnswerBase,
    /// The changes.
    #[serde(flatten)]
    pub options: serde_json::Map<String, serde_json::Value>,
}

/// The file that an answer file starts from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AnswerBase {
    /// The provider's file in the guest (Cloudbase-Init's), when there is one.
    #[default]
    Guest,
    /// None: only what stands in the spec.
    None,
    /// A local file, relative to the spec.
    File(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BaseMap {
    file: String,
}

impl Serialize for AnswerBase {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Guest => serializer.serialize_str("guest"),
            Self::None => serializer.serialize_str("none"),
            Self::File(file) => serializer.collect_map([("file", file)]),
        }
    }
}

impl<'de> Deserialize<'de> for AnswerBase {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = |word: &str| match word {
            "guest" => Some(Self::Guest),
            "none" => Some(Self::None),
            _ => None,
        };
        super::file::word_or_map(
            deserializer,
            "`guest`, `none` or a mapping with `file`",
            word,
            |map: BaseMap| Self::File(map.file),
        )
    }
}

impl JsonSchema for AnswerBase {
    fn schema_name() -> Cow<'static, str> {
        "AnswerBase".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The file that the changes are made to.",
            "anyOf": [
                { "const": "guest", "description": "The provider's file in the guest (Cloudbase-Init's), when there is one." },
                { "const": "none", "description": "None: only what stands in the spec." },
                { "type": "object", "additionalProperties": false, "required": ["file"], "properties": {
                    "file": { "type": "string", "description": "A local answer file, relative to the spec." } } }
            ]
        })
    }
}
