//! `GET /servers` and `/servers/detail`: filters, newest first, pages.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::access::Microversion;
use super::super::ask::Query;
use super::super::front::Turn;
use super::super::mode::Mode;
use super::super::paging::{links, page, unsupported};
use super::super::reply::{Outcome, Refusal, Reply};
use super::flavors::Detail;
use super::server::Server;
use super::view;

/// NHN's filters; upstream's command line sends one more.
const KNOWN: &[&str] = &[
    "limit",
    "marker",
    "name",
    "status",
    "image",
    "flavor",
    "changes-since",
    "reservation_id",
    "deleted",
];

/// Lists servers.
pub(crate) fn list(turn: &Turn<'_>, detail: Detail, version: Microversion) -> Outcome {
    turn.ask.no_body()?;
    let query = query(turn)?;
    let page = page(&query, found(turn, &query), turn.world.mode.server_page(), |server| {
        server.id.as_str()
    })?;
    let body = |server: &&Server| match detail {
        Detail::Full => view::full(turn, server, version),
        Detail::Brief => json!({"id": server.id, "name": server.name, "links": view::links(turn.world, &server.id)}),
    };
    let mut reply = json!({"servers": page.items.iter().map(body).collect::<Vec<Value>>()});
    if let Some(next) = &page.next {
        reply["servers_links"] = links(turn, next);
    }
    Ok(Reply::json(200, reply))
}

fn query(turn: &Turn<'_>) -> Result<Query, Refusal> {
    let known = if turn.world.mode == Mode::Nhn {
        KNOWN.get(..8)
    } else {
        Some(KNOWN)
    };
    let query = turn.ask.query(known.unwrap_or_default())?;
    unsupported(&query, &["changes-since", "reservation_id"])?;
    if query
        .get("deleted")
        .is_some_and(|deleted| !deleted.eq_ignore_ascii_case("false"))
    {
        return Err(Refusal::strict("only an administrator may list deleted servers"));
    }
    Ok(query)
}

/// The servers that fit and are not too new to be listed, newest first.
fn found<'s>(turn: &'s Turn<'_>, query: &Query) -> Vec<&'s Server> {
    let servers = turn.state.servers.values();
    let mut found: Vec<&Server> = servers
        .filter(|server| server.fresh.listed(turn.now) && fits(server, query, turn.now))
        .collect();
    found.sort_by(|a, b| (b.created, &b.id).cmp(&(a.created, &a.id)));
    found
}

fn fits(server: &Server, query: &Query, now: Timestamp) -> bool {
    query.get("name").is_none_or(|pattern| name_fits(pattern, &server.name))
        && query
            .get("status")
            .is_none_or(|status| server.face(now).status.eq_ignore_ascii_case(status))
        && query
            .get("image")
            .is_none_or(|id| server.image.as_ref().is_some_and(|(image, _)| image == id))
        && query.get("flavor").is_none_or(|id| server.flavor.id() == id)
}

/// Nova takes a regular expression. The lab knows anchors and escaped characters and takes the rest as text.
fn name_fits(pattern: &str, name: &str) -> bool {
    let (start, rest) = pattern.strip_prefix('^').map_or((false, pattern), |rest| (true, rest));
    let (end, rest) = rest.strip_suffix('$').map_or((false, rest), |rest| (true, rest));
    let text = rest.replace('\\', "");
    match (start, end) {
        (true, true) => name == text,
        (true, false) => name.starts_with(&text),
        (false, true) => name.ends_with(&text),
        (false, false) => name.contains(&text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_matched_with_anchors() {
        assert!(name_fits("^gi-1$", "gi-1"));
        assert!(!name_fits("^gi-1$", "gi-12"));
        assert!(name_fits("^gi\\-1", "gi-12"));
        assert!(name_fits("1", "gi-12"));
    }
}
