//! Neutron in both modes.

use reseal_lab::Mode;
use serde_json::json;

use crate::site::Site;

#[tokio::test]
async fn networks_and_vpcs() {
    let nhn = Site::start(Mode::Nhn, &[]).await;
    let vpcs = nhn.get("network", "/vpcs?router:external=true").await.is(200);
    assert_eq!(vpcs.body["vpcs"][0]["name"], "public_network");
    let inner = nhn.network(false).await;
    let vpc = nhn.get("network", &format!("/vpcs/{inner}")).await.is(200);
    assert!(vpc.body["vpc"]["subnets"][0]["routingtable"]["gateway_id"].is_string());
    nhn.get("network", "/vpcsubnets").await.is(200);
    nhn.get("network", "/networks?router:external=perhaps").await.is(400);
    nhn.get("network", "/networks?colour=red").await.is(400).says("colour");
    let upstream = Site::start(Mode::Openstack, &[]).await;
    upstream.get("network", "/vpcs").await.is(400).says("NeutronError");
    let names = upstream.get("network", "/networks").await.is(200);
    assert_eq!(names.body["networks"][1]["name"], "public");
    assert_eq!(
        upstream.get("network", "/subnets").await.is(200).body["subnets"][0]["ip_version"],
        4
    );
}

#[tokio::test]
async fn a_group_appears_late_and_stays_while_it_is_used() {
    let site = Site::start(Mode::Nhn, &[]).await;
    let got = site
        .post(
            "network",
            "/security-groups",
            json!({"security_group": {"name": "a", "description": "x"}}),
        )
        .await
        .is(201);
    let id = got.body["security_group"]["id"].as_str().unwrap().to_owned();
    let names = |got: crate::site::Got| got.body["security_groups"].as_array().unwrap().len();
    assert_eq!(names(site.get("network", "/security-groups").await), 1, "only default");
    assert_eq!(names(site.get("network", "/security-groups").await), 1);
    assert_eq!(names(site.get("network", "/security-groups").await), 2);
    site.post("network", "/security-groups", json!({"security_group": {"name": "a"}}))
        .await
        .is(409);
    site.delete("network", &format!("/security-groups/{id}")).await.is(204);
    site.delete("network", &format!("/security-groups/{id}")).await.is(404);
}

#[tokio::test]
async fn rules_are_strict() {
    let site = Site::start(Mode::Nhn, &[]).await;
    let got = site
        .post("network", "/security-groups", json!({"security_group": {"name": "a"}}))
        .await
        .is(201);
    let group = got.body["security_group"]["id"].clone();
    let rule = json!({"security_group_rule": {"security_group_id": group, "direction": "ingress", "protocol": "tcp",
        "port_range_min": "5986", "port_range_max": "5986", "remote_ip_prefix": "127.0.0.1/32"}});
    site.post("network", "/security-group-rules", rule.clone())
        .await
        .is(201);
    site.post("network", "/security-group-rules", rule.clone())
        .await
        .is(409)
        .says("SecurityGroupRuleExists");
    for (field, value) in [
        ("ethertype", json!("IPv6")),
        ("remote_ip_prefix", json!("127.0.0.1/8")),
        ("direction", json!("in")),
        ("port_range_min", json!(70_000)),
        ("port_range_min", json!(6000)),
        ("colour", json!("red")),
        ("protocol", json!("sctp")),
    ] {
        let mut odd = rule.clone();
        odd["security_group_rule"][field] = value;
        site.post("network", "/security-group-rules", odd).await.is(400);
    }
    let mut open = rule;
    open["security_group_rule"]
        .as_object_mut()
        .unwrap()
        .remove("remote_ip_prefix");
    site.post("network", "/security-group-rules", open)
        .await
        .is(400)
        .says("open to the world");
}

#[tokio::test]
async fn a_floating_address_is_the_machines_own() {
    let site = Site::start(Mode::Nhn, &[]).await;
    let (server, _) = site.running().await;
    let port = site
        .get("network", &format!("/ports?device_id={server}"))
        .await
        .is(200)
        .body["ports"][0]
        .clone();
    let public = site.network(true).await;
    let body = json!({"floatingip": {"floating_network_id": public, "port_id": port["id"], "label": "b1"}});
    let ip = site.post("network", "/floatingips", body.clone()).await.is(201).body["floatingip"].clone();
    assert_eq!(ip["floating_ip_address"], port["fixed_ips"][0]["ip_address"]);
    assert_eq!(
        (ip["status"].as_str(), ip["label"].as_str()),
        (Some("ACTIVE"), Some("b1"))
    );
    site.post("network", "/floatingips", body)
        .await
        .is(409)
        .says("FloatingIPPortAlreadyAssociated");
    let addresses = site.server(&server).await["addresses"]["Default Network"].clone();
    assert_eq!(addresses[1]["OS-EXT-IPS:type"], "floating");
    assert_eq!(addresses[0]["addr"], addresses[1]["addr"]);
    let path = format!("/floatingips/{}", ip["id"].as_str().unwrap());
    site.get("network", &path).await.is(404);
    let down = site
        .put("network", &path, json!({"floatingip": {"port_id": null}}))
        .await
        .is(200)
        .body["floatingip"]
        .clone();
    assert_eq!(down["status"], "DOWN");
    assert!(down["floating_ip_address"].as_str().unwrap().starts_with("203.0.113."));
    let up = site
        .put("network", &path, json!({"floatingip": {"port_id": port["id"]}}))
        .await
        .is(200);
    assert_eq!(up.body["floatingip"]["status"], "ACTIVE");
    site.delete("compute", &format!("/servers/{server}")).await.is(204);
    site.pass(10);
    assert_eq!(
        site.get("network", &path).await.is(200).body["floatingip"]["status"],
        "DOWN",
        "it outlives its server"
    );
    site.delete("network", &path).await.is(204);
    site.get("network", &path).await.is(404);
}

#[tokio::test]
async fn labels_are_nhns_and_descriptions_upstreams() {
    for (mode, wrong) in [(Mode::Nhn, "description"), (Mode::Openstack, "label")] {
        let site = Site::start(mode, &[]).await;
        let body = json!({"floatingip": {"floating_network_id": site.network(true).await, wrong: "x"}});
        site.post("network", "/floatingips", body).await.is(400).says(wrong);
        let inner = json!({"floatingip": {"floating_network_id": site.network(false).await}});
        site.post("network", "/floatingips", inner)
            .await
            .is(400)
            .says("not a valid external network");
    }
}
