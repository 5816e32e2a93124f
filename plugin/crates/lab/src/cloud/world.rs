//! One running cloud: who the tenant is, where the services listen, what is armed, and the state behind a lock.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reseal_machine::Clock;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::ask::Service;
use super::front::{Door, Route};
use super::ids::{hex32_of, secret};
use super::mode::Mode;
use super::quota::Quota;
use super::state::State;
use crate::faults::Faults;
use crate::http;
use crate::lab::{Exchange, LabOptions};
use crate::room::MachineRoom;

/// Who uses the cloud.
pub(crate) struct Tenant {
    pub(crate) id: String,
    pub(crate) name: &'static str,
    pub(crate) user_id: String,
    pub(crate) user: &'static str,
    pub(crate) password: String,
    pub(crate) application_credential: String,
    pub(crate) application_secret: String,
}

/// The base addresses of the services, as the catalogue begins them.
pub(crate) struct Endpoints {
    pub(crate) identity: String,
    pub(crate) compute: String,
    pub(crate) image: String,
    pub(crate) network: String,
    pub(crate) volume: String,
}

/// One running cloud.
pub(crate) struct World {
    pub(crate) mode: Mode,
    pub(crate) tenant: Tenant,
    pub(crate) endpoints: Endpoints,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) room: Arc<dyn MachineRoom>,
    pub(crate) faults: Faults,
    pub(crate) quota: Quota,
    pub(crate) latency: Option<Duration>,
    state: Mutex<State>,
    log: Mutex<Vec<Exchange>>,
}

impl World {
    /// The present moment.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The state, for one answer.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request.
    pub(crate) fn note(&self, method: &str, path: String, status: u16) {
        self.log().push(Exchange {
            method: method.to_owned(),
            path,
            status,
        });
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<Exchange> {
        self.log().clone()
    }

    /// How many requests so far.
    pub(crate) fn request_count(&self) -> usize {
        self.log().len()
    }

    /// Where Keystone is.
    pub(crate) fn auth_url(&self) -> String {
        match self.mode {
            Mode::Nhn => format!("{}/v2.0", self.endpoints.identity),
            Mode::Openstack => format!("{}/v3", self.endpoints.identity),
        }
    }

    /// The variables for the password.
    pub(crate) fn env(&self) -> Vec<(String, String)> {
        let tenant = &self.tenant;
        let mut env = vec![
            ("OS_AUTH_URL", self.auth_url()),
            ("OS_USERNAME", tenant.user.to_owned()),
            ("OS_PASSWORD", tenant.password.clone()),
            ("OS_REGION_NAME", self.mode.region().to_owned()),
        ];
        match self.mode {
            Mode::Nhn => env.push(("OS_TENANT_ID", tenant.id.clone())),
            Mode::Openstack => env.extend([
                ("OS_PROJECT_NAME", tenant.name.to_owned()),
                ("OS_USER_DOMAIN_NAME", "Default".to_owned()),
                ("OS_PROJECT_DOMAIN_NAME", "Default".to_owned()),
                ("OS_IDENTITY_API_VERSION", "3".to_owned()),
                ("OS_INTERFACE", "public".to_owned()),
            ]),
        }
        owned(env)
    }

    /// The variables for an application credential.
    pub(crate) fn application_credential_env(&self) -> Option<Vec<(String, String)>> {
        (self.mode == Mode::Openstack).then(|| {
            owned(vec![
                ("OS_AUTH_TYPE", "v3applicationcredential".to_owned()),
                ("OS_AUTH_URL", self.auth_url()),
                (
                    "OS_APPLICATION_CREDENTIAL_ID",
                    self.tenant.application_credential.clone(),
                ),
                (
                    "OS_APPLICATION_CREDENTIAL_SECRET",
                    self.tenant.application_secret.clone(),
                ),
                ("OS_REGION_NAME", self.mode.region().to_owned()),
            ])
        })
    }

    fn log(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens the listeners, and answers until `stop`.
pub(crate) async fn start(
    options: LabOptions,
    stop: &CancellationToken,
    tasks: &TaskTracker,
) -> io::Result<Arc<World>> {
    let faults = super::faults::arm(&options.faults)?;
    let (listeners, endpoints) = open(options.mode).await?;
    let now = options.clock.now();
    let world = Arc::new(World {
        mode: options.mode,
        tenant: tenant(options.mode),
        endpoints,
        clock: options.clock,
        room: options.room,
        faults,
        quota: options.quota,
        latency: options.latency,
        state: Mutex::new(State::new(options.seed, now)),
        log: Mutex::new(Vec::new()),
    });
    for (listener, routes) in listeners {
        let world = Arc::clone(&world);
        let routes: Arc<[Route]> = routes.into();
        http::serve(listener, stop.clone(), tasks, move |peer: SocketAddr| {
            Door::new(Arc::clone(&world), Arc::clone(&routes), peer.ip())
        });
    }
    Ok(world)
}

type Listener = (TcpListener, Vec<Route>);

/// NHN has a host for each service, and no path in some of the addresses; that becomes a port for each. Upstream often
/// has everything behind one address with a path for each service, and Neutron at its own port.
async fn open(mode: Mode) -> io::Result<(Vec<Listener>, Endpoints)> {
    match mode {
        Mode::Nhn => open_each().await,
        Mode::Openstack => open_shared().await,
    }
}

async fn open_each() -> io::Result<(Vec<Listener>, Endpoints)> {
    let services = [
        Service::Identity,
        Service::Compute,
        Service::Image,
        Service::Network,
        Service::Volume,
    ];
    let mut listeners = Vec::new();
    let mut bases = Vec::new();
    for service in services {
        let (listener, base) = bind().await?;
        listeners.push((listener, vec![Route { prefix: "", service }]));
        bases.push(base);
    }
    let [identity, compute, image, network, volume] = bases
        .try_into()
        .map_err(|_| io::Error::other("five services want five listeners"))?;
    Ok((
        listeners,
        Endpoints {
            identity,
            compute,
            image,
            network,
            volume,
        },
    ))
}

async fn open_shared() -> io::Result<(Vec<Listener>, Endpoints)> {
    let (shared, base) = bind().await?;
    let (neutron, network) = bind().await?;
    let route = |service: Service| Route {
        prefix: service.name(),
        service,
    };
    let routes = [Service::Identity, Service::Compute, Service::Image, Service::Volume]
        .map(route)
        .to_vec();
    let at = |service: Service| format!("{base}/{}", service.name());
    let endpoints = Endpoints {
        identity: at(Service::Identity),
        compute: at(Service::Compute),
        image: at(Service::Image),
        network,
        volume: at(Service::Volume),
    };
    let alone = vec![Route {
        prefix: "",
        service: Service::Network,
    }];
    Ok((vec![(shared, routes), (neutron, alone)], endpoints))
}

async fn bind() -> io::Result<(TcpListener, String)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let base = format!("http://{}", listener.local_addr()?);
    Ok((listener, base))
}

fn tenant(mode: Mode) -> Tenant {
    let (name, user) = match mode {
        Mode::Nhn => ("c_Sample", "builder@example.com"),
        Mode::Openstack => ("images", "builder"),
    };
    Tenant {
        id: hex32_of(name),
        name,
        user_id: hex32_of(user),
        user,
        password: secret(),
        application_credential: hex32_of("application credential"),
        application_secret: secret(),
    }
}

fn owned(env: Vec<(&str, String)>) -> Vec<(String, String)> {
    env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
