//! Version documents of the upstream services: what general clients ask before anything else, without a token.
//!
//! NHN's guide has none; its addresses are used as they are.

use hyper::Method;
use serde_json::{Value, json};

use super::ask::{Ask, Service};
use super::mode::Mode;
use super::reply::Reply;
use super::world::World;

/// The version document, if this request is for one.
pub(crate) fn answer(world: &World, ask: &Ask) -> Option<Reply> {
    if world.mode == Mode::Nhn || ask.method != Method::GET || !ask.query.is_empty() {
        return None;
    }
    let path: Vec<&str> = ask
        .path
        .iter()
        .map(String::as_str)
        .filter(|segment| !segment.is_empty())
        .collect();
    let at = &world.endpoints;
    match (ask.service, path.as_slice()) {
        (Service::Compute, []) => Some(list(300, &compute(&at.compute))),
        (Service::Compute, ["v2.1"]) => Some(Reply::json(200, json!({"version": compute(&at.compute)}))),
        (Service::Image, [] | ["versions"]) => Some(list(300, &version("v2.16", &format!("{}/v2/", at.image)))),
        (Service::Network, []) => Some(list(200, &version("v2.0", &format!("{}/v2.0/", at.network)))),
        (Service::Volume, []) => Some(list(300, &volume(&at.volume))),
        (Service::Volume, ["v3"]) => Some(list(200, &volume(&at.volume))),
        _ => None,
    }
}

fn list(status: u16, version: &Value) -> Reply {
    Reply::json(status, json!({"versions": [version]}))
}

fn version(id: &str, href: &str) -> Value {
    json!({"id": id, "status": "CURRENT", "links": [{"rel": "self", "href": href}]})
}

fn compute(base: &str) -> Value {
    ranged("v2.1", &format!("{base}/v2.1/"), "2.1", "2.104")
}

fn volume(base: &str) -> Value {
    ranged("v3.0", &format!("{base}/v3/"), "3.0", "3.71")
}

/// A version with its microversions.
fn ranged(id: &str, href: &str, least: &str, most: &str) -> Value {
    let mut version = version(id, href);
    version["min_version"] = json!(least);
    version["version"] = json!(most);
    version["updated"] = json!("2026-04-01T00:00:00Z");
    version
}
