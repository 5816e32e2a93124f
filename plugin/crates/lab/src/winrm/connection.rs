//! One TCP connection: who is at the other end, and whether what it says is sealed.
//!
//! NTLM authenticates the connection, not the request: every message after the login belongs to the user of the
//! login, and a login that is spread over two connections fails.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::Mutex;

use super::computer::{Account, Certified};
use super::multipart;
use super::ntlm::acceptor::Binding;
use super::ntlm::keys::{channel_bindings, nt_hash};
use super::ntlm::{Acceptor, Granted, Session, message};
use super::service::{Reply, Service};
use super::spnego::{self, State, Token};

const SOAP_TYPE: &str = "application/soap+xml;charset=UTF-8";

/// The connection ends without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection was dropped")]
pub struct Dropped;

enum Login {
    None,
    Challenged(Box<Pending>),
    In(Box<User>),
}

struct Pending {
    acceptor: Acceptor,
    /// The DER of the mechanism list, when the client wraps its tokens.
    mechanisms: Option<Vec<u8>>,
}

struct User {
    account: Account,
    session: Session,
}

/// A connection's state.
pub struct Connection {
    service: Arc<Service>,
    tls: Option<Arc<Certified>>,
    login: Mutex<Login>,
}

/// Whether a token came in a later token of SPNEGO, and with which signature over the mechanism list.
#[derive(Clone, Copy)]
enum Wrapped<'a> {
    No,
    Yes(Option<&'a [u8]>),
}

enum Challenge {
    /// Go on with this token.
    Token(Vec<u8>),
    /// Start over.
    Refused,
}

enum Entry {
    /// The user of this request, with a token for the answer.
    Granted(Account, Option<String>),
    Challenge(Challenge),
}

impl Connection {
    /// A fresh connection; `tls` is the certificate that it presented.
    pub fn new(service: Arc<Service>, tls: Option<Arc<Certified>>) -> Self {
        Self {
            service,
            tls,
            login: Mutex::new(Login::None),
        }
    }

