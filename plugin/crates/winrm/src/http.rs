//! One HTTP connection to the service: socket, TLS, login, and one exchange at a time.
//!
//! NTLM authenticates a TCP connection, so nobody but this module may choose which connection a request takes. It is
//! the only module that opens sockets.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, USER_AGENT, WWW_AUTHENTICATE,
};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use secrecy::ExposeSecret as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::config::{Auth, AuthKind, ConfigError, Transport, WinRmConfig};
use crate::error::Error;
use crate::multipart;
use crate::ntlm::Ntlm;
use crate::stats::Counters;
use crate::tls;

const SOAP_TYPE: &str = "application/soap+xml;charset=UTF-8";
const AGENT: &str = concat!("reseal/", env!("CARGO_PKG_VERSION"));
/// No answer of the service is longer; a longer one ends the connection.
const LONGEST_ANSWER: usize = 32 * 1024 * 1024;
/// The slowest way on which a message is still waited for, in bytes a second. Several connections may share it.
const SLOWEST: u64 = 8 * 1024;

/// Where connections go, and what they need.
pub(crate) struct Endpoint {
    host: String,
    port: u16,
    host_header: String,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    auth: Auth,
    connect_timeout: Duration,
    answer_timeout: Duration,
    counters: Arc<Counters>,
}

impl Endpoint {
    pub(crate) fn new(config: &WinRmConfig, counters: Arc<Counters>) -> Result<Self, ConfigError> {
        let tls = match &config.transport {
            Transport::Http if config.auth.kind == AuthKind::Basic => return Err(ConfigError::BasicOverHttp),
            Transport::Http => None,
            Transport::Https { trust } => {
                let host = config.address.host.clone();
                let name = ServerName::try_from(host.clone()).map_err(|_| ConfigError::Host(host))?;
                Some((tls::connector(trust)?, name))
            }
        };
        Ok(Self {
            host: config.address.host.clone(),
            port: config.address.port,
            host_header: config.address.to_string(),
            tls,
            auth: config.auth.clone(),
            connect_timeout: config.connect_timeout,
            answer_timeout: config.operation_timeout + config.read_timeout,
            counters,
        })
    }

    fn at(&self, what: impl fmt::Display) -> String {
        format!("{}: {what}", self.host_header)
    }
}

/// How far the login of a connection is.
enum Login {
    /// Every request carries the password.
    Basic(HeaderValue),
    /// Nobody is logged in yet; the channel binding token of the TLS connection, if there is one.
    Fresh(Option<Vec<u8>>),
    /// Logged in; every message is sealed.
    Sealed(Box<Ntlm>),
    /// Logged in and bound to the TLS connection.
    Bound,
}

