//! The one way that every request takes: token on, sent with patience, answer read, token renewed when refused.
//!
//! From below: [`wire`] sends one request once, [`fault`] understands what services answer when they refuse,
//! [`patience`] decides what is tried again, [`transport`] does so, and [`Client`] adds token and address.

pub(crate) mod fault;
pub(crate) mod patience;
pub(crate) mod reply;
pub(crate) mod request;
pub(crate) mod transport;
pub(crate) mod wire;

use std::sync::Arc;

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reseal_machine::{CloudError, CloudErrorKind, Status};
use secrecy::ExposeSecret;
use tokio::sync::Mutex;

use crate::auth::{self, Session};
use crate::catalog::Service;
use crate::config::OpenStackConfig;
use crate::stats::Stats;
use reply::Reply;
use request::Request;
use transport::{Outgoing, Transport};

/// A configuration with its transport and its present token.
pub(crate) struct Client {
    pub(crate) config: OpenStackConfig,
    transport: Transport,
    session: Mutex<Option<Arc<Session>>>,
}

impl Client {
    /// A client without a token; the first call fetches one.
    pub(crate) fn new(config: OpenStackConfig) -> Result<Self, CloudError> {
        let transport = Transport::new(&config)?;
        Ok(Self {
            config,
            transport,
            session: Mutex::new(None),
        })
    }

    /// What was asked so far.
    pub(crate) fn stats(&self) -> Stats {
        self.transport.counters.snapshot()
    }

    /// The present session; renewed when its end is near.
    pub(crate) async fn session(&self) -> Result<Arc<Session>, CloudError> {
        let mut present = self.session.lock().await;
        let now = self.config.clock.now();
        let Some(session) = present.as_ref() else {
            return self.fetch(&mut present).await;
        };
        if now < session.renew_at {
            return Ok(Arc::clone(session));
        }
        let old = Arc::clone(session);
        match self.fetch(&mut present).await {
            // Keystone has a bad moment, but the token is still good.
            Err(error) if error.status != Status::Permanent && now < old.ends_at => Ok(old),
            done => done,
        }
    }

    /// A session other than `refused`, which the cloud no longer takes.
    async fn renewed(&self, refused: &Arc<Session>) -> Result<Arc<Session>, CloudError> {
        let mut present = self.session.lock().await;
        match present.as_ref() {
            Some(session) if !Arc::ptr_eq(session, refused) => Ok(Arc::clone(session)),
            _ => self.fetch(&mut present).await,
        }
    }

    async fn fetch(&self, present: &mut Option<Arc<Session>>) -> Result<Arc<Session>, CloudError> {
        let session = Arc::new(auth::fetch(&self.transport, &self.config).await?);
        self.transport.counters.token();
        tracing::debug!(project = session.project, ends_at = %session.ends_at, "Authenticated");
        *present = Some(Arc::clone(&session));
        Ok(session)
    }

    /// Sends a request to its service. A 401 renews the token once: whatever was refused so was not done.
    pub(crate) async fn call(&self, request: &Request) -> Result<Reply, CloudError> {
        let session = self.session().await?;
        let first = self.transport.exchange(&self.outgoing(request, &session)?).await;
        let Err(CloudError { http: Some(401), .. }) = first else {
            return first;
        };
        let session = self.renewed(&session).await?;
        let second = self.transport.exchange(&self.outgoing(request, &session)?).await;
        second.map_err(|error| match error.http {
            Some(401) => error.hint(format!(
                "{} got a token, but the service refuses it",
                auth::describe(&self.config)
            )),
            _ => error,
        })
    }

    /// The base address of a service in our region.
    pub(crate) fn base(&self, service: Service, session: &Session) -> Result<String, CloudError> {
        if let Some(address) = self.config.override_of(service) {
            return Ok(service.base(address, &session.project));
        }
        let region = self.region(session)?;
        let endpoint = session
            .catalog
            .endpoint(service, &region, self.config.credentials.interface)?;
        Ok(service.base(&endpoint.url, &session.project))
    }

    /// The region in use.
    pub(crate) fn region(&self, session: &Session) -> Result<String, CloudError> {
        session.catalog.region(self.config.wanted_region())
    }

    fn outgoing(&self, request: &Request, session: &Session) -> Result<Outgoing, CloudError> {
        let invalid = |what: &str| CloudError::new(CloudErrorKind::Invalid, request.operation, what);
        let base = self.base(request.service, session)?;
        let mut url = Url::parse(&base).map_err(|_| invalid(&format!("the service's address `{base}` is not one")))?;
        url.set_query(None);
        url.path_segments_mut()
            .map_err(|()| invalid("the service's address has no path"))?
            .extend(&request.path);
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let mut headers = HeaderMap::new();
        let mut token = HeaderValue::from_str(session.token.expose_secret())
            .map_err(|_| invalid("the token is no header value"))?;
        token.set_sensitive(true);
        headers.insert(HeaderName::from_static("x-auth-token"), token);
        if let Some(version) = request.version {
            version.headers(&mut headers);
        }
        Ok(Outgoing {
            operation: request.operation,
            method: request.method.clone(),
            url,
            headers,
            body: request
                .body
                .as_ref()
                .map(|body| (request.media, body.to_string().into())),
            repeat: request.repeat,
        })
    }
}
