//! From credentials to a session: a token, its end, and the catalogue that came with it.
//!
//! Two Keystones with one result: [`v2`] for NHN Cloud, [`v3`] for everybody else. The suffix of the address decides;
//! without one the identity version of the credentials, and without that Keystone itself is asked.

mod v2;
mod v3;

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;
use reqwest::{Method, Url};
use reseal_machine::{CloudError, CloudErrorKind};
use secrecy::SecretString;
use serde_json::Value;

use crate::catalog::Catalog;
use crate::config::OpenStackConfig;
use crate::credentials::{Auth, Credentials, IdentityVersion};
use crate::http::patience::Repeat;
use crate::http::request::JSON;
use crate::http::transport::{Outgoing, Transport};
use crate::json;

/// What a token gives.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) token: SecretString,
    pub(crate) catalog: Catalog,
    /// The project's id.
    pub(crate) project: String,
    /// When to fetch another one, on our clock.
    pub(crate) renew_at: Timestamp,
    /// When this one dies, on our clock.
    pub(crate) ends_at: Timestamp,
}

/// What Keystone answered, before our clock is asked.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) token: SecretString,
    pub(crate) catalog: Catalog,
    pub(crate) project: String,
    pub(crate) issued: Option<Timestamp>,
    pub(crate) expires: Option<Timestamp>,
}

/// The life of a token whose end Keystone did not tell.
const UNTOLD: Duration = Duration::from_mins(30);
/// Fetch another one this long before the end.
const MARGIN: Duration = Duration::from_mins(5);

/// Fetches a token.
pub(crate) async fn fetch(transport: &Transport, config: &OpenStackConfig) -> Result<Session, CloudError> {
    let credentials = &config.credentials;
    let (address, version) = locate(transport, credentials).await?;
    let (path, body) = match version {
        IdentityVersion::V2 => ("tokens", v2::body(&credentials.auth)?),
        IdentityVersion::V3 => ("auth/tokens", v3::body(&credentials.auth)),
    };
    let out = outgoing(Method::POST, &format!("{address}/{path}"), Some(&body))?;
    let reply = transport.exchange(&out).await.map_err(|error| explain(error, config))?;
    let granted = match version {
        IdentityVersion::V2 => v2::granted(&reply)?,
        IdentityVersion::V3 => v3::granted(&reply)?,
    };
    Ok(session(granted, config.clock.now()))
}

/// Keystone's versioned address.
async fn locate(transport: &Transport, credentials: &Credentials) -> Result<(String, IdentityVersion), CloudError> {
    let address = credentials.auth_url.trim_end_matches('/');
    let said = match address.rsplit('/').next() {
        Some("v2.0") => Some(IdentityVersion::V2),
        Some("v3") => Some(IdentityVersion::V3),
        _ => None,
    };
    if let Some(version) = said {
        return Ok((address.to_owned(), version));
    }
    let needs_v3 = matches!(credentials.auth, Auth::ApplicationCredential { .. }).then_some(IdentityVersion::V3);
    let version = match credentials.identity.or(needs_v3) {
        Some(version) => version,
        None => ask(transport, address).await?,
    };
    Ok((format!("{address}/{}", segment(version)), version))
}

fn segment(version: IdentityVersion) -> &'static str {
    match version {
        IdentityVersion::V2 => "v2.0",
        IdentityVersion::V3 => "v3",
    }
}

/// The best version that Keystone lists. Only the version is taken from the answer, never its links.
async fn ask(transport: &Transport, address: &str) -> Result<IdentityVersion, CloudError> {
    let reply = transport
        .exchange(&outgoing(Method::GET, &format!("{address}/"), None)?)
        .await;
    let hint = "end `OS_AUTH_URL` with `/v3` (OpenStack) or `/v2.0` (NHN Cloud), or set `OS_IDENTITY_API_VERSION`";
    let reply = reply.map_err(|error| error.hint(hint))?;
    let listed = reply.json().map_err(|error| error.hint(hint))?;
    best(&listed).ok_or_else(|| {
        reply
            .unexpected("no version of the identity service is listed")
            .hint(hint)
    })
}

