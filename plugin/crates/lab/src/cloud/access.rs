//! What every request beside the token call needs: an `Accept` header, a token that is good, a sane microversion.

use jiff::{SignedDuration, Timestamp};

use super::ask::{Ask, Service};
use super::clockwork::after;
use super::front::Turn;
use super::mode::Mode;
use super::reply::{Outcome, Refusal};

/// A token that was given out.
#[derive(Debug)]
pub(crate) struct Token {
    /// When it says that it ends.
    pub(crate) expires: Timestamp,
    /// When it ends.
    pub(crate) ends: Timestamp,
}

impl Token {
    /// A token given out now. The fault makes it end before its time.
    pub(crate) fn new(now: Timestamp, mode: Mode, early: Option<String>) -> Self {
        let expires = after(now, SignedDuration::from_mins(mode.token_minutes()));
        let early = early.map(|minutes| after(now, SignedDuration::from_mins(minutes.parse().unwrap_or(5))));
        Self {
            expires,
            ends: early.unwrap_or(expires).min(expires),
        }
    }
}

/// Refuses requests without an `Accept` header. An empty one passes: the OpenStack SDK sends it with actions.
pub(crate) fn headers(turn: &Turn<'_>) -> Result<(), Refusal> {
    if turn.ask.headers.contains_key("accept") {
        return Ok(());
    }
    Err(Refusal::strict(
        "the header Accept is missing; send 'Accept: application/json'",
    ))
}

/// Refuses requests without a good token.
pub(crate) fn token(turn: &Turn<'_>) -> Result<(), Refusal> {
    let Some(token) = turn.ask.header("x-auth-token") else {
        return Err(Refusal::strict("the header X-Auth-Token is missing"));
    };
    if turn.world.faults.strike("unauthorized-once").is_some() {
        return Err(Refusal::unauthorized());
    }
    match turn.state.tokens.get(token) {
        Some(known) if turn.now < known.ends => Ok(()),
        _ => Err(Refusal::unauthorized()),
    }
}

/// A microversion such as 2.67.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Microversion(pub(crate) u32, pub(crate) u32);

/// The microversion that is asked of a service, and whether it was asked for at all.
pub(crate) fn microversion(
    ask: &Ask,
    service: Service,
    base: Microversion,
    most: Microversion,
) -> Result<(Microversion, bool), Refusal> {
    let Some(text) = asked_version(ask, service) else {
        return Ok((base, false));
    };
    if text == "latest" {
        return Ok((most, true));
    }
    let parsed = text
        .split_once('.')
        .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    let Some((major, minor)) = parsed else {
        return Err(Refusal::invalid(format!(
            "API Version String {text} is of invalid format. Must be of format MajorNum.MinorNum."
        )));
    };
    let version = Microversion(major, minor);
    if version < base || version > most {
        return Err(Refusal::new(
            406,
            format!(
                "Version {text} is not supported by the API. Minimum is {}.{} and maximum is {}.{}.",
                base.0, base.1, most.0, most.1
            ),
        ));
    }
    Ok((version, true))
}

fn asked_version(ask: &Ask, service: Service) -> Option<String> {
    let general = ask
        .header("openstack-api-version")
        .into_iter()
        .flat_map(|value| value.split(','));
    for part in general {
        if let Some((name, version)) = part.trim().split_once(' ')
            && name == service.name()
        {
            return Some(version.trim().to_owned());
        }
    }
    let old = (service == Service::Compute)
        .then(|| ask.header("x-openstack-nova-api-version"))
        .flatten();
    old.map(str::to_owned)
}

/// The version is said back, as upstream does when it was asked for.
pub(crate) fn echo(outcome: Outcome, service: Service, version: Microversion, asked: bool) -> Outcome {
    if !asked {
        return outcome;
    }
    let Microversion(major, minor) = version;
    outcome.map(|reply| {
        reply
            .with("OpenStack-API-Version", format!("{} {major}.{minor}", service.name()))
            .with("Vary", "OpenStack-API-Version")
    })
}
