//! NHN Cloud.
//!
//! INSTANCE is <https://docs.nhncloud.com/en/Compute/Instance/en/public-api/>, IMAGE is
//! <https://docs.nhncloud.com/en/Compute/Image/en/public-api/>, VOLUME is
//! <https://docs.nhncloud.com/en/Storage/Block%20Storage/en/public-api/>, VPC is
//! <https://docs.nhncloud.com/en/Network/VPC/en/public-api/>, FLOATING is
//! <https://docs.nhncloud.com/en/Network/Floating%20IP/en/public-api/>.

use reseal_machine::cloud::Dialect;

use super::Rules;

pub(super) const RULES: Rules = Rules {
    dialect: Dialect::Nhn,
    // INSTANCE, create: `block_device_mapping_v2` is required for all flavours but U2, and U2 cannot run Windows.
    boot_from_volume: true,
    // VOLUME, os-volume_upload_image: `force` is for volumes that are attached.
    force_upload: true,
    // INSTANCE does not list `os-server-password`; it may work, but nothing may rely on it.
    server_password: false,
    // INSTANCE, create: names of Windows servers have at most 15 characters.
    max_server_name: 15,
    // INSTANCE, create: user data has at most 65,535 bytes after base64.
    max_user_data: 65_535,
    // INSTANCE, create: Windows needs a root of 50 GB.
    min_root_gb: 50,
    // INSTANCE, create: Windows needs 2 GB of RAM.
    min_ram_mb: 2048,
    // INSTANCE, create: Windows images do not run on U2.
    forbidden_flavors: &["u2"],
    // IMAGE, create and modify: private or shared.
    visibilities: &["private", "shared"],
    // IMAGE, example of the list: these came with the base image and steer the hypervisor and the console.
    reserved_properties: &["hw_", "nhncloud_"],
    // VPC, list: `GET /v2.0/vpcs`.
    networks: "vpcs",
    // INSTANCE, create: `networks.subnet`.
    server_in_subnet: true,
    // INSTANCE, create: the example gives both.
    image_ref_beside_mapping: true,
    // INSTANCE, create: `volume_type` is taken as it is; microversion headers are ignored under `/v2`.
    volume_type_version: None,
    // FLOATING, create: `label`.
    floating_ip_note: "label",
    // VPC, subnets: `routingtable.gateway_id` must be set.
    no_way_out: "attach an internet gateway to the subnet's routing table",
    // VOLUME, os-volume_upload_image: `visibility` is private or shared.
    upload_visibility: Some("private"),
    // INSTANCE does not list `limits`.
    limits: false,
    // IMAGE, list: `limit` is at most 1000.
    image_page: "1000",
};
