//! What actions reach the outside through.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use reseal_engine::{ActionError, Context, FailureClass};
use reseal_machine::communicator::{Blob, Store};
use reseal_machine::{BuildId, Cloud, Communicator, ServerId};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

/// Everything outside: one cloud, the guests, local files, chance.
#[derive(Clone)]
pub struct World {
    /// The cloud.
    pub cloud: Arc<dyn Cloud>,
    /// Opens communicators.
    pub connector: Arc<dyn Connector>,
    /// The runner's files.
    pub files: Arc<dyn LocalFiles>,
    /// Chance.
    pub random: Arc<dyn Random>,
    /// Others who work in the guest, when there are any.
    pub(crate) provisioners: Option<Arc<dyn Provisioners>>,
    links: Arc<Links>,
}

/// Open connections, by the step that opened them.
type Links = Mutex<BTreeMap<String, Arc<dyn Communicator>>>;

impl World {
    /// Puts a world together.
    pub fn new(
        cloud: Arc<dyn Cloud>,
        connector: Arc<dyn Connector>,
        files: Arc<dyn LocalFiles>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            cloud,
            connector,
            files,
            random,
            provisioners: None,
            links: Arc::default(),
        }
    }

    /// The same world with others who work in the guest.
    #[must_use]
    pub fn with_provisioners(self, provisioners: Option<Arc<dyn Provisioners>>) -> Self {
        Self { provisioners, ..self }
    }

    /// The same world with a guest that is connected already, as step `connect` would have connected it.
    #[must_use]
    pub fn with_guest(self, connect: &str, guest: Option<Arc<dyn Communicator>>) -> Self {
        if let Some(guest) = guest {
            self.links
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(connect.to_owned(), guest);
        }
        self
    }

    /// The guest behind the door that step `connect` found; opened again after a resume.
    pub(crate) fn guest(&self, cx: &Context<'_>, connect: &str) -> Result<Arc<dyn Communicator>, ActionError> {
        if let Some(link) = self.linked(connect) {
            return Ok(link);
        }
        let entrance: Entrance = cx.output(connect)?;
        self.open(cx, connect, &entrance.door)
    }

    /// The link that a step has opened, if it has.
    pub(crate) fn linked(&self, connect: &str) -> Option<Arc<dyn Communicator>> {
        let links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.get(connect).map(Arc::clone)
    }

    /// Opens a door and remembers the link under the step's id.
    pub(crate) fn open(
        &self,
        cx: &Context<'_>,
        connect: &str,
        door: &Door,
    ) -> Result<Arc<dyn Communicator>, ActionError> {
        let password = cx.secret(&door.password)?;
        let link = self.connector.connect(door, password)?;
        self.links
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(connect.to_owned(), Arc::clone(&link));
        Ok(link)
    }

    /// Forgets a link: its guest is gone.
    pub(crate) fn forget(&self, connect: &str) {
        self.links
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(connect);
    }
}

/// Where a guest listens and as whom to enter. The password is named, never held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    /// The address.
    pub address: String,
    /// The port.
    pub port: u16,
    /// TLS or plain HTTP.
    pub https: bool,
    /// When the certificate is believed; counts only with `https`.
    pub trust: DoorTrust,
    /// Basic instead of Negotiate.
    pub basic: bool,
    /// The account.
    pub username: String,
    /// The name of the password in the build's keyring.
    pub password: String,
}

/// When a guest's certificate is believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoorTrust {
    /// Exactly this certificate, by its SHA-256.
    Pinned(String),
    /// Signed by an authority in this PEM file of the runner.
    Ca(String),
    /// Signed by one of the system's authorities.
    System,
    /// Anything.
    Insecure,
}

/// The output of a `guest.connect` step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entrance {
    /// The door that opened.
    pub door: Door,
    /// What the guest said of itself.
    pub identity: serde_json::Value,
    /// App packages for which sysprep would refuse the guest, by full name, before anything was installed; `None` when
    /// nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apps: Option<Vec<String>>,
}

/// Opens communicators; the binary has the real one.
pub trait Connector: Send + Sync {
    /// Makes a communicator. No I/O yet.
    ///
    /// # Errors
    /// When the door's CA file cannot be read.
    fn connect(&self, door: &Door, password: SecretString) -> Result<Arc<dyn Communicator>, ActionError>;
}

/// Others who work in the guest of a build, after its software and before it is generalized: the provisioners of a
/// Packer template. The binary has the real ones.
#[async_trait]
pub trait Provisioners: Send + Sync {
    /// Lets them do their work, to its end.
    ///
    /// # Errors
    /// When one of them fails, or somebody asks to stop.
    async fn provision(&self, visit: Visit, cancel: &CancellationToken) -> Result<(), ActionError>;
}

/// The guest that others may work in.
pub struct Visit {
    /// The build.
    pub build: BuildId,
    /// The machine.
    pub server: ServerId,
    /// Where it listens.
    pub door: Door,
    /// The password to the door.
    pub password: SecretString,
    /// The connection that the build itself uses.
    pub guest: Arc<dyn Communicator>,
}

/// A file below a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Relative to the folder, with `/` between parts.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
}

/// The runner's files; the binary has the real ones. Paths are as the spec writes them.
pub trait LocalFiles: Send + Sync {
    /// A file for reading.
    ///
    /// # Errors
    /// What the file system says.
    fn blob(&self, path: &str) -> io::Result<Arc<dyn Blob>>;
    /// All files below a folder, sorted; `None` when `path` is not a folder.
    ///
    /// # Errors
    /// What the file system says.
    fn walk(&self, path: &str) -> io::Result<Option<Vec<Found>>>;
    /// A new file for a log of this build, e.g. `03-agent/install.log`.
    ///
    /// # Errors
    /// What the file system says.
    fn log(&self, build: &BuildId, name: &str) -> io::Result<Box<dyn Store>>;
}

/// Chance, handed in.
pub trait Random: Send + Sync {
    /// Fills a buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// The part of a build's id that goes into names: its last eight characters, which are random.
pub(crate) fn short(build: &BuildId) -> String {
    let plain: Vec<char> = build.as_str().chars().filter(char::is_ascii_alphanumeric).collect();
    plain.iter().skip(plain.len().saturating_sub(8)).collect()
}

/// The name of everything temporary of a build: 15 characters, the longest that a Windows computer may have.
pub(crate) fn name(build: &BuildId) -> String {
    format!("reseal-{}", short(build))
}

/// The name of a machine and of the account in it: the verifying machine's differ from the build machine's, because
/// equal names would prove nothing.
pub(crate) fn role_name(role: Role, build: &BuildId) -> String {
    match role {
        Role::Build => name(build),
        Role::Verify => format!("verify-{}", short(build)),
    }
}

/// Which of a build's machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The one that becomes the image.
    Build,
    /// The one that is made of it.
    Verify,
}

/// A failure to read a local file, at the spec's expense.
pub(crate) fn unreadable(path: &str, error: &io::Error) -> ActionError {
    ActionError::new(FailureClass::Input, format!("cannot read `{path}`: {error}"))
        .hint("paths in a spec are relative to the folder of the spec")
}
