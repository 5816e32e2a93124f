//! What is read of a run of sysprep, look by look: its log, its phase, whether anything still moves.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reseal_engine::{ActionError, Context, FailureClass, Verdict};
use reseal_guest::sysprep::{self, explain};
use reseal_guest::system::{Evidence, SysprepPolled};
use reseal_machine::communicator::{OutputSink as _, Stream};

use super::sysprep_end::End;

/// A log that says nothing new for so long is worth a word: drivers and apps keep it moving even on slow machines …
const QUIET: Duration = Duration::from_mins(10);
/// … and for so long, sysprep hangs.
const STALLED: Duration = Duration::from_mins(20);

/// What the watching has seen so far.
pub(super) struct Seen {
    /// Where to read `setupact.log` from.
    pub(super) act_offset: u64,
    /// Where to read `setuperr.log` from.
    pub(super) err_offset: u64,
    /// The wrapper's last phase.
    pub(super) phase: String,
    act: String,
    err: String,
    moved: Timestamp,
    warned: bool,
}

impl Seen {
    /// Nothing seen yet.
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            act_offset: 0,
            err_offset: 0,
            phase: String::new(),
            act: String::new(),
            err: String::new(),
            moved: now,
            warned: false,
        }
    }

    fn read(&mut self, now: Timestamp, polled: &SysprepPolled) {
        self.act_offset = polled.act.offset;
        self.err_offset = polled.err.offset;
        self.act.push_str(&polled.act.text);
        self.err.push_str(&polled.err.text);
        if !polled.act.text.is_empty() || !polled.err.text.is_empty() {
            self.moves(now);
        }
    }

    fn enters(&mut self, now: Timestamp, phase: &str) {
        if self.phase != phase {
            phase.clone_into(&mut self.phase);
            self.moves(now);
        }
    }

    fn moves(&mut self, now: Timestamp) {
        self.moved = now;
        self.warned = false;
    }

    /// The whole log tells most; where it says nothing, the errors may have been written before it was read.
    fn verdict(&self) -> sysprep::Verdict {
        let verdict = explain(&self.act);
        if verdict.letter == '?' && !self.err.is_empty() {
            return explain(&self.err);
        }
        verdict
    }

    fn last_line(&self) -> &str {
        let mut lines = self.act.lines().rev();
        lines.find(|line| !line.trim().is_empty()).unwrap_or("nothing").trim()
    }

    /// Waits on while something moves.
    fn patience(&mut self, cx: &Context<'_>, phase: &str) -> Result<Verdict<Evidence>, ActionError> {
        let quiet = Duration::try_from(cx.clock().now().duration_since(self.moved)).unwrap_or(Duration::ZERO);
        let minutes = SignedDuration::from_mins(i64::try_from(quiet.as_secs() / 60).unwrap_or(i64::MAX));
        if quiet >= STALLED {
            let last = format!("the last line: {}", self.last_line());
            return Err(explained(self, &End::Stalled(format!("{minutes:#}"))).said([last]));
        }
        if quiet >= QUIET && !self.warned {
            self.warned = true;
            cx.warn(format!(
                "sysprep has written nothing for {minutes:#}; the last line: {}",
                self.last_line()
            ));
        }
        Ok(Verdict::Waiting(phase.to_owned()))
    }
}

/// What one look says about the run.
pub(super) fn judge(
    cx: &Context<'_>,
    polled: SysprepPolled,
    seen: &mut Seen,
) -> Result<Verdict<Evidence>, ActionError> {
    let now = cx.clock().now();
    if !polled.act.text.is_empty() {
        cx.sink().output(Stream::Out, &polled.act.text);
    }
    seen.read(now, &polled);
    let Some(status) = polled.status else {
        return match polled.task_state.as_str() {
            "running" => Ok(Verdict::Waiting("sysprep's task starts".into())),
            other => Err(explained(seen, &End::NoWord(other.to_owned()))),
        };
    };
    seen.enters(now, &status.phase);
    match status.phase.as_str() {
        "generalized" | "cleaning" | "shutting_down" => {
            let evidence = status.evidence.unwrap_or(polled.evidence);
            if evidence.missing().is_empty() {
                return Ok(Verdict::Done(evidence));
            }
            Err(explained(seen, &End::NotGeneralized(status.exit_code, evidence)))
        }
        "failed" => Err(explained(seen, &End::of(status, polled.evidence))),
        phase => seen.patience(cx, phase),
    }
}

/// The failure with its cause by name, where the log tells it; the guest's words and the way it ended say the rest.
pub(super) fn explained(seen: &Seen, end: &End) -> ActionError {
    let verdict = seen.verdict();
    let error = ActionError::new(FailureClass::Sysprep, end.message()).said(verdict.lines);
    if matches!(verdict.letter, '-' | '?') {
        return error.hint(end.cure());
    }
    let subject = verdict
        .subject
        .map(|subject| format!(" ({subject})"))
        .unwrap_or_default();
    let message = format!("{}: {}{subject}", error.message, verdict.meaning);
    ActionError { message, ..error }.hint(verdict.cure)
}
