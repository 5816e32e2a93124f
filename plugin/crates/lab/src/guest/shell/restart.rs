//! `shutdown.exe`: asks for a restart, and takes the wish back.

use super::Shell;
use crate::guest::machine::{Event, after};

/// `ERROR_SHUTDOWN_IN_PROGRESS`
const IN_PROGRESS: i32 = 1115;
/// `ERROR_NO_SHUTDOWN_IN_PROGRESS`
const NONE_IN_PROGRESS: i32 = 1116;
/// `ERROR_SHUTDOWN_IS_SCHEDULED`
const SCHEDULED: i32 = 1190;
/// Windows needs this long before it begins to close programs.
const BREATH: f64 = 1.5;

impl Shell<'_> {
    /// `shutdown /r [/f] [/t SECONDS] [/c TEXT]`, `shutdown /s …`, `shutdown /a`.
    pub(super) fn shutdown(&mut self, words: &[String]) -> i32 {
        let lower: Vec<String> = words.iter().map(|word| word.to_lowercase().replace('-', "/")).collect();
        let has = |flag: &str| lower.iter().any(|word| word == flag);
        let value = |flag: &str| lower.iter().skip_while(|word| *word != flag).nth(1);
        if has("/a") {
            return self.abort();
        }
        if !(has("/r") || has("/s")) {
            self.refuse(&format!("shutdown.exe was started with `{}`", words.join(" ")));
            return 87;
        }
        let seconds = value("/t").and_then(|text| text.parse::<f64>().ok()).unwrap_or(30.0);
        match self.state.live.down_at() {
            Some(at) if at <= self.now => IN_PROGRESS,
            Some(_) => {
                self.complain("A system shutdown has already been scheduled.(1190)");
                SCHEDULED
            }
            None => {
                if let Some(code) = self.guest.faults.strike("reboot-refused") {
                    return code.parse().unwrap_or(SCHEDULED);
                }
                let wait = seconds + BREATH;
                let down = Event::Down { restart: has("/r") };
                self.state.live.plan(after(self.now, wait), down);
                0
            }
        }
    }

    fn abort(&mut self) -> i32 {
        match self.state.live.down_at() {
            Some(at) if at > self.now => {
                self.state.live.stay_up();
                0
            }
            Some(_) => IN_PROGRESS,
            None => {
                self.complain("Unable to abort the system shutdown because no shutdown was in progress.(1116)");
                NONE_IN_PROGRESS
            }
        }
    }
}
