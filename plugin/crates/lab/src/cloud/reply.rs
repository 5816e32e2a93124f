//! Answers and refusals, and how each service spells a refusal.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, StatusCode, header};
use serde_json::{Value, json};

use super::ask::Service;
use crate::http::Answer;

/// What a service answers.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body,
}

/// An answer's body.
#[derive(Debug)]
pub(crate) enum Body {
    Empty,
    Json(Value),
    Html(String),
}

impl Reply {
    /// JSON with a status.
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Json(body),
        }
    }

    /// A status alone.
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Empty,
        }
    }

    /// A proxy's page.
    pub(crate) fn html(status: u16, page: &str) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Html(page.to_owned()),
        }
    }

    /// One header more.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// As HTTP.
    pub(crate) fn into_http(self) -> Answer {
        let (kind, bytes) = match self.body {
            Body::Empty => (None, Bytes::new()),
            Body::Json(value) => (Some("application/json"), Bytes::from(value.to_string())),
            Body::Html(page) => (Some("text/html; charset=utf-8"), Bytes::from(page)),
        };
        let mut builder = Response::builder().status(self.status);
        if let Some(kind) = kind {
            builder = builder.header(header::CONTENT_TYPE, kind);
        }
        for (name, value) in self.headers {
            builder = builder.header(name, value);
        }
        builder.body(Full::new(bytes)).unwrap_or_else(|_| {
            let mut answer = Response::new(Full::new(Bytes::from_static(b"the lab made an answer that is no HTTP")));
            *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            answer
        })
    }
}

/// Why a service does not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) message: String,
    /// Neutron's name of the error, where it has a special one.
    pub(crate) word: Option<&'static str>,
}

/// What a handler gives.
pub(crate) type Outcome = Result<Reply, Refusal>;

impl Refusal {
    /// Any status.
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            word: None,
        }
    }

    /// 400, in the real service's words.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    /// 400 for what a real cloud may let pass: the lab is stricter and says so.
    pub(crate) fn strict(message: impl AsRef<str>) -> Self {
        Self::new(400, format!("lab: {}", message.as_ref()))
    }

    /// 404.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, message)
    }

    /// 409.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(409, message)
    }

    /// 403.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, message)
    }

    /// Keystone's 401.
    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "The request you have made requires authentication.")
    }

    /// With Neutron's name.
    pub(crate) fn named(mut self, word: &'static str) -> Self {
        self.word = Some(word);
        self
    }

    /// As the service spells it. Glance answers a client that did not ask for JSON in HTML.
    pub(crate) fn reply(&self, service: Service, wants_json: bool) -> Reply {
        if self.status == 401 {
            return Reply::json(401, keystone(401, &self.message));
        }
        match service {
            Service::Identity => Reply::json(self.status, keystone(self.status, &self.message)),
            Service::Compute | Service::Volume => Reply::json(self.status, nova(self.status, &self.message)),
            Service::Image if wants_json => Reply::json(self.status, glance(self.status, &self.message)),
            Service::Image => Reply::html(
                self.status,
                &format!(
                    "<html><head><title>{0}</title></head><body>{1}</body></html>",
                    title(self.status),
                    self.message
                ),
            ),
            Service::Network => {
                let word = self.word.unwrap_or_else(|| neutron_word(self.status));
                let error = json!({"type": word, "message": self.message, "detail": ""});
                Reply::json(self.status, json!({"NeutronError": error}))
            }
        }
    }
}

fn keystone(status: u16, message: &str) -> Value {
    json!({"error": {"code": status, "title": title(status), "message": message}})
}

fn nova(status: u16, message: &str) -> Value {
    let name = match status {
        400 => "badRequest",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "itemNotFound",
        405 => "badMethod",
        409 => "conflictingRequest",
        413 | 429 => "overLimit",
        415 => "badMediaType",
        501 => "notImplemented",
        503 => "serviceUnavailable",
        _ => "computeFault",
    };
    json!({name: {"code": status, "message": message}})
}

fn glance(status: u16, message: &str) -> Value {
    let title = title(status);
    json!({"message": format!("{message}<br /><br />\n\n\n"), "code": format!("{status} {title}"), "title": title})
}

fn neutron_word(status: u16) -> &'static str {
    match status {
        400 => "HTTPBadRequest",
        403 => "HTTPForbidden",
        404 => "HTTPNotFound",
        409 => "Conflict",
        _ => "HTTPInternalServerError",
    }
}

fn title(status: u16) -> String {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    status.canonical_reason().unwrap_or("Error").to_owned()
}
