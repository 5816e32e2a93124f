//! Names of things, each with a type of its own so that a server's id is never taken for a volume's.

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes over what the cloud (or the id source) said.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The id as the cloud spells it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

id! {
    /// One run of one spec; it marks everything that the run creates.
    BuildId,
    /// A Glance image.
    ImageId,
    /// A Nova flavour.
    FlavorId,
    /// A Neutron network (NHN: a VPC).
    NetworkId,
    /// A Nova server.
    ServerId,
    /// A Cinder volume.
    VolumeId,
    /// A Neutron security group.
    SecurityGroupId,
    /// A Neutron floating IP.
    FloatingIpId,
}
