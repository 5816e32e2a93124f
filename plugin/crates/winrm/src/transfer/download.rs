//! From the guest to here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reseal_machine::CommError;
use reseal_machine::communicator::{Progress, Store, Transferred};
use sha2::{Digest as _, Sha256};

use crate::operations::{self, READ, RangeInput, ReadResult};
use crate::runner::Call;
use crate::session::{Session, json};

/// Bytes of one range, and how many ranges are asked for at once.
const RANGE: u64 = 256 * 1024;
const WINDOW: u64 = 4;

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
        let inputs = (0..count)
            .map(|number| {
                json(&RangeInput {
                    path,
                    offset: offset + number * RANGE,
                    length: RANGE,
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let calls: Vec<Call<'_>> = inputs
            .iter()
            .map(|input| Call {
                name: READ.name,
                text: READ.text,
                input,
            })
            .collect();
        let replies = self.ask_all(READ.name, &calls).await?;
        replies
            .into_iter()
            .map(|reply| operations::read(READ.name, reply))
            .collect()
    }
}

struct Arrived<'a> {
    from: &'a str,
    to: &'a mut dyn Store,
    progress: &'a dyn Progress,
    hash: Sha256,
    done: u64,
    size: u64,
    /// The guest's hash of everything, once the end has been reached.
    sha256: Option<String>,
}

impl Arrived<'_> {
    fn take(&mut self, range: ReadResult) -> Result<(), CommError> {
        let bytes = STANDARD
            .decode(range.data)
            .map_err(|error| CommError::Protocol(format!("the guest's bytes are not base64: {error}")))?;
        self.to.append(&bytes).map_err(|source| CommError::Local {
            path: format!("the copy of {}", self.from),
            source,
        })?;
        self.hash.update(&bytes);
        self.done += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
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
