//! `cloud:` — where the image is built.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The cloud that the image is built in. Credentials never stand here: they come from the `OS_*` variables or from
/// `clouds.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cloud {
    /// Which rules the cloud follows.
    pub provider: Provider,
    /// The entry of `clouds.yaml` to use. Without it the `OS_*` variables count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud: Option<String>,
    /// The region, for example `KR1`. Without it `OS_REGION_NAME` counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The availability zone of the build machine. Without it the cloud chooses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability_zone: Option<String>,
}

/// A family of clouds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// NHN Cloud.
    Nhn,
    /// Any OpenStack.
    Openstack,
    /// The built-in lab: nothing real is created.
    Lab,
}
