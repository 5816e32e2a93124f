//! The lab's time: it jumps, or it runs faster than the wall's.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use reseal_machine::Clock;
use reseal_machine::clock::elapsed;

/// A clock on which waiting takes no time: whoever sleeps moves it forward.
///
/// The lab computes every state from `now`, so a client that waits ten minutes finds the machine booted at its next
/// look. INVARIANT: nothing in the lab waits on this clock for something that only a client's next request can bring.
#[derive(Debug)]
pub struct JumpClock(Mutex<Timestamp>);

impl JumpClock {
    /// A clock that begins at `start`.
    pub fn new(start: Timestamp) -> Self {
        Self(Mutex::new(start))
    }

    /// Moves forward to `moment`; never back.
    pub fn advance_to(&self, moment: Timestamp) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = moment.max(*now);
    }
}

#[async_trait]
impl Clock for JumpClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn sleep(&self, duration: Duration) {
        let deadline = self.now().checked_add(duration).unwrap_or(Timestamp::MAX);
        tokio::task::yield_now().await;
        self.advance_to(deadline);
    }
}

/// A clock that runs faster than the one behind it, for a lab that is served to other processes.
pub struct FastClock {
    wall: Arc<dyn Clock>,
    start: Timestamp,
    speed: u32,
}

impl FastClock {
    /// Runs `speed` times as fast as `wall`, from now on.
    pub fn new(wall: Arc<dyn Clock>, speed: u32) -> Self {
        let start = wall.now();
        Self {
            wall,
            start,
            speed: speed.max(1),
        }
    }
}

#[async_trait]
impl Clock for FastClock {
    fn now(&self) -> Timestamp {
        let passed = elapsed(self.wall.as_ref(), self.start);
        self.start.checked_add(passed * self.speed).unwrap_or(Timestamp::MAX)
    }

    async fn sleep(&self, duration: Duration) {
        self.wall.sleep(duration / self.speed).await;
    }
}
