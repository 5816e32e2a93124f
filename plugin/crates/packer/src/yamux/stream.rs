//! One stream of a session, as a pipe in both directions.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::state::Read;
use super::{SessionError, Shared};

/// A stream. When it is dropped, the peer reads the end after everything that was written; it is never reset for that.
pub(crate) struct Stream {
    shared: Arc<Shared>,
    id: u32,
}

/// Ends our direction of a stream that somebody else holds.
#[derive(Clone)]
pub(crate) struct Closer {
    shared: Arc<Shared>,
    id: u32,
}

impl Stream {
    pub(super) fn new(shared: Arc<Shared>, id: u32) -> Self {
        Self { shared, id }
    }

    /// A handle with which to end our direction later.
    pub(crate) fn closer(&self) -> Closer {
        Closer {
            shared: Arc::clone(&self.shared),
            id: self.id,
        }
    }
}

impl Closer {
    /// Says that nothing more comes, unless that was said.
    pub(crate) fn close(&self) {
        self.shared.lock().finish(self.id);
        self.shared.outgoing.notify_one();
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.shared.lock().abandon(self.id);
        self.shared.outgoing.notify_one();
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let result = self
            .shared
            .lock()
            .read(self.id, cx.waker(), buffer.initialize_unfilled());
        match result {
            Ok(Read::Bytes(count)) => {
                buffer.advance(count);
                self.shared.outgoing.notify_one();
                Poll::Ready(Ok(()))
            }
            Ok(Read::Wait) => Poll::Pending,
            // A connection that simply ended is the end of every stream, as it is for Go's.
            Err(SessionError::Closed | SessionError::Ended) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(Err(broken(error))),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = self.shared.lock().write(self.id, cx.waker(), bytes);
        self.shared.outgoing.notify_one();
        match result {
            Ok(Some(count)) => Poll::Ready(Ok(count)),
            Ok(None) => Poll::Pending,
            Err(error) => Poll::Ready(Err(broken(error))),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.closer().close();
        Poll::Ready(Ok(()))
    }
}

fn broken(error: SessionError) -> io::Error {
    match error {
        SessionError::Io(kind) => kind.into(),
        other => io::Error::new(io::ErrorKind::BrokenPipe, other),
    }
}
