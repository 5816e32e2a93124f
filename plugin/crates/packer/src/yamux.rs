//! Many streams over one connection, as hashicorp/yamux does it.
//!
//! Written here rather than taken from a crate. The crate at hand (libp2p's `yamux`) acknowledges a stream only with the
//! first data, resets a stream that is dropped (the peer loses what it has not read), ends the connection at any
//! `GoAway`,
//! and must be polled by its users for pings to be answered. Each of these differs from what Packer's own library does,
//! and Packer ends the session over some of them. The protocol is small: [`frame`] is the header, [`state`] the rules
//! without any I/O, [`driver`] two tasks that move bytes, [`stream`] what users hold.

mod driver;
mod frame;
mod state;
mod stream;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub(crate) use state::Side;
use state::State;
pub(crate) use stream::{Closer, Stream};

/// Why a session ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The peer closed the connection.
    #[error("Packer closed the connection")]
    Closed,
    /// We closed it.
    #[error("the session was closed")]
    Ended,
    /// The peer broke the rules.
    #[error("the peer broke the multiplexing protocol: {0}")]
    Protocol(&'static str),
    /// The peer said that we broke them.
    #[error("the peer gave up the session with code {0}")]
    GoneAway(u32),
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Io(std::io::ErrorKind),
    /// No more streams may be opened.
    #[error("no more streams can be opened")]
    Exhausted,
}

/// What the tasks and the streams of a session share.
struct Shared {
    state: Mutex<State>,
    /// Something is to be written.
    outgoing: Notify,
    /// A stream came in, or the session ended.
    incoming: Notify,
    /// Set when the session is over.
    over: CancellationToken,
}

impl Shared {
    /// The state. A panic while it was locked cannot leave it half changed in a way that matters: the session ends.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the session and wakes everybody who waits for it.
    fn end(&self, error: SessionError) {
        self.lock().end(error);
        self.over.cancel();
        self.outgoing.notify_one();
        self.incoming.notify_one();
    }
}

/// One connection with many streams. Ends when it is dropped.
pub(crate) struct Session {
    shared: Arc<Shared>,
}

impl Session {
    /// Takes over a connection. Must be called within a tokio runtime.
    pub(crate) fn new<C>(connection: C, side: Side) -> Self
    where
        C: AsyncRead + AsyncWrite + Send + 'static,
    {
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new(side)),
            outgoing: Notify::new(),
            incoming: Notify::new(),
            over: CancellationToken::new(),
        });
        let (reader, writer) = tokio::io::split(connection);
        tokio::spawn(driver::read(reader, Arc::clone(&shared)));
        tokio::spawn(driver::write(writer, Arc::clone(&shared)));
        Self { shared }
    }

    /// Opens a stream.
    pub(crate) fn open(&self) -> Result<Stream, SessionError> {
        let id = self.shared.lock().open()?;
        self.shared.outgoing.notify_one();
        Ok(Stream::new(Arc::clone(&self.shared), id))
    }

    /// The next stream that the peer opened; `None` when the session is over. One task may wait here.
    pub(crate) async fn accept(&self) -> Option<Stream> {
        loop {
            {
                let mut state = self.shared.lock();
                if let Some(id) = state.accept() {
                    return Some(Stream::new(Arc::clone(&self.shared), id));
                }
                if state.over().is_some() {
                    return None;
                }
            }
            self.shared.incoming.notified().await;
        }
    }

    /// Cancelled when the session is over.
    pub(crate) fn over(&self) -> CancellationToken {
        self.shared.over.clone()
    }

    /// Why it is over.
    pub(crate) fn error(&self) -> Option<SessionError> {
        self.shared.lock().over().cloned()
    }

    /// Sends what is queued, then closes the connection.
    pub(crate) fn close(&self) {
        self.shared.lock().close();
        self.shared.outgoing.notify_one();
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests;
