//! Cinder: volumes, their types, and making images of them.

mod metadata;
mod quota;
mod upload;
mod view;
mod volumes;

pub(crate) use quota::check as check_quota;
pub(crate) use volumes::{NewRoot, Volume};

use hyper::Method;

use super::access::{Microversion, echo, microversion};
use super::ask::Service;
use super::front::Turn;
use super::mode::Mode;
use super::reply::{Outcome, Refusal};

const BASE: Microversion = Microversion(3, 0);
const MOST: Microversion = Microversion(3, 71);

/// Answers a request to Cinder.
pub(crate) fn answer(turn: &mut Turn<'_>) -> Outcome {
    let ask = turn.ask;
    let path: Vec<&str> = ask.path.iter().map(String::as_str).collect();
    match (turn.world.mode, path.as_slice()) {
        (Mode::Nhn, ["v2", tenant, rest @ ..]) if *tenant == turn.world.tenant.id => {
            route(turn, &ask.method, rest, BASE)
        }
        (Mode::Openstack, ["v3", tenant, rest @ ..]) if *tenant == turn.world.tenant.id => {
            let (version, asked) = microversion(ask, Service::Volume, BASE, MOST)?;
            echo(route(turn, &ask.method, rest, version), Service::Volume, version, asked)
        }
        _ => Err(Refusal::not_found(format!(
            "lab: Cinder is not at /{}; use the catalogue's address",
            path.join("/")
        ))),
    }
}

fn route(turn: &mut Turn<'_>, method: &Method, path: &[&str], version: Microversion) -> Outcome {
    match (method, path) {
        (&Method::GET, ["types"]) => view::types(turn),
        (&Method::GET, ["limits"]) => quota::limits(turn),
        (&Method::GET, ["volumes"]) => view::list(turn, view::Detail::Brief),
        (&Method::GET, ["volumes", "detail"]) => view::list(turn, view::Detail::Full),
        (&Method::POST, ["volumes"]) => volumes::create(turn),
        (&Method::GET, ["volumes", id]) => view::show(turn, id),
        (&Method::PUT, ["volumes", id]) => metadata::update(turn, id),
        (&Method::DELETE, ["volumes", id]) => volumes::delete(turn, id),
        (&Method::POST, ["volumes", id, "action"]) => upload::act(turn, id, version),
        (method, ["volumes", id, "metadata", rest @ ..]) => metadata::answer(turn, id, method, rest),
        _ => Err(Refusal::strict(format!(
            "Cinder has no {method} /{} here",
            path.join("/")
        ))),
    }
}
