//! Floating IPs. Attached, one is the machine's own loopback address, so that a client simply connects to it.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::ask::present;
use super::super::fresh::Fresh;
use super::super::front::Turn;
use super::super::ids::hex32_of;
use super::super::mode::Mode;
use super::super::offer;
use super::super::paging::{USUAL, page};
use super::super::reply::{Outcome, Refusal, Reply};
use super::networks::a_list;

/// A floating IP.
pub(crate) struct FloatingIp {
    pub(crate) id: String,
    /// The address while it is not attached: one that leads nowhere.
    pub(crate) parked: String,
    pub(crate) network: String,
    pub(crate) server: Option<String>,
    /// NHN's `label`, upstream's `description`.
    pub(crate) text: String,
    pub(crate) fresh: Fresh,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    floatingip: New,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    floating_network_id: String,
    #[serde(default, deserialize_with = "present")]
    port_id: Option<String>,
    #[serde(default, deserialize_with = "present")]
    label: Option<String>,
    #[serde(default, deserialize_with = "present")]
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    floatingip: Change,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    port_id: Option<String>,
}

/// Allocates one, and attaches it when a port is given.
pub(crate) fn create(turn: &mut Turn<'_>) -> Outcome {
    turn.ask.query(&[])?;
    let Body { floatingip: new } = turn.ask.json()?;
    if turn.world.faults.strike("floating-500-once").is_some() {
        return Err(Refusal::new(
            500,
            "Request Failed: internal server error while processing your request.",
        ));
    }
    let text = match turn.world.mode {
        Mode::Nhn if new.description.is_some() => return Err(unrecognized("description")),
        Mode::Openstack if new.label.is_some() => return Err(unrecognized("label")),
        _ => new.label.or(new.description).unwrap_or_default(),
    };
    let external = offer::networks(turn.world.mode)
        .iter()
        .find(|network| network.id() == new.floating_network_id);
    match external {
        None => {
            return Err(
                Refusal::not_found(format!("Network {} could not be found.", new.floating_network_id))
                    .named("NetworkNotFound"),
            );
        }
        Some(network) if !network.external => {
            let words = format!(
                "Bad floatingip request: Network {} is not a valid external network.",
                network.id()
            );
            return Err(Refusal::invalid(words).named("BadRequest"));
        }
        Some(_) => {}
    }
    let full = turn.state.floating_ips.len() >= usize::try_from(turn.world.quota.floating_ips).unwrap_or(usize::MAX);
    if full || turn.world.faults.strike("floating-quota").is_some() {
        return Err(Refusal::conflict("Quota exceeded for resources: ['floatingip'].").named("OverQuota"));
    }
    let server = new
        .port_id
        .as_deref()
        .map(|port| reachable(turn, port, &new.floating_network_id))
        .transpose()?;
    let id = turn.state.ids.next();
    let parked = format!("203.0.113.{}", 1 + turn.state.ids.jitter(250));
    let ip = FloatingIp {
        id: id.clone(),
        parked,
        network: new.floating_network_id,
        server,
        text,
        fresh: Fresh::new(turn.now),
    };
    let body = body(turn, &ip);
    turn.state.floating_ips.insert(id, ip);
    Ok(Reply::json(201, json!({"floatingip": body})))
}

fn unrecognized(field: &str) -> Refusal {
    Refusal::invalid(format!("Unrecognized attribute(s) '{field}'")).named("HTTPBadRequest")
}

/// The server of a port that a floating IP can be attached to.
fn reachable(turn: &Turn<'_>, port: &str, network: &str) -> Result<String, Refusal> {
    let server = turn
        .state
        .servers
        .values()
        .find(|server| server.port == port && server.wired(turn.now));
    let server =
        server.ok_or_else(|| Refusal::not_found(format!("Port {port} could not be found.")).named("PortNotFound"))?;
    if turn.world.faults.strike("floating-no-router").is_some() {
        let subnet = server.network.subnet_id();
        return Err(Refusal::not_found(format!(
            "External network {network} is not reachable from subnet {subnet}. Therefore, cannot associate Port {port} with a Floating IP."
        ))
        .named("ExternalGatewayForFloatingIPNotFound"));
    }
    if turn
        .state
        .floating_ips
        .values()
        .any(|ip| ip.server.as_ref() == Some(&server.id))
    {
        return Err(Refusal::conflict(format!(
            "Cannot associate floating IP with port {port}: it has one already."
        ))
        .named("FloatingIPPortAlreadyAssociated"));
    }
    Ok(server.id.clone())
}

