//! A restart, proved by the boot time.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reseal_engine::{ActionError, Context, FailureClass, Verdict};
use reseal_guest::system::RebootRequest;
use reseal_machine::clock::elapsed;
use reseal_machine::communicator::Probe;
use reseal_machine::{CommError, Communicator, Schedule};

use super::ask::{Unanswered, once, refused};

/// How long Windows may be away: updates are applied while it starts.
const LIMIT: Duration = Duration::from_hours(1);

/// Boot times this close are one boot: the clock is set once after a start.
const TOLERANCE_SECONDS: i64 = 60;

/// So long the old boot may go on answering before the request counts as lost. A machine that is about to go down may
/// take its time over its services; asked once more it would say so, not restart twice.
const DEAF: Duration = Duration::from_mins(5);

/// Restarts the guest and returns when it has answered twice in a row with a new boot.
pub(super) async fn restart(cx: &Context<'_>, guest: &dyn Communicator, reason: &str) -> Result<(), ActionError> {
    let before = guest.probe().await?;
    cx.note(format!("restarting Windows: {reason}"));
    request(cx, guest, reason).await?;
    guest.disconnect().await;
    back(cx, guest, &before, reason).await
}

/// Asks for the restart. The machine may go down before it has answered: whether it did is seen at its boot time, so
/// the question is never repeated while it may have been heard.
async fn request(cx: &Context<'_>, guest: &dyn Communicator, reason: &str) -> Result<(), ActionError> {
    let request = RebootRequest {
        reason: format!("Reseal: {reason}"),
        delay_seconds: 2,
    };
    match once(cx, guest, &request).await {
        Ok(_) => Ok(()),
        Err(Unanswered::Lost(CommError::Cancelled)) => Err(ActionError::cancelled()),
        Err(Unanswered::Lost(error @ (CommError::Lost { .. } | CommError::Unreachable(_)))) => {
            cx.note(format!("no answer: {error}"));
            Ok(())
        }
        Err(Unanswered::Lost(error)) => Err(error.into()),
        Err(Unanswered::Refused(failure)) => Err(refused(FailureClass::Install, &failure)),
    }
}

/// What the wait for a new boot has seen.
struct Seen {
    /// The last answer of a new boot.
    new: Option<Probe>,
    /// Since when the request counts.
    asked: Timestamp,
}

async fn back(cx: &Context<'_>, guest: &dyn Communicator, before: &Probe, reason: &str) -> Result<(), ActionError> {
    let seen = Mutex::new(Seen {
        new: None,
        asked: cx.clock().now(),
    });
    let look = || look(cx, guest, before, reason, &seen);
    let waited = cx
        .wait_until("the restart of Windows", Schedule::up_to(LIMIT), look)
        .await;
    waited.map_err(|error| error.class(FailureClass::Unreachable))
}

async fn look(
    cx: &Context<'_>,
    guest: &dyn Communicator,
    before: &Probe,
    reason: &str,
    seen: &Mutex<Seen>,
) -> Result<Verdict<()>, ActionError> {
    let probed = guest.probe().await;
    let old = matches!(&probed, Ok(now) if !is_new(before, now));
    let lock = || seen.lock().unwrap_or_else(PoisonError::into_inner);
    match probed {
        Ok(_) if old => {
            lock().new = None;
            if elapsed(cx.clock(), lock().asked) >= DEAF {
                cx.note("the old boot still answers: asking for the restart once more");
                request(cx, guest, reason).await?;
                lock().asked = cx.clock().now();
            }
            Ok(Verdict::Waiting("the old boot still answers".into()))
        }
        Ok(now) => {
            let mut seen = lock();
            let twice = seen.new.as_ref().is_some_and(|last| !is_new(last, &now));
            seen.new = Some(now);
            Ok(if twice {
                Verdict::Done(())
            } else {
                Verdict::Waiting("it answers; looking once more".into())
            })
        }
        Err(CommError::Cancelled) => Err(ActionError::cancelled()),
        Err(error) => {
            lock().new = None;
            Ok(Verdict::Waiting(error.to_string()))
        }
    }
}

/// Whether `now` is another boot than `before`.
pub(super) fn is_new(before: &Probe, now: &Probe) -> bool {
    if let (Some(before), Some(now)) = (before.boot_id, now.boot_id) {
        return before != now;
    }
    let parse = |text: &str| text.parse::<Timestamp>().ok();
    match (parse(&before.boot_time), parse(&now.boot_time)) {
        (Some(before), Some(now)) => now.as_second().abs_diff(before.as_second()) > TOLERANCE_SECONDS.unsigned_abs(),
        _ => before.boot_time != now.boot_time,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(time: &str, id: Option<u64>) -> Probe {
        Probe {
            boot_time: time.into(),
            boot_id: id,
            computer_name: "x".into(),
        }
    }

    #[test]
    fn a_stepped_clock_is_no_boot_and_a_new_id_is_one() {
        let old = probe("2026-11-22T03:00:00Z", None);
        assert!(!is_new(&old, &probe("2026-11-22T03:00:40Z", None)));
        assert!(is_new(&old, &probe("2026-11-22T03:05:00Z", None)));
        assert!(!is_new(
            &probe("2026-11-22T03:00:00Z", Some(7)),
            &probe("2026-11-22T09:00:00Z", Some(7))
        ));
        assert!(is_new(
            &probe("2026-11-22T03:00:00Z", Some(7)),
            &probe("2026-11-22T03:00:00Z", Some(8))
        ));
    }
}
