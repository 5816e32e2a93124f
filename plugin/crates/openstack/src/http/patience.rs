//! What is tried again, and after which pause.
//!
//! The rule is about what may have happened at the other end: nothing (no connection, a rate limit), or perhaps
//! everything (a lost answer, a 5xx). What may have happened is repeated only when repeating changes nothing more.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reseal_machine::CloudErrorKind;

use super::fault::Fault;
use super::reply::Reply;
use super::transport::Failure;

/// Whether a request may be sent again although it may have been carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Sending it twice is as good as once.
    Safe,
    /// It makes something: sending it twice makes two.
    Never,
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It never left.
    NotSent,
    /// It left, and no answer came.
    Lost,
    /// It was answered with "not now": nothing was done.
    NotNow,
    /// The service failed while doing it.
    Broken,
    /// It was answered, and the answer will stay the same.
    Final,
}

impl Trouble {
    /// Whether the request may have been carried out.
    pub(crate) fn is_unclear(self) -> bool {
        matches!(self, Self::Lost | Self::Broken)
    }
}

/// Attempts in all.
const ATTEMPTS: u32 = 6;
/// Attempts to reach a cloud that has not answered yet: its name is more often misspelt than it is away.
const FIRST_ATTEMPTS: u32 = 3;
/// The longest pause of our own.
const LONGEST: u64 = 30;
/// The longest pause that a cloud may ask for.
const LONGEST_ASKED: Duration = Duration::from_mins(2);

/// What an answer means for trying again. 498 is what some load balancers say for 429.
pub(crate) fn trouble(status: u16, kind: CloudErrorKind) -> Trouble {
    match status {
        413 | 429 | 498 if kind == CloudErrorKind::RateLimited => Trouble::NotNow,
        408 | 500 | 502 | 503 | 504 => Trouble::Broken,
        _ => Trouble::Final,
    }
}

/// The pause before the next attempt, or `None` when there is none. `known` is a cloud that has answered before; `noise`
/// spreads those who failed together.
pub(crate) fn pause(failure: &Failure, repeat: Repeat, attempt: u32, known: bool, noise: &[u8]) -> Option<Duration> {
    let again = match failure.trouble {
        Trouble::NotSent | Trouble::NotNow => true,
        Trouble::Lost | Trouble::Broken => repeat == Repeat::Safe,
        Trouble::Final => false,
    };
    let most = match failure.trouble {
        Trouble::NotSent if !known => FIRST_ATTEMPTS,
        _ => ATTEMPTS,
    };
    (again && attempt < most).then(|| failure.pause.unwrap_or_else(|| own(attempt, noise)))
}

/// 1, 2, 4, 8, 16 seconds and up to a quarter more.
fn own(attempt: u32, noise: &[u8]) -> Duration {
    let seconds = 1_u64
        .checked_shl(attempt.saturating_sub(1))
        .unwrap_or(LONGEST)
        .min(LONGEST);
    let grain = noise.last().copied().map_or(0, u64::from);
    Duration::from_millis(seconds * 1000 + seconds * grain)
}

/// What the cloud asks us to wait: the header in seconds or as a date, or `retryAfter` in the body. A date is measured
/// on the cloud's own clock, where the answer tells it: ours may be hours away.
pub(crate) fn retry_after(reply: &Reply, fault: &Fault, now: Timestamp) -> Option<Duration> {
    let text = reply
        .header("retry-after")
        .map(str::trim)
        .or(fault.retry_after.as_deref())?;
    let seconds = text.parse::<u64>().ok().map(Duration::from_secs);
    let asked = seconds.or_else(|| {
        let now = reply.header("date").and_then(date).unwrap_or(now);
        Some(Duration::try_from(date(text)?.duration_since(now)).unwrap_or(Duration::ZERO))
    });
    asked.map(|pause| pause.clamp(Duration::from_secs(1), LONGEST_ASKED))
}

fn date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue};

    use super::*;

    fn reply(retry_after: &'static str) -> Reply {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_static(retry_after));
        Reply {
            operation: "list servers",
            status: 429,
            headers,
            body: Vec::new(),
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_bounded() {
        let now: Timestamp = "2026-11-22T03:00:00Z".parse().unwrap();
        let asked = |text| {
            let reply = reply(text);
            retry_after(&reply, &Fault::read(&reply), now)
        };
        assert_eq!(asked("7"), Some(Duration::from_secs(7)));
        assert_eq!(asked("Sun, 22 Nov 2026 03:00:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(asked("Sun, 22 Nov 2026 02:00:00 GMT"), Some(Duration::from_secs(1)));
        assert_eq!(asked("86400"), Some(LONGEST_ASKED));
        assert_eq!(asked("soon"), None);
        assert_eq!(asked(""), None);
    }

    #[test]
    fn a_date_is_measured_on_the_clouds_own_clock() {
        let mut reply = reply("Sun, 22 Nov 2026 03:00:30 GMT");
        let theirs = HeaderValue::from_static("Sun, 22 Nov 2026 03:00:20 GMT");
        reply.headers.insert("date", theirs);
        for ours in ["2026-11-22T01:00:00Z", "2026-11-22T05:00:00Z"] {
            let asked = retry_after(&reply, &Fault::read(&reply), ours.parse().unwrap());
            assert_eq!(asked, Some(Duration::from_secs(10)), "{ours}");
        }
    }

    #[test]
    fn own_pauses_double_with_some_noise() {
        assert_eq!(own(1, &[0]), Duration::from_secs(1));
        assert_eq!(own(5, &[0]), Duration::from_secs(16));
        assert_eq!(own(60, &[0]), Duration::from_secs(30));
        assert!(own(1, &[255]) < Duration::from_millis(1260));
    }
}
