//! What the provider offers before anybody builds anything: flavours, networks, volume types; images in [`images`].

pub(crate) mod images;

use super::ids::uuid_of;
use super::mode::Mode;

/// A flavour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flavor {
    pub(crate) name: &'static str,
    pub(crate) ram_mb: u32,
    pub(crate) vcpus: u32,
    /// 0: the root must be a volume.
    pub(crate) disk_gb: u32,
}

impl Flavor {
    /// Its id.
    pub(crate) fn id(&self) -> String {
        uuid_of(&format!("flavor/{}", self.name))
    }

    /// NHN's family with local disks, on which Windows may not run.
    pub(crate) fn is_u2(&self) -> bool {
        self.name.starts_with("u2.")
    }
}

const fn flavor(name: &'static str, vcpus: u32, ram_mb: u32, disk_gb: u32) -> Flavor {
    Flavor {
        name,
        ram_mb,
        vcpus,
        disk_gb,
    }
}

const NHN_FLAVORS: &[Flavor] = &[
    flavor("t2.c1m1", 1, 1024, 0),
    flavor("u2.c1m1", 1, 1024, 20),
    flavor("u2.c2m4", 2, 4096, 100),
    flavor("m2.c1m2", 1, 2048, 0),
    flavor("m2.c2m4", 2, 4096, 0),
    flavor("m2.c4m8", 4, 8192, 0),
    flavor("m2.c8m16", 8, 16_384, 0),
    flavor("c2.c2m2", 2, 2048, 0),
    flavor("c2.c4m4", 4, 4096, 0),
    flavor("c2.c8m8", 8, 8192, 0),
    flavor("r2.c2m8", 2, 8192, 0),
    flavor("r2.c4m16", 4, 16_384, 0),
    flavor("x1.c16m32", 16, 32_768, 0),
];

const OPENSTACK_FLAVORS: &[Flavor] = &[
    flavor("m1.tiny", 1, 512, 1),
    flavor("m1.small", 1, 2048, 20),
    flavor("m1.medium", 2, 4096, 60),
    flavor("m1.large", 4, 8192, 80),
    flavor("m1.xlarge", 8, 16_384, 160),
    flavor("v1.medium", 2, 4096, 0),
    flavor("v1.large", 4, 8192, 0),
];

/// The flavours of a cloud.
pub(crate) const fn flavors(mode: Mode) -> &'static [Flavor] {
    match mode {
        Mode::Nhn => NHN_FLAVORS,
        Mode::Openstack => OPENSTACK_FLAVORS,
    }
}

/// A network with its one subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    pub(crate) name: &'static str,
    pub(crate) subnet: &'static str,
    pub(crate) cidr: &'static str,
    pub(crate) external: bool,
}

impl Network {
    /// Its id.
    pub(crate) fn id(&self) -> String {
        uuid_of(&format!("network/{}", self.name))
    }

    /// Its subnet's id.
    pub(crate) fn subnet_id(&self) -> String {
        uuid_of(&format!("subnet/{}", self.subnet))
    }
}

const fn network(name: &'static str, subnet: &'static str, cidr: &'static str, external: bool) -> Network {
    Network {
        name,
        subnet,
        cidr,
        external,
    }
}

const NHN_NETWORKS: &[Network] = &[
    network("Default Network", "Default Network Subnet", "127.0.0.0/8", false),
    network("public_network", "public_subnet", "0.0.0.0/0", true),
];

const OPENSTACK_NETWORKS: &[Network] = &[
    network("private", "private-subnet", "127.0.0.0/8", false),
    network("public", "public-subnet", "127.0.0.0/8", true),
];

/// The networks of a cloud.
pub(crate) const fn networks(mode: Mode) -> &'static [Network] {
    match mode {
        Mode::Nhn => NHN_NETWORKS,
        Mode::Openstack => OPENSTACK_NETWORKS,
    }
}

/// The volume types of a cloud, the default first.
pub(crate) const fn volume_types(mode: Mode) -> &'static [&'static str] {
    match mode {
        Mode::Nhn => &["General HDD", "General SSD"],
        Mode::Openstack => &["lvmdriver-1", "ssd"],
    }
}
