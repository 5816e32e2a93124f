//! Requests over a few connections: which connection, how often, and what an answer means.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reseal_machine::clock::elapsed;

use crate::config::{ConfigError, WinRmConfig};
use crate::error::Error;
use crate::http::{Connection, Endpoint};
use crate::soap::{self, Body, Envelope, FaultKind, Request};
use crate::stats::Counters;

/// The service closes idle connections after two minutes; we do not use one that is nearly as old.
const IDLE: Duration = Duration::from_secs(90);
/// `MaxEnvelopeSizekb`, from the largest that is worth having down to the smallest that Windows allows: the default
/// since Server 2012, that of Server 2008 R2, and two more steps for guests that somebody has hardened.
const USUAL_KB: u32 = 500;
const OLD_KB: u32 = 150;
const SMALLEST_KB: u32 = 32;
const SIZES_KB: [u32; 4] = [USUAL_KB, OLD_KB, 64, SMALLEST_KB];
/// What an envelope needs beside the data of a Send.
const OVERHEAD: u32 = 4096;
/// Attempts of a request that may be repeated.
const ATTEMPTS: u32 = 3;

/// The service, for everything above.
pub(crate) struct Client {
    pub(crate) config: WinRmConfig,
    endpoint: Endpoint,
    url: String,
    idle: Mutex<Vec<(Connection, Timestamp)>>,
    /// Shells whose owner was dropped without closing them.
    orphans: Mutex<Vec<String>>,
    /// 0 while unknown.
    envelope_kb: AtomicU32,
}

impl Client {
    pub(crate) fn new(config: WinRmConfig, counters: Arc<Counters>) -> Result<Self, ConfigError> {
        Ok(Self {
            endpoint: Endpoint::new(&config, counters)?,
            url: config.url(),
            config,
            idle: Mutex::default(),
            orphans: Mutex::default(),
            envelope_kb: AtomicU32::new(0),
        })
    }

    /// Sends a request and returns what the service says; a fault is an error. Requests that may be repeated are, on
    /// new connections; others only if they certainly never left.
    pub(crate) async fn call(&self, request: &Request<'_>) -> Result<Body, Error> {
        let mut attempt = 1;
        loop {
            let error = match Box::pin(self.attempt(request)).await {
                Ok(body) => return Ok(body),
                Err(error) => error,
            };
            let again = match error {
                Error::NotSent(_) => attempt < ATTEMPTS,
                // A Receive is repeated by the process, which must know that output may be missing.
                Error::Lost(_) => {
                    attempt < ATTEMPTS && request.repeatable() && !matches!(request, Request::Receive { .. })
                }
                _ => false,
            };
            if !again {
                return Err(error);
            }
            tracing::debug!(%error, doing = request.doing(), "Repeating a request");
            attempt += 1;
        }
    }

    async fn attempt(&self, request: &Request<'_>) -> Result<Body, Error> {
        let envelope = Envelope {
            to: &self.url,
            id: (self.config.ids)(),
            timeout: self.config.operation_timeout,
            max_size: USUAL_KB * 1024,
        };
        let message = envelope.write(request)?;
        let mut connection = match self.take_idle() {
            Some(connection) => connection,
            None => Connection::open(&self.endpoint).await?,
        };
        let answer = connection.exchange(&self.endpoint, &message).await?;
        let answer = soap::parse(&answer).map_err(Error::Protocol)?;
        if answer
            .relates_to
            .is_some_and(|id| !id.eq_ignore_ascii_case(&envelope.message_id()))
        {
            return Err(Error::Protocol("the answer belongs to another request".to_owned()));
        }
        self.put_idle(connection);
        judge(answer.body, request)
    }

