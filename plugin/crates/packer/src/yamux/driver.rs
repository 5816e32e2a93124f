//! The two tasks of a session: one reads without ever waiting for a stream's user, one writes.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::timeout;

use super::frame::{Frame, HEADER, Kind};
use super::state::Payload;
use super::{SessionError, Shared};

/// How long the peer may leave the connection full. Its own patience is 10 s.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);

/// Reads frames until the connection or the peer's manners end.
pub(super) async fn read<C: AsyncRead>(mut connection: ReadHalf<C>, shared: Arc<Shared>) {
    let over = shared.over.clone();
    let error = tokio::select! {
        () = over.cancelled() => return,
        error = read_frames(&mut connection, &shared) => error,
    };
    tracing::debug!(%error, "session ends");
    if matches!(error, SessionError::Protocol(_)) {
        shared.lock().complain();
    }
    shared.end(error);
}

async fn read_frames<C: AsyncRead>(connection: &mut ReadHalf<C>, shared: &Shared) -> SessionError {
    let mut buffer = Vec::new();
    loop {
        if let Err(error) = read_frame(connection, shared, &mut buffer).await {
            return error;
        }
        shared.outgoing.notify_one();
    }
}

async fn read_frame<C: AsyncRead>(
    connection: &mut ReadHalf<C>,
    shared: &Shared,
    buffer: &mut Vec<u8>,
) -> Result<(), SessionError> {
    let mut header = [0; HEADER];
    connection.read_exact(&mut header).await.map_err(io)?;
    let frame = Frame::parse(header)?;
    let payload = shared.lock().receive(frame)?;
    shared.incoming.notify_one();
    if frame.kind != Kind::Data {
        return Ok(());
    }
    match payload {
        Payload::Take => {
            // At most a window, or the state would have refused it.
            buffer.resize(usize::try_from(frame.length).unwrap_or_default(), 0);
            connection.read_exact(buffer).await.map_err(io)?;
            shared.lock().deliver(frame, buffer);
        }
        Payload::Skip => {
            let mut skipped = connection.take(u64::from(frame.length));
            tokio::io::copy(&mut skipped, &mut tokio::io::sink())
                .await
                .map_err(io)?;
        }
    }
    Ok(())
}

/// Writes what is queued until the session is over or closed.
pub(super) async fn write<C: AsyncWrite>(mut connection: WriteHalf<C>, shared: Arc<Shared>) {
    loop {
        let (batch, closed, over) = {
            let mut state = shared.lock();
            (state.outgoing(), state.closed(), state.over().is_some())
        };
        if !batch.is_empty() {
            if let Err(error) = write_batch(&mut connection, &batch).await {
                shared.end(error);
                return;
            }
        } else if closed || over {
            let _ = timeout(WRITE_PATIENCE, connection.shutdown()).await;
            shared.end(SessionError::Ended);
            return;
        } else {
            shared.outgoing.notified().await;
        }
    }
}

async fn write_batch<C: AsyncWrite>(connection: &mut WriteHalf<C>, batch: &[u8]) -> Result<(), SessionError> {
    let written = async {
        connection.write_all(batch).await?;
        connection.flush().await
    };
    match timeout(WRITE_PATIENCE, written).await {
        Ok(result) => result.map_err(io),
        Err(_) => Err(SessionError::Io(std::io::ErrorKind::TimedOut)),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "used with map_err")]
fn io(error: std::io::Error) -> SessionError {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe => {
            SessionError::Closed
        }
        kind => SessionError::Io(kind),
    }
}
