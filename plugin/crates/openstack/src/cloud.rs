//! A connected cloud: the contract of [`reseal_machine::Cloud`], kept over HTTP.
//!
//! The trait's methods are one line each; what they do is in the neighbours, one file for each service.

mod block_storage;
mod compute;
mod image;
mod network;
mod once;

use async_trait::async_trait;
use reseal_machine::cloud::{
    Attachment, Capabilities, Flavor, FloatingIp, Image, ImageChanges, ImageQuery, Marked, Network, NewFloatingIp,
    NewImage, NewKeypair, NewSecurityGroup, NewServer, Observed, QuotaLeft, SecurityGroup, Server, ServerPassword,
    Volume,
};
use reseal_machine::{
    BuildId, Cloud, CloudError, CloudErrorKind, FloatingIpId, ImageId, Marks, SecurityGroupId, ServerId, Status,
    VolumeId,
};
use serde_json::Value;

use crate::catalog::{Catalog, Service};
use crate::config::OpenStackConfig;
use crate::dialect::{self, Rules};
use crate::http::Client;
use crate::http::request::Request;
use crate::stats::Stats;

/// A cloud that was authenticated once and is asked over HTTP.
pub struct OpenStack {
    pub(crate) client: Client,
    pub(crate) rules: &'static Rules,
}

impl OpenStack {
    /// Authenticates and finds the region. Services are looked up when they are first asked.
    pub async fn connect(config: OpenStackConfig) -> Result<Self, CloudError> {
        let rules = dialect::rules(config.dialect);
        let client = Client::new(config)?;
        let session = client.session().await?;
        client.region(&session)?;
        Ok(Self { client, rules })
    }

    /// What was asked so far, authentication included.
    pub fn stats(&self) -> Stats {
        self.client.stats()
    }

    /// The catalogue that came with the present token.
    pub async fn catalog(&self) -> Result<Catalog, CloudError> {
        Ok(self.client.session().await?.catalog.clone())
    }

    /// Whether a service can be asked at all.
    pub(crate) async fn has(&self, service: Service) -> Result<bool, CloudError> {
        let session = self.client.session().await?;
        Ok(self.client.base(service, &session).is_ok())
    }

    /// Sends a deletion; what is gone is deleted.
    pub(crate) async fn delete(&self, request: &Request) -> Result<(), CloudError> {
        match self.client.call(request).await {
            Err(error) if error.kind != CloudErrorKind::NotFound || error.http.is_none() => Err(error),
            _ => Ok(()),
        }
    }

    /// Looks at one thing; `key` unwraps the reply, and what is gone is an answer.
    pub(crate) async fn observe<T>(
        &self,
        request: &Request,
        key: Option<&str>,
        read: fn(&Value) -> Option<T>,
    ) -> Result<Observed<T>, CloudError> {
        let reply = match self.client.call(request).await {
            Err(error) if error.http == Some(404) => return Ok(Observed::Gone),
            done => done?,
        };
        let value = match key {
            Some(key) => reply.member(key)?,
            None => reply.json()?,
        };
        read(&value)
            .map(Observed::Present)
            .ok_or_else(|| reply.unexpected("the answer has no `id`"))
    }
}

impl std::fmt::Debug for OpenStack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenStack")
            .field("config", &self.client.config)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// A conflict that ends by itself: something is in use, or a task is running.
pub(crate) fn busy(mut error: CloudError) -> CloudError {
    error.kind = CloudErrorKind::Conflict;
    error.status = Status::Temporary;
    error
}

#[async_trait]
impl Cloud for OpenStack {
    async fn capabilities(&self) -> Result<Capabilities, CloudError> {
        let session = self.client.session().await?;
        let region = self.client.region(&session)?;
        Ok(self.rules.capabilities(region, self.has(Service::BlockStorage).await?))
    }

    async fn images(&self, query: &ImageQuery) -> Result<Vec<Image>, CloudError> {
        self.list_images(query).await
    }

    async fn image(&self, id: &ImageId) -> Result<Observed<Image>, CloudError> {
        self.show_image(id).await
    }

    async fn flavors(&self) -> Result<Vec<Flavor>, CloudError> {
        self.list_flavors().await
    }

    async fn networks(&self) -> Result<Vec<Network>, CloudError> {
        self.list_networks().await
    }

    async fn quota(&self) -> Result<QuotaLeft, CloudError> {
        self.quota_left().await
    }

    async fn create_keypair(&self, new: &NewKeypair) -> Result<(), CloudError> {
        self.import_keypair(new).await
    }

    async fn delete_keypair(&self, name: &str) -> Result<(), CloudError> {
        self.forget_keypair(name).await
    }

    async fn create_security_group(&self, new: &NewSecurityGroup) -> Result<SecurityGroup, CloudError> {
        self.make_security_group(new).await
    }

    async fn delete_security_group(&self, id: &SecurityGroupId) -> Result<(), CloudError> {
        self.remove_security_group(id).await
    }

    async fn create_server(&self, new: &NewServer) -> Result<ServerId, CloudError> {
        self.launch(new).await
    }

    async fn server(&self, id: &ServerId) -> Result<Observed<Server>, CloudError> {
        self.show_server(id).await
    }

    async fn delete_server(&self, id: &ServerId) -> Result<(), CloudError> {
        self.end_server(id).await
    }

    async fn console_output(&self, id: &ServerId) -> Result<Option<String>, CloudError> {
        self.console(id).await
    }

    async fn server_password(&self, id: &ServerId) -> Result<ServerPassword, CloudError> {
        self.password(id).await
    }

    async fn attachments(&self, id: &ServerId) -> Result<Vec<Attachment>, CloudError> {
        self.list_attachments(id).await
    }

    async fn volume(&self, id: &VolumeId) -> Result<Observed<Volume>, CloudError> {
        self.show_volume(id).await
    }

    async fn mark_volume(&self, id: &VolumeId, marks: &Marks) -> Result<(), CloudError> {
        self.write_marks(id, marks).await
    }

    async fn delete_volume(&self, id: &VolumeId) -> Result<(), CloudError> {
        self.remove_volume(id).await
    }

    async fn create_floating_ip(&self, new: &NewFloatingIp) -> Result<FloatingIp, CloudError> {
        self.allocate_floating_ip(new).await
    }

    async fn delete_floating_ip(&self, id: &FloatingIpId) -> Result<(), CloudError> {
        self.release_floating_ip(id).await
    }

    async fn create_image(&self, new: &NewImage) -> Result<ImageId, CloudError> {
        self.capture(new).await
    }

    async fn update_image(&self, id: &ImageId, changes: &ImageChanges) -> Result<(), CloudError> {
        self.change_image(id, changes).await
    }

    async fn delete_image(&self, id: &ImageId) -> Result<(), CloudError> {
        self.remove_image(id).await
    }

    async fn find_marked(&self, build: Option<&BuildId>) -> Result<Vec<Marked>, CloudError> {
        self.all_marked(build).await
    }
}
