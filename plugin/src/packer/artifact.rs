//! The image that a build leaves, as Packer and its post-processors see it.

use std::sync::Arc;

use async_trait::async_trait;
use reseal_machine::cloud::{Image, ImageChanges, Observed};
use reseal_machine::{Cloud, CloudError, ImageId};
use reseal_packer::{Artifact, BoxError, GENERATED_DATA, GeneratedData, IMAGE_METADATA, ImageMetadata, Value};

/// Who made it.
pub(super) const BUILDER_ID: &str = "reseal.image";
/// The state that holds the image's name.
const NAME: &str = "image_name";
/// The state that holds the build's id, by which `reseal report` and `reseal status` know it.
const BUILD: &str = "reseal_build";

/// An image in a cloud.
pub(super) struct Product {
    /// Where it is.
    pub(super) cloud: Arc<dyn Cloud>,
    /// Its id.
    pub(super) image: ImageId,
    /// Its name.
    pub(super) name: String,
    /// The build's id.
    pub(super) build: String,
    /// What the template was told of the machine.
    pub(super) data: GeneratedData,
    /// For image registries.
    pub(super) metadata: ImageMetadata,
}

#[async_trait]
impl Artifact for Product {
    async fn builder_id(&self) -> String {
        BUILDER_ID.to_owned()
    }

    async fn id(&self) -> String {
        self.image.to_string()
    }

    async fn describe(&self) -> String {
        format!("An image was created: {} ({})", self.name, self.image)
    }

    async fn state(&self, name: &str) -> Value {
        match name {
            GENERATED_DATA => self.data.to_value(),
            IMAGE_METADATA => self.metadata.clone().into(),
            NAME => self.name.as_str().into(),
            BUILD => self.build.as_str().into(),
            _ => Value::Nil,
        }
    }

    async fn destroy(&self) -> Result<(), BoxError> {
        let told = |error: CloudError| format!("image {} ({}) cannot be deleted: {error}", self.name, self.image);
        let open = ImageChanges {
            protected: Some(false),
            ..ImageChanges::default()
        };
        if let Observed::Present(Image { protected: true, .. }) = self.cloud.image(&self.image).await.map_err(told)? {
            self.cloud.update_image(&self.image, &open).await.map_err(told)?;
        }
        self.cloud.delete_image(&self.image).await.map_err(told)?;
        Ok(())
    }
}
