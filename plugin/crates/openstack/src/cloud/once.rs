//! Creating one thing exactly once, although answers get lost.
//!
//! A creation whose fate is unclear is looked up by its marks. Found: it is ours. Not found after the service itself said
//! that it failed: it is asked for again. Not found after silence: it may still come, so the caller is told `perhaps`.

use std::time::Duration;

use reseal_machine::CloudError;
use serde_json::Value;

use super::OpenStack;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::paging::List;

/// How to recognise what an earlier request made.
pub(super) struct Look<'a> {
    pub(super) list: List,
    pub(super) is_ours: &'a (dyn Fn(&Value) -> bool + Send + Sync),
}

/// What a creation led to.
pub(super) enum Made {
    /// The cloud's answer.
    Now(Reply),
    /// The item of a list: an earlier request had worked.
    Before(Value),
}

/// Requests for one thing, the first included.
const ROUNDS: u32 = 3;
/// Pauses between look-ups, for lists lag behind.
const LOOKS: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

impl OpenStack {
    /// Sends a creation, and looks before sending it again.
    pub(super) async fn create_once(&self, request: &Request, look: &Look<'_>) -> Result<Made, CloudError> {
        let mut round = 1;
        loop {
            let error = match self.client.call(request).await {
                Err(error) if error.perhaps => error,
                done => return done.map(Made::Now),
            };
            match self.look(look).await {
                Ok(Some(found)) => return Ok(Made::Before(found)),
                // 502 comes from a proxy whose service did not answer, 500 and 503 from the service.
                Ok(None) if matches!(error.http, Some(500 | 502 | 503)) && round < ROUNDS => round += 1,
                Ok(None) => return Err(error),
                Err(also) => {
                    tracing::debug!(error = %also, "The look-up after an unclear creation failed too");
                    return Err(error);
                }
            }
        }
    }

    async fn look(&self, look: &Look<'_>) -> Result<Option<Value>, CloudError> {
        for pause in LOOKS {
            if !pause.is_zero() {
                self.client.config.clock.sleep(pause).await;
            }
            let found = self
                .client
                .list(&look.list)
                .await?
                .into_iter()
                .find(|item| (look.is_ours)(item));
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}
