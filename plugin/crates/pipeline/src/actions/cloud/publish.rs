//! Gives the proved image its name: only now can anybody find it, and only now does the alias move.

use std::collections::BTreeMap;

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context, FailureClass};
use reseal_machine::ImageId;
use reseal_machine::cloud::{ImageChanges, ImageQuery};
use reseal_machine::marks::{BUILD_KEY, STEP_KEY};
use serde::{Deserialize, Serialize};

use super::CaptureOutput;
use crate::world::World;

/// The property by which `base.image.properties` finds an alias.
pub const ALIAS: &str = "reseal_alias";
/// The property that tells which content an image has.
pub const FINGERPRINT: &str = "reseal_fingerprint";
/// The property that tells which spec an image was made from.
pub const SPEC: &str = "reseal_spec";
/// The property that tells which run made an image.
const RUN: &str = "reseal_run";

/// How to publish.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PublishParams {
    /// The step that asked for the image.
    pub capture: String,
    /// The image's name.
    pub name: String,
    /// The spec's name.
    pub spec: String,
    /// Glance's word.
    pub visibility: String,
    /// Block deleting.
    pub protected: bool,
    /// Tags.
    pub tags: Vec<String>,
    /// Projects to share with.
    pub members: Vec<String>,
    /// The alias that moves here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// Images of the same name to delete (`-force`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<ImageId>,
}

/// What was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishOutput {
    /// The image.
    pub image: ImageId,
    /// Its name.
    pub name: String,
}

/// The action.
pub(super) struct Publish(pub(super) World);

#[async_trait]
impl Action for Publish {
    type Params = PublishParams;
    type Output = PublishOutput;

    async fn run(&self, cx: &Context<'_>, params: &PublishParams) -> Result<PublishOutput, ActionError> {
        let CaptureOutput { image } = cx.output(&params.capture)?;
        let failed = |error| ActionError::from(error).class(FailureClass::Capture);
        let cloud = &self.0.cloud;
        cloud.update_image(&image, &changes(cx, params)).await.map_err(failed)?;
        if params.protected {
            // Apart and last: a protected image cannot be taken back without more ado.
            let protect = ImageChanges {
                protected: Some(true),
                ..ImageChanges::default()
            };
            cloud.update_image(&image, &protect).await.map_err(failed)?;
        }
        if let Some(alias) = &params.alias {
            self.take_alias_from_others(cx, alias, &image).await;
        }
        for old in &params.replaces {
            if let Err(error) = cloud.delete_image(old).await {
                cx.warn(format!("the older image {old} of this name stays: {error}"));
            }
        }
        Ok(PublishOutput {
            image,
            name: params.name.clone(),
        })
    }
}

impl Publish {
    /// The new image bears the alias already. An older one that cannot be changed must not cost the build: whoever asks for
    /// the newest image with the alias gets the new one.
    async fn take_alias_from_others(&self, cx: &Context<'_>, alias: &str, image: &ImageId) {
        let properties = BTreeMap::from([(ALIAS.to_owned(), alias.to_owned())]);
        let query = ImageQuery {
            properties,
            ..ImageQuery::default()
        };
        let remove = ImageChanges {
            remove: vec![ALIAS.to_owned()],
            ..ImageChanges::default()
        };
        let others = match self.0.cloud.images(&query).await {
            Ok(images) => images.into_iter().filter(|other| other.id != *image),
            Err(error) => return cx.warn(format!("older images may keep the alias `{alias}`: {error}")),
        };
        for other in others {
            cx.note(format!("alias `{alias}` moves from {}", other.name));
            if let Err(error) = self.0.cloud.update_image(&other.id, &remove).await {
                cx.warn(format!(
                    "{} ({}) keeps the alias `{alias}` too: {error}",
                    other.name, other.id
                ));
            }
        }
    }
}

fn changes(cx: &Context<'_>, params: &PublishParams) -> ImageChanges {
    let mut set = BTreeMap::from([
        (SPEC.to_owned(), params.spec.clone()),
        (RUN.to_owned(), cx.build().to_string()),
        (FINGERPRINT.to_owned(), cx.content_fingerprint().to_owned()),
    ]);
    set.extend(params.alias.clone().map(|alias| (ALIAS.to_owned(), alias)));
    ImageChanges {
        name: Some(params.name.clone()),
        visibility: Some(params.visibility.clone()),
        set,
        // The marks say "not finished": without them `cleanup` leaves the image alone.
        remove: vec![BUILD_KEY.to_owned(), STEP_KEY.to_owned()],
        tags: params.tags.clone(),
        members: params.members.clone(),
        ..ImageChanges::default()
    }
}
