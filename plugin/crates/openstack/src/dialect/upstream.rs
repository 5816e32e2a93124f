//! OpenStack as its projects publish it.
//!
//! COMPUTE is <https://docs.openstack.org/api-ref/compute/>, IMAGE is <https://docs.openstack.org/api-ref/image/v2/>,
//! VOLUME is <https://docs.openstack.org/api-ref/block-storage/v3/>, NETWORK is
//! <https://docs.openstack.org/api-ref/network/v2/>, HISTORY is
//! <https://docs.openstack.org/nova/latest/reference/api-microversion-history.html>.

use reseal_machine::cloud::Dialect;

use super::Rules;
use crate::http::request::Microversion;

pub(super) const RULES: Rules = Rules {
    dialect: Dialect::Openstack,
    // COMPUTE, create server: a mapping is one of several ways.
    boot_from_volume: false,
    // <https://docs.openstack.org/cinder/latest/configuration/block-storage/samples/cinder.conf.html>: an operator must
    // set `enable_force_upload`, which is off by default.
    force_upload: false,
    // COMPUTE, show server password.
    server_password: true,
    // COMPUTE, create server: `name` has at most 255 characters.
    max_server_name: 255,
    // COMPUTE, create server: `user_data` has at most 65,535 bytes.
    max_user_data: 65_535,
    // The image's own `min_disk` and `min_ram` are the only rules.
    min_root_gb: 0,
    min_ram_mb: 0,
    forbidden_flavors: &[],
    // IMAGE, "Image visibility".
    visibilities: &["private", "shared", "community", "public"],
    // IMAGE, "General information", properties: the prefix `os_glance_` is reserved.
    reserved_properties: &["os_glance_"],
    // NETWORK, list networks.
    networks: "networks",
    // COMPUTE, create server: `networks` takes `uuid`, `port` and `fixed_ip`.
    server_in_subnet: false,
    // COMPUTE, create server: `imageRef` is left out when the server boots from a volume.
    image_ref_beside_mapping: false,
    // HISTORY, 2.67: `volume_type` in `block_device_mapping_v2`.
    volume_type_version: Some(Microversion {
        value: "compute 2.67",
        nova: "2.67",
    }),
    // NETWORK, create floating IP: `description`.
    floating_ip_note: "description",
    // NETWORK, floating IPs: the subnet's router needs a gateway on the external network.
    no_way_out: "connect the subnet to the external network with a router",
    // VOLUME, upload volume to image: `visibility` and `protected` need microversion 3.1, and the schema is closed.
    upload_visibility: None,
    // COMPUTE, show rate and absolute limits.
    limits: true,
    // IMAGE, list images: the server's default is 25, its maximum usually 1000.
    image_page: "1000",
};
