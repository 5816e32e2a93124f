//! The lab's time: it jumps, or it runs faster than the wall's.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use reseal_machine::Clock;

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
