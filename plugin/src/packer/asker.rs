//! What Packer's user wants done about a failed step, and where they want to look around.

use std::sync::Arc;

use async_trait::async_trait;
use reseal_engine::run::{Answer, Asker};
use reseal_engine::{Step, Stop};
use reseal_journal::FailureRecord;
use reseal_packer::{CoreVariables, OnError, Ui};

use super::provisioning::Template;
use super::screen::Screen;

/// Packer's own question.
const QUESTION: &str = "[c] Clean up and exit, [a] abort without cleanup, or [r] retry step (build may fail even if \
                        retry succeeds)?";

/// Decides by `-on-error`, and waits with `-debug`.
pub(super) struct Person<'a> {
    pub(super) core: &'a CoreVariables,
    pub(super) ui: Arc<dyn Ui>,
    pub(super) screen: Arc<Screen>,
    pub(super) template: &'a Template,
    pub(super) stop: Stop,
}

impl Person<'_> {
    async fn pause(&self, what: &str, step: &Step) {
        if !self.core.debug || self.stop.cancel.is_cancelled() {
            return;
        }
        self.screen.flush().await;
        let text = format!("Pausing {what} step '{}'. Press enter to continue.", step.id).into();
        tokio::select! {
            // Where nobody can answer, nobody is waited for.
            _ = self.ui.ask(&text) => {}
            () = self.stop.cancel.cancelled() => {}
        }
    }

    async fn question(&self, step: &Step) -> Answer {
        self.screen.flush().await;
        self.ui.error(&format!("Step \"{}\" failed", step.id)).await;
        loop {
            let question = QUESTION.into();
            let answer = tokio::select! {
                answer = self.ui.ask(&question) => answer,
                () = self.stop.cancel.cancelled() => return Answer::Cleanup,
            };
            match answer.map(|answer| answer.to_string().trim().to_lowercase()).as_deref() {
                Ok("c") | Err(_) => return Answer::Cleanup,
                Ok("a") => return Answer::Abort,
                Ok("r") => return Answer::Retry,
                Ok(_) => self.ui.say("Incorrect input.").await,
            }
        }
    }
}

#[async_trait]
impl Asker for Person<'_> {
    async fn ask(&self, step: &Step, failure: &FailureRecord) -> Answer {
        let answer = match self.core.on_error {
            OnError::Cleanup => Answer::Cleanup,
            OnError::Abort | OnError::RunCleanupProvisioner => {
                self.screen.flush().await;
                self.ui
                    .error(&format!("Step \"{}\" failed, aborting...", step.id))
                    .await;
                Answer::Abort
            }
            OnError::Ask => {
                self.ui.error(&failure.message).await;
                self.question(step).await
            }
        };
        let tidy = answer == Answer::Cleanup || self.core.on_error == OnError::RunCleanupProvisioner;
        if tidy {
            self.template.after_failure(&self.stop.cancel).await;
        }
        answer
    }

    async fn done(&self, step: &Step) {
        self.pause("after run of", step).await;
    }

    async fn undoing(&self, step: &Step) {
        self.pause("before cleanup of", step).await;
    }
}
