//! What can go wrong at a border, in terms that a caller can act on.
//!
//! Three readers: the code that may try again looks at [`Status`]; the user reads the `Display` and the hints; the
//! log has the chain of sources and the request id.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Whether trying the same thing again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It will fail again.
    Permanent,
    /// It may work later.
    Temporary,
    /// It was tried again until patience ended.
    Persistent,
}

/// What kind of answer a cloud gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloudErrorKind {
    /// The thing is not there.
    NotFound,
    /// The thing is there already, or busy.
    Conflict,
    /// A quota or limit of the project is used up.
    Quota,
    /// The credentials were refused.
    Auth,
    /// The credentials are good but may not do this.
    Forbidden,
    /// Too many requests.
    RateLimited,
    /// The request was refused as wrong.
    Invalid,
    /// The cloud cannot be reached or is not well.
    Unavailable,
    /// The answer was not understood.
    Unexpected,
}

/// A failed call to a cloud.
#[derive(Debug, Error)]
#[error("{operation}: {message}")]
pub struct CloudError {
    /// Class of the failure.
    pub kind: CloudErrorKind,
    /// Whether trying again can help.
    pub status: Status,
    /// What was being done, e.g. `create server`.
    pub operation: String,
    /// What the cloud said, or what was missing; lower case, no full stop. Free of secrets.
    pub message: String,
    /// The HTTP status, where there was one.
    pub http: Option<u16>,
    /// The cloud's own id of the request, for its support.
    pub request_id: Option<String>,
    /// What a person can do about it.
    pub hints: Vec<String>,
    /// True when the request may have been carried out although no answer came.
    pub perhaps: bool,
    /// The cause below.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl CloudError {
    /// An error of a kind, permanent unless the kind says otherwise.
    pub fn new(kind: CloudErrorKind, operation: impl Into<String>, message: impl Into<String>) -> Self {
        let status = match kind {
            CloudErrorKind::RateLimited | CloudErrorKind::Unavailable => Status::Temporary,
            _ => Status::Permanent,
        };
        Self {
            kind,
            status,
            operation: operation.into(),
            message: message.into(),
            http: None,
            request_id: None,
            hints: Vec::new(),
            perhaps: false,
            source: None,
        }
    }

    /// Adds what a person can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// A failed exchange with a guest.
#[derive(Debug, Error)]
pub enum CommError {
    /// Nobody listens there (yet), or the network is in the way.
    #[error("the guest cannot be reached: {0}")]
    Unreachable(String),
    /// Somebody listens, but TLS failed: wrong certificate, no common version.
    #[error("the guest's TLS is not trusted: {0}")]
    Tls(String),
    /// The account or password was refused.
    #[error("the guest refused the account: {0}")]
    Auth(String),
    /// The connection ended. `started` tells whether the work may have begun.
    #[error("the connection to the guest was lost while {doing}")]
    Lost {
        /// True when the guest may have begun the work, so that it must be looked up and not repeated.
        started: bool,
        /// What was under way.
        doing: String,
        /// The cause below.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The guest answered with a WS-Management fault.
    #[error("the guest's WinRM refused: {message} (fault {code})")]
    Fault {
        /// The WSMan fault code, e.g. `2150858793`.
        code: u32,
        /// The fault's own text.
        message: String,
    },
    /// A script ended without its result line, or with an error of its own.
    #[error("script `{script}` failed: {message}")]
    Script {
        /// The script's name.
        script: String,
        /// Its error text.
        message: String,
        /// The last lines of its output.
        tail: Vec<String>,
    },
    /// The guest's answer was not understood.
    #[error("the guest's answer was not understood: {0}")]
    Protocol(String),
    /// Copied bytes do not match.
    #[error("the copy of `{path}` is damaged: expected SHA-256 {expected}, the guest has {found}")]
    Checksum {
        /// The file in the guest.
        path: String,
        /// What was sent.
        expected: String,
        /// What arrived.
        found: String,
    },
    /// Reading the local file failed.
    #[error("cannot read `{path}`")]
    Local {
        /// The local file.
        path: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The work took longer than its limit.
    #[error("{what} did not end within {limit}")]
    TimedOut {
        /// What was waited for.
        what: String,
        /// The limit, as a person would say it.
        limit: String,
    },
    /// Somebody asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl CommError {
    /// Whether trying again can help. A lost connection is temporary; whether the work may be repeated is told by
    /// its `started`.
    pub fn status(&self) -> Status {
        match self {
            Self::Unreachable(_) | Self::Lost { .. } => Status::Temporary,
            _ => Status::Permanent,
        }
    }
}
