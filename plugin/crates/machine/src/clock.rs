//! Time as a thing that is handed in.
//!
//! INVARIANT: below the binary nobody asks the operating system for the time and nobody sleeps except through a
//! [`Clock`]. The binary has the real one; the lab has one that jumps, so that an hour of waiting takes no time.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

/// Tells the time and waits.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The present moment. Never goes back.
    fn now(&self) -> Timestamp;

    /// Returns when `duration` has passed on this clock.
    async fn sleep(&self, duration: Duration);
}

/// How often to look while waiting, and for how long at the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// Pause after the first look.
    pub first: Duration,
    /// Pauses grow by half until they are this long.
    pub longest: Duration,
    /// The limit of the whole wait.
    pub limit: Duration,
}

impl Schedule {
    /// The usual rhythm: one second, growing to ten, until `limit`.
    pub fn up_to(limit: Duration) -> Self {
        Self {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(10),
            limit,
        }
    }

    /// The pause before look number `attempt` (the first pause is number 0).
    pub fn pause(&self, attempt: u32) -> Duration {
        let mut pause = self.first;
        for _ in 0..attempt.min(64) {
            pause = (pause * 3 / 2).min(self.longest);
        }
        pause.min(self.longest)
    }
}

/// Seconds since `then`, never negative.
pub fn elapsed(clock: &dyn Clock, then: Timestamp) -> Duration {
    Duration::try_from(clock.now().duration_since(then)).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest() {
        let schedule = Schedule::up_to(Duration::from_mins(1));
        assert_eq!(schedule.pause(0), Duration::from_secs(1));
        assert_eq!(schedule.pause(1), Duration::from_millis(1500));
        assert_eq!(schedule.pause(50), Duration::from_secs(10));
    }
}
