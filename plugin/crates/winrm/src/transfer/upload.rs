//! From here into the guest.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::try_join_all;
use reseal_machine::CommError;
use reseal_machine::communicator::{Blob, Progress, Transferred};
use sha2::{Digest as _, Sha256};

use crate::operations::{
    FINISH, FileInput, FinishResult, HASH, HashResult, PREPARE, PrepareResult, RangeInput, RoomInput, STATE,
    StateResult,
};
use crate::session::Session;
use crate::transfer::lane::{LaneError, Mode, read_exactly};
use crate::transfer::plan::{Piece, lanes, pieces};

/// How often a piece is begun again, and the pause after the first loss.
const ATTEMPTS: u32 = 6;
const PAUSE: Duration = Duration::from_secs(1);
/// Ranges whose hashes are asked for at once.
const HASHES: usize = 32;
const BLOCK: usize = 256 * 1024;

/// Copies a blob to a path of the guest.
pub(crate) async fn upload(
    session: &Session,
    from: &dyn Blob,
    to: &str,
    progress: &dyn Progress,
) -> Result<Transferred, CommError> {
    let size = from.len();
    let sha256 = hash_range(
        from,
        Piece {
            offset: 0,
            length: size,
        },
    )?;
    let file = FileInput {
        path: to,
        size,
        sha256: &sha256,
    };
    let state: StateResult = session.ask(STATE, &file).await?;
    if state.equal {
        progress.progress(size, size);
        return Ok(Transferred {
            sent: 0,
            size,
            sha256,
            unchanged: true,
        });
    }
    let upload = Upload {
        session,
        from,
        to,
        part: format!("{to}.partial"),
        progress,
        size,
        done: AtomicU64::new(0),
        sent: AtomicU64::new(0),
    };
    let missing = upload.missing(&state, &file).await?;
    upload.send(missing).await?;
    upload.finish(&file).await?;
    Ok(Transferred {
        sent: upload.sent.into_inner(),
        size,
        sha256,
        unchanged: false,
    })
}

struct Upload<'a> {
    session: &'a Session,
    from: &'a dyn Blob,
    to: &'a str,
    part: String,
    progress: &'a dyn Progress,
    size: u64,
    /// Bytes that are in the guest.
    done: AtomicU64,
    /// Bytes that were sent for it.
    sent: AtomicU64,
}