/// A connection.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: AbortHandle,
    login: Login,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Connection {
    /// Opens a connection; the login comes with the first exchange.
    pub(crate) async fn open(endpoint: &Endpoint) -> Result<Self, Error> {
        let limit = endpoint.connect_timeout;
        let tcp = timeout(limit, TcpStream::connect((endpoint.host.as_str(), endpoint.port)))
            .await
            .map_err(|_| Error::Unreachable(endpoint.at("no answer to the connection request")))?
            .map_err(|error| Error::Unreachable(endpoint.at(error)))?;
        let _ = tcp.set_nodelay(true);
        match &endpoint.tls {
            None => Self::over(endpoint, tcp, None).await,
            Some((connector, name)) => {
                let stream = timeout(limit, connector.connect(name.clone(), tcp))
                    .await
                    .map_err(|_| Error::Unreachable(endpoint.at("no answer to the TLS handshake")))?
                    .map_err(|error| tls_error(endpoint, &error))?;
                let leaf = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
                let binding = leaf.map(|leaf| tls::channel_binding(leaf)).unwrap_or_default();
                Self::over(endpoint, stream, Some(binding)).await
            }
        }
    }

    async fn over<S>(endpoint: &Endpoint, stream: S, binding: Option<Vec<u8>>) -> Result<Self, Error>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let stream = Counted {
            stream,
            counters: Arc::clone(&endpoint.counters),
        };
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| Error::Unreachable(endpoint.at(error)))?;
        let driver = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "Connection to the guest ended");
            }
        })
        .abort_handle();
        let login = match endpoint.auth.kind {
            AuthKind::Basic => Login::Basic(basic(&endpoint.auth)?),
            AuthKind::Negotiate => Login::Fresh(binding),
        };
        Ok(Self { sender, driver, login })
    }

    /// Whether the connection can take another request, as far as is known.
    pub(crate) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Sends one SOAP message and returns the SOAP message that answers it. After an error the connection must be
    /// dropped.
    pub(crate) async fn exchange(&mut self, endpoint: &Endpoint, message: &[u8]) -> Result<String, Error> {
        let authorization = self.log_in(endpoint).await?;
        let presented = authorization.is_some();
        let (kind, body) = match &mut self.login {
            Login::Sealed(ntlm) => {
                let frame = multipart::write(message, |bytes| ntlm.seal(bytes)).map_err(Error::Protocol)?;
                (multipart::CONTENT_TYPE, frame)
            }
            _ => (SOAP_TYPE, message.to_vec()),
        };
        let reply = self.post(endpoint, authorization, kind, body).await?;
        self.read(endpoint, &reply, presented)
    }

    /// Logs in where that is due; returns the header that the next request has to carry.
    async fn log_in(&mut self, endpoint: &Endpoint) -> Result<Option<HeaderValue>, Error> {
        let binding = match &mut self.login {
            Login::Basic(header) => return Ok(Some(header.clone())),
            Login::Sealed(_) | Login::Bound => return Ok(None),
            Login::Fresh(binding) => binding.take(),
        };
        endpoint.counters.login();
        let mut ntlm = Ntlm::new(&endpoint.auth, binding.as_deref()).map_err(Error::Auth)?;
        let token = ntlm.negotiate().map_err(Error::Auth)?;
        let reply = self.post_login(endpoint, &token).await?;
        let challenge = challenge(endpoint, &reply)?;
        let token = ntlm.authenticate(&challenge).map_err(Error::Auth)?;
        if binding.is_some() {
            // Over TLS the message itself may go with the last token.
            self.login = Login::Bound;
            return negotiate_header(&token).map(Some);
        }
        let reply = self.post_login(endpoint, &token).await?;
        check_login(endpoint, &reply)?;
        self.login = Login::Sealed(Box::new(ntlm));
        Ok(None)
    }

    /// A request without a body. Nothing can have been carried out when it fails.
    async fn post_login(&mut self, endpoint: &Endpoint, token: &[u8]) -> Result<Reply, Error> {
        let header = negotiate_header(token)?;
        self.post(endpoint, Some(header), SOAP_TYPE, Vec::new())
            .await
            .map_err(|error| match error {
                Error::Lost(why) | Error::NotSent(why) => Error::Unreachable(why),
                other => other,
            })
    }

    async fn post(
        &mut self,
        endpoint: &Endpoint,
        authorization: Option<HeaderValue>,
        kind: &'static str,
        body: Vec<u8>,
    ) -> Result<Reply, Error> {
        let limit = endpoint.answer_timeout + on_the_way(body.len());
        let mut request = Request::post("/wsman")
            .header(HOST, endpoint.host_header.as_str())
            .header(USER_AGENT, AGENT)
            .header(CONNECTION, "Keep-Alive")
            .header(CONTENT_TYPE, kind)
            .header(CONTENT_LENGTH, body.len());
        if let Some(header) = authorization {
            request = request.header(AUTHORIZATION, header);
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| Error::Protocol(error.to_string()))?;
        endpoint.counters.request();
        timeout(limit, self.send(request))
            .await
            .unwrap_or_else(|_| Err(Error::Lost(format!("no answer within {limit:?}"))))
            .map_err(|error| locate(endpoint, error))
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Reply, Error> {
        self.sender
            .ready()
            .await
            .map_err(|error| Error::NotSent(error.to_string()))?;
        let response = self.sender.try_send_request(request).await.map_err(|mut error| {
            let unsent = error.take_message().is_some();
            let why = with_causes(error.error());
            if unsent { Error::NotSent(why) } else { Error::Lost(why) }
        })?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, LONGEST_ANSWER)
            .collect()
            .await
            .map_err(|error| too_long_or_lost(error.as_ref()))?;
        Ok(Reply {
            status: parts.status,
            headers: parts.headers,
            body: body.to_bytes(),
        })
    }

    /// Why a login was refused: the service may not take this kind at all, and says so by what it offers.
    fn not_let_in(&self, endpoint: &Endpoint, reply: &Reply) -> Error {
        let offers = offers(reply);
        let basic = |offer: &&str| {
            offer
                .trim()
                .get(..5)
                .is_some_and(|word| word.eq_ignore_ascii_case("Basic"))
        };
        if matches!(self.login, Login::Basic(_)) && !offers.is_empty() && !offers.iter().any(basic) {
            return Error::Auth(endpoint.at(format!("the service does not take Basic, it offers: {}", list(&offers))));
        }
        refused(endpoint)
    }

    /// Takes the SOAP message out of an answer.
    fn read(&mut self, endpoint: &Endpoint, reply: &Reply, presented: bool) -> Result<String, Error> {
        match reply.status {
            StatusCode::UNAUTHORIZED if presented => return Err(self.not_let_in(endpoint, reply)),
            StatusCode::UNAUTHORIZED => return Err(Error::NotSent(endpoint.at("the login was forgotten"))),
            StatusCode::FORBIDDEN => return Err(refused(endpoint)),
            StatusCode::PAYLOAD_TOO_LARGE => return Err(Error::TooLarge),
            StatusCode::SERVICE_UNAVAILABLE => return Err(not_ready(endpoint)),
            _ => {}
        }
        let kind = header(&reply.headers, CONTENT_TYPE.as_str());
        let bytes = match &mut self.login {
            Login::Sealed(ntlm) => unseal(ntlm, kind, reply)?,
            _ => reply.body.to_vec(),
        };
        if bytes.is_empty() {
            return Err(Error::Protocol(
                endpoint.at(format!("HTTP {} without a message", reply.status.as_u16())),
            ));
        }
        String::from_utf8(bytes).map_err(|_| Error::Protocol(endpoint.at("the answer is not UTF-8")))
    }
}

