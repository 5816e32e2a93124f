//! A connected cloud.

use async_trait::async_trait;
use reseal_machine::cloud::*;
use reseal_machine::*;

use crate::{OpenStackConfig, Stats};

/// A cloud that was authenticated once and is asked over HTTP.
pub struct OpenStack {
    counters: crate::stats::Counters,
}

impl OpenStack {
    /// Authenticates and finds the region. Services are looked up when they are first asked.
    pub async fn connect(_config: OpenStackConfig) -> Result<Self, CloudError> {
        Err(absent("connect"))
    }

    /// What was asked so far.
    pub fn stats(&self) -> Stats {
        self.counters.snapshot()
    }
}

fn absent(operation: &str) -> CloudError {
    CloudError::new(
        CloudErrorKind::Unavailable,
        operation,
        "the client is still being written",
    )
}

#[async_trait]
impl Cloud for OpenStack {
    async fn capabilities(&self) -> Result<Capabilities, CloudError> {
        Err(absent("capabilities"))
    }

    async fn images(&self, _query: &ImageQuery) -> Result<Vec<Image>, CloudError> {
        Err(absent("images"))
    }

    async fn image(&self, _id: &ImageId) -> Result<Observed<Image>, CloudError> {
        Err(absent("image"))
    }

    async fn flavors(&self) -> Result<Vec<Flavor>, CloudError> {
        Err(absent("flavors"))
    }

    async fn networks(&self) -> Result<Vec<Network>, CloudError> {
        Err(absent("networks"))
    }

    async fn quota(&self) -> Result<QuotaLeft, CloudError> {
        Err(absent("quota"))
    }

    async fn create_keypair(&self, _new: &NewKeypair) -> Result<(), CloudError> {
        Err(absent("create keypair"))
    }

    async fn delete_keypair(&self, _name: &str) -> Result<(), CloudError> {
        Err(absent("delete keypair"))
    }

    async fn create_security_group(&self, _new: &NewSecurityGroup) -> Result<SecurityGroup, CloudError> {
        Err(absent("create security group"))
    }

    async fn delete_security_group(&self, _id: &SecurityGroupId) -> Result<(), CloudError> {
        Err(absent("delete security group"))
    }

    async fn create_server(&self, _new: &NewServer) -> Result<ServerId, CloudError> {
        Err(absent("create server"))
    }

    async fn server(&self, _id: &ServerId) -> Result<Observed<Server>, CloudError> {
        Err(absent("server"))
    }

    async fn delete_server(&self, _id: &ServerId) -> Result<(), CloudError> {
        Err(absent("delete server"))
    }

    async fn stop_server(&self, _id: &ServerId) -> Result<(), CloudError> {
        Err(absent("stop server"))
    }

    async fn start_server(&self, _id: &ServerId) -> Result<(), CloudError> {
        Err(absent("start server"))
    }

    async fn console_output(&self, _id: &ServerId) -> Result<Option<String>, CloudError> {
        Err(absent("console output"))
    }

    async fn server_password(&self, _id: &ServerId) -> Result<ServerPassword, CloudError> {
        Err(absent("server password"))
    }

    async fn attachments(&self, _id: &ServerId) -> Result<Vec<Attachment>, CloudError> {
        Err(absent("attachments"))
    }

    async fn volume(&self, _id: &VolumeId) -> Result<Observed<Volume>, CloudError> {
        Err(absent("volume"))
    }

    async fn mark_volume(&self, _id: &VolumeId, _marks: &Marks) -> Result<(), CloudError> {
        Err(absent("mark volume"))
    }

    async fn delete_volume(&self, _id: &VolumeId) -> Result<(), CloudError> {
        Err(absent("delete volume"))
    }

    async fn create_floating_ip(&self, _new: &NewFloatingIp) -> Result<FloatingIp, CloudError> {
        Err(absent("create floating ip"))
    }

    async fn delete_floating_ip(&self, _id: &FloatingIpId) -> Result<(), CloudError> {
        Err(absent("delete floating ip"))
    }

    async fn create_image(&self, _new: &NewImage) -> Result<ImageId, CloudError> {
        Err(absent("create image"))
    }

    async fn update_image(&self, _id: &ImageId, _changes: &ImageChanges) -> Result<(), CloudError> {
        Err(absent("update image"))
    }

    async fn delete_image(&self, _id: &ImageId) -> Result<(), CloudError> {
        Err(absent("delete image"))
    }

    async fn find_marked(&self, _build: Option<&reseal_machine::BuildId>) -> Result<Vec<Marked>, CloudError> {
        Err(absent("find marked"))
    }
}
