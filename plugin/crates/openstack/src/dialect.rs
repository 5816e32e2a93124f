//! How a family of clouds differs from the others, as data.
//!
//! One file for each family; every line there names the document that proves it.

mod nhn;
mod upstream;

use reseal_machine::cloud::{Capabilities, Capture, Dialect};

use crate::http::request::Microversion;

/// The rules of one family.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a table of facts that do not depend on each other"
)]
pub(crate) struct Rules {
    pub(crate) dialect: Dialect,
    /// Root volumes are a must.
    pub(crate) boot_from_volume: bool,
    /// `force` is documented for attached volumes.
    pub(crate) force_upload: bool,
    /// `os-server-password` is documented.
    pub(crate) server_password: bool,
    /// Longest name of a Windows server.
    pub(crate) max_server_name: usize,
    /// Longest user data after base64.
    pub(crate) max_user_data: usize,
    /// Smallest root volume of a Windows server, GB; 0 is no rule.
    pub(crate) min_root_gb: u32,
    /// Smallest RAM of a Windows server, MB; 0 is no rule.
    pub(crate) min_ram_mb: u32,
    /// Prefixes of flavours that may not run Windows.
    pub(crate) forbidden_flavors: &'static [&'static str],
    /// What images may be.
    pub(crate) visibilities: &'static [&'static str],
    /// Properties that are not ours to set.
    pub(crate) reserved_properties: &'static [&'static str],
    /// The path segment, and the key, of the list of networks.
    pub(crate) networks: &'static str,
    /// A server is put into a subnet, where one is named.
    pub(crate) server_in_subnet: bool,
    /// `imageRef` stands beside the block device mapping.
    pub(crate) image_ref_beside_mapping: bool,
    /// What a mapping with `volume_type` needs.
    pub(crate) volume_type_version: Option<Microversion>,
    /// The free text of a floating IP.
    pub(crate) floating_ip_note: &'static str,
    /// What to do when a subnet has no way to the outside.
    pub(crate) no_way_out: &'static str,
    /// The visibility that goes with an upload of a volume.
    pub(crate) upload_visibility: Option<&'static str>,
    /// `GET /limits` is documented.
    pub(crate) limits: bool,
    /// How many images to ask for at once.
    pub(crate) image_page: &'static str,
}

/// The rules of a family.
pub(crate) fn rules(dialect: Dialect) -> &'static Rules {
    match dialect {
        Dialect::Nhn => &nhn::RULES,
        Dialect::Openstack => &upstream::RULES,
    }
}

impl Rules {
    /// What the planner wants to know. Without block storage only Nova can make an image.
    pub(crate) fn capabilities(&self, region: String, block_storage: bool) -> Capabilities {
        let owned = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
        Capabilities {
            dialect: self.dialect,
            region,
            capture: if block_storage {
                Capture::Volume {
                    force: self.force_upload,
                }
            } else {
                Capture::Server
            },
            boot_from_volume: self.boot_from_volume,
            server_password: self.server_password,
            max_server_name: self.max_server_name,
            max_user_data: self.max_user_data,
            min_root_gb: self.min_root_gb,
            min_ram_mb: self.min_ram_mb,
            forbidden_flavors: owned(self.forbidden_flavors),
            visibilities: owned(self.visibilities),
            reserved_properties: owned(self.reserved_properties),
        }
    }
}
