//! Glance: public images, the project's own, and what can be done to them.

mod base;
mod fields;
mod images;
mod list;
mod members;
mod patch;
mod upload;
mod view;

pub(crate) use base::Base;
pub(crate) use images::{Image, NewImage};

use hyper::Method;

use super::front::Turn;
use super::mode::Mode;
use super::reply::{Outcome, Refusal};

/// Answers a request to Glance.
pub(crate) fn answer(turn: &mut Turn<'_>) -> Outcome {
    let ask = turn.ask;
    let path: Vec<&str> = ask.path.iter().map(String::as_str).collect();
    let ["v2", rest @ ..] = path.as_slice() else {
        return Err(Refusal::not_found(format!(
            "lab: Glance is not at /{}; it begins with /v2",
            path.join("/")
        )));
    };
    match (&ask.method, rest) {
        (&Method::GET, ["images"]) => list::list(turn),
        (&Method::POST, ["images"]) => upload::create(turn),
        (&Method::GET, ["images", id]) => view::show(turn, id),
        (&Method::PATCH, ["images", id]) => patch::patch(turn, id),
        (&Method::DELETE, ["images", id]) => upload::delete(turn, id),
        (&Method::PUT, ["images", id, "file"]) => upload::file(turn, id),
        (&Method::GET, ["info", "import"]) if turn.world.mode == Mode::Openstack => upload::methods(turn),
        (&Method::PUT | &Method::DELETE, ["images", id, "tags", tag]) => patch::tag(turn, id, tag),
        (_, ["images", id, "members", rest @ ..]) => members::answer(turn, id, rest),
        (method, rest) => Err(Refusal::strict(format!(
            "Glance has no {method} /v2/{} here",
            rest.join("/")
        ))),
    }
}
