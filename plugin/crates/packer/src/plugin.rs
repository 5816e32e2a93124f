//! A plugin as a whole: a set of components, one of which a process serves.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::broker::{Broker, MAIN};
use crate::builder::{Builder, BuilderService};
use crate::datasource::{Datasource, DatasourceService};
use crate::hcl::Generation;
use crate::interpolate::Surroundings;
use crate::listener::Listener;
use crate::names::API;
use crate::post_processor::{PostProcessor, PostProcessorService};
use crate::provisioner::{Provisioner, ProvisionerService};
use crate::role::Schema;
use crate::rpc::{Service, serve};
use crate::signals;
use crate::yamux::Side;

/// The variable by which a plugin knows that Packer started it.
const COOKIE: (&str, &str) = (
    "PACKER_PLUGIN_MAGIC_COOKIE",
    "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
);
/// Whose protocol this is.
const SDK_VERSION: &str = "0.6.10";
/// How long what still runs may tidy up when Packer is gone, unless told otherwise.
const GRACE: Duration = Duration::from_secs(10);

/// The components of a plugin.
pub struct Plugin {
    version: String,
    grace: Duration,
    surroundings: Surroundings,
    builders: BTreeMap<String, Arc<dyn Builder>>,
    post_processors: BTreeMap<String, Arc<dyn PostProcessor>>,
    provisioners: BTreeMap<String, Arc<dyn Provisioner>>,
    datasources: BTreeMap<String, Arc<dyn Datasource>>,
}

/// Why a plugin did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// Somebody else than Packer started it.
    #[error("Please do not execute plugins directly. Packer will execute these for you.")]
    StartedByHand,
    /// The arguments are not what Packer passes.
    #[error("unknown arguments {0:?}; Packer passes `describe` or `start KIND NAME`")]
    Arguments(Vec<String>),
    /// There is no such component.
    #[error("this plugin has no {} called {}", .0.kind.word(), .0.name)]
    Missing(Component),
    /// There is no place to listen, or Packer did not come.
    #[error("Packer could not be met")]
    Listen(#[source] std::io::Error),
    /// Standard output is broken.
    #[error("standard output is broken")]
    Output(#[source] std::io::Error),
}

/// How a process was started; the binary knows.
pub struct Launch {
    /// The arguments, without the program's name.
    arguments: Vec<String>,
    /// The part of the environment that is ours.
    variables: HashMap<String, String>,
    /// Where the socket goes.
    temporary: PathBuf,
}

/// The kinds of components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A [`Builder`].
    Builder,
    /// A [`Provisioner`].
    Provisioner,
    /// A [`PostProcessor`].
    PostProcessor,
    /// A [`Datasource`].
    Datasource,
}

/// What one process is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// The kind.
    pub kind: Kind,
    /// The name, one of those that the plugin describes.
    pub name: String,
    /// How to encode what differs.
    pub generation: Generation,
}

/// What the arguments ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Command {
    Describe,
    Start(Component),
}

/// What `describe` prints.
#[derive(Serialize)]
struct Description<'a> {
    version: &'a str,
    sdk_version: &'a str,
    api_version: String,
    builders: Vec<&'a str>,
    post_processors: Vec<&'a str>,
    provisioners: Vec<&'a str>,
    datasources: Vec<&'a str>,
    protocol_version: &'a str,
}

impl Plugin {
    /// A plugin without components. The version must be the one in the binary's name.
    pub fn new(version: impl Into<String>) -> Self {
        Self {
            version: version.into(),
            grace: GRACE,
            surroundings: Surroundings::default(),
            builders: BTreeMap::new(),
            post_processors: BTreeMap::new(),
            provisioners: BTreeMap::new(),
            datasources: BTreeMap::new(),
        }
    }

    /// Adds a builder.
    #[must_use]
    pub fn builder(mut self, name: impl Into<String>, builder: impl Builder + 'static) -> Self {
        self.builders.insert(name.into(), Arc::new(builder));
        self
    }

    /// Adds a provisioner.
    #[must_use]
    pub fn provisioner(mut self, name: impl Into<String>, provisioner: impl Provisioner + 'static) -> Self {
        self.provisioners.insert(name.into(), Arc::new(provisioner));
        self
    }

    /// Adds a post-processor.
    #[must_use]
    pub fn post_processor(mut self, name: impl Into<String>, processor: impl PostProcessor + 'static) -> Self {
        self.post_processors.insert(name.into(), Arc::new(processor));
        self
    }

