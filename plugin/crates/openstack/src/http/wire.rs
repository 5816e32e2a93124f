//! One request, once, over reqwest: bounded in time and size, never following where an answer points.

use std::error::Error;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Certificate, ClientBuilder, Identity, NoProxy};
use reseal_machine::{CloudError, CloudErrorKind};
use secrecy::ExposeSecret;

use super::transport::Outgoing;
use crate::credentials::{Proxy, Tls};

/// Time to get a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Time for one request from its first byte to the answer's last.
const WHOLE: Duration = Duration::from_mins(1);
/// How long a connection may rest: shorter than the five seconds after which Apache closes it, so that a creation is not
/// sent into a connection that is just being closed.
const REST: Duration = Duration::from_secs(4);
/// The longest answer: a page of a thousand servers with all their metadata is about a tenth of it.
const LARGEST: usize = 32 * 1024 * 1024;

/// Status, headers and body of an answer, whatever it says.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer.
pub(crate) enum Silence {
    /// Nothing was sent: no address, no connection.
    NotSent(reqwest::Error),
    /// No connection because the other end is not trusted; it will not be trusted later either.
    Untrusted(reqwest::Error),
    /// Sent, perhaps carried out, never answered.
    Lost(reqwest::Error),
    /// The answer is longer than any answer should be.
    TooLarge,
}

/// The connections.
///
/// INVARIANT: addresses with `http` go through a client that trusts nobody, so that a laboratory on loopback neither
/// reads the system's certificates nor keeps them in memory.
pub(crate) struct Wire {
    plain: reqwest::Client,
    secure: OnceLock<reqwest::Client>,
    user_agent: String,
    tls: Tls,
    proxy: Option<Proxy>,
}

impl Wire {
    pub(crate) fn new(user_agent: &str, tls: &Tls, proxy: Option<&Proxy>) -> Result<Self, CloudError> {
        let plain = builder(user_agent, proxy)?
            .tls_certs_only([])
            .build()
            .map_err(|error| refused(&error))?;
        let secure = OnceLock::new();
        Ok(Self {
            plain,
            secure,
            user_agent: user_agent.to_owned(),
            tls: tls.clone(),
            proxy: proxy.cloned(),
        })
    }

    fn client(&self, scheme: &str) -> Result<&reqwest::Client, CloudError> {
        if scheme != "https" {
            return Ok(&self.plain);
        }
        if let Some(client) = self.secure.get() {
            return Ok(client);
        }
        let made = trusting(builder(&self.user_agent, self.proxy.as_ref())?, &self.tls)?;
        Ok(self.secure.get_or_init(|| made))
    }

    /// Sends once and reads the answer to its end.
    pub(crate) async fn send(&self, out: &Outgoing) -> Result<Result<Answer, Silence>, CloudError> {
        let client = self.client(out.url.scheme())?;
        let mut request = client
            .request(out.method.clone(), out.url.clone())
            .headers(out.headers.clone());
        if let Some((media, body)) = &out.body {
            request = request.header(reqwest::header::CONTENT_TYPE, *media).body(body.clone());
        }
        Ok(match request.send().await {
            Ok(response) => read(response).await,
            Err(error) => Err(silence(error.without_url())),
        })
    }
}

async fn read(mut response: reqwest::Response) -> Result<Answer, Silence> {
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| Silence::Lost(error.without_url()))?
    {
        if body.len() + chunk.len() > LARGEST {
            return Err(Silence::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body })
}

fn silence(error: reqwest::Error) -> Silence {
    if !error.is_connect() {
        return Silence::Lost(error);
    }
    if causes(&error).iter().any(|cause| cause.contains("certificate")) {
        return Silence::Untrusted(error);
    }
    Silence::NotSent(error)
}

/// The texts of an error's causes, outermost first.
pub(crate) fn causes(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut texts = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        texts.push(cause.to_string());
        next = cause.source();
    }
    texts
}

fn builder(user_agent: &str, proxy: Option<&Proxy>) -> Result<ClientBuilder, CloudError> {
    let mut builder = reqwest::Client::builder()
        .user_agent(user_agent)
        .connect_timeout(CONNECT)
        .timeout(WHOLE)
        .pool_idle_timeout(REST)
        .redirect(Policy::none())
        .no_proxy();
    let Some(proxy) = proxy else { return Ok(builder) };
    let except = NoProxy::from_string(&format!(
        "localhost,127.0.0.0/8,::1,{}",
        proxy.except.as_deref().unwrap_or_default()
    ));
    if let Some(address) = &proxy.http {
        let way = reqwest::Proxy::http(address.expose_secret()).map_err(|_| bad_proxy("http_proxy"))?;
        builder = builder.proxy(way.no_proxy(except.clone()));
    }
    if let Some(address) = &proxy.https {
        let way = reqwest::Proxy::https(address.expose_secret()).map_err(|_| bad_proxy("https_proxy"))?;
        builder = builder.proxy(way.no_proxy(except));
    }
    Ok(builder)
}

fn trusting(mut builder: ClientBuilder, tls: &Tls) -> Result<reqwest::Client, CloudError> {
    if let Some(pem) = &tls.ca {
        let authorities = Certificate::from_pem_bundle(pem).map_err(|_| bad_pem("OS_CACERT"))?;
        if authorities.is_empty() {
            return Err(bad_pem("OS_CACERT"));
        }
        builder = builder.tls_certs_only(authorities);
    }
    if let Some(pem) = &tls.identity {
        let identity = Identity::from_pem(pem.expose_secret().as_bytes()).map_err(|_| bad_pem("OS_CERT"))?;
        builder = builder.identity(identity);
    }
    if tls.insecure {
        builder = builder.tls_danger_accept_invalid_certs(true);
    }
    builder.build().map_err(|error| refused(&error))
}

fn bad_pem(name: &str) -> CloudError {
    let message = format!("the file that `{name}` names has no usable PEM");
    CloudError::new(CloudErrorKind::Invalid, "prepare TLS", message)
}

fn bad_proxy(name: &str) -> CloudError {
    CloudError::new(
        CloudErrorKind::Invalid,
        "prepare the proxy",
        format!("`{name}` is not an address"),
    )
}

fn refused(error: &reqwest::Error) -> CloudError {
    let detail = causes(error).pop().unwrap_or_else(|| error.to_string());
    CloudError::new(
        CloudErrorKind::Unavailable,
        "prepare TLS",
        format!("TLS cannot be set up: {detail}"),
    )
    .hint("install the system's certificate authorities, or set `OS_CACERT`")
}
