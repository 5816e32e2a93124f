//! The whole document as it is written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{Base, Cloud, CloudbaseInit, Connect, Generalize, Image, Unattend, Variable, Verify};

/// A spec of Reseal: one file says the whole Windows image.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpecFile {
    /// The version of this format: always 1.
    #[schemars(schema_with = "super::file::version_schema")]
    pub reseal: u32,
    /// The name of the build: letters, digits, `.`, `_` and `-`.
    #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._-]*$|\$\{"))]
    pub name: String,
    /// What the image is for.
    pub description: Option<String>,
    /// Values that can be given from outside, used as `${name}`.
    #[serde(default)]
    pub variables: BTreeMap<String, Variable>,
    /// Lists of values; one build is made for each combination, used as `${matrix.NAME}`.
    #[serde(default)]
    #[schemars(schema_with = "super::file::matrix_schema")]
    pub matrix: BTreeMap<String, Vec<Value>>,
    /// Where the image is built.
    pub cloud: Cloud,
    /// The machine that the build starts from.
    pub base: Base,
    /// How the guest is reached.
    #[serde(default)]
    pub connect: Connect,
    /// Files and folders that are pushed into the guest before the first step.
    #[serde(default)]
    pub files: Vec<FileCopy>,
    /// The steps that are done in the guest, in order.
    #[serde(default)]
    pub software: Vec<StepMap>,
    /// The answer file of the image's first boot.
    #[serde(default)]
    pub unattend: Unattend,
    /// What becomes of Cloudbase-Init in the image.
    #[serde(default)]
    pub cloudbase_init: CloudbaseInit,
    /// How sysprep is run.
    #[serde(default)]
    pub generalize: Generalize,
    /// The image that the build makes.
    pub image: Image,
    /// How the image is proved.
    #[serde(default)]
    pub verify: Verify,
    /// What happens to the build's machine and addresses when it fails.
    #[serde(default)]
    pub on_error: OnError,
}

/// A file or folder that is pushed into the guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileCopy {
    /// The local file or folder, relative to the spec.
    pub from: String,
    /// The absolute path of the folder in the guest that it is put into, for example `C:\Build`.
    pub to: String,
}

/// What happens to what a build has created when it fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// Everything is removed.
    #[default]
    Cleanup,
    /// Everything is kept, to look at it and to go on with `resume`.
    Abort,
    /// A person is asked.
    Ask,
}

/// One step in map form, before its operation is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepMap(pub Value);

impl JsonSchema for StepMap {
    fn schema_name() -> Cow<'static, str> {
        "Step".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        crate::schema::step(generator)
    }
}

fn version_schema(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "const": 1 })
}

fn matrix_schema(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({
        "type": "object",
        "additionalProperties": {
            "type": "array", "minItems": 1, "uniqueItems": true,
            "items": { "type": ["string", "number", "boolean"] }
        },
        "propertyNames": { "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" }
    })
}

/// Reads what is either one of a few words or a mapping. `word` gets none but `words`.
pub(crate) fn word_or_map<'de, D, M, T>(
    deserializer: D,
    expected: &'static str,
    words: &'static [&'static str],
    word: impl Fn(&str) -> Option<T>,
    map: impl Fn(M) -> T,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    M: Deserialize<'de>,
{
    struct WordOrMap<M, T, W, F> {
        expected: &'static str,
        words: &'static [&'static str],
        word: W,
        map: F,
        marker: PhantomData<(M, T)>,
    }

    impl<'de, M: Deserialize<'de>, T, W: Fn(&str) -> Option<T>, F: Fn(M) -> T> Visitor<'de> for WordOrMap<M, T, W, F> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.expected)
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            (self.word)(text).ok_or_else(|| E::unknown_variant(text, self.words))
        }

        fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<T, A::Error> {
            M::deserialize(de::value::MapAccessDeserializer::new(access)).map(self.map)
        }
    }

    deserializer.deserialize_any(WordOrMap {
        expected,
        words,
        word,
        map,
        marker: PhantomData,
    })
}
