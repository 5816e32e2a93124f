//! The two families of cloud that the lab plays, and how they differ in words and numbers.

/// Which family of cloud the lab plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// NHN Cloud, strictly by its public guides: Keystone v2.0, `/v2/{tenant}` paths, no microversions, one port per
    /// service, boot from volume only, the rules for Windows enforced.
    Nhn,
    /// Upstream OpenStack of 2026: Keystone v3, `/v2.1`, microversions, `block-storage` in the catalogue, no forced
    /// upload of attached volumes.
    Openstack,
}

impl Mode {
    /// The region that has everything.
    pub(crate) const fn region(self) -> &'static str {
        match self {
            Self::Nhn => "KR1",
            Self::Openstack => "RegionOne",
        }
    }

    /// A second region in the catalogue, listed first, where nothing works. A client must look at the region's name.
    pub(crate) const fn other_region(self) -> &'static str {
        match self {
            Self::Nhn => "KR2",
            Self::Openstack => "RegionTwo",
        }
    }

    /// The availability zones.
    pub(crate) const fn zones(self) -> &'static [&'static str] {
        match self {
            Self::Nhn => &["kr-pub-a", "kr-pub-b"],
            Self::Openstack => &["nova"],
        }
    }

    /// The type of the block storage service in the catalogue, and its name.
    pub(crate) const fn volume_service(self) -> (&'static str, &'static str) {
        match self {
            Self::Nhn => ("volumev2", "cinderv2"),
            Self::Openstack => ("block-storage", "cinder"),
        }
    }

    /// How many images a page has when the client does not say.
    pub(crate) const fn image_page(self) -> usize {
        match self {
            Self::Nhn => 100,
            Self::Openstack => 25,
        }
    }

    /// How many servers a page has when the client does not say.
    pub(crate) const fn server_page(self) -> usize {
        match self {
            Self::Nhn => 100,
            Self::Openstack => 1000,
        }
    }

    /// How long a token is said to live, minutes.
    pub(crate) const fn token_minutes(self) -> i64 {
        match self {
            Self::Nhn => 12 * 60,
            Self::Openstack => 60,
        }
    }
}
