//! What templates are rendered with.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use jiff::Zoned;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

/// What the world is to a plugin's templates. Handed in, because a library has no clock and no chance of its own; what was
/// not, templates cannot have.
#[derive(Clone, Default)]
pub struct Surroundings {
    /// When the process began: one moment for all templates of a build.
    pub(super) now: Option<SystemTime>,
    /// The working folder.
    pub(super) folder: Option<PathBuf>,
    seed: Option<u128>,
    drawn: Arc<AtomicU64>,
}

impl Surroundings {
    /// The moment at which the process began, its working folder if it has one, and a random number for `uuid`.
    pub fn new(now: SystemTime, folder: Option<PathBuf>, seed: u128) -> Self {
        Self {
            now: Some(now),
            folder,
            seed: Some(seed),
            drawn: Arc::default(),
        }
    }

    /// The moment, for the function of this name.
    pub(super) fn moment(&self, name: &str) -> Result<Zoned, String> {
        let now = self.now.and_then(|now| jiff::Timestamp::try_from(now).ok());
        let now = now.ok_or_else(|| format!("{name} not available"))?;
        Ok(now.to_zoned(TimeZone::UTC))
    }

    /// A new id, in the form of Packer's: the time, then chance.
    pub(super) fn uuid(&self) -> Result<String, String> {
        let seed = self.seed.ok_or("uuid not available")?;
        let seconds = self.moment("uuid")?.timestamp().as_second();
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
        let chance = hex::encode(Sha256::digest([&seed.to_be_bytes()[..], &drawn.to_be_bytes()].concat()));
        let part = |from: usize, to: usize| chance.get(from..to).unwrap_or_default();
        let (a, b, c, d) = (part(0, 4), part(4, 8), part(8, 12), part(12, 24));
        Ok(format!("{:08x}-{a}-{b}-{c}-{d}", seconds.rem_euclid(1 << 32)))
    }
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").finish_non_exhaustive()
    }
}

/// What a build says of its machine.
#[derive(Default)]
pub(crate) enum Build {
    /// Nothing is said here.
    #[default]
    Nothing,
    /// These will be said when there is a machine.
    Later(BTreeSet<String>),
}

/// What the templates of one configuration are rendered with. Has no `Debug`, because it holds what a user may keep secret.
#[derive(Default)]
pub(crate) struct Context {
    pub(crate) surroundings: Surroundings,
    pub(crate) build_name: String,
    pub(crate) build_type: String,
    pub(crate) core_version: String,
    /// The template's file, in JSON templates.
    pub(crate) template: Option<String>,
    /// The variables of JSON templates; in HCL there are none.
    pub(crate) user_variables: Option<BTreeMap<String, String>>,
    pub(crate) build: Build,
    /// Which of the later values were asked for.
    pub(crate) asked: RefCell<BTreeSet<String>>,
}

impl Context {
    /// What stands for a value that is known only when there is a machine.
    pub(super) fn later(&self, name: &str) -> String {
        self.asked.borrow_mut().insert(name.to_owned());
        placeholder(name)
    }

    /// The folder of the template's file, without `.` and `..` in it.
    pub(super) fn template_folder(&self) -> Option<String> {
        let file = Path::new(self.template.as_deref().filter(|path| !path.is_empty())?);
        let folder = file.parent().unwrap_or(Path::new(""));
        let folder = match &self.surroundings.folder {
            _ if folder.is_absolute() => folder.to_owned(),
            Some(here) => here.join(folder),
            None => return None,
        };
        Some(cleaned(&folder).display().to_string())
    }
}

/// What stands in a text for a value of the build's until there is one; as Packer's own plugins write it.
pub(crate) fn placeholder(name: &str) -> String {
    format!("{{{{.{name}}}}}")
}

fn cleaned(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    clean
}
