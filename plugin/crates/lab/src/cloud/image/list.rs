//! `GET /v2/images`: filters by equality, order, pages.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::ask::Query;
use super::super::front::Turn;
use super::super::mode::Mode;
use super::super::offer::images::{BaseImage, public};
use super::super::reply::{Outcome, Refusal, Reply};
use super::view;

/// Filters and paging that Glance itself knows; NHN's guide has these and no more.
const KNOWN: &[&str] = &[
    "limit",
    "marker",
    "name",
    "visibility",
    "owner",
    "status",
    "size_min",
    "size_max",
    "sort_key",
    "sort_dir",
    "member_status",
];
/// What upstream knows beside them.
const UPSTREAM: &[&str] = &["sort", "tag", "id", "protected", "os_hidden"];

/// An image before it is written out.
struct Entry {
    id: String,
    name: String,
    created: Timestamp,
    public: Option<&'static BaseImage>,
}

/// Lists images.
pub(crate) fn list(turn: &mut Turn<'_>) -> Outcome {
    turn.ask.no_body()?;
    let query = turn.ask.any_query()?;
    check(turn.world.mode, &query)?;
    let mut entries = entries(turn);
    sort(&mut entries, &query)?;
    let limit = query.number("limit")?.map_or(turn.world.mode.image_page(), |limit| {
        usize::try_from(limit).unwrap_or(1000)
    });
    let limit = limit.clamp(1, 1000);
    let bodies = filtered(turn, &entries, &query)?;
    let start = match query.get("marker") {
        None => 0,
        Some(id) => {
            1 + bodies
                .iter()
                .position(|body| body["id"] == id)
                .ok_or_else(|| Refusal::invalid(format!("Marker [{id}] not found")))?
        }
    };
    Ok(Reply::json(200, page(turn, &bodies, start, limit)))
}

/// Refuses parameters that are neither known nor can be a property's name, and those that come twice.
fn check(mode: Mode, query: &Query) -> Result<(), Refusal> {
    for (name, _) in query.iter() {
        let known = KNOWN.contains(&name) || (mode == Mode::Openstack && UPSTREAM.contains(&name));
        if !known && !name.contains(['_', ':']) {
            return Err(Refusal::strict(format!(
                "unknown query parameter '{name}' (known: {}, and properties)",
                KNOWN.join(", ")
            )));
        }
        if ["member_status"].contains(&name) && query.get("visibility") != Some("shared") {
            return Err(Refusal::strict("member_status goes with visibility=shared"));
        }
        if name != "tag" && query.all(name).count() > 1 {
            return Err(Refusal::strict(format!("query parameter '{name}' comes twice")));
        }
    }
    Ok(())
}

fn entries(turn: &mut Turn<'_>) -> Vec<Entry> {
    let now = turn.now;
    let hidden = turn.world.faults.strike("image-list-empty").is_some();
    let of_public = |image: &'static BaseImage| Entry {
        id: image.id.clone(),
        name: image.name.clone(),
        created: image.created,
        public: Some(image),
    };
    let mut entries: Vec<Entry> = public(turn.world.mode)
        .iter()
        .filter(|_| !hidden)
        .map(of_public)
        .collect();
    for image in turn.state.images.values() {
        if image.fresh.listed(now) && image.status(now).is_some() {
            entries.push(Entry {
                id: image.id.clone(),
                name: image.name.clone(),
                created: image.created,
                public: None,
            });
        }
    }
    entries
}

fn sort(entries: &mut [Entry], query: &Query) -> Result<(), Refusal> {
    let (key, direction) = match query
        .get("sort")
        .map(|sort| sort.split_once(':').unwrap_or((sort, "desc")))
    {
        Some(sort) => sort,
        None => (
            query.get("sort_key").unwrap_or("created_at"),
            query.get("sort_dir").unwrap_or("desc"),
        ),
    };
    match key {
        "created_at" => entries.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id))),
        "name" => entries.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id))),
        other => {
            return Err(Refusal::strict(format!(
                "sort key '{other}'; the lab knows created_at and name"
            )));
        }
    }
    match direction {
        "asc" => Ok(()),
        "desc" => {
            entries.reverse();
            Ok(())
        }
        other => Err(Refusal::invalid(format!("Invalid sort direction: {other}"))),
    }
}

fn filtered(turn: &Turn<'_>, entries: &[Entry], query: &Query) -> Result<Vec<Value>, Refusal> {
    let (least, most) = (query.number("size_min")?, query.number("size_max")?);
    let tenant = &turn.world.tenant.id;
    let body = |entry: &Entry| match entry.public {
        Some(image) => Some(view::of_public(turn.world.mode, image)),
        None => turn
            .state
            .images
            .get(&entry.id)
            .map(|image| view::of_own(image, tenant, turn.now)),
    };
    // The name is compared first, because writing out a hundred images for each look-up by name would be waste.
    let named = entries
        .iter()
        .filter(|entry| query.get("name").is_none_or(|name| name == entry.name));
    let fits = |body: &Value| {
        let size = body["size"].as_u64().unwrap_or(0);
        let equal = query.iter().all(|(name, value)| equals(body, name, value));
        equal && least.is_none_or(|least| size >= least) && most.is_none_or(|most| size <= most)
    };
    Ok(named.filter_map(body).filter(fits).collect())
}

/// One filter. Paging, order and those that are compared elsewhere let everything pass.
fn equals(body: &Value, name: &str, wanted: &str) -> bool {
    match name {
        "limit" | "marker" | "sort" | "sort_key" | "sort_dir" | "size_min" | "size_max" => true,
        // Nobody shares with the project, and nothing is hidden: what asks for such images finds none.
        "member_status" => wanted == "all",
        "os_hidden" => !wanted.eq_ignore_ascii_case("true"),
        "tag" => body["tags"]
            .as_array()
            .is_some_and(|tags| tags.iter().any(|tag| tag == wanted)),
        _ => match &body[name] {
            Value::String(text) => text == wanted,
            Value::Number(number) => number.as_u64().is_some_and(|number| wanted.parse() == Ok(number)),
            Value::Bool(flag) => wanted.parse() == Ok(*flag),
            _ => false,
        },
    }
}

/// One page, with a relative link to the next while there is one.
fn page(turn: &Turn<'_>, bodies: &[Value], start: usize, limit: usize) -> Value {
    let page: Vec<&Value> = bodies.iter().skip(start).take(limit).collect();
    let kept: Vec<&str> = turn
        .ask
        .query
        .split('&')
        .filter(|part| !part.is_empty() && !part.starts_with("marker="))
        .collect();
    let first = if kept.is_empty() {
        "/v2/images".to_owned()
    } else {
        format!("/v2/images?{}", kept.join("&"))
    };
    let mut reply = json!({"images": page, "first": first, "schema": "/v2/schemas/images"});
    if let Some(last) = page.last().filter(|_| bodies.len() > start + limit) {
        let mark = if kept.is_empty() { '?' } else { '&' };
        let id = last["id"].as_str().unwrap_or_default();
        reply["next"] = json!(format!("{first}{mark}marker={id}"));
    }
    reply
}
