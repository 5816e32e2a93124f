//! Networks, subnets and the ports of servers.

use serde_json::{Value, json};

use super::super::ask::Query;
use super::super::front::Turn;
use super::super::ids::hex32_of;
use super::super::offer::{self, Network};
use super::super::paging::{Page, USUAL, links, page};
use super::super::reply::{Outcome, Refusal, Reply};

const FILTERS: &[&str] = &["router:external", "id", "name", "shared", "limit", "marker"];

fn found(turn: &Turn<'_>) -> Result<Page<(String, &'static Network)>, Refusal> {
    turn.ask.no_body()?;
    let query = turn.ask.query(FILTERS)?;
    let (external, shared) = (boolean(&query, "router:external")?, boolean(&query, "shared")?);
    // The public network is the one that is shared.
    let fits = |network: &&Network| {
        external.is_none_or(|external| network.external == external)
            && shared.is_none_or(|shared| network.external == shared)
            && query.get("id").is_none_or(|id| network.id() == id)
            && query.get("name").is_none_or(|name| network.name == name)
    };
    let found = offer::networks(turn.world.mode).iter().filter(fits);
    page(
        &query,
        found.map(|network| (network.id(), network)).collect(),
        USUAL,
        |(id, _)| id,
    )
}

/// A list under its name, with the link to its next page.
pub(super) fn a_list<T>(turn: &Turn<'_>, name: &str, page: &Page<T>, body: impl Fn(&T) -> Value) -> Reply {
    let mut reply = json!({name: page.items.iter().map(body).collect::<Vec<Value>>()});
    if let Some(next) = &page.next {
        reply[format!("{name}_links")] = links(turn, next);
    }
    Reply::json(200, reply)
}

fn boolean(query: &Query, name: &str) -> Result<Option<bool>, Refusal> {
    match query.get(name).map(str::to_ascii_lowercase).as_deref() {
        None => Ok(None),
        Some("true" | "1") => Ok(Some(true)),
        Some("false" | "0") => Ok(Some(false)),
        Some(other) => Err(Refusal::invalid(format!(
            "Invalid input for operation: '{other}' is not a boolean."
        ))),
    }
}

/// `GET /v2.0/networks`.
pub(crate) fn list(turn: &Turn<'_>) -> Outcome {
    Ok(a_list(turn, "networks", &found(turn)?, |(_, network)| {
        body(turn, network)
    }))
}

/// `GET /v2.0/networks/{id}`.
pub(crate) fn show(turn: &Turn<'_>, id: &str) -> Outcome {
    turn.ask.bare()?;
    let network = offer::networks(turn.world.mode)
        .iter()
        .find(|network| network.id() == id);
    let network = network
        .ok_or_else(|| Refusal::not_found(format!("Network {id} could not be found.")).named("NetworkNotFound"))?;
    Ok(Reply::json(200, json!({"network": body(turn, network)})))
}

fn body(turn: &Turn<'_>, network: &Network) -> Value {
    // NHN does not show the subnets of its public network.
    let subnets: Vec<String> = if network.external {
        Vec::new()
    } else {
        vec![network.subnet_id()]
    };
    json!({"id": network.id(), "name": network.name, "status": "ACTIVE", "subnets": subnets,
           "router:external": network.external, "shared": network.external, "admin_state_up": true,
           "port_security_enabled": true, "mtu": 0, "tenant_id": owner(turn, network)})
}

fn owner(turn: &Turn<'_>, network: &Network) -> String {
    if network.external {
        hex32_of("provider")
    } else {
        turn.world.tenant.id.clone()
    }
}

/// NHN's `GET /v2.0/vpcs`.
pub(crate) fn vpcs(turn: &Turn<'_>) -> Outcome {
    Ok(a_list(turn, "vpcs", &found(turn)?, |(_, network)| {
        vpc_body(turn, network)
    }))
}

fn vpc_body(turn: &Turn<'_>, network: &Network) -> Value {
    json!({"id": network.id(), "name": network.name, "tenant_id": owner(turn, network), "router:external": network.external,
           "shared": network.external, "state": "available", "create_time": "2020-01-01 00:00:00", "cidrv4": network.cidr})
}

/// NHN's `GET /v2.0/vpcs/{id}`: with subnets.
pub(crate) fn vpc(turn: &Turn<'_>, id: &str) -> Outcome {
    turn.ask.bare()?;
    let network = offer::networks(turn.world.mode)
        .iter()
        .find(|network| network.id() == id);
    let network =
        network.ok_or_else(|| Refusal::not_found(format!("VPC {id} could not be found.")).named("VpcNotFound"))?;
    let mut body = vpc_body(turn, network);
    body["subnets"] = json!([vpc_subnet(turn, network)]);
    Ok(Reply::json(200, json!({"vpc": body})))
}