/// Attaches or, with `null`, detaches one.
pub(crate) fn update(turn: &mut Turn<'_>, id: &str) -> Outcome {
    turn.ask.query(&[])?;
    let Update { floatingip: change } = turn.ask.json()?;
    let network = turn
        .state
        .floating_ips
        .get(id)
        .ok_or_else(|| missing(id))?
        .network
        .clone();
    let server = change
        .port_id
        .as_deref()
        .map(|port| reachable(turn, port, &network))
        .transpose()?;
    turn.state.floating_ips.get_mut(id).ok_or_else(|| missing(id))?.server = server;
    let ip = turn.state.floating_ips.get(id).ok_or_else(|| missing(id))?;
    Ok(Reply::json(200, json!({"floatingip": body(turn, ip)})))
}

/// Shows one.
pub(crate) fn show(turn: &mut Turn<'_>, id: &str) -> Outcome {
    turn.ask.bare()?;
    let now = turn.now;
    turn.state
        .floating_ips
        .get_mut(id)
        .filter(|ip| ip.fresh.shown(now))
        .ok_or_else(|| missing(id))?;
    let ip = turn.state.floating_ips.get(id).ok_or_else(|| missing(id))?;
    Ok(Reply::json(200, json!({"floatingip": body(turn, ip)})))
}

/// Lists them.
pub(crate) fn list(turn: &mut Turn<'_>) -> Outcome {
    turn.ask.no_body()?;
    let query = turn.ask.query(&[
        "id",
        "port_id",
        "status",
        "floating_ip_address",
        "floating_network_id",
        "limit",
        "marker",
    ])?;
    let now = turn.now;
    let listed: Vec<String> = turn
        .state
        .floating_ips
        .values()
        .filter(|ip| ip.fresh.listed(now))
        .map(|ip| ip.id.clone())
        .collect();
    let bodies = listed
        .iter()
        .filter_map(|id| turn.state.floating_ips.get(id))
        .map(|ip| body(turn, ip));
    let keys = ["id", "port_id", "status", "floating_ip_address", "floating_network_id"];
    let fits = |body: &Value| {
        keys.iter()
            .all(|key| query.get(key).is_none_or(|wanted| body[*key] == wanted))
    };
    let all: Vec<Value> = bodies.filter(fits).collect();
    let page = page(&query, all, USUAL, |body: &Value| {
        body["id"].as_str().unwrap_or_default()
    })?;
    Ok(a_list(turn, "floatingips", &page, Value::clone))
}

/// Releases one.
pub(crate) fn delete(turn: &mut Turn<'_>, id: &str) -> Outcome {
    turn.ask.bare()?;
    turn.state.floating_ips.remove(id).ok_or_else(|| missing(id))?;
    Ok(Reply::empty(204))
}

fn missing(id: &str) -> Refusal {
    Refusal::not_found(format!("Floating IP {id} could not be found")).named("FloatingIPNotFound")
}

fn body(turn: &Turn<'_>, ip: &FloatingIp) -> Value {
    let server = ip.server.as_ref().and_then(|id| turn.state.servers.get(id));
    let address = server.and_then(super::super::compute::Server::address);
    let mut body = json!({
        "id": ip.id, "floating_ip_address": address.clone().unwrap_or_else(|| ip.parked.clone()), "fixed_ip_address": address,
        "port_id": server.map(|server| &server.port), "router_id": server.map(|_| hex32_of("router")),
        "floating_network_id": ip.network, "status": if server.is_some() { "ACTIVE" } else { "DOWN" },
        "tenant_id": turn.world.tenant.id});
    match turn.world.mode {
        Mode::Nhn => {
            body["delete_protection"] = json!(false);
            body["label"] = json!(ip.text);
        }
        Mode::Openstack => body["description"] = json!(ip.text),
    }
    body
}
