//! Where requests come in: which service, is it well formed, does a general fault strike, and the note in the log.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{HeaderMap, Method, Request};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::ask::{Ask, Payload, Plus, Service, decode};
use super::reply::{Outcome, Refusal, Reply};
use super::state::State;
use super::world::World;
use super::{access, compute, discovery, identity, image, network, settle, volume};
use crate::http::{Answer, Handler, Hangup, read_body};

/// Documents are never longer.
const LONGEST_DOCUMENT: usize = 1024 * 1024;

/// A service behind a listener, found by the first path segment (or by none).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route {
    pub(crate) prefix: &'static str,
    pub(crate) service: Service,
}

/// One client connection.
pub(crate) struct Door {
    world: Arc<World>,
    routes: Arc<[Route]>,
    peer: IpAddr,
}

/// One request's turn with the state in its hands.
pub(crate) struct Turn<'a> {
    pub(crate) world: &'a World,
    pub(crate) state: &'a mut State,
    pub(crate) ask: &'a Ask,
    pub(crate) now: Timestamp,
}

impl Door {
    /// A door to some services for one client.
    pub(crate) fn new(world: Arc<World>, routes: Arc<[Route]>, peer: IpAddr) -> Self {
        Self { world, routes, peer }
    }

    async fn ask(&self, request: Request<Incoming>) -> Result<Ask, (Service, Refusal)> {
        let (parts, body) = request.into_parts();
        let (service, path) = self
            .route(parts.uri.path())
            .map_err(|refusal| (Service::Identity, refusal))?;
        let query = parts.uri.query().unwrap_or("").to_owned();
        let headers = parts.headers;
        let payload = payload(service, &parts.method, &path, &headers, body)
            .await
            .map_err(|refusal| (service, refusal))?;
        Ok(Ask {
            service,
            method: parts.method,
            path,
            query,
            headers,
            payload,
            peer: self.peer,
        })
    }

    fn route(&self, path: &str) -> Result<(Service, Vec<String>), Refusal> {
        let inner = path.strip_prefix('/').unwrap_or(path);
        let segments: Result<Vec<_>, _> = inner.split('/').map(|segment| decode(segment, Plus::Plus)).collect();
        let mut segments = segments?;
        for route in self.routes.iter() {
            if route.prefix.is_empty() {
                return Ok((route.service, segments));
            }
            if segments.first().is_some_and(|first| first == route.prefix) {
                segments.remove(0);
                return Ok((route.service, segments));
            }
        }
        Err(Refusal::not_found(format!("lab: no service at '{path}'")))
    }
}

impl Handler for Door {
    async fn answer(&self, request: Request<Incoming>) -> Result<Answer, Hangup> {
        let method = request.method().clone();
        let wish = request.uri().to_string();
        let reply = match self.ask(request).await {
            Ok(ask) => {
                let reply = respond(&self.world, &ask);
                let status = reply.as_ref().map_or(0, |reply| reply.status);
                self.world.note(method.as_str(), ask.line(), status);
                reply
            }
            Err((service, refusal)) => {
                self.world.note(method.as_str(), wish, refusal.status);
                Ok(refusal.reply(service, true))
            }
        };
        delay(&self.world).await;
        reply.map(Reply::into_http)
    }
}

/// Real time that an answer takes: asked-for latency and the fault `slow-answers`.
async fn delay(world: &World) {
    let slow = world
        .faults
        .strike("slow-answers")
        .map(|argument| argument.parse().unwrap_or(500));
    let pause = world.latency.unwrap_or_default() + Duration::from_millis(slow.unwrap_or(0));
    if !pause.is_zero() {
        #[expect(
            clippy::disallowed_methods,
            reason = "latency on the wire is real time, not the lab's"
        )]
        tokio::time::sleep(pause).await;
    }
}

async fn payload(
    service: Service,
    method: &Method,
    path: &[String],
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Payload, Refusal> {
    let file = path.last().is_some_and(|last| last == "file" || last == "stage");
    if service == Service::Image && method == Method::PUT && file {
        return image_data(headers, body).await;
    }
    let whole = read_body(body, LONGEST_DOCUMENT).await;
    whole
        .map(Payload::Whole)
        .map_err(|error| Refusal::new(413, format!("lab: the body cannot be read: {error}")))
}

/// Image data are counted and hashed while they come, and not kept.
async fn image_data(headers: &HeaderMap, mut body: Incoming) -> Result<Payload, Refusal> {
    let kind = headers
        .get("content-type")
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or("");
    if kind != "application/octet-stream" {
        return Err(Refusal::new(
            415,
            format!("lab: Content-Type is '{kind}', must be 'application/octet-stream'"),
        ));
    }
    let mut hash = Sha256::new();
    let mut size: u64 = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::invalid("The image data ended too early."))?;
        if let Some(data) = frame.data_ref() {
            hash.update(data);
            size = size.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
        }
    }
    let checksum = hex::encode(hash.finalize().iter().take(16).copied().collect::<Vec<_>>());
    Ok(Payload::Data { size, checksum })
}

/// Carries out one request, with the faults that may strike any of them.
fn respond(world: &World, ask: &Ask) -> Result<Reply, Hangup> {
    if world.faults.strike("reset").is_some() {
        return Err(Hangup);
    }
    if let Some(reply) = super::faults::overload(world, ask) {
        return Ok(reply);
    }
    let outcome = {
        let mut state = world.state();
        let now = world.now();
        settle::settle(&mut state, now);
        dispatch(&mut Turn {
            world,
            state: &mut state,
            ask,
            now,
        })
    };
    let made = outcome.is_ok();
    let reply = outcome.unwrap_or_else(|refusal| decorate(world, &refusal, ask));
    super::faults::after(world, ask, made, reply)
}

fn decorate(world: &World, refusal: &Refusal, ask: &Ask) -> Reply {
    let reply = refusal.reply(ask.service, ask.wants_json());
    match refusal.status {
        401 => reply.with(
            "WWW-Authenticate",
            format!("Keystone uri=\"{}\"", world.endpoints.identity),
        ),
        _ => reply,
    }
}

fn dispatch(turn: &mut Turn<'_>) -> Outcome {
    if turn.ask.service == Service::Identity {
        return identity::answer(turn);
    }
    if let Some(document) = discovery::answer(turn.world, turn.ask) {
        return Ok(document);
    }
    access::headers(turn)?;
    access::token(turn)?;
    let reply = match turn.ask.service {
        Service::Compute => compute::answer(turn)?,
        Service::Image => image::answer(turn)?,
        Service::Network => network::answer(turn)?,
        Service::Volume => volume::answer(turn)?,
        Service::Identity => return Err(Refusal::strict("Keystone was asked already")),
    };
    let id = format!("req-{}", turn.state.ids.next());
    Ok(match turn.ask.service {
        Service::Compute => reply
            .with("X-Compute-Request-Id", id.clone())
            .with("X-Openstack-Request-Id", id),
        _ => reply.with("X-Openstack-Request-Id", id),
    })
}
