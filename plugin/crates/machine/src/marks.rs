//! What every object that a build creates carries, so that `cleanup` finds it even when the journal is lost.

use serde::{Deserialize, Serialize};

use crate::ids::BuildId;

/// The metadata key that holds the build id.
pub const BUILD_KEY: &str = "reseal_build";
/// The metadata key that holds the step id.
pub const STEP_KEY: &str = "reseal_step";

/// Who made an object: the build and the step. Written as metadata where the object has metadata, else into its
/// description in the form of [`Marks::to_text`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Marks {
    /// The build.
    pub build: BuildId,
    /// The step of its plan, e.g. `cloud/server`.
    pub step: String,
}

impl Marks {
    /// Marks for one step of a build.
    pub fn new(build: BuildId, step: impl Into<String>) -> Self {
        Self {
            build,
            step: step.into(),
        }
    }

    /// The form for objects that have a description and no metadata: `reseal_build=ID reseal_step=STEP`.
    pub fn to_text(&self) -> String {
        format!("{BUILD_KEY}={} {STEP_KEY}={}", self.build, self.step)
    }

    /// Reads [`Marks::to_text`] back, wherever it stands in a description.
    pub fn from_text(text: &str) -> Option<Self> {
        let value = |key: &str| {
            text.split_whitespace()
                .find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
                .filter(|value| !value.is_empty())
        };
        Some(Self {
            build: BuildId::new(value(BUILD_KEY)?),
            step: value(STEP_KEY)?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_survive_a_description() {
        let marks = Marks::new(BuildId::new("0199-ab"), "cloud/server");
        let text = format!("made by Reseal, {}", marks.to_text());
        assert_eq!(Marks::from_text(&text), Some(marks));
        assert_eq!(Marks::from_text("reseal_build= reseal_step=x"), None);
        assert_eq!(Marks::from_text("somebody else's"), None);
    }
}
