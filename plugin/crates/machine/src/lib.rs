//! The contracts between the recipe and the mechanisms.
//!
//! [`Cloud`] is a machine seen from outside: images, servers, volumes, addresses. [`Communicator`] is a machine
//! seen from inside: scripts, files, a probe. [`Clock`] is time, handed in so that a rehearsal can compress it.
//!
//! Nothing is implemented here. The clients are in `reseal-openstack` and `reseal-winrm`; `reseal-lab` serves the
//! same world to them over loopback. Start reading at [`cloud`], then [`communicator`].

pub mod clock;
pub mod cloud;
pub mod communicator;
pub mod error;
pub mod ids;
pub mod marks;
pub mod retry;

pub use clock::{Clock, Schedule};
pub use cloud::Cloud;
pub use communicator::Communicator;
pub use error::{CloudError, CloudErrorKind, CommError, Status};
pub use ids::{BuildId, FlavorId, FloatingIpId, ImageId, NetworkId, SecurityGroupId, ServerId, VolumeId};
pub use marks::Marks;
