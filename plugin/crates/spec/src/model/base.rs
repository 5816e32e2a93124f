//! `base:` — the machine that the build starts from.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::units::Size;

/// The machine that the build starts from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// The image to start from.
    pub image: BaseImage,
    /// Name or id of the flavour of the build machine, for example `m2.c2m4`. Windows needs at least 2 GB of RAM.
    pub flavor: String,
    /// The volume that the machine boots from, or `none` to boot from the flavour's own disk. Without it the cloud's
    /// smallest size for the image is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_volume: Option<RootVolume>,
    /// Name or id of the network (on NHN Cloud: the VPC) that the machine is put into.
    pub network: String,
    /// Name or id of the subnet. Without it the network's first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet: Option<String>,
    /// The address at which the machine is reached.
    #[serde(default)]
    pub address: AddressKind,
    /// Name or id of the external network that floating addresses come from. Without it the first external one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floating_network: Option<String>,
    /// Addresses in CIDR form that may reach the machine during the build. Without it only the runner's own address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_from: Vec<String>,
    /// The name of the build machine; NHN Cloud takes at most 15 characters for Windows. Without it the build makes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9-]*$|\$\{"))]
    pub server_name: Option<String>,
    /// Path of a PowerShell script that runs at the build machine's first boot, beside what the build itself needs
    /// there. Relative to the spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_data: Option<String>,
}

/// Which image to start from: either `id`, or `name`, `properties` or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaseImage {
    /// The image's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The image's name. `*` stands for anything, `?` for one character.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Of several images that fit, take the newest. Without it several are an error.
    #[serde(default)]
    pub newest: bool,
    /// Properties that the image must have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, String>,
}

/// The volume that a machine boots from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootVolume {
    /// The flavour's own disk is used.
    None,
    /// A volume made of the image.
    Volume(VolumeSpec),
}

/// A root volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VolumeSpec {
    /// Its size, for example `60 GB`.
    pub size: Size,
    /// Its volume type, for example `General SSD`. Without it the cloud's usual one.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub volume_type: Option<String>,
}

/// How the build machine is reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AddressKind {
    /// A floating address is made for the build and given back afterwards.
    #[default]
    Floating,
    /// The address inside the network; the runner must be able to reach it.
    Fixed,
}

impl Serialize for RootVolume {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_str("none"),
            Self::Volume(volume) => volume.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for RootVolume {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::file::word_or_map(
            deserializer,
            "`none` or a mapping with `size`",
            &["none"],
            |word| (word == "none").then_some(Self::None),
            Self::Volume,
        )
    }
}

impl JsonSchema for RootVolume {
    fn schema_name() -> Cow<'static, str> {
        "RootVolume".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let volume = generator.subschema_for::<VolumeSpec>();
        json_schema!({ "anyOf": [volume, { "const": "none", "description": "Boot from the flavour's own disk." }] })
    }
}
