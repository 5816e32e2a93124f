//! Neutron: networks (NHN: VPCs), ports, floating IPs, security groups.

mod cidr;
mod floating;
mod groups;
mod networks;
mod rules;

pub(crate) use floating::FloatingIp;
pub(crate) use groups::Group;
pub(crate) use rules::Rule;

use hyper::Method;

use super::front::Turn;
use super::mode::Mode;
use super::reply::{Outcome, Refusal};

/// Answers a request to Neutron.
pub(crate) fn answer(turn: &mut Turn<'_>) -> Outcome {
    let ask = turn.ask;
    let path: Vec<&str> = ask.path.iter().map(String::as_str).collect();
    let ["v2.0", rest @ ..] = path.as_slice() else {
        return Err(Refusal::not_found(format!(
            "lab: Neutron is not at /{}; it begins with /v2.0",
            path.join("/")
        )));
    };
    match (turn.world.mode, &ask.method, rest) {
        (Mode::Nhn, &Method::GET, ["vpcs"]) => networks::vpcs(turn),
        (Mode::Nhn, &Method::GET, ["vpcs", id]) => networks::vpc(turn, id),
        (Mode::Nhn, &Method::GET, ["vpcsubnets"]) => networks::vpc_subnets(turn),
        (_, &Method::GET, ["networks"]) => networks::list(turn),
        (Mode::Openstack, &Method::GET, ["networks", id]) => networks::show(turn, id),
        (_, &Method::GET, ["subnets"]) => networks::subnets(turn),
        (_, &Method::GET, ["ports"]) => networks::ports(turn),
        (_, &Method::GET, ["floatingips"]) => floating::list(turn),
        (_, &Method::POST, ["floatingips"]) => floating::create(turn),
        (_, &Method::GET, ["floatingips", id]) => floating::show(turn, id),
        (_, &Method::PUT, ["floatingips", id]) => floating::update(turn, id),
        (_, &Method::DELETE, ["floatingips", id]) => floating::delete(turn, id),
        (_, &Method::GET, ["security-groups"]) => groups::list(turn),
        (_, &Method::POST, ["security-groups"]) => groups::create(turn),
        (_, &Method::GET, ["security-groups", id]) => groups::show(turn, id),
        (_, &Method::DELETE, ["security-groups", id]) => groups::delete(turn, id),
        (_, &Method::POST, ["security-group-rules"]) => rules::create(turn),
        (_, &Method::DELETE, ["security-group-rules", id]) => rules::delete(turn, id),
        (_, method, rest) => Err(Refusal::strict(format!(
            "Neutron has no {method} /v2.0/{} here",
            rest.join("/")
        ))),
    }
}
