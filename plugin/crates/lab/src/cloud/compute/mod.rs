//! Nova: look-ups, key pairs, servers and what can be done to them.

mod actions;
mod boot;
mod create;
mod flavors;
mod keypairs;
mod limits;
mod list;
mod metadata;
mod server;
mod servers;
mod view;

pub(crate) use keypairs::Keypair;
pub(crate) use server::Server;

use hyper::Method;

use super::access::{Microversion, echo, microversion};
use super::ask::Service;
use super::front::Turn;
use super::mode::Mode;
use super::reply::{Outcome, Refusal};

const BASE: Microversion = Microversion(2, 1);
const MOST: Microversion = Microversion(2, 104);

/// Answers a request to Nova.
pub(crate) fn answer(turn: &mut Turn<'_>) -> Outcome {
    let ask = turn.ask;
    let path: Vec<&str> = ask.path.iter().map(String::as_str).collect();
    match (turn.world.mode, path.as_slice()) {
        (Mode::Nhn, ["v2", tenant, rest @ ..]) if *tenant == turn.world.tenant.id => {
            route(turn, &ask.method, rest, BASE)
        }
        (Mode::Openstack, ["v2.1", rest @ ..]) => {
            let (version, asked) = microversion(ask, Service::Compute, BASE, MOST)?;
            echo(
                route(turn, &ask.method, rest, version),
                Service::Compute,
                version,
                asked,
            )
        }
        _ => Err(Refusal::not_found(format!(
            "lab: Nova is not at /{}; use the catalogue's address",
            path.join("/")
        ))),
    }
}

fn route(turn: &mut Turn<'_>, method: &Method, path: &[&str], version: Microversion) -> Outcome {
    match (method, path) {
        (&Method::GET, ["flavors"]) => flavors::list(turn, flavors::Detail::Brief),
        (&Method::GET, ["flavors", "detail"]) => flavors::list(turn, flavors::Detail::Full),
        (&Method::GET, ["flavors", id]) => flavors::show(turn, id),
        (&Method::GET, ["os-availability-zone"]) => flavors::zones(turn),
        (&Method::GET, ["limits"]) => limits::limits(turn),
        (&Method::GET, ["os-keypairs"]) => keypairs::list(turn),
        (&Method::POST, ["os-keypairs"]) => keypairs::create(turn, version),
        (&Method::GET, ["os-keypairs", name]) => keypairs::show(turn, name),
        (&Method::DELETE, ["os-keypairs", name]) => keypairs::delete(turn, name, version),
        (&Method::GET, ["servers"]) => list::list(turn, flavors::Detail::Brief, version),
        (&Method::GET, ["servers", "detail"]) => list::list(turn, flavors::Detail::Full, version),
        (&Method::POST, ["servers"]) => create::create(turn, version),
        (&Method::GET, ["servers", id]) => servers::show(turn, id, version),
        (&Method::PUT, ["servers", id]) => servers::rename(turn, id, version),
        (&Method::DELETE, ["servers", id]) => servers::delete(turn, id),
        (&Method::POST, ["servers", id, "action"]) => actions::act(turn, id, version),
        (&Method::GET, ["servers", id, "os-volume_attachments"]) => servers::attachments(turn, id, version),
        (method, ["servers", id, "os-server-password"]) => servers::password(turn, id, method),
        (method, ["servers", id, "metadata", rest @ ..]) => metadata::answer(turn, id, method, rest),
        _ => Err(Refusal::strict(format!(
            "Nova has no {method} /{} here",
            path.join("/")
        ))),
    }
}
