//! Pages of lists: `limit` and `marker`, and the link to the next page.

use serde_json::{Value, json};

use super::ask::{Query, Service};
use super::front::Turn;
use super::reply::Refusal;

/// One page.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// The id at which the next page begins, if there is one.
    pub(crate) next: Option<String>,
}

/// How many objects a page has, unless a query wants fewer.
pub(crate) const USUAL: usize = 1000;

/// The part of a filtered list that a query asks for. `id` is what a marker names.
pub(crate) fn page<T>(query: &Query, all: Vec<T>, usual: usize, id: impl Fn(&T) -> &str) -> Result<Page<T>, Refusal> {
    let limit = match query.number("limit")? {
        None => usual,
        Some(0) => return Err(Refusal::strict("limit=0 is none here and all there; leave it out")),
        Some(limit) => usize::try_from(limit).unwrap_or(usize::MAX).min(USUAL.max(usual)),
    };
    let start = match query.get("marker") {
        None => 0,
        Some(marker) => {
            let at = all.iter().position(|item| id(item) == marker);
            1 + at.ok_or_else(|| Refusal::invalid(format!("marker [{marker}] not found")))?
        }
    };
    let more = all.len() > start.saturating_add(limit);
    let items: Vec<T> = all.into_iter().skip(start).take(limit).collect();
    let next = items.last().filter(|_| more).map(|item| id(item).to_owned());
    Ok(Page { items, next })
}

/// `servers_links` and its like: the same question with another marker.
pub(crate) fn links(turn: &Turn<'_>, next: &str) -> Value {
    let endpoints = &turn.world.endpoints;
    let base = match turn.ask.service {
        Service::Compute => &endpoints.compute,
        Service::Volume => &endpoints.volume,
        Service::Network => &endpoints.network,
        Service::Image => &endpoints.image,
        Service::Identity => &endpoints.identity,
    };
    let parts = turn.ask.query.split('&');
    let mut kept: Vec<String> = parts
        .filter(|part| !part.is_empty() && !part.starts_with("marker=") && !part.starts_with("offset="))
        .map(str::to_owned)
        .collect();
    kept.push(format!("marker={}", encoded(next)));
    let href = format!("{base}/{}?{}", turn.ask.path.join("/"), kept.join("&"));
    json!([{"rel": "next", "href": href}])
}

fn encoded(text: &str) -> String {
    let byte = |byte: u8| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(byte).collect()
}

/// Refuses parameters that the service knows and the lab does not act on.
pub(crate) fn unsupported(query: &Query, names: &[&str]) -> Result<(), Refusal> {
    match names.iter().find(|name| query.get(name).is_some()) {
        None => Ok(()),
        Some(name) => Err(Refusal::strict(format!(
            "query parameter '{name}' is known, and the lab does not act on it"
        ))),
    }
}
