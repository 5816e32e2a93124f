//! A server that answers what a test wrote down, and remembers what it was asked.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use reseal_machine::Clock;
use reseal_machine::cloud::Dialect;
use reseal_openstack::{Auth, Credentials, Domain, Interface, Named, OpenStack, OpenStackConfig, Project, Tls, User};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

/// One answer.
#[derive(Clone)]
pub(crate) enum Answer {
    Say {
        status: u16,
        headers: Vec<(String, String)>,
        body: String,
    },
    /// The request is read, and the connection ended without an answer.
    HangUp,
}

pub(crate) fn say(status: u16, body: impl Into<Value>) -> Answer {
    let body = body.into();
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    Answer::Say {
        status,
        headers: Vec::new(),
        body,
    }
}

pub(crate) fn with(answer: Answer, name: &str, value: &str) -> Answer {
    match answer {
        Answer::Say {
            status,
            mut headers,
            body,
        } => {
            headers.push((name.to_owned(), value.to_owned()));
            Answer::Say { status, headers, body }
        }
        Answer::HangUp => Answer::HangUp,
    }
}

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

#[derive(Default)]
struct Scene {
    answers: BTreeMap<String, VecDeque<Answer>>,
    asked: Vec<Asked>,
}

/// The server. Routes are `METHOD /path` without query; the last answer of a route stays.
#[derive(Clone)]
pub(crate) struct Script {
    scene: Arc<Mutex<Scene>>,
    pub(crate) url: String,
}

impl Script {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script = Self {
            scene: Arc::default(),
            url,
        };
        tokio::spawn(serve(listener, Arc::clone(&script.scene)));
        script
    }

    pub(crate) fn on(&self, route: &str, answers: impl IntoIterator<Item = Answer>) -> &Self {
        let mut scene = self.scene.lock().unwrap_or_else(PoisonError::into_inner);
        scene.answers.insert(route.to_owned(), answers.into_iter().collect());
        self
    }

    /// Answers on one connection that somebody else opened.
    pub(crate) async fn serve_one(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        converse(stream, Arc::clone(&self.scene)).await;
    }

    pub(crate) fn asked(&self, route: &str) -> Vec<Asked> {
        let scene = self.scene.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |asked: &&Asked| key(&asked.method, &asked.path) == route;
        scene.asked.iter().filter(fits).cloned().collect()
    }

    pub(crate) fn all(&self) -> Vec<String> {
        let scene = self.scene.lock().unwrap_or_else(PoisonError::into_inner);
        scene
            .asked
            .iter()
            .map(|asked| key(&asked.method, &asked.path))
            .collect()
    }

    /// A token of one hour, and one address for everything.
    pub(crate) fn token(&self, name: &str) -> Answer {
        let endpoint =
            |path: &str| json!([{ "interface": "public", "region": "R1", "url": format!("{}{path}", self.url) }]);
        let body = json!({ "token": {
            "issued_at": "2026-11-22T03:00:00.000000Z",
            "expires_at": "2026-11-22T04:00:00.000000Z",
            "project": { "id": "p1" },
            "catalog": [
                { "type": "compute", "endpoints": endpoint("/compute/v2.1") },
                { "type": "image", "endpoints": endpoint("/image") },
                { "type": "network", "endpoints": endpoint("/network") },
                { "type": "block-storage", "endpoints": endpoint("/volume/v3") },
            ],
        } });
        with(say(201, body), "x-subject-token", name)
    }

    pub(crate) fn config(&self, clock: &Arc<TestClock>) -> OpenStackConfig {
        let credentials = Credentials {
            auth_url: format!("{}/v3", self.url),
            identity: None,
            auth: Auth::Password {
                user: User {
                    user: Named::Name("builder".to_owned()),
                    domain: Domain::default(),
                },
                password: "canary-password".to_owned().into(),
                project: Project {
                    project: Named::Id("p1".to_owned()),
                    domain: Domain::default(),
                },
            },
            region: None,
            interface: Interface::Public,
            tls: Tls::default(),
            proxy: None,
            endpoints: BTreeMap::new(),
        };
        let clock = Arc::<TestClock>::clone(clock);
        OpenStackConfig::new(credentials, Dialect::Openstack, clock, Arc::new(uuid::Uuid::nil))
    }

    /// A connected cloud whose tokens are called `t1`, `t2`.
    pub(crate) async fn connect(&self, clock: &Arc<TestClock>) -> OpenStack {
        self.on(TOKENS, [self.token("t1"), self.token("t2")]);
        OpenStack::connect(self.config(clock)).await.unwrap()
    }
}

pub(crate) const TOKENS: &str = "POST /v3/auth/tokens";

fn key(method: &str, path: &str) -> String {
    format!("{method} {}", path.split('?').next().unwrap_or_default())
}

async fn serve(listener: TcpListener, scene: Arc<Mutex<Scene>>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(converse(stream, Arc::clone(&scene)));
    }
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, scene: Arc<Mutex<Scene>>) {
    let service = service_fn(|request| answer(request, Arc::clone(&scene)));
    // A connection that a test ended in the middle is no failure of the test.
    drop(
        http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await,
    );
}

async fn answer(request: Request<Incoming>, scene: Arc<Mutex<Scene>>) -> Result<Response<Full<Bytes>>, io::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()));
    let asked = Asked {
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        headers: headers.collect(),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    };
    let route = key(&asked.method, &asked.path);
    let chosen = {
        let mut scene = scene.lock().unwrap_or_else(PoisonError::into_inner);
        scene.asked.push(asked);
        match scene.answers.get_mut(&route) {
            Some(answers) if answers.len() > 1 => answers.pop_front(),
            Some(answers) => answers.front().cloned(),
            None => None,
        }
    };
    match chosen.unwrap_or_else(|| {
        say(
            418,
            json!({ "teapot": { "message": format!("nobody wrote down {route}") } }),
        )
    }) {
        Answer::HangUp => Err(io::Error::other("hang up")),
        Answer::Say { status, headers, body } => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            response.body(Full::new(Bytes::from(body))).map_err(io::Error::other)
        }
    }
}

/// A clock that jumps, and remembers how long it was slept on.
pub(crate) struct TestClock(Mutex<(Timestamp, Vec<Duration>)>);

impl TestClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(("2026-11-22T03:00:00Z".parse().unwrap(), Vec::new()))))
    }

    pub(crate) fn advance(&self, duration: Duration) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = state.0.checked_add(duration).unwrap();
    }

    pub(crate) fn slept(&self) -> Vec<u64> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .1
            .iter()
            .map(Duration::as_secs)
            .collect()
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    async fn sleep(&self, duration: Duration) {
        self.advance(duration);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.push(duration);
        tokio::task::yield_now().await;
    }
}