    /// Adds a data source.
    #[must_use]
    pub fn datasource(mut self, name: impl Into<String>, datasource: impl Datasource + 'static) -> Self {
        self.datasources.insert(name.into(), Arc::new(datasource));
        self
    }

    /// How long a build may tidy up after Packer is gone (10 s unless set).
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// What the templates in options (`{{timestamp}}`) are rendered with. Without it those that need time, working folder
    /// or chance are refused.
    #[must_use]
    pub fn surroundings(mut self, surroundings: Surroundings) -> Self {
        self.surroundings = surroundings;
        self
    }

    /// What `describe` prints: one line of JSON.
    pub fn describe(&self) -> String {
        fn names<T: ?Sized>(components: &BTreeMap<String, Arc<T>>) -> Vec<&str> {
            components.keys().map(String::as_str).collect()
        }
        let description = Description {
            version: &self.version,
            sdk_version: SDK_VERSION,
            api_version: format!("x{}.{}", API.0, API.1),
            builders: names(&self.builders),
            post_processors: names(&self.post_processors),
            provisioners: names(&self.provisioners),
            datasources: names(&self.datasources),
            protocol_version: "v2",
        };
        let json = serde_json::to_string(&description).unwrap_or_default();
        format!("{json}\n")
    }

    /// Does what Packer started the process for. Nothing else may be written to `stdout`, before or after.
    ///
    /// Comes back when Packer is gone. When a component cannot be served, the reason is written where Packer shows it to
    /// the user, and returned.
    pub async fn launch(self, launch: Launch, stdout: &mut (impl Write + Send)) -> Result<(), PluginError> {
        match Command::read(&launch.arguments)? {
            Command::Describe => print(stdout, &self.describe()),
            Command::Start(component) => {
                if launch.variable(COOKIE.0) != Some(COOKIE.1) {
                    return Err(PluginError::StartedByHand);
                }
                match self.listen(&launch, &component).await {
                    Ok(listener) => self.meet(listener, &component, stdout).await,
                    Err(error) => {
                        // A first line without `|` is shown as it is.
                        print(stdout, &format!("{}\n", error.to_string().replace(['|', '\n'], " ")))?;
                        Err(error)
                    }
                }
            }
        }
    }

    async fn listen(&self, launch: &Launch, component: &Component) -> Result<Listener, PluginError> {
        if !self.has(component) {
            return Err(PluginError::Missing(component.clone()));
        }
        let port = |name: &str, default| {
            let port = launch.variable(name).and_then(|port| port.parse().ok());
            port.unwrap_or(default)
        };
        let ports = port("PACKER_PLUGIN_MIN_PORT", 10_000)..=port("PACKER_PLUGIN_MAX_PORT", 25_000);
        let listener = Listener::bind(&launch.temporary, ports).await;
        listener.map_err(PluginError::Listen)
    }

    async fn meet(
        self,
        listener: Listener,
        component: &Component,
        stdout: &mut (impl Write + Send),
    ) -> Result<(), PluginError> {
        signals::ignore();
        print(stdout, &listener.handshake())?;
        let connection = listener.accept().await.map_err(PluginError::Listen)?;
        self.serve(connection, component).await
    }

    /// Serves one component on a connection until the other side is gone. Cancels then what still runs and gives it the
    /// time of [`Plugin::grace`].
    pub async fn serve<C>(self, connection: C, component: &Component) -> Result<(), PluginError>
    where
        C: AsyncRead + AsyncWrite + Send + 'static,
    {
        let broker = Broker::new(connection, Side::Server);
        let over = broker.over();
        let cancel = CancellationToken::new();
        let Some(service) = self.service(component, &broker, &cancel) else {
            broker.close();
            return Err(PluginError::Missing(component.clone()));
        };
        let served = async {
            match broker.expect(MAIN).accept().await {
                Ok(stream) => serve(stream, vec![service], cancel.clone()).await,
                Err(error) => tracing::warn!(%error, "Packer opened no stream"),
            }
        };
        tokio::pin!(served);
        tokio::select! {
            () = &mut served => {}
            () = over.cancelled() => {
                cancel.cancel();
                if timeout(self.grace, served).await.is_err() {
                    tracing::warn!("Packer is gone, and what ran did not end in time");
                }
            }
        }
        tracing::debug!(reason = ?broker.error(), "served");
        broker.close();
        Ok(())
    }

