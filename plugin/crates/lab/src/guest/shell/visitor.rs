//! Our own operations, brought as files through somebody else's connection (`docs/guest-protocol.md`).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::Shell;
use crate::guest::files::Content;
use crate::guest::ops::{self, Cx, Then};

/// What the script begins with that carries requests out.
pub(super) const FIRST_LINE: &str = "# reseal:visitor/1";

impl Shell<'_> {
    /// Carries one request out and prints its answer.
    pub(super) fn visitor(&mut self, arguments: &[String]) -> i32 {
        let value = |name: &str| {
            let at = arguments.iter().position(|word| word.eq_ignore_ascii_case(name))?;
            arguments.get(at + 1).cloned()
        };
        let input = value("-InputFile").map(|path| self.taken(&path)).unwrap_or_default();
        let op = match (value("-Do").as_deref(), value("-Name"), value("-Script")) {
            (Some("look"), _, _) => "probe".to_owned(),
            (Some("state"), _, _) => "transfer_state".to_owned(),
            (Some("finish"), _, _) => "transfer_finish".to_owned(),
            (Some("run"), Some(name), Some(script)) if self.state.disk.files.get(&script).is_some() => name,
            _ => {
                self.refuse(&format!("the visitor was called with `{}`", arguments.join(" ")));
                return 1;
            }
        };
        let input = if input.is_empty() { b"{}".to_vec() } else { input };
        let mut cx = Cx::new(self.guest, self.state, self.now, &self.sid, false);
        let outcome = ops::run(&mut cx, &op, &input);
        self.seconds += outcome.seconds;
        outcome.log.iter().for_each(|line| self.print(line));
        self.silent = outcome.then == Then::Silence;
        let answer = BASE64_STANDARD.encode(outcome.answer.to_string());
        self.print(&format!("\r\n##reseal:result:{answer}"));
        0
    }

    /// The content of a file, which is gone afterwards.
    fn taken(&mut self, path: &str) -> Vec<u8> {
        let bytes = self.state.disk.files.content(path).and_then(Content::whole);
        let bytes = bytes.unwrap_or_default().to_vec();
        self.state.disk.files.remove(path);
        bytes
    }
}
