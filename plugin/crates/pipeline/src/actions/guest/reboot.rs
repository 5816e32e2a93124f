//! A restart, proved by the boot time.

use std::sync::Mutex;
use std::time::Duration;

use reseal_engine::{ActionError, Context, FailureClass, Verdict};
use reseal_guest::system::RebootRequest;
use reseal_machine::communicator::Probe;
use reseal_machine::{CommError, Communicator, Schedule};

use super::ask::ask;

/// How long Windows may be away: updates are applied while it starts.
const LIMIT: Duration = Duration::from_hours(1);

/// Boot times this close are one boot: the clock is set once after a start.
const TOLERANCE_SECONDS: i64 = 60;

/// Restarts the guest and returns when it has answered twice in a row with a new boot.
pub(super) async fn restart(cx: &Context<'_>, guest: &dyn Communicator, reason: &str) -> Result<(), ActionError> {
    let before = guest.probe().await?;
    cx.note(format!("restarting Windows: {reason}"));
    let request = RebootRequest {
        reason: format!("Reseal: {reason}"),
        delay_seconds: 2,
    };
    match ask(cx, guest, &request).await {
        Ok(_) => {}
        // The machine may go down before it has answered: whether it did is seen at its boot time.
        Err(error) if error.class == FailureClass::Unreachable => cx.note(format!("no answer: {error}")),
        Err(error) => return Err(error),
    }
    guest.disconnect().await;
    back(cx, guest, &before).await
}

async fn back(cx: &Context<'_>, guest: &dyn Communicator, before: &Probe) -> Result<(), ActionError> {
    let last: Mutex<Option<Probe>> = Mutex::new(None);
    let look = || async {
        let seen = match guest.probe().await {
            Ok(now) if !is_new(before, &now) => Err("the old boot still answers".to_owned()),
            Ok(now) => Ok(now),
            Err(CommError::Cancelled) => return Err(ActionError::cancelled()),
            Err(error) => Err(error.to_string()),
        };
        let mut last = last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match seen {
            Ok(now) if last.as_ref().is_some_and(|last| !is_new(last, &now)) => Ok(Verdict::Done(())),
            Ok(now) => {
                *last = Some(now);
                Ok(Verdict::Waiting("it answers; looking once more".into()))
            }
            Err(why) => {
                *last = None;
                Ok(Verdict::Waiting(why))
            }
        }
    };
    let waited = cx
        .wait_until("the restart of Windows", Schedule::up_to(LIMIT), look)
        .await;
    waited.map_err(|error| error.class(FailureClass::Unreachable))
}

/// Whether `now` is another boot than `before`.
fn is_new(before: &Probe, now: &Probe) -> bool {
    if let (Some(before), Some(now)) = (before.boot_id, now.boot_id) {
        return before != now;
    }
    let parse = |text: &str| text.parse::<jiff::Timestamp>().ok();
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