fn vpc_subnet(turn: &Turn<'_>, network: &Network) -> Value {
    let gateway = turn
        .world
        .faults
        .armed("floating-no-router")
        .is_none()
        .then(|| hex32_of("gateway"));
    json!({"id": network.subnet_id(), "name": network.subnet, "vpc_id": network.id(), "cidr": network.cidr, "enable_dhcp": true,
           "gateway": "127.0.0.1", "tenant_id": turn.world.tenant.id, "state": "available",
           "routingtable": {"gateway_id": gateway, "default_table": true, "id": hex32_of("routing table"), "name": "vpc-table"}})
}

/// NHN's `GET /v2.0/vpcsubnets`.
pub(crate) fn vpc_subnets(turn: &Turn<'_>) -> Outcome {
    turn.ask.no_body()?;
    let query = turn.ask.query(&["id", "name", "vpc_id", "limit", "marker"])?;
    let inner = offer::networks(turn.world.mode).iter().filter(|network| {
        !network.external
            && query.get("vpc_id").is_none_or(|id| network.id() == id)
            && query.get("id").is_none_or(|id| network.subnet_id() == id)
            && query.get("name").is_none_or(|name| network.subnet == name)
    });
    let inner = inner.map(|network| (network.subnet_id(), network)).collect();
    let page = page(&query, inner, USUAL, |(id, _): &(String, &Network)| id)?;
    Ok(a_list(turn, "vpcsubnets", &page, |(_, network)| {
        vpc_subnet(turn, network)
    }))
}

/// `GET /v2.0/subnets`.
pub(crate) fn subnets(turn: &Turn<'_>) -> Outcome {
    turn.ask.no_body()?;
    let query = turn.ask.query(&["id", "name", "network_id", "limit", "marker"])?;
    let fits = |network: &&Network| {
        query.get("network_id").is_none_or(|id| network.id() == id)
            && query.get("id").is_none_or(|id| network.subnet_id() == id)
            && query.get("name").is_none_or(|name| network.subnet == name)
    };
    let subnet = |network: &Network| {
        json!({"id": network.subnet_id(), "name": network.subnet, "network_id": network.id(), "cidr": network.cidr, "ip_version": 4,
               "enable_dhcp": true, "gateway_ip": "127.0.0.1", "tenant_id": owner(turn, network)})
    };
    let found = offer::networks(turn.world.mode).iter().filter(fits);
    let found = found.map(|network| (network.subnet_id(), network)).collect();
    let page = page(&query, found, USUAL, |(id, _): &(String, &Network)| id)?;
    Ok(a_list(turn, "subnets", &page, |(_, network)| subnet(network)))
}

/// `GET /v2.0/ports`: those that Nova made for servers. They are there as soon as the server has an address.
pub(crate) fn ports(turn: &Turn<'_>) -> Outcome {
    turn.ask.no_body()?;
    let query = turn.ask.query(&[
        "device_id",
        "device_owner",
        "network_id",
        "id",
        "status",
        "limit",
        "marker",
    ])?;
    let mut ports = Vec::new();
    for server in turn.state.servers.values().filter(|server| server.wired(turn.now)) {
        let owner = format!("compute:{}", server.zone);
        let fits = query.get("device_id").is_none_or(|id| server.id == id)
            && query.get("id").is_none_or(|id| server.port == id)
            && query.get("device_owner").is_none_or(|wanted| owner == wanted)
            && query.get("status").is_none_or(|status| status == "ACTIVE")
            && query.get("network_id").is_none_or(|id| server.network.id() == id);
        if fits {
            let address = server.address().unwrap_or_default();
            ports.push((server.port.clone(), json!({"id": server.port, "status": "ACTIVE", "name": "", "network_id": server.network.id(),
                "tenant_id": turn.world.tenant.id, "device_id": server.id, "device_owner": owner, "mac_address": server.mac,
                "fixed_ips": [{"subnet_id": server.network.subnet_id(), "ip_address": address}],
                "security_groups": server.groups, "admin_state_up": true, "port_security_enabled": true,
                "allowed_address_pairs": []})));
        }
    }
    let page = page(&query, ports, USUAL, |(id, _): &(String, Value)| id)?;
    Ok(a_list(turn, "ports", &page, |(_, port)| port.clone()))
}
