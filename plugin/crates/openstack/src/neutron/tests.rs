//! Neutron's bodies, read and written, also those of NHN Cloud's VPCs.

use reseal_machine::BuildId;
use reseal_machine::cloud::Dialect;

use super::*;
use crate::dialect::rules;

fn body(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn networks_and_vpcs_are_the_same_to_us() {
    assert_eq!(networks(rules(Dialect::Nhn)).key, "vpcs");
    assert_eq!(networks(rules(Dialect::Openstack)).key, "networks");
    let vpcs = body(include_str!("../../../../../tests/data/openstack/vpcs.json"));
    let networks = body(include_str!("../../../../../tests/data/openstack/networks.json"));
    let vpc = read_network(&vpcs["vpcs"][0]).unwrap();
    assert_eq!(Some(&vpc), read_network(&networks["networks"][0]).as_ref());
    assert!(vpc.external);
}

#[test]
fn subnets_are_ids_or_objects() {
    let network = |subnets: Value| read_network(&json!({ "id": "n", "subnets": subnets })).unwrap().subnets;
    assert_eq!(network(json!(["a"])), ["a"]);
    assert_eq!(network(json!([{ "id": "a", "name": "x" }])), ["a"]);
}

#[test]
fn a_floating_ip_carries_its_marks_where_the_cloud_has_room() {
    let new = NewFloatingIp {
        network: NetworkId::new("aaaaaaaa"),
        server: ServerId::new("33333333"),
        marks: Marks::new(BuildId::new("7f3a2c"), "cloud/address"),
    };
    for (dialect, key) in [(Dialect::Nhn, "label"), (Dialect::Openstack, "description")] {
        let sent = create_floating_ip(&new, "88888888", rules(dialect)).body.unwrap();
        assert_eq!(marks_of(&sent["floatingip"], key).as_ref(), Some(&new.marks));
        assert_eq!(sent["floatingip"].as_object().unwrap().len(), 3);
    }
}

#[test]
fn rules_are_for_one_port_and_one_family() {
    let rule = |cidr: &str| {
        let rule = IngressRule {
            port: 5986,
            cidr: cidr.to_owned(),
        };
        create_rule(&SecurityGroupId::new("b"), &rule).body.unwrap()["security_group_rule"].clone()
    };
    let v4 = rule("198.51.100.7/32");
    assert_eq!(
        (&v4["port_range_min"], &v4["port_range_max"], &v4["ethertype"]),
        (&json!(5986), &json!(5986), &json!("IPv4"))
    );
    assert_eq!(rule("2001:db8::7/128")["ethertype"], "IPv6");
}

#[test]
fn the_machines_own_port_comes_first() {
    let ports = body(include_str!("../../../../../tests/data/openstack/ports.json"));
    assert_eq!(
        first_port(json::list(&ports, "ports")).unwrap(),
        "88888888-8888-4888-8888-888888888888"
    );
    let mixed = [
        json!({ "id": "other", "device_owner": "network:dhcp" }),
        json!({ "id": "six", "device_owner": "compute:a", "fixed_ips": [{ "ip_address": "2001:db8::1" }] }),
        json!({ "id": "four", "device_owner": "compute:a", "fixed_ips": [{ "ip_address": "10.0.0.1" }] }),
    ];
    assert_eq!(first_port(&mixed).as_deref(), Some("four"));
    assert_eq!(first_port(&[]), None);
}

#[test]
fn groups_and_addresses_are_read() {
    let group = body(include_str!("../../../../../tests/data/openstack/security-group.json"));
    assert_eq!(
        read_security_group(&group["security_group"]).unwrap().name,
        "reseal-7f3a2c"
    );
    let ip = body(include_str!("../../../../../tests/data/openstack/floatingip.json"));
    assert_eq!(read_floating_ip(&ip["floatingip"]).unwrap().address, "203.0.113.10");
}
