//! Images: found, made, changed.

use std::collections::BTreeMap;

use reseal_machine::cloud::{Image, ImageChanges, ImageQuery, ImageSource, NewImage, Observed};
use reseal_machine::{CloudError, CloudErrorKind, ImageId};

use super::compute::in_a_task;
use super::{OpenStack, busy};
use crate::http::reply::Reply;
use crate::{cinder, glance, json, nova};

impl OpenStack {
    pub(super) async fn list_images(&self, query: &ImageQuery) -> Result<Vec<Image>, CloudError> {
        let listed = self.client.list(&glance::images(query, self.rules.image_page)).await?;
        let mut images: Vec<_> = listed
            .iter()
            .filter_map(glance::read_image)
            .filter(|image| glance::fits(image, query))
            .collect();
        images.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.id.cmp(&b.id)));
        Ok(images)
    }

    pub(super) async fn show_image(&self, id: &ImageId) -> Result<Observed<Image>, CloudError> {
        self.observe(&glance::image(id), None, glance::read_image).await
    }

    /// The two roads to an image. Neither is looked up after a lost answer: an image has no marks yet, and its name
    /// need not be its own; the caller looks by both.
    pub(super) async fn capture(&self, new: &NewImage) -> Result<ImageId, CloudError> {
        match &new.source {
            ImageSource::Volume { volume, force } => {
                let request = cinder::upload(volume, &new.name, *force, &new.disk_format, self.rules);
                let reply = self.client.call(&request).await?;
                let id = json::text(&reply.member("os-volume_upload_image")?, "image_id");
                id.map(ImageId::new)
                    .ok_or_else(|| reply.unexpected("the answer has no `image_id`"))
            }
            ImageSource::Server { server } => {
                let reply = self
                    .client
                    .call(&nova::create_image(server, &new.name))
                    .await
                    .map_err(in_a_task)?;
                image_of_server(&reply).ok_or_else(|| reply.unexpected("the answer names no image"))
            }
        }
    }

    /// Removal of what is not there is refused by Glance, so it is looked at first.
    pub(super) async fn change_image(&self, id: &ImageId, changes: &ImageChanges) -> Result<(), CloudError> {
        let present = if changes.remove.is_empty() {
            BTreeMap::new()
        } else {
            self.show_image(id)
                .await?
                .present()
                .map(|image| image.properties)
                .unwrap_or_default()
        };
        if let Some(request) = glance::update(id, changes, &present) {
            self.client.call(&request).await?;
        }
        for tag in &changes.tags {
            self.client.call(&glance::tag(id, tag)).await?;
        }
        for project in &changes.members {
            match self.client.call(&glance::share(id, project)).await {
                Err(error) if error.http == Some(409) => {}
                done => drop(done?),
            }
        }
        Ok(())
    }

    pub(super) async fn remove_image(&self, id: &ImageId) -> Result<(), CloudError> {
        self.delete(&glance::delete_image(id))
            .await
            .map_err(|error| match error.kind {
                CloudErrorKind::Conflict => busy(error),
                CloudErrorKind::Forbidden => error.hint("a protected image must first be unprotected"),
                _ => error,
            })
    }
}

/// Since 2.45 the body names the image, before that the last segment of `Location`, whose host may be an inner one.
fn image_of_server(reply: &Reply) -> Option<ImageId> {
    let in_body = reply.json().ok().and_then(|body| json::text(&body, "image_id"));
    let in_header = || {
        let location = reply.header("location")?;
        let path = location.split(['?', '#']).next()?.trim_end_matches('/');
        path.rsplit('/')
            .next()
            .filter(|id| !id.is_empty())
            .map(ToOwned::to_owned)
    };
    in_body.or_else(in_header).map(ImageId::new)
}
