//! What a build leaves.

mod remote;
mod serve;

use async_trait::async_trait;

pub(crate) use remote::RemoteArtifact;
pub(crate) use serve::ArtifactService;

use crate::msgpack::Value;
use crate::rpc::BoxError;

/// The state that makes `build.…` work in post-processors: the data that provisioners got.
pub const GENERATED_DATA: &str = "generated_data";
/// The state that image registries ask for, see [`ImageMetadata`].
pub const IMAGE_METADATA: &str = "par.artifact.metadata";

/// The product of a builder or post-processor. Packer asks for its parts until the process ends.
#[async_trait]
pub trait Artifact: Send + Sync {
    /// A constant that says who made it; post-processors decide by it what they can handle.
    async fn builder_id(&self) -> String;

    /// Local files; images in a cloud have none.
    async fn files(&self) -> Vec<String> {
        Vec::new()
    }

    /// The id, e.g. of an image.
    async fn id(&self) -> String;

    /// What Packer prints about it at the end.
    async fn describe(&self) -> String;

    /// Other knowledge by name, e.g. [`GENERATED_DATA`]; [`Value::Nil`] for unknown names.
    async fn state(&self, _name: &str) -> Value {
        Value::Nil
    }

    /// Removes it for good, because nobody wants to keep it.
    async fn destroy(&self) -> Result<(), BoxError>;
}

/// What HCP Packer and the provenance post-processor want to know about an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageMetadata {
    /// The image's id; must not be empty.
    pub image_id: String,
    /// The cloud's name; must not be empty.
    pub provider: String,
    /// Where in the cloud.
    pub region: String,
    /// Anything else.
    pub labels: Vec<(String, String)>,
    /// What it was made from.
    pub source_image_id: String,
}

impl From<ImageMetadata> for Value {
    fn from(image: ImageMetadata) -> Self {
        let labels = image.labels.into_iter().map(|(key, value)| (key.into(), value.into()));
        Self::record([
            ("ImageID", image.image_id.into()),
            ("ProviderName", image.provider.into()),
            ("ProviderRegion", image.region.into()),
            ("Labels", Self::Map(labels.collect())),
            ("SourceImageID", image.source_image_id.into()),
        ])
    }
}
