//! A machine seen from outside.
//!
//! [`Cloud`] speaks in resources, not in builds, and no method waits: creating returns as soon as the cloud has
//! accepted, and the caller looks again with the `observe` methods. Retry of single requests and renewal of tokens
//! belong to the implementation; waiting for a state belongs to the engine.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::error::CloudError;
use crate::ids::{FlavorId, FloatingIpId, ImageId, NetworkId, SecurityGroupId, ServerId, VolumeId};
use crate::marks::Marks;

/// An answer to "is it there?". A 404 is an answer, not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observed<T> {
    /// It is there, in this state.
    Present(T),
    /// It is not there.
    Gone,
}

impl<T> Observed<T> {
    /// The state, if it is there.
    pub fn present(self) -> Option<T> {
        match self {
            Self::Present(state) => Some(state),
            Self::Gone => None,
        }
    }
}

/// Which cloud family the rules of a plan follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// NHN Cloud.
    Nhn,
    /// Upstream OpenStack.
    Openstack,
}

/// What a cloud can do and what it insists on, so that a plan can complain at the spec's line instead of at hour two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// The family.
    pub dialect: Dialect,
    /// The region in use.
    pub region: String,
    /// How an image is made of a server.
    pub capture: Capture,
    /// Servers must boot from a volume made of the image (block device mapping).
    pub boot_from_volume: bool,
    /// `os-server-password` is documented to work.
    pub server_password: bool,
    /// The longest allowed server name for Windows.
    pub max_server_name: usize,
    /// The longest user data, in bytes after base64.
    pub max_user_data: usize,
    /// The smallest root volume for Windows, GB.
    pub min_root_gb: u32,
    /// The smallest RAM for Windows, MB.
    pub min_ram_mb: u32,
    /// Prefixes of flavour names that may not run Windows, lower case.
    pub forbidden_flavors: Vec<String>,
    /// Image visibilities that may be asked for.
    pub visibilities: Vec<String>,
    /// Prefixes of image properties that are inherited from the base and must be left alone.
    pub reserved_properties: Vec<String>,
}

/// How an image is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capture {
    /// `os-volume_upload_image` on the root volume; the flag tells whether `force` works on an attached volume. Where
    /// it is unknown, force is tried first and its refusal leads to the way without.
    Volume {
        /// `force: true` is documented for attached volumes.
        force: bool,
    },
    /// Nova's `createImage` for image-backed servers.
    Server,
}

/// Which images to list. All given conditions must hold; names are matched by the caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageQuery {
    /// Exact name.
    pub name: Option<String>,
    /// `public`, `private`, `shared` or `community`.
    pub visibility: Option<String>,
    /// Properties that must be equal.
    pub properties: BTreeMap<String, String>,
}

/// A Glance image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Its id.
    pub id: ImageId,
    /// Its name.
    pub name: String,
    /// Where it is in its life.
    pub status: ImageStatus,
    /// `public`, `private`, …
    pub visibility: String,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Smallest disk, GB.
    pub min_disk_gb: u32,
    /// Smallest RAM, MB.
    pub min_ram_mb: u32,
    /// Size of the data in bytes, when known.
    pub size: Option<u64>,
    /// Whether deleting is blocked.
    pub protected: bool,
    /// Tags.
    pub tags: Vec<String>,
    /// Every other string property, flat.
    pub properties: BTreeMap<String, String>,
}

/// An image's life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageStatus {
    /// Known, no data yet.
    Queued,
    /// Data are coming in (`saving`, `uploading`, `importing`).
    Saving,
    /// Ready.
    Active,
    /// Switched off by an operator.
    Deactivated,
    /// The upload failed.
    Killed,
    /// Being deleted or deleted.
    Deleted,
    /// A word that we do not know.
    Other(String),
}

/// A Nova flavour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flavor {
    /// Its id.
    pub id: FlavorId,
    /// Its name, e.g. `m2.c2m4`.
    pub name: String,
    /// RAM, MB.
    pub ram_mb: u32,
    /// Virtual CPUs.
    pub vcpus: u32,
    /// Root disk of the flavour, GB; 0 when it must be a volume.
    pub disk_gb: u32,
}

/// A network that a server can be put into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Its id.
    pub id: NetworkId,
    /// Its name.
    pub name: String,
    /// Whether floating addresses come from it.
    pub external: bool,
    /// Its subnets' ids.
    pub subnets: Vec<String>,
}

/// What is left of a project's quota; `None` means that the cloud does not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaLeft {
    /// Servers.
    pub instances: Option<u64>,
    /// Virtual CPUs.
    pub cores: Option<u64>,
    /// RAM, MB.
    pub ram_mb: Option<u64>,
}

/// A key pair to import: always our own RSA public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewKeypair {
    /// Its name. Key pairs have no metadata, so the name begins with `reseal-` and the build's short id.
    pub name: String,
    /// `ssh-rsa AAAA… comment`.
    pub public_key: String,
}

