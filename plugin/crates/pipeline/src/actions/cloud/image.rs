//! Watches an image until it is active, and says what is to be said about it before anybody may use it.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context, FailureClass, Verdict};
use reseal_machine::clock::elapsed;
use reseal_machine::cloud::{Image, ImageChanges, ImageStatus, Observed};
use reseal_machine::marks::{BUILD_KEY, STEP_KEY};
use reseal_machine::{ImageId, Schedule, VolumeId};
use serde::{Deserialize, Serialize};

use super::CaptureOutput;
use super::passing;
use super::ready::ReadyOutput;
use crate::world::World;

/// Properties of the build machine that must not travel with an image, by their beginnings.
const RESIDUE: [&str; 8] = [
    "password_",
    "instance_uuid",
    "boot_roles",
    "owner_user_name",
    "owner_project_name",
    "user_id",
    "clean_attempts",
    "reseal_",
];

/// A 404 right after the call is no failure yet.
const EARLY: Duration = Duration::from_mins(1);

/// What to watch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ActiveParams {
    /// The step that asked for the image.
    pub capture: String,
    /// The step that knows the volumes.
    pub ready: String,
    /// The limit in seconds.
    pub limit_seconds: u64,
}

/// What is known of a finished image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ActiveOutput {
    /// Its size in bytes, when told.
    pub(super) size: Option<u64>,
    /// Its properties, as the cloud made them.
    pub(super) properties: BTreeMap<String, String>,
}

/// The watching action.
pub(super) struct Watch(pub(super) World);

#[async_trait]
impl Action for Watch {
    type Params = ActiveParams;
    type Output = ActiveOutput;

    async fn run(&self, cx: &Context<'_>, params: &ActiveParams) -> Result<ActiveOutput, ActionError> {
        let CaptureOutput { image } = cx.output(&params.capture)?;
        let ready: ReadyOutput = cx.output(&params.ready)?;
        let schedule = Schedule::up_to(Duration::from_secs(params.limit_seconds));
        let begun = cx.clock().now();
        let seen_before = std::sync::atomic::AtomicBool::new(false);
        let look = || self.look(cx, params, &image, begun, &seen_before);
        let image = cx
            .wait_until("the image", schedule, look)
            .await
            .map_err(|e| e.class(FailureClass::Capture))?;
        if let Some(volume) = ready.volumes.first() {
            self.released(cx, volume)
                .await
                .map_err(|error| error.class(FailureClass::Capture))?;
        }
        Ok(ActiveOutput {
            size: image.size,
            properties: image.properties,
        })
    }
}

impl Watch {
    async fn look(
        &self,
        cx: &Context<'_>,
        params: &ActiveParams,
        id: &ImageId,
        begun: jiff::Timestamp,
        seen_before: &std::sync::atomic::AtomicBool,
    ) -> Result<Verdict<Image>, ActionError> {
        use std::sync::atomic::Ordering::Relaxed;
        let failed = |why: &str| {
            Err(ActionError::new(
                FailureClass::Capture,
                format!("the image failed: {why}"),
            ))
        };
        match self.0.cloud.image(id).await {
            Ok(Observed::Present(image)) => {
                if !seen_before.swap(true, Relaxed) {
                    self.mark(cx, id, &params.capture).await;
                }
                match &image.status {
                    ImageStatus::Active => Ok(Verdict::Done(image)),
                    ImageStatus::Queued => Ok(Verdict::Waiting("queued".into())),
                    ImageStatus::Saving => Ok(Verdict::Waiting("saving".into())),
                    ImageStatus::Killed => failed("the cloud gave up the upload (killed)"),
                    ImageStatus::Deleted => failed("it was deleted"),
                    ImageStatus::Deactivated => failed("an operator switched it off"),
                    ImageStatus::Other(word) => Ok(Verdict::Waiting(word.clone())),
                }
            }
            Ok(Observed::Gone) if seen_before.load(Relaxed) => {
                failed("it vanished; block storage removes an image whose upload fails")
            }
            Ok(Observed::Gone) if elapsed(cx.clock(), begun) > EARLY => failed("it never appeared"),
            Ok(Observed::Gone) => Ok(Verdict::Waiting("not there yet".into())),
            Err(error) => passing(Err(error)),
        }
    }

    /// From its first sight on the image carries marks, so that `cleanup --by-marks` knows it as unfinished.
    async fn mark(&self, cx: &Context<'_>, image: &ImageId, step: &str) {
        let changes = ImageChanges {
            set: marks(cx, step),
            ..ImageChanges::default()
        };
        if let Err(error) = self.0.cloud.update_image(image, &changes).await {
            cx.note(format!("the image could not be marked yet: {error}"));
        }
    }

    /// A volume that is still being copied must not be deleted.
    async fn released(&self, cx: &Context<'_>, volume: &VolumeId) -> Result<(), ActionError> {
        let look = || async {
            passing(self.0.cloud.volume(volume).await.map(|seen| match seen {
                Observed::Present(volume) if volume.status == "uploading" => Verdict::Waiting(volume.status),
                _ => Verdict::Done(()),
            }))
        };
        cx.wait_until("the end of the upload", Schedule::up_to(Duration::from_mins(15)), look)
            .await
    }
}

/// What to say about the image.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DescribeParams {
    /// The step that asked for the image.
    pub capture: String,
    /// The step that watched it.
    pub active: String,
    /// The step that knows the root volume's size.
    pub ready: String,
    /// Smallest disk, GB; without it the root volume's size.
    pub min_disk_gb: Option<u32>,
    /// Smallest RAM, MB.
    pub min_ram_mb: u32,
    /// Properties to set.
    pub properties: BTreeMap<String, String>,
}

/// The describing action.
pub(super) struct Describe(pub(super) World);

#[async_trait]
impl Action for Describe {
    type Params = DescribeParams;
    type Output = ();

    async fn run(&self, cx: &Context<'_>, params: &DescribeParams) -> Result<(), ActionError> {
        let CaptureOutput { image } = cx.output(&params.capture)?;
        let active: ActiveOutput = cx.output(&params.active)?;
        let ready: ReadyOutput = cx.output(&params.ready)?;
        let mut set = params.properties.clone();
        set.extend(marks(cx, &params.capture));
        let changes = ImageChanges {
            min_disk_gb: params.min_disk_gb.or((ready.root_gb > 0).then_some(ready.root_gb)),
            min_ram_mb: Some(params.min_ram_mb),
            remove: active
                .properties
                .keys()
                .filter(|key| is_residue(key) && !set.contains_key(*key))
                .cloned()
                .collect(),
            set,
            ..ImageChanges::default()
        };
        let said = self.0.cloud.update_image(&image, &changes).await;
        said.map_err(|error| ActionError::from(error).class(FailureClass::Capture))
    }
}

/// What says that an image is not finished, and whose it is.
fn marks(cx: &Context<'_>, step: &str) -> BTreeMap<String, String> {
    let build = (BUILD_KEY.to_owned(), cx.build().to_string());
    BTreeMap::from([build, (STEP_KEY.to_owned(), step.to_owned())])
}

fn is_residue(key: &str) -> bool {
    RESIDUE.iter().any(|beginning| key.starts_with(beginning))
}
