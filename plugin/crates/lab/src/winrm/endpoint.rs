//! Sockets: one address, the ports 5985 and 5986, and what they do at this moment.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{HeaderValue, SERVER};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::computer::{Certified, Computer, Listening};
use super::connection::{Connection, Dropped};
use super::service::Service;

/// The ports of WinRM.
pub const PORTS: [u16; 2] = [5985, 5986];

/// http.sys closes a connection that nobody has used for two minutes; in the guest's milliseconds.
const IDLE_LIMIT: i64 = 120_000;

/// A computer's endpoint on the network. Dropping it closes everything.
pub struct Endpoint {
    service: Arc<Service>,
    address: IpAddr,
    open: CancellationToken,
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.open.cancel();
    }
}

impl Endpoint {
    /// Serves `computer` on `ports` of `address`.
    ///
    /// # Errors
    /// When a port cannot be bound, or outside of a tokio runtime.
    pub fn bind(address: IpAddr, ports: &[u16], computer: Arc<dyn Computer>) -> io::Result<Self> {
        let runtime = tokio::runtime::Handle::try_current().map_err(io::Error::other)?;
        let bound: io::Result<Vec<_>> = ports
            .iter()
            .map(|port| bind_one(SocketAddr::new(address, *port)))
            .collect();
        let bound = bound?;
        let endpoint = Self {
            service: Arc::new(Service::new(computer)),
            address,
            open: CancellationToken::new(),
        };
        for (listener, port) in bound.into_iter().zip(ports) {
            let serving = serve(listener, *port, Arc::clone(&endpoint.service), endpoint.open.clone());
            runtime.spawn(serving);
        }
        Ok(endpoint)
    }

    /// Its address.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Open shells, for tests and for the question what is left.
    pub fn open_shells(&self) -> usize {
        self.service.open_shells()
    }

    /// Closes the sockets and all connections.
    pub fn close(&self) {
        self.open.cancel();
    }
}

fn bind_one(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

async fn serve(listener: TcpListener, port: u16, service: Arc<Service>, open: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = open.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else { continue };
        let service = Arc::clone(&service);
        let open = open.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = open.cancelled() => {}
                () = Box::pin(one(stream, port, service)) => {}
            }
        });
    }
}

/// One connection, until either side ends it or the machine goes down.
async fn one(stream: TcpStream, port: u16, service: Arc<Service>) {
    let run = service.computer().run();
    let working = async {
        match service.computer().listening(port) {
            Listening::Closed => drop(stream.set_zero_linger()),
            Listening::Unavailable => unavailable(stream).await,
            Listening::Http => http(stream, service, None).await,
            Listening::Https(certified) => {
                if let Ok(stream) = TlsAcceptor::from(Arc::clone(&certified.config)).accept(stream).await {
                    http(stream, service, Some(certified)).await;
                }
            }
        }
    };
    tokio::select! {
        () = run.cancelled() => {}
        () = working => {}
    }
}

async fn http<S>(stream: S, service: Arc<Service>, tls: Option<Arc<Certified>>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let computer = Arc::clone(service.computer());
    let run = computer.run();
    let connection = Arc::new(Connection::new(service, tls));
    let used = Arc::new(AtomicI64::new(computer.millis()));
    let handler = service_fn(move |request: Request<Incoming>| {
        let (connection, computer, run) = (Arc::clone(&connection), Arc::clone(&computer), run.clone());
        let used = Arc::clone(&used);
        async move {
            // The state of the machine is a function of time: this may be the first look after it went down.
            let now = computer.millis();
            let idle = now.saturating_sub(used.swap(now, Ordering::Relaxed));
            if run.is_cancelled() || (computer.closes_idle_connections() && idle > IDLE_LIMIT) {
                return Err(Dropped);
            }
            let response = connection.handle(request).await?;
            delay(computer.as_ref()).await;
            used.store(computer.millis(), Ordering::Relaxed);
            if run.is_cancelled() {
                Err(Dropped)
            } else {
                Ok(named(response))
            }
        }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), handler)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "A connection ended");
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "latency of the network is real time, not the guest's"
)]
async fn delay(computer: &dyn Computer) {
    let latency = computer.latency();
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
}

fn named(mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    response
        .headers_mut()
        .insert(SERVER, HeaderValue::from_static("Microsoft-HTTPAPI/2.0"));
    response
}

async fn unavailable(stream: TcpStream) {
    let handler = service_fn(|_request: Request<Incoming>| async {
        let page =
            "<HTML><HEAD><TITLE>Service Unavailable</TITLE></HEAD><BODY><h2>Service Unavailable</h2></BODY></HTML>";
        let mut response = Response::new(Full::new(Bytes::from_static(page.as_bytes())));
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        Ok::<_, Dropped>(named(response))
    });
    let served = hyper::server::conn::http1::Builder::new()
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), handler)
        .await;
    drop(served);
}