    fn has(&self, component: &Component) -> bool {
        let name = &component.name;
        match component.kind {
            Kind::Builder => self.builders.contains_key(name),
            Kind::Provisioner => self.provisioners.contains_key(name),
            Kind::PostProcessor => self.post_processors.contains_key(name),
            Kind::Datasource => self.datasources.contains_key(name),
        }
    }

    fn service(&self, component: &Component, broker: &Broker, cancel: &CancellationToken) -> Option<Arc<dyn Service>> {
        let Component { kind, name, generation } = component;
        let (broker, cancel, generation) = (broker.clone(), cancel.clone(), *generation);
        let surroundings = self.surroundings.clone();
        Some(match kind {
            Kind::Builder => {
                let builder = Arc::clone(self.builders.get(name)?);
                let schema = Schema::new(builder.config_spec(), generation, surroundings);
                Arc::new(BuilderService {
                    builder,
                    schema,
                    broker,
                    cancel,
                })
            }
            Kind::Provisioner => {
                let provisioner = Arc::clone(self.provisioners.get(name)?);
                let schema = Schema::new(provisioner.config_spec(), generation, surroundings);
                Arc::new(ProvisionerService {
                    provisioner,
                    schema,
                    broker,
                    cancel,
                })
            }
            Kind::PostProcessor => {
                let post_processor = Arc::clone(self.post_processors.get(name)?);
                let schema = Schema::new(post_processor.config_spec(), generation, surroundings);
                Arc::new(PostProcessorService {
                    post_processor,
                    schema,
                    broker,
                    cancel,
                })
            }
            Kind::Datasource => {
                let datasource = Arc::clone(self.datasources.get(name)?);
                let schema = Schema::new(datasource.config_spec(), generation, surroundings);
                let output = datasource.output_spec();
                Arc::new(DatasourceService {
                    datasource,
                    schema,
                    output,
                    generation,
                    cancel,
                })
            }
        })
    }
}

impl Kind {
    /// The word that Packer uses for it.
    fn word(self) -> &'static str {
        match self {
            Self::Builder => "builder",
            Self::Provisioner => "provisioner",
            Self::PostProcessor => "post-processor",
            Self::Datasource => "datasource",
        }
    }

    fn read(word: &str) -> Option<Self> {
        let all = [Self::Builder, Self::Provisioner, Self::PostProcessor, Self::Datasource];
        all.into_iter().find(|kind| kind.word() == word)
    }
}

impl Launch {
    /// Takes what `std::env` has: `args().skip(1)`, `vars_os()` and `temp_dir()`. Of the variables only `PACKER_PLUGIN_…`
    /// are kept.
    pub fn new<K: Into<OsString>, V: Into<OsString>>(
        arguments: impl IntoIterator<Item = String>,
        variables: impl IntoIterator<Item = (K, V)>,
        temporary: impl Into<PathBuf>,
    ) -> Self {
        let text = |(name, value): (K, V)| Some((name.into().into_string().ok()?, value.into().into_string().ok()?));
        let ours = |(name, _): &(String, String)| name.starts_with("PACKER_PLUGIN_");
        Self {
            arguments: arguments.into_iter().collect(),
            variables: variables.into_iter().filter_map(text).filter(ours).collect(),
            temporary: temporary.into(),
        }
    }

    /// Whether the arguments are Packer's, for programs that have other uses too.
    pub fn is_packers(&self) -> bool {
        Command::read(&self.arguments).is_ok()
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }
}

impl Command {
    fn read(arguments: &[String]) -> Result<Self, PluginError> {
        let protobuf = arguments.iter().any(|argument| argument == "--protobuf");
        let generation = if protobuf {
            Generation::Protobuf
        } else {
            Generation::Gob
        };
        let words: Vec<&str> = arguments
            .iter()
            .map(String::as_str)
            .filter(|word| *word != "--protobuf")
            .collect();
        let start = |kind: &str, name: &str| {
            let (kind, name) = (Kind::read(kind)?, name.to_owned());
            Some(Self::Start(Component { kind, name, generation }))
        };
        let command = match words.as_slice() {
            ["describe", ..] => Some(Self::Describe),
            ["start", kind, name] => start(kind, name),
            _ => None,
        };
        command.ok_or_else(|| PluginError::Arguments(arguments.to_vec()))
    }
}

fn print(stdout: &mut impl Write, text: &str) -> Result<(), PluginError> {
    stdout.write_all(text.as_bytes()).map_err(PluginError::Output)?;
    stdout.flush().map_err(PluginError::Output)
}

#[cfg(test)]
mod tests;
