//! Neutron's calls and its words (<https://docs.openstack.org/api-ref/network/v2/>).

use reseal_machine::cloud::{FloatingIp, IngressRule, Network, NewFloatingIp, NewSecurityGroup, SecurityGroup};
use reseal_machine::{FloatingIpId, Marks, NetworkId, SecurityGroupId, ServerId};
use serde_json::{Value, json};

use crate::catalog::Service::Network as Neutron;
use crate::dialect::Rules;
use crate::http::request::Request;
use crate::json;
use crate::paging::{List, Paging};

fn list(operation: &'static str, key: &'static str) -> List {
    let request = Request::get(Neutron, operation, &[key]);
    let key = match key {
        "security-groups" => "security_groups",
        key => key,
    };
    List {
        request,
        key,
        paging: Paging::Marker,
    }
}

pub(crate) fn networks(rules: &Rules) -> List {
    list("list networks", rules.networks)
}

pub(crate) fn ports_of(server: &ServerId) -> List {
    let mut ports = list("list ports", "ports");
    ports.request = ports.request.query("device_id", server.as_str());
    ports
}

pub(crate) fn floating_ips() -> List {
    list("list floating IPs", "floatingips")
}

pub(crate) fn security_groups() -> List {
    list("list security groups", "security-groups")
}

pub(crate) fn create_security_group(new: &NewSecurityGroup) -> Request {
    let body = json!({ "security_group": { "name": new.name, "description": description(&new.marks) } });
    Request::create(Neutron, "create security group", &["security-groups"]).json(body)
}

/// A second equal rule is a conflict, so that asking twice makes one.
pub(crate) fn create_rule(group: &SecurityGroupId, rule: &IngressRule) -> Request {
    let ethertype = if rule.cidr.contains(':') { "IPv6" } else { "IPv4" };
    Request::post(Neutron, "create security group rule", &["security-group-rules"]).json(
        json!({ "security_group_rule": {
        "security_group_id": group,
        "direction": "ingress",
        "ethertype": ethertype,
        "protocol": "tcp",
        "port_range_min": rule.port,
        "port_range_max": rule.port,
        "remote_ip_prefix": rule.cidr,
    } }),
    )
}

pub(crate) fn delete_security_group(id: &SecurityGroupId) -> Request {
    Request::delete(Neutron, "delete security group", &["security-groups", id.as_str()])
}

pub(crate) fn create_floating_ip(new: &NewFloatingIp, port: &str, rules: &Rules) -> Request {
    Request::create(Neutron, "allocate floating IP", &["floatingips"]).json(json!({ "floatingip": {
        "floating_network_id": new.network,
        "port_id": port,
        rules.floating_ip_note: description(&new.marks),
    } }))
}

pub(crate) fn attach_floating_ip(id: &FloatingIpId, port: &str) -> Request {
    Request::put(Neutron, "attach floating IP", &["floatingips", id.as_str()])
        .json(json!({ "floatingip": { "port_id": port } }))
}

pub(crate) fn delete_floating_ip(id: &FloatingIpId) -> Request {
    Request::delete(Neutron, "release floating IP", &["floatingips", id.as_str()])
}

/// Marks as a sentence for people; descriptions have at most 255 characters.
pub(crate) fn description(marks: &Marks) -> String {
    format!("made by Reseal, {}", marks.to_text())
        .chars()
        .take(255)
        .collect()
}

/// Marks of something with a description or a label.
pub(crate) fn marks_of(value: &Value, key: &str) -> Option<Marks> {
    Marks::from_text(&json::text(value, key)?)
}

pub(crate) fn read_network(value: &Value) -> Option<Network> {
    // Neutron lists ids, NHN Cloud's VPCs carry whole subnets.
    let subnet = |entry: &Value| {
        entry
            .as_str()
            .map(ToOwned::to_owned)
            .or_else(|| json::text(entry, "id"))
    };
    Some(Network {
        id: NetworkId::new(json::text(value, "id")?),
        name: json::text(value, "name").unwrap_or_default(),
        external: json::flag(value, "router:external"),
        subnets: json::list(value, "subnets").iter().filter_map(subnet).collect(),
    })
}

pub(crate) fn read_security_group(value: &Value) -> Option<SecurityGroup> {
    let id = SecurityGroupId::new(json::text(value, "id")?);
    Some(SecurityGroup {
        id,
        name: json::text(value, "name").unwrap_or_default(),
    })
}

pub(crate) fn read_floating_ip(value: &Value) -> Option<FloatingIp> {
    let id = FloatingIpId::new(json::text(value, "id")?);
    Some(FloatingIp {
        id,
        address: json::text(value, "floating_ip_address")?,
    })
}

/// The first port of a machine: one of Nova's own before any other, one with an IPv4 address before any other.
pub(crate) fn first_port(ports: &[Value]) -> Option<String> {
    let v4 = |port: &Value| {
        json::list(port, "fixed_ips")
            .iter()
            .any(|ip| json::text(ip, "ip_address").is_some_and(|ip| ip.contains('.')))
    };
    let ours = |port: &Value| json::text(port, "device_owner").is_some_and(|owner| owner.starts_with("compute:"));
    ports
        .iter()
        .min_by_key(|port| (!ours(port), !v4(port)))
        .and_then(|port| json::text(port, "id"))
}

#[cfg(test)]
mod tests;
