//! Asks for an image of the machine that has shut itself down.
//!
//! Two roads: `os-volume_upload_image` for a root volume (with `force` where the cloud lets it, else after the machine
//! is deleted and its volume is free), and `createImage` for an image-backed machine. The image is born under the build's
//! own name, by which a later look finds it; it gets its real name when it is published.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context, FailureClass, Verdict};
use reseal_machine::cloud::{Capture as Road, Image, ImageChanges, ImageQuery, ImageSource, NewImage, Observed};
use reseal_machine::error::{CloudError, CloudErrorKind};
use reseal_machine::{ImageId, Schedule, ServerId, VolumeId};
use serde::{Deserialize, Serialize};

use super::ready::ReadyOutput;
use super::{look_again, passing};
use crate::world::{World, name};

/// How often an image is asked for while no answer comes.
const ATTEMPTS: u32 = 3;

/// What to capture.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CaptureParams {
    /// The step that waited for the machine.
    pub ready: String,
    /// Glance's disk format.
    pub disk_format: String,
}

/// The image, on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureOutput {
    /// Its id.
    pub image: ImageId,
}

/// The action.
pub(super) struct Capture(pub(super) World);

#[async_trait]
impl Action for Capture {
    type Params = CaptureParams;
    type Output = CaptureOutput;

    async fn find(&self, cx: &Context<'_>, _params: &CaptureParams) -> Result<Option<CaptureOutput>, ActionError> {
        look_again(cx, || self.by_name(cx)).await
    }

    async fn run(&self, cx: &Context<'_>, params: &CaptureParams) -> Result<CaptureOutput, ActionError> {
        let ready: ReadyOutput = cx.output(&params.ready)?;
        let made = if let Some(volume) = ready.volumes.first() {
            self.upload(cx, params, &ready.server, volume).await
        } else {
            let whole = ImageSource::Server { server: ready.server };
            self.ask(cx, params, whole).await?.map_err(ActionError::from)
        };
        made.map(|image| CaptureOutput { image })
            .map_err(|error| error.class(FailureClass::Capture))
    }

    async fn undo(
        &self,
        cx: &Context<'_>,
        _params: &CaptureParams,
        output: Option<&CaptureOutput>,
    ) -> Result<(), ActionError> {
        let look = || async {
            let named = self.named(cx).await?;
            Ok((!named.is_empty()).then_some(named))
        };
        let named = match output {
            Some(_) => self.named(cx).await?,
            None => look_again(cx, look).await?.unwrap_or_default(),
        };
        let images: BTreeSet<_> = output
            .map(|known| known.image.clone())
            .into_iter()
            .chain(named)
            .collect();
        for image in images {
            self.delete(&image).await?;
        }
        Ok(())
    }
}

impl Capture {
    async fn delete(&self, image: &ImageId) -> Result<(), ActionError> {
        if let Observed::Present(Image { protected: true, .. }) = self.0.cloud.image(image).await? {
            let open = ImageChanges {
                protected: Some(false),
                ..ImageChanges::default()
            };
            self.0.cloud.update_image(image, &open).await?;
        }
        self.0.cloud.delete_image(image).await.map_err(super::busy)
    }

    async fn by_name(&self, cx: &Context<'_>) -> Result<Option<CaptureOutput>, ActionError> {
        Ok(self
            .named(cx)
            .await?
            .into_iter()
            .next()
            .map(|image| CaptureOutput { image }))
    }

    /// All images that bear the build's own name.
    async fn named(&self, cx: &Context<'_>) -> Result<Vec<ImageId>, ActionError> {
        let query = ImageQuery {
            name: Some(name(cx.build())),
            ..ImageQuery::default()
        };
        let images = self.0.cloud.images(&query).await?;
        Ok(images.into_iter().map(|image| image.id).collect())
    }

    async fn upload(
        &self,
        cx: &Context<'_>,
        params: &CaptureParams,
        server: &ServerId,
        volume: &VolumeId,
    ) -> Result<ImageId, ActionError> {
        let capabilities = self.0.cloud.capabilities().await?;
        let attached = self.0.cloud.server(server).await?.present().is_some();
        if attached && capabilities.capture != (Road::Volume { force: false }) {
            let forced = ImageSource::Volume {
                volume: volume.clone(),
                force: true,
            };
            match self.ask(cx, params, forced).await? {
                Err(error) if is_force_refused(&error) => cx.note("the cloud does not copy an attached volume"),
                result => return Ok(result?),
            }
        }
        self.free(cx, server, volume).await?;
        let free = ImageSource::Volume {
            volume: volume.clone(),
            force: false,
        };
        Ok(self.ask(cx, params, free).await??)
    }

    /// Deletes the machine, whose root volume was made to outlive it, and waits until the volume is free.
    async fn free(&self, cx: &Context<'_>, server: &ServerId, volume: &VolumeId) -> Result<(), ActionError> {
        cx.note("deleting the machine so that its volume can be copied");
        self.0.cloud.delete_server(server).await?;
        let look = || async {
            match self.0.cloud.volume(volume).await {
                Ok(Observed::Present(volume)) if volume.status == "available" => Ok(Verdict::Done(())),
                Ok(Observed::Present(volume)) if volume.status.starts_with("error") => Err(ActionError::new(
                    FailureClass::Capture,
                    format!("the volume is in state {}", volume.status),
                )),
                Ok(Observed::Present(volume)) => Ok(Verdict::Waiting(volume.status)),
                Ok(Observed::Gone) => Err(ActionError::new(FailureClass::Capture, "the root volume is gone")),
                Err(error) => passing(Err(error)),
            }
        };
        cx.wait_until("the free volume", Schedule::up_to(Duration::from_mins(15)), look)
            .await
    }

    /// The cloud's answer; the outer error is about the look for an image after an answer was lost.
    async fn ask(
        &self,
        cx: &Context<'_>,
        params: &CaptureParams,
        source: ImageSource,
    ) -> Result<Result<ImageId, CloudError>, ActionError> {
        let new = NewImage {
            name: name(cx.build()),
            source,
            disk_format: params.disk_format.clone(),
        };
        let mut attempt = 1;
        loop {
            match self.0.cloud.create_image(&new).await {
                Err(error) if error.perhaps => match look_again(cx, || self.by_name(cx)).await? {
                    Some(found) => return Ok(Ok(found.image)),
                    // It was not carried out: there would be an image by now.
                    None if attempt < ATTEMPTS => attempt += 1,
                    None => return Ok(Err(error)),
                },
                result => return Ok(result),
            }
        }
    }
}

/// Cinder refuses `force` with a 400 that speaks of the status; every other 400 is a failure.
fn is_force_refused(error: &CloudError) -> bool {
    error.kind == CloudErrorKind::Invalid && error.message.contains("must be available")
}