    /// Answers one HTTP request.
    ///
    /// # Errors
    /// [`Dropped`] when the connection must break.
    pub async fn handle(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Dropped> {
        if request.uri().path() != "/wsman" {
            return Ok(plain(StatusCode::NOT_FOUND));
        }
        if request.method() != Method::POST {
            return Ok(plain(StatusCode::METHOD_NOT_ALLOWED));
        }
        let header = |name| {
            request
                .headers()
                .get(name)
                .and_then(|value: &HeaderValue| value.to_str().ok())
        };
        let authorization = header(AUTHORIZATION).map(ToOwned::to_owned);
        let content_type = header(CONTENT_TYPE).unwrap_or_default().to_owned();
        let Some(body) = self.read(request).await? else {
            return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE));
        };
        let mut login = self.login.lock().await;
        match self.enter(&mut login, authorization.as_deref()) {
            Entry::Challenge(challenge) => Ok(self.unauthorized(&challenge)),
            Entry::Granted(account, token) => {
                let mut response = self.serve(&mut login, &account, &content_type, &body).await?;
                if let Some(value) = token.and_then(|token| HeaderValue::from_str(&token).ok()) {
                    response.headers_mut().insert(WWW_AUTHENTICATE, value);
                }
                Ok(response)
            }
        }
    }

    /// The body, or `None` when it is longer than any envelope may be. Sealing adds less than a kilobyte.
    async fn read(&self, request: Request<Incoming>) -> Result<Option<Bytes>, Dropped> {
        let most = self.service.computer().policy().max_envelope_kb * 1024 + 1024;
        match Limited::new(request.into_body(), most).collect().await {
            Ok(body) => Ok(Some(body.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => Ok(None),
            Err(_) => Err(Dropped),
        }
    }

    fn enter(&self, login: &mut Login, authorization: Option<&str>) -> Entry {
        let Some(authorization) = authorization else {
            return match login {
                Login::In(user) => Entry::Granted(user.account.clone(), None),
                _ => Entry::Challenge(Challenge::Refused),
            };
        };
        let (scheme, value) = authorization.split_once(' ').unwrap_or((authorization, ""));
        let entry = match (
            scheme.to_ascii_lowercase().as_str(),
            BASE64_STANDARD.decode(value.trim()),
        ) {
            ("basic", Ok(value)) => self.basic(&value),
            ("negotiate", Ok(token)) => self.negotiate(login, &token),
            _ => None,
        };
        entry.unwrap_or_else(|| {
            *login = Login::None;
            Entry::Challenge(Challenge::Refused)
        })
    }

    /// Basic is for https only, whatever the configuration says.
    fn basic(&self, value: &[u8]) -> Option<Entry> {
        let computer = self.service.computer();
        if !computer.policy().basic {
            return None;
        }
        if self.tls.is_none() {
            computer.violation("Basic credentials over clear http".to_owned());
            return None;
        }
        let text = std::str::from_utf8(value).ok()?;
        let (name, password) = text.split_once(':')?;
        let (domain, user) = name.split_once('\\').unwrap_or(("", name));
        let account = computer.account(user, domain)?;
        let right = account.nt_hash == nt_hash(password) && !computer.refuses_logins();
        right.then_some(Entry::Granted(account, None))
    }

    fn negotiate(&self, login: &mut Login, bytes: &[u8]) -> Option<Entry> {
        match spnego::decode(bytes)? {
            Token::Raw(token) => self.ntlm(login, token, None, Wrapped::No),
            Token::Init {
                ntlm_first: true,
                token: Some(token),
                mechanisms,
                ..
            } => self.ntlm(login, token, Some(mechanisms.to_vec()), Wrapped::No),
            Token::Init { ntlm: true, .. } => {
                let ask = spnego::encode_response(State::Incomplete, true, None, None);
                Some(Entry::Challenge(Challenge::Token(ask)))
            }
            Token::Init { .. } => None,
            Token::Response { token, mic } => self.ntlm(login, token?, None, Wrapped::Yes(mic)),
        }
    }

    /// One NTLM token: `mechanisms` begins a wrapped login, `mic` belongs to the end of one.
    fn ntlm(&self, login: &mut Login, token: &[u8], mechanisms: Option<Vec<u8>>, mic: Wrapped<'_>) -> Option<Entry> {
        if message::kind(token) == Some(1) {
            let computer = self.service.computer();
            let acceptor = Acceptor::begin(token, &computer.name(), computer.nonce(), computer.filetime()).ok()?;
            let answer = match &mechanisms {
                Some(_) => spnego::encode_response(State::Incomplete, true, Some(acceptor.challenge()), None),
                None => acceptor.challenge().to_vec(),
            };
            *login = Login::Challenged(Box::new(Pending { acceptor, mechanisms }));
            return Some(Entry::Challenge(Challenge::Token(answer)));
        }
        let Login::Challenged(pending) = std::mem::replace(login, Login::None) else {
            self.service
                .computer()
                .violation("an NTLM login was spread over several connections".to_owned());
            return None;
        };
        let (user, answer) = self.finish(&pending, token, mic)?;
        let account = user.account.clone();
        *login = Login::In(Box::new(user));
        Some(Entry::Granted(account, answer))
    }

    fn finish(&self, pending: &Pending, token: &[u8], mic: Wrapped<'_>) -> Option<(User, Option<String>)> {
        let computer = self.service.computer();
        let mut found = None;
        let hash_of = |user: &str, domain: &str| {
            found = computer.account(user, domain);
            found.as_ref().map(|account| account.nt_hash)
        };
        let granted = match pending.acceptor.finish(token, hash_of, self.binding()) {
            Ok(granted) => granted,
            Err(error) => {
                tracing::debug!(%error, "Refused a login");
                return None;
            }
        };
        if computer.refuses_logins() || pending.mechanisms.is_some() != matches!(mic, Wrapped::Yes(_)) {
            return None;
        }
        let Granted { mut session, .. } = granted;
        let answer = match (&pending.mechanisms, mic) {
            (Some(mechanisms), Wrapped::Yes(mic)) => Some(wrapped_end(&mut session, mechanisms, mic)?),
            _ => None,
        };
        Some((
            User {
                account: found?,
                session,
            },
            answer,
        ))
    }

    fn binding(&self) -> Option<Binding> {
        let tls = self.tls.as_ref()?;
        let hash = channel_bindings(&end_point_bindings(&tls.leaf));
        Some(Binding {
            hash,
            required: self.service.computer().policy().strict_bindings,
        })
    }

    async fn serve(
        &self,
        login: &mut Login,
        account: &Account,
        content_type: &str,
        body: &[u8],
    ) -> Result<Response<Full<Bytes>>, Dropped> {
        if body.is_empty() {
            return Ok(plain(StatusCode::OK));
        }
        let sealed = multipart::is_sealed(content_type);
        let clear = match (sealed, login) {
            (true, Login::In(user)) if self.tls.is_none() => match unseal(&mut user.session, body) {
                Some(clear) => {
                    let reply = self.reply(account, &clear).await?;
                    return Ok(seal(&mut user.session, reply));
                }
                None => return Ok(self.unsealable("a sealed message with wrong framing, order or signature")),
            },
            (true, _) => return Ok(self.unsealable("a sealed message where none belongs")),
            (false, _) => body,
        };
        if self.tls.is_none() && !self.service.computer().policy().allow_unencrypted {
            self.service
                .computer()
                .violation("a message in clear text over http".to_owned());
            return Ok(plain(StatusCode::INTERNAL_SERVER_ERROR));
        }
        if !content_type.to_ascii_lowercase().starts_with("application/soap+xml") {
            return Ok(plain(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        Ok(clear_response(self.reply(account, clear).await?))
    }

    fn unsealable(&self, what: &str) -> Response<Full<Bytes>> {
        self.service.computer().violation(what.to_owned());
        plain(StatusCode::BAD_REQUEST)
    }

    /// Status and text of the answer; an empty text with 413 for envelopes that are too long.
    async fn reply(&self, account: &Account, clear: &[u8]) -> Result<(StatusCode, String), Dropped> {
        if clear.len() > self.service.computer().policy().max_envelope_kb * 1024 {
            return Ok((StatusCode::PAYLOAD_TOO_LARGE, String::new()));
        }
        let Ok(text) = std::str::from_utf8(clear) else {
            return Ok((StatusCode::BAD_REQUEST, String::new()));
        };
        match self.service.answer(account, text).await {
            Reply::Envelope(text) => Ok((StatusCode::OK, text)),
            Reply::Fault(text) => Ok((StatusCode::INTERNAL_SERVER_ERROR, text)),
            Reply::Broken => Err(Dropped),
        }
    }

    fn unauthorized(&self, challenge: &Challenge) -> Response<Full<Bytes>> {
        let mut response = plain(StatusCode::UNAUTHORIZED);
        let values = match challenge {
            Challenge::Token(token) => vec![format!("Negotiate {}", BASE64_STANDARD.encode(token))],
            Challenge::Refused => {
                let basic = self.tls.is_some() && self.service.computer().policy().basic;
                let basic = basic.then(|| "Basic realm=\"WSMAN\"".to_owned());
                ["Negotiate".to_owned()].into_iter().chain(basic).collect()
            }
        };
        for value in values.iter().filter_map(|value| HeaderValue::from_str(value).ok()) {
            response.headers_mut().append(WWW_AUTHENTICATE, value);
        }
        response
    }
}

/// The last SPNEGO token. When the client signed the mechanism list, so do we, and both streams begin again.
fn wrapped_end(session: &mut Session, mechanisms: &[u8], mic: Option<&[u8]>) -> Option<String> {
    let ours = match mic {
        Some(mic) => {
            if !session.verify(mic, mechanisms) {
                return None;
            }
            let ours = session.sign(mechanisms);
            session.restart();
            Some(ours)
        }
        None => None,
    };
    let token = spnego::encode_response(State::Completed, false, None, ours.as_ref().map(<[u8; 16]>::as_slice));
    Some(format!("Negotiate {}", BASE64_STANDARD.encode(token)))
}

/// `tls-server-end-point` (RFC 5929): the certificate's hash with its own signature's hash function, SHA-256 at least.
pub fn end_point_bindings(leaf: &[u8]) -> Vec<u8> {
    use sha2::Digest as _;
    const SHA384: [&str; 2] = ["1.2.840.113549.1.1.12", "1.2.840.10045.4.3.3"];
    const SHA512: [&str; 2] = ["1.2.840.113549.1.1.13", "1.2.840.10045.4.3.4"];
    let parsed = x509_parser::parse_x509_certificate(leaf).ok();
    let algorithm = parsed.map(|(_, certificate)| certificate.signature_algorithm.algorithm.to_id_string());
    let mut data = b"tls-server-end-point:".to_vec();
    match algorithm.as_deref() {
        Some(id) if SHA384.contains(&id) => data.extend_from_slice(&sha2::Sha384::digest(leaf)),
        Some(id) if SHA512.contains(&id) => data.extend_from_slice(&sha2::Sha512::digest(leaf)),
        _ => data.extend_from_slice(&sha2::Sha256::digest(leaf)),
    }
    data
}

fn unseal(session: &mut Session, body: &[u8]) -> Option<Vec<u8>> {
    let sealed = multipart::decode(body)?;
    session.unseal(sealed.signature, sealed.data)
}

fn seal(session: &mut Session, (status, text): (StatusCode, String)) -> Response<Full<Bytes>> {
    if text.is_empty() {
        return plain(status);
    }
    let (signature, data) = session.seal(text.as_bytes());
    with_body(status, multipart::CONTENT_TYPE, multipart::encode(&signature, &data))
}

fn clear_response((status, text): (StatusCode, String)) -> Response<Full<Bytes>> {
    if text.is_empty() {
        plain(status)
    } else {
        with_body(status, SOAP_TYPE, text.into_bytes())
    }
}

fn with_body(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = status;
    response
}