impl Upload<'_> {
    /// Which pieces have to be sent: all of them, or those that an interrupted copy left out.
    async fn missing(&self, state: &StateResult, file: &FileInput<'_>) -> Result<Vec<Piece>, CommError> {
        let all = pieces(self.size, self.session.client.chunk().await);
        if state.partial.as_ref().is_some_and(|part| part.size == self.size) {
            return self.differing(all).await;
        }
        let there = state.partial.as_ref().map_or(0, |part| part.size);
        if let Some(free) = state.free_bytes.filter(|free| free.saturating_add(there) < self.size) {
            let message = format!(
                "`{}` needs {} bytes, the guest's disk has {free} left",
                self.to, self.size
            );
            return Err(CommError::Script {
                script: PREPARE.name.to_owned(),
                message,
                tail: Vec::new(),
            });
        }
        let room = RoomInput {
            path: file.path,
            size: file.size,
        };
        let made: PrepareResult = self.session.ask(PREPARE, &room).await?;
        if made.size != self.size {
            return Err(CommError::Protocol(format!(
                "the guest made room for {} bytes of {}",
                made.size, self.size
            )));
        }
        Ok(all)
    }

    /// Compares pieces by their hashes.
    async fn differing(&self, all: Vec<Piece>) -> Result<Vec<Piece>, CommError> {
        let mut differing = Vec::new();
        for some in all.chunks(HASHES) {
            let theirs = self.hashes(some).await?;
            for (piece, found) in some.iter().zip(theirs) {
                if hash_range(self.from, *piece)? == found {
                    self.advance(piece.length);
                } else {
                    differing.push(*piece);
                }
            }
        }
        Ok(differing)
    }

    async fn hashes(&self, some: &[Piece]) -> Result<Vec<String>, CommError> {
        let ranges: Vec<_> = some.iter().map(|piece| self.range(*piece)).collect();
        let found: Vec<HashResult> = self.session.ask_all(HASH, &ranges).await?;
        Ok(found.into_iter().map(|result| result.sha256).collect())
    }

    /// Sends pieces over as many receivers as are worth it; each takes the next one that nobody has.
    async fn send(&self, missing: Vec<Piece>) -> Result<(), CommError> {
        if missing.is_empty() {
            return Ok(());
        }
        let mode = self
            .session
            .mode()
            .await
            .map_err(|error| error.into_comm("testing how files can be copied"))?;
        let workers = lanes(missing.len(), self.session.client.config.shells);
        let queue = Queue::new(missing, workers);
        try_join_all((0..workers).map(|_| self.work(&queue, mode))).await?;
        Ok(())
    }

    /// One worker. Where the guest has no room for its receiver, the others do its part.
    async fn work(&self, queue: &Queue, mode: Mode) -> Result<(), CommError> {
        while let Some(piece) = queue.take() {
            match self.send_piece(piece, mode, queue).await? {
                Sent::All => {}
                Sent::NoRoom => {
                    queue.put_back(piece);
                    return Ok(());
                }
            }
        }
        queue.leave();
        Ok(())
    }

    /// Sends one piece, through losses: after each the guest is asked how much of it is there.
    async fn send_piece(&self, piece: Piece, mode: Mode, queue: &Queue) -> Result<Sent, CommError> {
        let mut rest = piece;
        let mut pause = PAUSE;
        for attempt in 1.. {
            let handed = AtomicU64::new(0);
            let error = match self.try_piece(rest, mode, &handed).await {
                Ok(()) => return Ok(Sent::All),
                // What was handed over of it would be lost count of; so only before that.
                Err(LaneError::Crowded(error)) if rest == piece && queue.leave() => {
                    tracing::debug!(%error, "Going on with fewer receivers");
                    return Ok(Sent::NoRoom);
                }
                Err(error) => error,
            };
            let again = error.may_be_gone_on_from() && attempt < ATTEMPTS;
            if !again {
                return Err(self.explain(error));
            }
            tracing::debug!(?error, attempt, "Going on with a piece");
            let handed = handed.into_inner();
            self.session.client.config.clock.sleep(pause).await;
            pause *= 2;
            let damaged = matches!(error, LaneError::Damaged { .. });
            let kept = if damaged { 0 } else { self.kept(rest, handed).await? };
            self.step_back(handed - kept);
            rest = rest.after(kept);
            if rest.length == 0 {
                return Ok(Sent::All);
            }
        }
        Ok(Sent::All)
    }

    async fn try_piece(&self, piece: Piece, mode: Mode, handed: &AtomicU64) -> Result<(), LaneError> {
        let mut lane = self.session.lane().await?;
        let arrived = |count: u64| {
            handed.fetch_add(count, Ordering::Relaxed);
            self.sent.fetch_add(count, Ordering::Relaxed);
            self.advance(count);
        };
        let result = lane.put(self.from, &self.part, piece, mode, &arrived).await;
        match &result {
            Ok(()) => self.session.put_lane(lane),
            // Dropped: its shell is deleted when somebody is there again.
            Err(LaneError::Loss(_)) => drop(lane),
            Err(_) => lane.stop().await,
        }
        result
    }

    /// How many of the bytes that were handed over are in the guest's file.
    async fn kept(&self, piece: Piece, handed: u64) -> Result<u64, CommError> {
        if handed == 0 {
            return Ok(0);
        }
        let range = Piece {
            offset: piece.offset,
            length: handed,
        };
        let theirs: HashResult = self.session.ask(HASH, &self.range(range)).await?;
        Ok(if theirs.sha256 == hash_range(self.from, range)? {
            handed
        } else {
            0
        })
    }

    fn range(&self, piece: Piece) -> RangeInput<'_> {
        RangeInput {
            path: self.to,
            offset: piece.offset,
            length: piece.length,
        }
    }

    async fn finish(&self, file: &FileInput<'_>) -> Result<(), CommError> {
        // A receiver that was lost half-way may still have the file open.
        self.session.client.bury().await;
        let finished = match self.session.ask_once::<FinishResult>(FINISH, file).await {
            Err(CommError::Lost { .. } | CommError::Unreachable(_)) => self.look_up_finish(file).await?,
            result => result?,
        };
        if finished.equal {
            return Ok(());
        }
        Err(CommError::Checksum {
            path: self.to.to_owned(),
            expected: file.sha256.to_owned(),
            found: finished.sha256,
        })
    }

    /// The answer to `transfer_finish` was lost: the file is there, or the question is put again.
    async fn look_up_finish(&self, file: &FileInput<'_>) -> Result<FinishResult, CommError> {
        let state: StateResult = self.session.ask(STATE, file).await?;
        if state.equal {
            return Ok(FinishResult {
                sha256: file.sha256.to_owned(),
                equal: true,
            });
        }
        self.session.ask_once(FINISH, file).await
    }

    fn advance(&self, count: u64) {
        let done = self.done.fetch_add(count, Ordering::Relaxed) + count;
        self.progress.progress(done.min(self.size), self.size);
    }

    fn step_back(&self, count: u64) {
        self.done.fetch_sub(count, Ordering::Relaxed);
    }

    fn explain(&self, error: LaneError) -> CommError {
        match error {
            LaneError::Loss(error) | LaneError::Exchange(error) | LaneError::Crowded(error) => {
                error.into_comm(&format!("copying `{}`", self.to))
            }
            LaneError::Guest(message) | LaneError::Mute(message) => CommError::Script {
                script: "receiver".to_owned(),
                message,
                tail: Vec::new(),
            },
            LaneError::Damaged { expected, found } => CommError::Checksum {
                path: self.to.to_owned(),
                expected,
                found,
            },
            LaneError::Local(source) => CommError::Local {
                path: self.from.name(),
                source,
            },
        }
    }
}

