//! Trying a call again while its error says that this can help.
//!
//! The one place beside [`Clock`] implementations where waiting between attempts is decided.

use std::future::Future;
use std::time::Duration;

use crate::clock::Clock;
use crate::error::{CloudError, Status};

/// How often and how patiently a call is tried again.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub attempts: u32,
    /// Pause after the first failure; doubles each time.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Default for RetryPolicy {
    /// Six attempts: 1, 2, 4, 8, 16 seconds apart.
    fn default() -> Self {
        Self {
            attempts: 6,
            first: Duration::from_secs(1),
            longest: Duration::from_secs(30),
        }
    }
}

/// Runs `call` until it succeeds, fails for good, or patience ends; then its error is [`Status::Persistent`].
pub async fn retry<T, F, Fut>(clock: &dyn Clock, policy: RetryPolicy, mut call: F) -> Result<T, CloudError>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, CloudError>>,
{
    let mut pause = policy.first;
    let mut attempt = 1;
    loop {
        match call().await {
            Err(error) if error.status == Status::Temporary && attempt < policy.attempts => {
                clock.sleep(pause).await;
                pause = (pause * 2).min(policy.longest);
                attempt += 1;
            }
            Err(mut error) => {
                if error.status == Status::Temporary {
                    error.status = Status::Persistent;
                }
                return Err(error);
            }
            done => return done,
        }
    }
}