/// A security group with its ingress rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewSecurityGroup {
    /// A name that is unique in the project (servers name their groups).
    pub name: String,
    /// Who made it; goes into the description.
    pub marks: Marks,
    /// TCP ports to open.
    pub ingress: Vec<IngressRule>,
}

/// One open TCP port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IngressRule {
    /// The port.
    pub port: u16,
    /// From where, e.g. `198.51.100.7/32`.
    pub cidr: String,
}

/// A security group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// Its id.
    pub id: SecurityGroupId,
    /// Its name.
    pub name: String,
}

/// A server to create.
#[derive(Debug, Clone)]
pub struct NewServer {
    /// Its name (also the first computer name of many images).
    pub name: String,
    /// Who made it; goes into the metadata.
    pub marks: Marks,
    /// The image to boot.
    pub image: ImageId,
    /// The flavour.
    pub flavor: FlavorId,
    /// The network.
    pub network: NetworkId,
    /// The subnet inside it, where the cloud wants one.
    pub subnet: Option<String>,
    /// The key pair's name.
    pub key_name: String,
    /// The security groups' names.
    pub security_groups: Vec<String>,
    /// The availability zone, or the cloud's choice.
    pub availability_zone: Option<String>,
    /// The root volume, or `None` for an image-backed server.
    pub root_volume: Option<RootVolume>,
    /// User data before base64. May hold a one-time password.
    pub user_data: Option<SecretString>,
}

/// The volume that a server boots from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootVolume {
    /// Size, GB.
    pub size_gb: u32,
    /// The volume type's name, or the cloud's choice.
    pub volume_type: Option<String>,
    /// Whether it dies with the server. `false` where the capture needs a detached volume.
    pub delete_on_termination: bool,
}

/// A Nova server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// Its id.
    pub id: ServerId,
    /// Its name.
    pub name: String,
    /// Where it is in its life.
    pub status: ServerStatus,
    /// What the cloud is doing with it, if anything.
    pub task_state: Option<String>,
    /// 1 running, 4 shut down; absent when not told.
    pub power_state: Option<i64>,
    /// Its addresses.
    pub addresses: Vec<Address>,
    /// Its metadata.
    pub metadata: BTreeMap<String, String>,
    /// Why it is in `ERROR`, when the cloud tells.
    pub fault: Option<String>,
}

/// A server's life, as far as a build cares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerStatus {
    /// Being built.
    Build,
    /// Running.
    Active,
    /// Off.
    Shutoff,
    /// Failed; see the fault.
    Error,
    /// Deleted, or being deleted.
    Deleted,
    /// A word that we do not treat specially.
    Other(String),
}

/// One address of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The network's name.
    pub network: String,
    /// The address.
    pub addr: String,
    /// Whether it is a floating one.
    pub floating: bool,
    /// 4 or 6.
    pub version: u8,
}

/// The state of the password that the guest posts, RSA-encrypted, to the metadata service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerPassword {
    /// The cloud does not offer the call (403, 404, 501).
    NotOffered,
    /// Nothing posted yet.
    NotYet,
    /// Base64 of one RSAES-PKCS1-v1_5 block.
    Encrypted(String),
}

/// A volume that belongs to a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The volume.
    pub volume: VolumeId,
    /// The device, e.g. `/dev/vda`.
    pub device: String,
}

/// A Cinder volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Its id.
    pub id: VolumeId,
    /// `available`, `in-use`, `uploading`, `error`, … as the cloud spells it.
    pub status: String,
    /// Size, GB.
    pub size_gb: u32,
    /// Whether a machine can boot from it.
    pub bootable: bool,
    /// The servers that it is attached to.
    pub attached_to: Vec<ServerId>,
}

/// A floating IP to allocate and attach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewFloatingIp {
    /// The external network.
    pub network: NetworkId,
    /// The server whose first port gets it.
    pub server: ServerId,
    /// Who made it; goes into description or label.
    pub marks: Marks,
}

/// A floating IP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FloatingIp {
    /// Its id.
    pub id: FloatingIpId,
    /// The address.
    pub address: String,
}

/// An image to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewImage {
    /// Its (first) name.
    pub name: String,
    /// What it is made of.
    pub source: ImageSource,
    /// `qcow2`, `raw`, …
    pub disk_format: String,
}

/// What an image is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageSource {
    /// `os-volume_upload_image`.
    Volume {
        /// The root volume.
        volume: VolumeId,
        /// Also while it is attached.
        force: bool,
    },
    /// `createImage`.
    Server {
        /// The server.
        server: ServerId,
    },
}

/// What to change about an image. Base fields are replaced, properties added or removed, in one request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageChanges {
    /// New name.
    pub name: Option<String>,
    /// Smallest disk, GB.
    pub min_disk_gb: Option<u32>,
    /// Smallest RAM, MB.
    pub min_ram_mb: Option<u32>,
    /// `private`, `shared`, …
    pub visibility: Option<String>,
    /// Block deleting.
    pub protected: Option<bool>,
    /// Properties to set.
    pub set: BTreeMap<String, String>,
    /// Properties to remove; missing ones are no error.
    pub remove: Vec<String>,
    /// Tags to add.
    pub tags: Vec<String>,
    /// Projects to share with.
    pub members: Vec<String>,
}

