//! What a client must be told: where, how, as whom, and with which limits.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reseal_machine::Clock;
use rustls_pki_types::CertificateDer;
use secrecy::SecretString;
use thiserror::Error;
use uuid::Uuid;

/// Where message ids come from.
pub type IdSource = Arc<dyn Fn() -> Uuid + Send + Sync>;

/// A host (name or IP address) and its port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// A DNS name, an IPv4 address, or an IPv6 address without brackets.
    pub host: String,
    /// Usually 5985 (http) or 5986 (https).
    pub port: u16,
}

impl Address {
    /// A host and a port.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// What lies between us and the guest's WinRM service.
#[derive(Debug, Clone)]
pub enum Transport {
    /// Plain HTTP; every message is sealed by the login's session key.
    Http,
    /// TLS; the login is bound to the server's certificate.
    Https {
        /// How the server's certificate is judged.
        trust: Trust,
    },
}

/// How a server's certificate is judged.
#[derive(Debug, Clone)]
pub enum Trust {
    /// Signed by one of these certificates (PEM), and made out for the address.
    Authority {
        /// One or more certificates in PEM.
        pem: Vec<u8>,
    },
    /// Exactly this leaf certificate, whatever name it bears.
    Pinned {
        /// SHA-256 of the certificate's DER form.
        sha256: [u8; 32],
    },
    /// Signed by a root that the system trusts, and made out for the address.
    System,
    /// Signed by one of these roots, and made out for the address.
    Roots(Vec<CertificateDer<'static>>),
    /// Anything goes. Only for a network in which nobody else is.
    Insecure,
}

/// The way of logging in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthKind {
    /// NTLM inside `Negotiate`: sealed over http, bound to the certificate over https.
    Negotiate,
    /// The password itself in a header; https only.
    Basic,
}

/// Who logs in.
#[derive(Debug, Clone)]
pub struct Auth {
    /// The way of logging in.
    pub kind: AuthKind,
    /// `user`, `DOMAIN\user` or `user@domain`.
    pub username: String,
    /// The password.
    pub password: SecretString,
}

/// All that [`crate::WinRm`] needs to know.
#[derive(Clone)]
pub struct WinRmConfig {
    /// Where.
    pub address: Address,
    /// Through what.
    pub transport: Transport,
    /// As whom.
    pub auth: Auth,
    /// How long the guest may hold back an answer (WS-Management `OperationTimeout`; the guest's maximum is 60 s).
    pub operation_timeout: Duration,
    /// Limit for TCP connect and for the TLS handshake.
    pub connect_timeout: Duration,
    /// How much longer than `operation_timeout` an answer may take before the connection counts as lost.
    pub read_timeout: Duration,
    /// The limit of one command or script that runs while we wait for it.
    pub call_limit: Duration,
    /// Shells, and so connections, that a transfer may use at once.
    pub shells: usize,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Message ids.
    pub ids: IdSource,
}

impl WinRmConfig {
    /// The usual limits: 20 s an operation, 15 s to connect, 20 s to read, 4 h a call, 4 shells.
    pub fn new(address: Address, transport: Transport, auth: Auth, clock: Arc<dyn Clock>, ids: IdSource) -> Self {
        Self {
            address,
            transport,
            auth,
            operation_timeout: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(15),
            read_timeout: Duration::from_secs(20),
            call_limit: Duration::from_hours(4),
            shells: 4,
            clock,
            ids,
        }
    }

    /// The service's URL.
    pub(crate) fn url(&self) -> String {
        let scheme = match self.transport {
            Transport::Http => "http",
            Transport::Https { .. } => "https",
        };
        format!("{scheme}://{}/wsman", self.address)
    }
}

impl fmt::Debug for WinRmConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WinRmConfig")
            .field("url", &self.url())
            .field("auth", &self.auth)
            .field("operation_timeout", &self.operation_timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("read_timeout", &self.read_timeout)
            .field("call_limit", &self.call_limit)
            .field("shells", &self.shells)
            .finish_non_exhaustive()
    }
}

/// A configuration that no client can be made of.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// Basic shows the password to everybody on the way.
    #[error("Basic authentication is refused over plain http: it would show the password")]
    BasicOverHttp,
    /// The given certificate authority cannot be read.
    #[error("the certificate authority cannot be read: {0}")]
    Authority(String),
    /// The system has no usable roots.
    #[error("the system's root certificates cannot be read: {0}")]
    SystemRoots(String),
    /// The host is neither a DNS name nor an IP address.
    #[error("`{0}` is neither a host name nor an IP address")]
    Host(String),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}