/// How long a message may be on its way, beside the time that its answer may take.
fn on_the_way(bytes: usize) -> Duration {
    Duration::from_secs(u64::try_from(bytes).unwrap_or(u64::MAX) / SLOWEST)
}

/// An answer that broke off, or one that has no end: to ask for that again would be no use.
fn too_long_or_lost(error: &(dyn std::error::Error + 'static)) -> Error {
    if error.is::<LengthLimitError>() {
        let longest = LONGEST_ANSWER / (1024 * 1024);
        Error::Protocol(format!("the answer is longer than {longest} MiB"))
    } else {
        Error::Lost(error.to_string())
    }
}

/// An answer to a sealed message must be sealed, whatever its status.
fn unseal(ntlm: &mut Ntlm, kind: &str, reply: &Reply) -> Result<Vec<u8>, Error> {
    if !multipart::is_sealed(kind) {
        let status = reply.status.as_u16();
        return Err(Error::Protocol(format!(
            "HTTP {status} with an answer that is not sealed; it is not believed"
        )));
    }
    let mut sealed = multipart::read(kind, &reply.body)
        .map_err(|why| Error::Protocol(format!("the sealed answer cannot be read: {why}")))?;
    ntlm.unseal(&mut sealed.signature, &mut sealed.message)
        .map_err(|why| Error::Protocol(format!("the answer's seal is broken: {why}")))?;
    Ok(sealed.message)
}

/// The server's NTLM challenge out of its 401.
fn challenge(endpoint: &Endpoint, reply: &Reply) -> Result<Vec<u8>, Error> {
    match reply.status {
        StatusCode::UNAUTHORIZED => {}
        StatusCode::SERVICE_UNAVAILABLE => return Err(not_ready(endpoint)),
        status => {
            return Err(Error::Protocol(
                endpoint.at(format!("HTTP {} to a login", status.as_u16())),
            ));
        }
    }
    let offers = offers(reply);
    let token = offers.iter().find_map(|offer| {
        let (scheme, token) = offer.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case("Negotiate").then(|| token.trim())
    });
    match token {
        Some(token) => STANDARD
            .decode(token)
            .map_err(|_| Error::Protocol(endpoint.at("the login's challenge is not base64"))),
        None => Err(Error::Auth(endpoint.at(format!(
            "it does not go on with Negotiate, it offers: {}",
            list(&offers)
        )))),
    }
}

/// The kinds of login that an answer offers.
fn offers(reply: &Reply) -> Vec<&str> {
    reply
        .headers
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect()
}

fn list(offers: &[&str]) -> String {
    if offers.is_empty() {
        "nothing".to_owned()
    } else {
        offers.join(", ")
    }
}

/// The answer to the last token of a login without a message.
fn check_login(endpoint: &Endpoint, reply: &Reply) -> Result<(), Error> {
    match reply.status {
        // A server may complain about the empty body of an accepted login.
        StatusCode::BAD_REQUEST | StatusCode::INTERNAL_SERVER_ERROR => Ok(()),
        status if status.is_success() => Ok(()),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(refused(endpoint)),
        StatusCode::SERVICE_UNAVAILABLE => Err(not_ready(endpoint)),
        status => Err(Error::Protocol(
            endpoint.at(format!("HTTP {} to a login", status.as_u16())),
        )),
    }
}

fn refused(endpoint: &Endpoint) -> Error {
    Error::Auth(endpoint.at(format!(
        "user `{}` or its password was not accepted",
        endpoint.auth.username
    )))
}

fn not_ready(endpoint: &Endpoint) -> Error {
    Error::NotReady(endpoint.at("the service is not available yet (HTTP 503)"))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

fn negotiate_header(token: &[u8]) -> Result<HeaderValue, Error> {
    secret_header(&format!("Negotiate {}", STANDARD.encode(token)))
}

fn basic(auth: &Auth) -> Result<HeaderValue, Error> {
    let pair = zeroize::Zeroizing::new(format!("{}:{}", auth.username, auth.password.expose_secret()));
    secret_header(&format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}

fn secret_header(text: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(text).map_err(|error| Error::Protocol(error.to_string()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn tls_error(endpoint: &Endpoint, error: &io::Error) -> Error {
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match cause {
        Some(cause) => Error::Tls(endpoint.at(tls::explain(cause))),
        None => Error::Unreachable(endpoint.at(format!("the TLS handshake ended: {error}"))),
    }
}

fn locate(endpoint: &Endpoint, error: Error) -> Error {
    match error {
        Error::Lost(why) => Error::Lost(endpoint.at(why)),
        Error::NotSent(why) => Error::NotSent(endpoint.at(why)),
        other => other,
    }
}

/// An error with its causes; hyper's own text alone says too little.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// A stream that counts what passes.
struct Counted<S> {
    stream: S,
    counters: Arc<Counters>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let poll = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.counters.received(buffer.filled().len() - before);
        poll
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(count)) = &poll {
            self.counters.sent(*count);
        }
        poll
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_has_more_time() {
        assert_eq!(on_the_way(2000), Duration::ZERO);
        assert_eq!(on_the_way(512_000), Duration::from_secs(62));
    }
}