/// Something that carries a build's marks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marked {
    /// What it is.
    pub kind: ResourceKind,
    /// Its id (for key pairs, its name).
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// Who made it. For key pairs the step is empty: they carry the build in their name only.
    pub marks: Marks,
}

/// The kinds of things that a build creates, in the order in which they must go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// A server.
    Server,
    /// A volume.
    Volume,
    /// A floating IP.
    FloatingIp,
    /// A security group.
    SecurityGroup,
    /// A key pair.
    Keypair,
    /// An image.
    Image,
}

impl ResourceKind {
    /// The word for it, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Volume => "volume",
            Self::FloatingIp => "floating address",
            Self::SecurityGroup => "security group",
            Self::Keypair => "key pair",
            Self::Image => "image",
        }
    }
}

/// A cloud. Behaviour that every implementation keeps, beside what each method says:
///
/// - deleting what is gone succeeds;
/// - observing what is gone is [`Observed::Gone`];
/// - a call that may have been carried out without an answer fails with `perhaps: true` and is not repeated here.
#[async_trait]
pub trait Cloud: Send + Sync {
    /// What this cloud can do. Known after the first authentication.
    async fn capabilities(&self) -> Result<Capabilities, CloudError>;

    /// All images that fit, over all pages, newest first.
    async fn images(&self, query: &ImageQuery) -> Result<Vec<Image>, CloudError>;
    /// One image.
    async fn image(&self, id: &ImageId) -> Result<Observed<Image>, CloudError>;
    /// All flavours.
    async fn flavors(&self) -> Result<Vec<Flavor>, CloudError>;
    /// All networks, external ones included.
    async fn networks(&self) -> Result<Vec<Network>, CloudError>;
    /// What is left of the quota.
    async fn quota(&self) -> Result<QuotaLeft, CloudError>;

    /// Imports a public key. An equal name is [`crate::CloudErrorKind::Conflict`].
    async fn create_keypair(&self, new: &NewKeypair) -> Result<(), CloudError>;
    /// Forgets a key pair.
    async fn delete_keypair(&self, name: &str) -> Result<(), CloudError>;

    /// Makes a group and its rules. If a rule fails, the group is deleted again.
    async fn create_security_group(&self, new: &NewSecurityGroup) -> Result<SecurityGroup, CloudError>;
    /// Deletes a group; [`crate::CloudErrorKind::Conflict`] with temporary status while a port uses it.
    async fn delete_security_group(&self, id: &SecurityGroupId) -> Result<(), CloudError>;

    /// Asks for a server.
    async fn create_server(&self, new: &NewServer) -> Result<ServerId, CloudError>;
    /// Looks at a server.
    async fn server(&self, id: &ServerId) -> Result<Observed<Server>, CloudError>;
    /// Asks for a server's end.
    async fn delete_server(&self, id: &ServerId) -> Result<(), CloudError>;
    /// The console's last lines, at most 64 KiB, where there are any; never an error for "not offered".
    async fn console_output(&self, id: &ServerId) -> Result<Option<String>, CloudError>;
    /// The password that the guest has posted.
    async fn server_password(&self, id: &ServerId) -> Result<ServerPassword, CloudError>;

    /// The volumes of a server, by device.
    async fn attachments(&self, id: &ServerId) -> Result<Vec<Attachment>, CloudError>;
    /// Looks at a volume.
    async fn volume(&self, id: &VolumeId) -> Result<Observed<Volume>, CloudError>;
    /// Writes marks into a volume's metadata where the cloud allows it; otherwise does nothing.
    async fn mark_volume(&self, id: &VolumeId, marks: &Marks) -> Result<(), CloudError>;
    /// Asks for a volume's end; [`crate::CloudErrorKind::Conflict`] with temporary status while it is attached or busy.
    async fn delete_volume(&self, id: &VolumeId) -> Result<(), CloudError>;

    /// Allocates a floating IP and attaches it to the server's first port; releases it again if attaching fails.
    async fn create_floating_ip(&self, new: &NewFloatingIp) -> Result<FloatingIp, CloudError>;
    /// Releases a floating IP.
    async fn delete_floating_ip(&self, id: &FloatingIpId) -> Result<(), CloudError>;

    /// Asks for an image. Refused force is [`crate::CloudErrorKind::Invalid`] whose message has the cloud's words.
    async fn create_image(&self, new: &NewImage) -> Result<ImageId, CloudError>;
    /// Changes an image.
    async fn update_image(&self, id: &ImageId, changes: &ImageChanges) -> Result<(), CloudError>;
    /// Deletes an image.
    async fn delete_image(&self, id: &ImageId) -> Result<(), CloudError>;

    /// Everything that carries marks of `build`, or of any build when `None`; in the order of [`ResourceKind`].
    async fn find_marked(&self, build: Option<&crate::BuildId>) -> Result<Vec<Marked>, CloudError>;
}
