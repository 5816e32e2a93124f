//! The environment, read once.

use std::collections::BTreeMap;
use std::ffi::OsString;

use reseal_packer::{Launch, Surroundings};

/// A copy of the environment.
#[derive(Debug, Clone, Default)]
pub struct Env(BTreeMap<String, String>);

/// How Packer would start this process with these arguments.
pub fn launch(arguments: &[OsString]) -> Launch {
    let words = arguments.iter().skip(1).map(|word| word.to_string_lossy().into_owned());
    Launch::new(words, std::env::vars_os(), std::env::temp_dir())
}

/// What the templates of one process of Packer's are rendered with.
#[expect(
    clippy::disallowed_methods,
    reason = "the moment at which a process begins is no pause"
)]
pub fn surroundings() -> Surroundings {
    Surroundings::new(
        std::time::SystemTime::now(),
        std::env::current_dir().ok(),
        rand::random(),
    )
}

/// Where this program is.
///
/// # Errors
/// When the system does not say.
pub fn program() -> std::io::Result<std::path::PathBuf> {
    std::env::current_exe()
}

/// Makes every pause of a build so many times shorter; for `reseal lab` only.
pub const HURRY: &str = "RESEAL_HURRY";

impl Env {
    /// The process's environment. Variables that are no Unicode are left out.
    pub fn read() -> Self {
        let pairs = std::env::vars_os();
        Self(
            pairs
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
        )
    }

    /// Made of given variables, for tests and for the lab's own.
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(variables.into_iter().collect())
    }

    /// The value of a variable; empty ones count as missing.
    pub fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).filter(|value| !value.is_empty()).cloned()
    }

    /// Values for a spec's variables: `PKR_VAR_name`, then `RESEAL_VAR_name`.
    pub fn spec_variables(&self) -> Vec<(String, String)> {
        let with = |prefix: &'static str| {
            self.0
                .iter()
                .filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?.to_owned(), value.clone())))
        };
        with("PKR_VAR_").chain(with("RESEAL_VAR_")).collect()
    }

    /// The same environment with other variables on top.
    #[must_use]
    pub fn with(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.0.extend(variables);
        self
    }

    /// The same environment without the variables of a family.
    #[must_use]
    pub fn without_prefix(&self, prefix: &str) -> Self {
        Self(
            self.0
                .iter()
                .filter(|(name, _)| !name.starts_with(prefix))
                .map(|(n, v)| (n.clone(), v.clone()))
                .collect(),
        )
    }

    /// The names of a family's variables that have a value, in order.
    pub fn names_with_prefix(&self, prefix: &str) -> Vec<&str> {
        let set = self
            .0
            .iter()
            .filter(|(name, value)| name.starts_with(prefix) && !value.is_empty());
        set.map(|(name, _)| name.as_str()).collect()
    }

    /// By how much pauses are shortened.
    pub fn hurry(&self) -> u32 {
        self.get(HURRY).and_then(|value| value.parse().ok()).unwrap_or(1)
    }
}
