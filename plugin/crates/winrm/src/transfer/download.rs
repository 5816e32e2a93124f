//! From the guest to here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reseal_machine::CommError;
use reseal_machine::communicator::{Progress, Store, Transferred};
use sha2::{Digest as _, Sha256};

use crate::operations::{READ, RangeInput, ReadResult};
use crate::session::Session;

/// Bytes of one range, and how many ranges are asked for at once.
const RANGE: u64 = 256 * 1024;
const WINDOW: u64 = 4;
/// How much a file may grow while it is copied. One that grows faster than it is read has no end.
const GROWTH: u64 = 64 * 1024 * 1024;

/// Copies a file of the guest. What a growing file gains meanwhile comes along.
pub(crate) async fn download(
    session: &Session,
    from: &str,
    to: &mut dyn Store,
    progress: &dyn Progress,
) -> Result<Transferred, CommError> {
    let mut arrived = Arrived {
        from,
        to,
        progress,
        hash: Sha256::new(),
        done: 0,
        size: 0,
        first_size: None,
        sha256: None,
    };
    while arrived.sha256.is_none() {
        let before = arrived.done;
        for range in session.read(from, arrived.done, arrived.size).await? {
            if arrived.sha256.is_none() {
                arrived.take(range)?;
            }
        }
        if arrived.done == before && arrived.sha256.is_none() {
            return Err(CommError::Protocol(format!(
                "the guest has no more of `{from}`, and not all of it"
            )));
        }
    }
    arrived.finish()
}

impl Session {
    /// Reads the next ranges: one while the size is unknown, then as many as there are, up to the window.
    async fn read(&self, path: &str, offset: u64, size: u64) -> Result<Vec<ReadResult>, CommError> {
        let count = size.saturating_sub(offset).div_ceil(RANGE).clamp(1, WINDOW);
        let range = |number| RangeInput {
            path,
            offset: offset + number * RANGE,
            length: RANGE,
        };
        self.ask_all(READ, &(0..count).map(range).collect::<Vec<_>>()).await
    }
}

struct Arrived<'a> {
    from: &'a str,
    to: &'a mut dyn Store,
    progress: &'a dyn Progress,
    hash: Sha256,
    done: u64,
    size: u64,
    /// The size when the copy began.
    first_size: Option<u64>,
    /// The guest's hash of everything, once the end has been reached.
    sha256: Option<String>,
}

impl Arrived<'_> {
    fn take(&mut self, range: ReadResult) -> Result<(), CommError> {
        let bytes = STANDARD
            .decode(range.data)
            .map_err(|error| CommError::Protocol(format!("the guest's bytes are not base64: {error}")))?;
        let first_size = *self.first_size.get_or_insert(range.size);
        let done = self.done.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if done > first_size.saturating_add(GROWTH) {
            return Err(CommError::Protocol(format!(
                "`{}` grows while it is copied: it had {first_size} bytes at first, {done} have come",
                self.from
            )));
        }
        self.to.append(&bytes).map_err(|source| CommError::Local {
            path: format!("the copy of {}", self.from),
            source,
        })?;
        self.hash.update(&bytes);
        self.done = done;
        self.size = range.size.max(self.done);
        self.sha256 = range.sha256;
        self.progress.progress(self.done, self.size);
        Ok(())
    }

    fn finish(self) -> Result<Transferred, CommError> {
        let found = hex::encode(self.hash.finalize());
        let expected = self.sha256.unwrap_or_default();
        if found != expected {
            return Err(CommError::Checksum {
                path: self.from.to_owned(),
                expected: found,
                found: expected,
            });
        }
        Ok(Transferred {
            sent: self.done,
            size: self.done,
            sha256: found,
            unchanged: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use reseal_machine::communicator::Silent;

    use super::*;

    #[test]
    fn a_file_that_grows_for_ever_is_given_up() {
        let mut store = Vec::new();
        let mut arrived = Arrived {
            from: r"C:\log.txt",
            to: &mut store,
            progress: &Silent,
            hash: Sha256::new(),
            done: 0,
            size: 0,
            first_size: None,
            sha256: None,
        };
        let data = STANDARD.encode(vec![b'x'; 1 << 20]);
        let more = |size| ReadResult {
            data: data.clone(),
            size,
            sha256: None,
        };
        let mut size = 1 << 20;
        let error = loop {
            size += 1 << 20;
            if let Err(error) = arrived.take(more(size)) {
                break error;
            }
        };
        assert!(error.to_string().contains("grows while it is copied"), "{error}");
        assert!(store.len() < 80 << 20, "{}", store.len());
    }
}