/// What became of a piece.
enum Sent {
    All,
    NoRoom,
}

/// The pieces that nobody has, and how many workers are left for them.
struct Queue {
    pieces: Mutex<VecDeque<Piece>>,
    workers: AtomicUsize,
}

impl Queue {
    fn new(pieces: Vec<Piece>, workers: usize) -> Self {
        Self {
            pieces: Mutex::new(pieces.into()),
            workers: AtomicUsize::new(workers),
        }
    }

    fn take(&self) -> Option<Piece> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn put_back(&self, piece: Piece) {
        self.pieces
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_front(piece);
    }

    /// One worker less, unless it is the last.
    fn leave(&self) -> bool {
        let fewer = |workers: usize| (workers > 1).then(|| workers - 1);
        self.workers
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer)
            .is_ok()
    }
}

/// The SHA-256 of a range of a blob.
fn hash_range(from: &dyn Blob, range: Piece) -> Result<String, CommError> {
    hash_blocks(from, range).map_err(|source| CommError::Local {
        path: from.name(),
        source,
    })
}

fn hash_blocks(from: &dyn Blob, range: Piece) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut block = vec![0; BLOCK];
    let mut rest = range;
    while rest.length > 0 {
        let count = usize::try_from(rest.length).unwrap_or(usize::MAX).min(BLOCK);
        let place = block.get_mut(..count).unwrap_or_default();
        read_exactly(from, rest.offset, place)?;
        hash.update(&*place);
        rest = rest.after(u64::try_from(count).unwrap_or(u64::MAX));
    }
    Ok(hex::encode(hash.finalize()))
}
