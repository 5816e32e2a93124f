//! The only place that picks a provider and a communicator.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use reseal_engine::{ActionError, FailureClass};
use reseal_machine::cloud::Dialect;
use reseal_machine::{Clock, Cloud, CloudError, Communicator};
use reseal_openstack::{Credentials, CredentialsError, OpenStack, OpenStackConfig};
use reseal_pipeline::world::{Connector, Door, DoorTrust, World};
use reseal_spec::model::{self, Provider};
use reseal_winrm::{Address, Auth, AuthKind, Transport, Trust, WinRm, WinRmConfig};
use secrecy::SecretString;

use crate::rim::env::Env;
use crate::rim::files::SpecFolder;
use crate::rim::random::{self, OsRandom};
use crate::scrub::Scrubber;

/// Why there is no cloud to talk to.
#[derive(Debug, thiserror::Error)]
pub enum CloudUnavailable {
    /// The credentials are incomplete.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The cloud said no.
    #[error(transparent)]
    Cloud(#[from] CloudError),
}

/// Connects to the spec's cloud with the environment's credentials.
///
/// # Errors
/// See [`CloudUnavailable`].
pub async fn cloud(
    wanted: &model::Cloud,
    env: &Env,
    clock: Arc<dyn Clock>,
    scrubber: &Scrubber,
) -> Result<Arc<OpenStack>, CloudUnavailable> {
    Ok(Arc::new(
        OpenStack::connect(cloud_config(wanted, env, clock, scrubber)?).await?,
    ))
}

/// What a connection to the spec's cloud is made of.
///
/// # Errors
/// When the credentials are incomplete.
pub fn cloud_config(
    wanted: &model::Cloud,
    env: &Env,
    clock: Arc<dyn Clock>,
    scrubber: &Scrubber,
) -> Result<OpenStackConfig, CredentialsError> {
    let get = |name: &str| env.get(name);
    let files = |name: &str| openstack_file(env, name);
    let credentials = Credentials::resolve(&get, &files, wanted.cloud.as_deref())?;
    learn(&credentials, scrubber);
    let mut config = OpenStackConfig::new(credentials, dialect(wanted, env), clock, Arc::new(random::id));
    config.region.clone_from(&wanted.region);
    Ok(config)
}

fn learn(credentials: &Credentials, scrubber: &Scrubber) {
    use reseal_openstack::Auth;
    match &credentials.auth {
        Auth::Password { password, .. } => scrubber.learn(password),
        Auth::ApplicationCredential { secret, .. } => scrubber.learn(secret),
        Auth::Token { token, .. } => scrubber.learn(token),
    }
}

/// The family of clouds. A lab is what its variables say it is.
fn dialect(wanted: &model::Cloud, env: &Env) -> Dialect {
    let is_v2 = |url: String| url.trim_end_matches('/').ends_with("v2.0");
    match wanted.provider {
        Provider::Nhn => Dialect::Nhn,
        Provider::Lab if env.get("OS_AUTH_URL").is_some_and(is_v2) => Dialect::Nhn,
        Provider::Lab | Provider::Openstack => Dialect::Openstack,
    }
}

/// The text of a file that OpenStack's own tools would read: `clouds.yaml`, `secure.yaml`, or an absolute path.
fn openstack_file(env: &Env, name: &str) -> Option<String> {
    if Path::new(name).is_absolute() {
        return std::fs::read_to_string(name).ok();
    }
    let home = env.get("HOME").or_else(|| env.get("USERPROFILE")).map(PathBuf::from);
    let config = env
        .get("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| home.map(|home| home.join(".config")));
    let explicit = env
        .get("OS_CLIENT_CONFIG_FILE")
        .filter(|_| name == "clouds.yaml")
        .map(PathBuf::from);
    let folders = [
        Some(PathBuf::from(".")),
        config.map(|config| config.join("openstack")),
        Some("/etc/openstack".into()),
    ];
    let places = explicit
        .into_iter()
        .chain(folders.into_iter().flatten().map(|folder| folder.join(name)));
    places.into_iter().find_map(|path| std::fs::read_to_string(path).ok())
}

/// Opens WinRM communicators.
pub struct WinRmConnector {
    clock: Arc<dyn Clock>,
    folder: SpecFolder,
    scrubber: Scrubber,
}

impl Connector for WinRmConnector {
    fn connect(&self, door: &Door, password: SecretString) -> Result<Arc<dyn Communicator>, ActionError> {
        let transport = if door.https {
            Transport::Https {
                trust: self.trust(&door.trust)?,
            }
        } else {
            Transport::Http
        };
        self.scrubber.learn(&password);
        let auth = login(door.basic, door.username.clone(), password);
        let address = Address::new(door.address.clone(), door.port);
        open(address, transport, auth, Arc::clone(&self.clock)).map_err(|why| wrong(&why))
    }
}

/// A guest outside of any build.
pub struct Guest {
    /// A name or an address.
    pub host: String,
    /// WinRM's port.
    pub port: u16,
    /// How far to trust it.
    pub trust: GuestTrust,
    /// Basic instead of Negotiate.
    pub basic: bool,
    /// The account.
    pub username: String,
    /// Its password.
    pub password: SecretString,
}

/// How far a guest outside of any build is trusted.
pub enum GuestTrust {
    /// Without TLS.
    Http,
    /// Exactly this certificate, by its SHA-256.
    Pinned(String),
    /// What an authority in this PEM file has signed.
    Ca(PathBuf),
    /// What one of the system's authorities has signed.
    System,
    /// Anything.
    Insecure,
}

/// A communicator for a guest outside of any build. No I/O with the guest yet.
///
/// # Errors
/// When the pin is none, or the file cannot be read.
pub fn guest(guest: Guest, clock: Arc<dyn Clock>, scrubber: &Scrubber) -> Result<Arc<dyn Communicator>, String> {
    let trust = match &guest.trust {
        GuestTrust::Http => None,
        GuestTrust::Pinned(pin) => Some(pinned(&pin.replace(':', ""))?),
        GuestTrust::Ca(file) => Some(Trust::Authority {
            pem: std::fs::read(file).map_err(|why| format!("cannot read `{}`: {why}", file.display()))?,
        }),
        GuestTrust::System => Some(Trust::System),
        GuestTrust::Insecure => Some(Trust::Insecure),
    };
    let transport = trust.map_or(Transport::Http, |trust| Transport::Https { trust });
    scrubber.learn(&guest.password);
    let auth = login(guest.basic, guest.username, guest.password);
    open(Address::new(guest.host, guest.port), transport, auth, clock)
}

fn login(basic: bool, username: String, password: SecretString) -> Auth {
    Auth {
        kind: if basic { AuthKind::Basic } else { AuthKind::Negotiate },
        username,
        password,
    }
}

fn open(
    address: Address,
    transport: Transport,
    auth: Auth,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn Communicator>, String> {
    let config = WinRmConfig::new(address, transport, auth, clock, Arc::new(random::id));
    let winrm = WinRm::new(config).map_err(|error| error.to_string())?;
    Ok(Arc::new(winrm))
}

fn pinned(pin: &str) -> Result<Trust, String> {
    let bytes = hex::decode(pin).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let sha256 = bytes.ok_or("the pin is no SHA-256")?;
    Ok(Trust::Pinned { sha256 })
}

impl WinRmConnector {
    fn trust(&self, trust: &DoorTrust) -> Result<Trust, ActionError> {
        Ok(match trust {
            DoorTrust::Pinned(pin) => pinned(pin).map_err(|why| wrong(&why))?,
            DoorTrust::Ca(file) => {
                let pem = reseal_spec::Files::read(&self.folder, file);
                Trust::Authority {
                    pem: pem.map_err(|why| wrong(&format!("cannot read `{file}`: {why}")))?,
                }
            }
            DoorTrust::System => Trust::System,
            DoorTrust::Insecure => Trust::Insecure,
        })
    }
}

fn wrong(message: &str) -> ActionError {
    ActionError::new(FailureClass::Input, message)
}

/// Puts the world of one spec together.
pub fn world(cloud: Arc<dyn Cloud>, clock: Arc<dyn Clock>, folder: &SpecFolder, scrubber: &Scrubber) -> World {
    let connector = WinRmConnector {
        clock,
        folder: folder.clone(),
        scrubber: scrubber.clone(),
    };
    World::new(cloud, Arc::new(connector), Arc::new(folder.clone()), Arc::new(OsRandom))
}
