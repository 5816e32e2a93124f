//! A call as a value: service, method, path, query, body.

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::catalog::Service;
use crate::http::patience::Repeat;

/// A microversion that a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Microversion {
    /// `OpenStack-API-Version: compute 2.67`.
    pub(crate) value: &'static str,
    /// The older header of Nova, the number alone.
    pub(crate) nova: &'static str,
}

impl Microversion {
    /// Both headers: Nova before 2.27 knows only the older one.
    pub(crate) fn headers(self, headers: &mut HeaderMap) {
        headers.insert(
            HeaderName::from_static("openstack-api-version"),
            HeaderValue::from_static(self.value),
        );
        headers.insert(
            HeaderName::from_static("x-openstack-nova-api-version"),
            HeaderValue::from_static(self.nova),
        );
    }
}

/// The media type of ordinary bodies.
pub(crate) const JSON: &str = "application/json";

/// One call to a service.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// What is being done, for people, e.g. `create server`.
    pub(crate) operation: &'static str,
    pub(crate) service: Service,
    pub(crate) method: Method,
    /// Segments below the base address, not yet encoded.
    pub(crate) path: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Option<Value>,
    pub(crate) media: &'static str,
    pub(crate) version: Option<Microversion>,
    pub(crate) repeat: Repeat,
}

impl Request {
    fn new(method: Method, service: Service, operation: &'static str, path: &[&str]) -> Self {
        Self {
            operation,
            service,
            method,
            path: path.iter().map(|segment| (*segment).to_owned()).collect(),
            query: Vec::new(),
            body: None,
            media: JSON,
            version: None,
            repeat: Repeat::Safe,
        }
    }

    pub(crate) fn get(service: Service, operation: &'static str, path: &[&str]) -> Self {
        Self::new(Method::GET, service, operation, path)
    }

    pub(crate) fn delete(service: Service, operation: &'static str, path: &[&str]) -> Self {
        Self::new(Method::DELETE, service, operation, path)
    }

    pub(crate) fn put(service: Service, operation: &'static str, path: &[&str]) -> Self {
        Self::new(Method::PUT, service, operation, path)
    }

    pub(crate) fn patch(service: Service, operation: &'static str, path: &[&str]) -> Self {
        Self::new(Method::PATCH, service, operation, path)
    }

    /// A POST whose repetition changes nothing more, such as stopping a server.
    pub(crate) fn post(service: Service, operation: &'static str, path: &[&str]) -> Self {
        Self::new(Method::POST, service, operation, path)
    }

    /// A POST that makes something and must not be repeated blindly.
    pub(crate) fn create(service: Service, operation: &'static str, path: &[&str]) -> Self {
        Self {
            repeat: Repeat::Never,
            ..Self::post(service, operation, path)
        }
    }

    pub(crate) fn query(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((key.into(), value.into()));
        self
    }

    /// Sets one parameter that may be there already.
    pub(crate) fn requery(mut self, key: &str, value: impl Into<String>) -> Self {
        self.query.retain(|(name, _)| name != key);
        self.query(key, value)
    }

    pub(crate) fn json(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    pub(crate) fn media(mut self, media: &'static str) -> Self {
        self.media = media;
        self
    }

    pub(crate) fn version(mut self, version: Option<Microversion>) -> Self {
        self.version = version;
        self
    }
}
