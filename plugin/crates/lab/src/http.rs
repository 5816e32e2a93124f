//! A small HTTP/1.1 server over any stream: the cloud's services and the guest's WinRM endpoint both stand on it.
//!
//! One handler is made for each connection, because NTLM authenticates a connection and not a request. A handler
//! that answers `Err(Hangup)` lets the connection end without an answer, as a crashed proxy would.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The connection ends here and now, without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection was ended without an answer")]
pub struct Hangup;

/// An answer with its whole body in memory.
pub type Answer = Response<Full<Bytes>>;

/// Answers the requests of one connection, one after the other.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request, or hangs up.
    fn answer(&self, request: Request<Incoming>) -> impl Future<Output = Result<Answer, Hangup>> + Send;
}

/// Accepts connections until `stop`; each gets its own handler from `connect`. All work is spawned on `tasks`.
pub fn serve<H, F>(listener: TcpListener, stop: CancellationToken, tasks: &TaskTracker, connect: F)
where
    H: Handler,
    F: Fn(SocketAddr) -> H + Send + 'static,
{
    let connections = tasks.clone();
    tasks.spawn(async move {
        while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
            // A connection that failed before it was accepted is the client's loss, not the end of the service.
            let Ok((stream, peer)) = accepted else { continue };
            // Answers are single writes; waiting to join them with others would only add latency.
            let _ = stream.set_nodelay(true);
            let handler = connect(peer);
            let stop = stop.clone();
            connections.spawn(async move { serve_connection(stream, handler, &stop).await });
        }
    });
}

/// Serves one connection (plain, or TLS already done) until it ends or `stop`.
pub async fn serve_connection<S, H>(stream: S, handler: H, stop: &CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Handler,
{
    let handler = Arc::new(handler);
    let service = service_fn(move |request| {
        let handler = Arc::clone(&handler);
        async move { handler.answer(request).await }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .keep_alive(true)
        .serve_connection(TokioIo::new(stream), service);
    // How the connection ended (hang-up, broken pipe, half a request) is the client's to notice.
    let _ = stop.run_until_cancelled(connection).await;
}

/// Reads a whole body of at most `limit` bytes.
pub async fn read_body<B>(body: B, limit: usize) -> io::Result<Bytes>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) => Err(io::Error::new(io::ErrorKind::InvalidData, error)),
    }
}