fn best(listed: &Value) -> Option<IdentityVersion> {
    let several = listed.get("versions").map_or(&[][..], |versions| match versions {
        Value::Array(list) => list,
        wrapped => json::list(wrapped, "values"),
    });
    let ids: Vec<_> = several
        .iter()
        .chain(listed.get("version"))
        .filter_map(|version| json::text(version, "id"))
        .collect();
    let has = |prefix: &str| ids.iter().any(|id| id.starts_with(prefix));
    if has("v3") {
        Some(IdentityVersion::V3)
    } else {
        has("v2").then_some(IdentityVersion::V2)
    }
}

fn outgoing(method: Method, address: &str, body: Option<&Value>) -> Result<Outgoing, CloudError> {
    let url = Url::parse(address)
        .map_err(|_| CloudError::new(CloudErrorKind::Invalid, OPERATION, "`OS_AUTH_URL` is not an address"))?;
    let body = body.map(|body| (JSON, body.to_string().into()));
    Ok(Outgoing {
        operation: OPERATION,
        method,
        url,
        headers: HeaderMap::new(),
        body,
        repeat: Repeat::Safe,
    })
}

const OPERATION: &str = "authenticate";

/// The life is counted from our own present: a clock that is wrong must not make a fresh token look old.
fn session(granted: Granted, now: Timestamp) -> Session {
    let issued = granted.issued.unwrap_or(now);
    let life = granted.expires.map_or(UNTOLD, |end| {
        Duration::try_from(end.duration_since(issued)).unwrap_or(UNTOLD)
    });
    let after = |life: Duration| now.checked_add(life).unwrap_or(Timestamp::MAX);
    Session {
        token: granted.token,
        catalog: granted.catalog,
        project: granted.project,
        renew_at: after(life.saturating_sub(MARGIN.min(life / 4))),
        ends_at: after(life),
    }
}

/// The kind of credentials, for people.
pub(crate) fn describe(config: &OpenStackConfig) -> &'static str {
    match config.credentials.auth {
        Auth::Password { .. } => "the user and password",
        Auth::ApplicationCredential { .. } => "the application credential",
        Auth::Token { .. } => "the token",
    }
}

/// Adds what a person can do about a refused log-in.
fn explain(error: CloudError, config: &OpenStackConfig) -> CloudError {
    match error.http {
        Some(401) => {
            let remarks = config.credentials.remarks(config.dialect);
            let hinted = hints_of_401(config).iter().fold(error, |error, hint| error.hint(*hint));
            remarks.into_iter().fold(hinted, CloudError::hint)
        }
        Some(404 | 405) => error.hint(format!(
            "is `{}` the identity service's address, with its version?",
            config.credentials.auth_url
        )),
        _ => error,
    }
}

fn hints_of_401(config: &OpenStackConfig) -> &'static [&'static str] {
    use reseal_machine::cloud::Dialect;
    match (&config.credentials.auth, config.dialect) {
        (Auth::Password { .. }, Dialect::Nhn) => &[
            "NHN Cloud wants the API password, not the log-in password; set it in Compute > Instance > Set API Endpoint",
        ],
        (Auth::Password { .. }, Dialect::Openstack) => {
            &["check user, password, project and their domains (`OS_USER_DOMAIN_NAME`, `OS_PROJECT_DOMAIN_NAME`)"]
        }
        (Auth::ApplicationCredential { .. }, _) => {
            &["the application credential may have ended, or belong to another cloud"]
        }
        (Auth::Token { .. }, _) => {
            &["the token has ended; a token cannot be renewed without a password or an application credential"]
        }
    }
}

#[cfg(test)]
mod tests;
