//! A request with patience: sent, judged, perhaps sent again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use reseal_machine::{Clock, CloudError, CloudErrorKind, Status};

use super::fault::Fault;
use super::patience::{self, Repeat, Trouble};
use super::reply::Reply;
use super::wire::{Answer, Silence, Wire, causes};
use crate::config::{IdSource, OpenStackConfig};
use crate::stats::Counters;

/// One request, ready to go.
pub(crate) struct Outgoing {
    pub(crate) operation: &'static str,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    /// Media type and bytes.
    pub(crate) body: Option<(&'static str, Bytes)>,
    pub(crate) repeat: Repeat,
}

/// Sends requests and counts them.
pub(crate) struct Transport {
    wire: Wire,
    clock: Arc<dyn Clock>,
    ids: IdSource,
    pub(crate) counters: Counters,
    /// Somebody has answered.
    known: AtomicBool,
}

impl Transport {
    pub(crate) fn new(config: &OpenStackConfig) -> Result<Self, CloudError> {
        let credentials = &config.credentials;
        let wire = Wire::new(&config.user_agent, &credentials.tls, credentials.proxy.as_ref())?;
        let (clock, ids) = (Arc::clone(&config.clock), Arc::clone(&config.ids));
        Ok(Self {
            wire,
            clock,
            ids,
            counters: Counters::default(),
            known: AtomicBool::new(false),
        })
    }

    /// Sends until there is an answer of 2xx (or 300, which lists versions), or until patience ends.
    pub(crate) async fn exchange(&self, out: &Outgoing) -> Result<Reply, CloudError> {
        let id = (self.ids)();
        let mut attempt = 1;
        loop {
            let failure = match self.once(out, id).await? {
                Attempt::Done(reply) => return Ok(reply),
                Attempt::Failed(failure) => failure,
            };
            let known = self.known.load(Ordering::Relaxed);
            let Some(pause) = patience::pause(&failure, out.repeat, attempt, known, id.as_bytes()) else {
                return Err(failure.given_up(out.repeat));
            };
            tracing::debug!(operation = out.operation, attempt, ?pause, error = %failure.error, "Trying again");
            self.counters.retry();
            self.clock.sleep(pause).await;
            attempt += 1;
        }
    }

    /// An error is for what no repetition can change on this side, such as an unusable certificate file.
    async fn once(&self, out: &Outgoing, id: uuid::Uuid) -> Result<Attempt, CloudError> {
        self.counters.call();
        let named = Outgoing {
            headers: with_names(&out.headers, id),
            ..out.copied()
        };
        let outcome = self.wire.send(&named).await?;
        Ok(match outcome {
            Ok(answer) => {
                self.known.store(true, Ordering::Relaxed);
                self.judge(out, answer)
            }
            Err(silence) => Attempt::Failed(silent(out, silence)),
        })
    }

    fn judge(&self, out: &Outgoing, answer: Answer) -> Attempt {
        let Answer { status, headers, body } = answer;
        let reply = Reply {
            operation: out.operation,
            status,
            headers,
            body,
        };
        tracing::debug!(
            operation = out.operation, method = %out.method, path = out.url.path(), status, request_id = reply.request_id(),
            "Cloud answered"
        );
        if (200..=300).contains(&status) {
            return Attempt::Done(reply);
        }
        let fault = Fault::read(&reply);
        let pause = patience::retry_after(&reply, &fault, self.clock.now());
        let trouble = patience::trouble(status, fault.kind);
        Attempt::Failed(Failure {
            error: fault.into_error(&reply),
            trouble,
            pause,
        })
    }
}

impl Outgoing {
    fn copied(&self) -> Self {
        Self {
            operation: self.operation,
            method: self.method.clone(),
            url: self.url.clone(),
            headers: HeaderMap::new(),
            body: self.body.clone(),
            repeat: self.repeat,
        }
    }
}

/// What became of one sending.
enum Attempt {
    Done(Reply),
    Failed(Failure),
}

/// A failed attempt.
pub(crate) struct Failure {
    pub(crate) error: CloudError,
    pub(crate) trouble: Trouble,
    /// What the cloud asked us to wait.
    pub(crate) pause: Option<std::time::Duration>,
}

impl Failure {
    /// The error of the last attempt.
    fn given_up(self, repeat: Repeat) -> CloudError {
        let mut error = self.error;
        error.perhaps = repeat == Repeat::Never && self.trouble.is_unclear();
        if error.status == Status::Temporary && self.trouble != Trouble::Final && !error.perhaps {
            error.status = Status::Persistent;
        }
        error
    }
}

/// What every request carries: `Accept` (Glance answers HTML without it) and our own id of the request, which the
/// services write into their logs
/// (<https://docs.openstack.org/oslo.middleware/latest/reference/middleware.html>, `X-OpenStack-Request-ID`).
fn with_names(headers: &HeaderMap, id: uuid::Uuid) -> HeaderMap {
    let mut headers = headers.clone();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    if let Ok(value) = HeaderValue::from_str(&format!("req-{id}")) {
        headers.insert(HeaderName::from_static("x-openstack-request-id"), value);
    }
    headers
}

fn silent(out: &Outgoing, silence: Silence) -> Failure {
    let host = out.url.host_str().unwrap_or_default();
    let (trouble, message, hint, source) = match silence {
        Silence::NotSent(error) => (
            Trouble::NotSent,
            format!("`{host}` cannot be reached: {}", deepest(&error)),
            None,
            Some(error),
        ),
        Silence::Untrusted(error) => {
            let hint = "if the cloud has a certificate authority of its own, set `OS_CACERT` to its file";
            (
                Trouble::Final,
                format!("the certificate of `{host}` is not trusted: {}", deepest(&error)),
                Some(hint),
                Some(error),
            )
        }
        Silence::Lost(error) => (
            Trouble::Lost,
            format!("no answer came from `{host}`: {}", deepest(&error)),
            None,
            Some(error),
        ),
        Silence::TooLarge => (
            Trouble::Final,
            format!("the answer of `{host}` is too long"),
            None,
            None,
        ),
    };
    let kind = if source.is_some() {
        CloudErrorKind::Unavailable
    } else {
        CloudErrorKind::Unexpected
    };
    let mut error = CloudError::new(kind, out.operation, message);
    if trouble == Trouble::Final {
        error.status = Status::Permanent;
    }
    error.hints.extend(hint.map(ToOwned::to_owned));
    error.source = source.map(Box::from);
    Failure {
        error,
        trouble,
        pause: None,
    }
}

fn deepest(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it took too long".to_owned();
    }
    causes(error).pop().unwrap_or_else(|| error.to_string()).to_lowercase()
}