    /// How many bytes of input one Send may carry. Asks the guest once.
    pub(crate) async fn chunk(&self) -> usize {
        let mut limit = self.envelope_kb.load(Ordering::Relaxed);
        if limit == 0 {
            limit = match self.call(&Request::Config).await {
                Ok(Body::Config(Some(limit))) => limit.clamp(SMALLEST_KB, USUAL_KB),
                _ => USUAL_KB,
            };
            self.envelope_kb.store(limit, Ordering::Relaxed);
        }
        chunk_of(limit)
    }

    /// How much of `wanted` bytes of input one Send may carry. Short ones need no question about the guest's limits.
    pub(crate) async fn room(&self, wanted: usize) -> usize {
        let unknown = self.envelope_kb.load(Ordering::Relaxed) == 0;
        if unknown && wanted <= chunk_of(OLD_KB) {
            return wanted;
        }
        self.chunk().await.min(wanted)
    }

    /// Takes note that a Send of `sent` bytes was refused by its length. False when nothing shorter can be tried.
    pub(crate) fn shrink(&self, sent: usize) -> bool {
        let present = self.envelope_kb.load(Ordering::Relaxed);
        if present != 0 && chunk_of(present) < sent {
            // Another connection has learnt it meanwhile.
            return true;
        }
        let smaller = SIZES_KB.into_iter().find(|size| chunk_of(*size) < sent);
        smaller
            .inspect(|size| self.envelope_kb.store(*size, Ordering::Relaxed))
            .is_some()
    }

    /// Takes over a shell that nobody closed.
    pub(crate) fn adopt(&self, shell: String) {
        self.orphans.lock().unwrap_or_else(PoisonError::into_inner).push(shell);
    }

    /// Deletes the shells that nobody closed.
    pub(crate) async fn bury(&self) {
        let orphans = std::mem::take(&mut *self.orphans.lock().unwrap_or_else(PoisonError::into_inner));
        for shell in orphans {
            let closed = self.call(&Request::Delete { shell: &shell }).await;
            // Nobody there, or nobody who answers: to wait for each of them would take minutes. The shells went with the
            // guest, or go when they have been idle for long enough.
            if let Err(Error::Unreachable(_) | Error::Lost(_) | Error::NotReady(_)) = closed {
                return;
            }
        }
    }

    /// Closes the connections that nobody uses.
    pub(crate) fn hang_up(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((connection, since)) = idle.pop() {
            if connection.is_open() && elapsed(self.config.clock.as_ref(), since) < IDLE {
                return Some(connection);
            }
        }
        None
    }

    fn put_idle(&self, connection: Connection) {
        if connection.is_open() {
            let now = self.config.clock.now();
            self.idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((connection, now));
        }
    }
}

/// A fault is an error; some have a class of their own.
fn judge(body: Body, request: &Request<'_>) -> Result<Body, Error> {
    let Body::Fault(fault) = body else { return Ok(body) };
    Err(match fault.kind() {
        // A Receive has nothing to tell yet. Whatever else took too long may still be carried out.
        FaultKind::PollAgain if !matches!(request, Request::Receive { .. }) => {
            Error::Lost(format!("{} took the guest too long: {fault}", request.doing()))
        }
        FaultKind::Quota => Error::Crowded(fault),
        FaultKind::NotReady => Error::NotReady(format!("WinRM cannot start processes yet: {fault}")),
        FaultKind::TooLarge => Error::TooLarge,
        FaultKind::AccessDenied => Error::Auth(format!(
            "the account may not use remote shells; it must be an administrator with a full token: {fault}"
        )),
        _ => Error::Fault(fault),
    })
}

/// Whole groups of three bytes, so that base64 needs no padding.
fn chunk_of(limit_kb: u32) -> usize {
    usize::try_from((limit_kb * 1024 - OVERHEAD) / 4 * 3).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_fill_the_envelope() {
        assert_eq!(chunk_of(500), 380_928);
        assert_eq!(chunk_of(OLD_KB), 112_128);
        assert!(chunk_of(SMALLEST_KB) > 20_000);
    }
}
