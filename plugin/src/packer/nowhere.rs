//! No cloud at all: what a machine of somebody else's stands in, as far as we are concerned.

use async_trait::async_trait;
use reseal_machine::cloud::{
    Attachment, Capabilities, Flavor, FloatingIp, Image, ImageChanges, ImageQuery, Marked, Network, NewFloatingIp,
    NewImage, NewKeypair, NewSecurityGroup, NewServer, Observed, QuotaLeft, SecurityGroup, Server, ServerPassword,
    Volume,
};
use reseal_machine::{
    BuildId, Cloud, CloudError, CloudErrorKind, FloatingIpId, ImageId, Marks, SecurityGroupId, ServerId, VolumeId,
};

/// Refuses everything: no step of a visit asks it.
pub(super) struct Nowhere;

/// Each method of the trait, refused under its own name.
macro_rules! refuse {
    ($($method:ident($($kind:ty),*) -> $result:ty;)*) => {
        #[async_trait]
        impl Cloud for Nowhere {
            $(async fn $method(&self, $(_: $kind),*) -> Result<$result, CloudError> {
                Err(CloudError::new(
                    CloudErrorKind::Forbidden,
                    stringify!($method),
                    "this machine is another builder's, and so is its cloud",
                ))
            })*
        }
    };
}

refuse! {
    capabilities() -> Capabilities;
    images(&ImageQuery) -> Vec<Image>;
    image(&ImageId) -> Observed<Image>;
    flavors() -> Vec<Flavor>;
    networks() -> Vec<Network>;
    quota() -> QuotaLeft;
    create_keypair(&NewKeypair) -> ();
    delete_keypair(&str) -> ();
    create_security_group(&NewSecurityGroup) -> SecurityGroup;
    delete_security_group(&SecurityGroupId) -> ();
    create_server(&NewServer) -> ServerId;
    server(&ServerId) -> Observed<Server>;
    delete_server(&ServerId) -> ();
    console_output(&ServerId) -> Option<String>;
    server_password(&ServerId) -> ServerPassword;
    attachments(&ServerId) -> Vec<Attachment>;
    volume(&VolumeId) -> Observed<Volume>;
    mark_volume(&VolumeId, &Marks) -> ();
    delete_volume(&VolumeId) -> ();
    create_floating_ip(&NewFloatingIp) -> FloatingIp;
    delete_floating_ip(&FloatingIpId) -> ();
    create_image(&NewImage) -> ImageId;
    update_image(&ImageId, &ImageChanges) -> ();
    delete_image(&ImageId) -> ();
    find_marked(Option<&BuildId>) -> Vec<Marked>;
}
