//! Asking a person what to do about a failed step.

use async_trait::async_trait;
use reseal_engine::run::{Answer, Asker};
use reseal_engine::{Step, Stop};
use reseal_journal::FailureRecord;
use tokio::sync::oneshot;

use super::Console;
use super::text::tame;

/// The person at the terminal.
pub struct Terminal {
    console: Console,
    stop: Stop,
}

impl Terminal {
    /// Asks over this console, until somebody asks to stop.
    pub(super) fn new(console: Console, stop: Stop) -> Self {
        Self { console, stop }
    }

    fn question(&self, step: &Step, failure: &FailureRecord) {
        let console = &self.console;
        let message = format!("{}: {}", step.title, tame(&failure.message));
        console.put(&console.paint().bad(&message));
        for line in failure.said.iter().skip(failure.said.len().saturating_sub(10)) {
            console.put(&format!("  | {}", tame(line)));
        }
        for hint in &failure.hints {
            console.put(&format!("hint: {hint}"));
        }
        console.put("[c] clean up and end   [a] end and keep everything   [r] try the step again");
    }
}

/// One line of standard input; `None` at its end. On a thread of its own: nothing can end a read, and the program must
/// not wait for it when it is interrupted.
async fn line() -> Option<String> {
    let (give, take) = oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().read_line(&mut line);
        let _ = give.send(read.ok().filter(|count| *count > 0).map(|_| line));
    });
    take.await.ok().flatten()
}

#[async_trait]
impl Asker for Terminal {
    async fn ask(&self, step: &Step, failure: &FailureRecord) -> Answer {
        let _quiet = self.console.pause();
        loop {
            self.question(step, failure);
            let answer = tokio::select! {
                biased;
                () = self.stop.hold.cancelled() => return Answer::Abort,
                () = self.stop.cancel.cancelled() => return Answer::Cleanup,
                answer = line() => answer,
            };
            match answer.as_deref().map(str::trim) {
                // Without an answer nobody is there to give one.
                Some("c" | "cleanup") | None => return Answer::Cleanup,
                Some("a" | "abort") => return Answer::Abort,
                Some("r" | "retry") => return Answer::Retry,
                Some(_) => {}
            }
        }
    }
}
