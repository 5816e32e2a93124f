//! The wall's time.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use reseal_machine::Clock;

/// The system's clock. `hurry` divides every pause between two looks, for clouds that run faster than real ones
/// (`reseal lab`): limits stay in real time, so nothing is given up earlier.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    hurry: u32,
}

impl SystemClock {
    /// A clock whose pauses are `hurry` times shorter; 1 for real clouds.
    pub fn new(hurry: u32) -> Self {
        Self { hurry: hurry.max(1) }
    }
}

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one real clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one real clock")]
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration / self.hurry).await;
    }
}
