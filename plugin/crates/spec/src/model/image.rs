//! `image:` — what the build makes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::Size;

/// The image that the build makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Its name, for example `win2022-web-${build.date}`.
    pub name: String,
    /// The smallest root disk that it starts on, for example `60 GB`. Without it the size of the build machine's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_disk: Option<Size>,
    /// The least RAM that it starts with, for example `2 GB`. Without it the base image's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_ram: Option<Size>,
    /// Properties to set, for example `os_version: "2022"`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, String>,
    /// Tags to set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Who may use it.
    #[serde(default)]
    pub visibility: Visibility,
    /// Block deleting it.
    #[serde(default)]
    pub protected: bool,
    /// Ids of projects to share it with. Needs `visibility: shared`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// The format that the data are kept in.
    #[serde(default)]
    pub disk_format: DiskFormat,
    /// A second name that always stands for the newest good image: it moves when the new one has been verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
}

/// Who may use an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// This project.
    #[default]
    Private,
    /// This project and the `members`.
    Shared,
    /// Everybody who knows its id. Not on NHN Cloud.
    Community,
    /// Everybody. Needs a right that few projects have; not on NHN Cloud.
    Public,
}

/// A disk format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DiskFormat {
    /// QEMU's, compressed.
    #[default]
    Qcow2,
    /// Plain blocks.
    Raw,
    /// VMware's.
    Vmdk,
    /// VirtualBox's.
    Vdi,
    /// Hyper-V's old one.
    Vhd,
    /// Hyper-V's new one.
    Vhdx,
}

impl Visibility {
    /// Glance's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Shared => "shared",
            Self::Community => "community",
            Self::Public => "public",
        }
    }
}

impl DiskFormat {
    /// Glance's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Qcow2 => "qcow2",
            Self::Raw => "raw",
            Self::Vmdk => "vmdk",
            Self::Vdi => "vdi",
            Self::Vhd => "vhd",
            Self::Vhdx => "vhdx",
        }
    }
}
