//! Volumes.

use reseal_machine::cloud::{Observed, Volume};
use reseal_machine::{CloudError, CloudErrorKind, Marks, VolumeId};

use super::{OpenStack, busy};
use crate::cinder;

impl OpenStack {
    pub(super) async fn show_volume(&self, id: &VolumeId) -> Result<Observed<Volume>, CloudError> {
        self.observe(&cinder::volume(id), Some("volume"), cinder::read_volume)
            .await
    }

    /// Not every cloud lets metadata be written; then the journal and the server's marks are all there is.
    pub(super) async fn write_marks(&self, id: &VolumeId, marks: &Marks) -> Result<(), CloudError> {
        match self.client.call(&cinder::mark(id, marks)).await {
            Err(error) if matches!(error.http, Some(400 | 403 | 404 | 405 | 409 | 501)) => {
                tracing::debug!(volume = %id, %error, "The volume could not be marked");
                Ok(())
            }
            done => done.map(|_| ()),
        }
    }

    pub(super) async fn remove_volume(&self, id: &VolumeId) -> Result<(), CloudError> {
        self.delete(&cinder::delete_volume(id))
            .await
            .map_err(|error| match error.kind {
                CloudErrorKind::Conflict => busy(error),
                CloudErrorKind::Invalid if cinder::is_busy(&error.message) => busy(error),
                _ => error,
            })
    }
}
