//! Streams that are asked for by number.
//!
//! Whoever will accept a stream chooses its number and tells the other side inside a call; the other side opens a stream
//! and writes that number first, and gets it back. The number has nothing to do with the stream's own id.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::yamux::{Session, SessionError, Side, Stream};

/// How long a number is waited for, and how long a stream waits for somebody who wants its number. Packer's own value.
const MEETING: Duration = Duration::from_secs(5);
/// How long the echo of a number may take: the other side may wait for [`MEETING`] first.
const ECHO: Duration = Duration::from_secs(15);
/// The number of the first stream, on which the component itself is served.
pub(crate) const MAIN: u32 = 0;

/// Why a stream could not be had.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The other side did not come.
    #[error("nobody opened stream {0} within {seconds} s", seconds = MEETING.as_secs())]
    Nobody(u32),
    /// The other side did not answer.
    #[error("stream {0} was not accepted")]
    Refused(u32),
    /// The other side answered with another number.
    #[error("stream {asked} was answered as {echoed}")]
    BadEcho {
        /// The number we asked for.
        asked: u32,
        /// The number that came back.
        echoed: u32,
    },
    /// The session does not allow it.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The stream broke.
    #[error("the stream broke")]
    Io(#[from] std::io::Error),
}

/// Hands out streams by number. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Broker {
    inner: Arc<Inner>,
}

struct Inner {
    session: Session,
    last: AtomicU32,
    meetings: Mutex<HashMap<u32, Meeting>>,
}

/// Who came first to a number.
enum Meeting {
    Waits(oneshot::Sender<Stream>),
    Came(Stream),
}

/// A number that was reserved and can be told to the other side.
pub(crate) struct Ticket {
    broker: Broker,
    id: u32,
    stream: oneshot::Receiver<Stream>,
}

impl Broker {
    /// Takes over a connection. Must be called within a tokio runtime.
    pub(crate) fn new<C>(connection: C, side: Side) -> Self
    where
        C: AsyncRead + AsyncWrite + Send + 'static,
    {
        let inner = Inner {
            session: Session::new(connection, side),
            last: AtomicU32::new(0),
            meetings: Mutex::default(),
        };
        let broker = Self { inner: Arc::new(inner) };
        tokio::spawn(broker.clone().receive());
        broker
    }

    /// Cancelled when the connection is over.
    pub(crate) fn over(&self) -> CancellationToken {
        self.inner.session.over()
    }

    /// Why the connection is over.
    pub(crate) fn error(&self) -> Option<SessionError> {
        self.inner.session.error()
    }

    /// Sends what is queued and closes the connection.
    pub(crate) fn close(&self) {
        self.inner.session.close();
    }

    /// Reserves a number of ours. From here on the other side may open it.
    pub(crate) fn offer(&self) -> Ticket {
        let id = self.inner.last.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        self.expect(id)
    }

    /// Waits for a number that the other side knows anyway.
    pub(crate) fn expect(&self, id: u32) -> Ticket {
        let (sender, stream) = oneshot::channel();
        let before = self.meetings().insert(id, Meeting::Waits(sender));
        if let Some(Meeting::Came(early)) = before {
            self.meet(id, early);
        }
        Ticket {
            broker: self.clone(),
            id,
            stream,
        }
    }

    /// Opens the stream that the other side accepts under this number.
    pub(crate) async fn dial(&self, id: u32) -> Result<Stream, BrokerError> {
        let mut stream = self.inner.session.open()?;
        stream.write_all(&id.to_le_bytes()).await?;
        let mut echo = [0; 4];
        match timeout(ECHO, stream.read_exact(&mut echo)).await {
            Err(_) => return Err(BrokerError::Refused(id)),
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Err(BrokerError::Refused(id));
            }
            Ok(read) => read?,
        };
        let echoed = u32::from_le_bytes(echo);
        if echoed == id {
            Ok(stream)
        } else {
            Err(BrokerError::BadEcho { asked: id, echoed })
        }
    }

    /// Brings streams of the other side together with those who wait for them, until the session ends.
    async fn receive(self) {
        while let Some(stream) = self.inner.session.accept().await {
            tokio::spawn(self.clone().introduce(stream));
        }
    }

    async fn introduce(self, mut stream: Stream) {
        let mut id = [0; 4];
        match timeout(MEETING, stream.read_exact(&mut id)).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => return,
        }
        let id = u32::from_le_bytes(id);
        if self.meet(id, stream) {
            return;
        }
        let over = self.over();
        if timeout(MEETING, over.cancelled()).await.is_err() {
            let mut meetings = self.meetings();
            if matches!(meetings.get(&id), Some(Meeting::Came(_))) {
                meetings.remove(&id);
                tracing::debug!(id, "nobody wanted the stream");
            }
        }
    }

    /// Gives a stream to whoever waits for its number, or keeps it; true if it was given.
    fn meet(&self, id: u32, stream: Stream) -> bool {
        let mut meetings = self.meetings();
        match meetings.remove(&id) {
            Some(Meeting::Waits(receiver)) => receiver.send(stream).is_ok(),
            Some(Meeting::Came(_)) | None => {
                meetings.insert(id, Meeting::Came(stream));
                false
            }
        }
    }

    fn meetings(&self) -> MutexGuard<'_, HashMap<u32, Meeting>> {
        self.inner.meetings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// The number to tell.
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// Waits until the other side has opened the stream, and confirms it.
    pub(crate) async fn accept(mut self) -> Result<Stream, BrokerError> {
        let over = self.broker.over();
        let came = tokio::select! {
            came = timeout(MEETING, &mut self.stream) => came,
            () = over.cancelled() => return Err(self.broker.error().unwrap_or(SessionError::Ended).into()),
        };
        let Ok(Ok(mut stream)) = came else {
            return Err(BrokerError::Nobody(self.id));
        };
        stream.write_all(&self.id.to_le_bytes()).await?;
        Ok(stream)
    }
}

impl Drop for Ticket {
    /// Nobody waits any more.
    fn drop(&mut self) {
        self.stream.close();
        let mut meetings = self.broker.meetings();
        if matches!(meetings.get(&self.id), Some(Meeting::Waits(sender)) if sender.is_closed()) {
            meetings.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests;
