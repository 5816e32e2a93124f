//! Restarts until Windows wants no restart any more: joins the restarts that the software asked for.

use async_trait::async_trait;
use reseal_engine::{Action, ActionError, Context, FailureClass};
use reseal_guest::system::PendingReboot;
use serde::{Deserialize, Serialize};

use super::ask::ask;
use super::reboot::restart;
use crate::world::World;

/// More restarts than this never help.
const ROUNDS: u32 = 5;

/// Which guest.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SettleParams {
    /// The step that connected.
    pub connect: String,
}

/// The action.
pub(super) struct Settle(pub(super) World);

#[async_trait]
impl Action for Settle {
    type Params = SettleParams;
    /// How many restarts it took.
    type Output = u32;

    async fn run(&self, cx: &Context<'_>, params: &SettleParams) -> Result<u32, ActionError> {
        let guest = self.0.guest(cx, &params.connect)?;
        for restarts in 0..=ROUNDS {
            let pending = ask(cx, guest.as_ref(), &PendingReboot::default()).await?;
            let Some(first) = pending.hard.first() else {
                return Ok(restarts);
            };
            if restarts == ROUNDS {
                let names: Vec<String> = pending
                    .hard
                    .iter()
                    .map(|s| format!("{}: {}", s.signal, s.detail))
                    .collect();
                let message = format!("Windows still wants a restart after {ROUNDS} of them");
                return Err(ActionError::new(FailureClass::Install, message).said(names));
            }
            restart(cx, guest.as_ref(), &first.signal).await?;
        }
        Ok(ROUNDS)
    }
}
