//! Asking a person what to do about a failed step.

use async_trait::async_trait;
use reseal_engine::Step;
use reseal_engine::run::{Answer, Asker};
use reseal_journal::FailureRecord;

use super::Console;

/// The person at the terminal.
pub struct Terminal {
    console: Console,
}

impl Terminal {
    /// Asks over this console.
    pub fn new(console: Console) -> Self {
        Self { console }
    }
}

#[async_trait]
impl Asker for Terminal {
    async fn ask(&self, step: &Step, failure: &FailureRecord) -> Answer {
        loop {
            self.console.say(&format!("{}: {}", step.title, failure.message));
            self.console
                .say("[c] clean up and end, [a] end without cleaning up, [r] try the step again");
            let answer = tokio::task::spawn_blocking(|| {
                let mut line = String::new();
                std::io::stdin().read_line(&mut line).map(|count| (count, line))
            });
            match answer.await {
                Ok(Ok((count, line))) if count > 0 => match line.trim() {
                    "c" => return Answer::Cleanup,
                    "a" => return Answer::Abort,
                    "r" => return Answer::Retry,
                    _ => {}
                },
                // Nobody is there to answer.
                _ => return Answer::Cleanup,
            }
        }
    }
}
