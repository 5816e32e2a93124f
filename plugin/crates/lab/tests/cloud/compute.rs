//! Nova in both modes.

use std::sync::atomic::Ordering;

use reseal_lab::Mode;
use reseal_machine::cloud::ResourceKind;
use serde_json::{Value, json};

use crate::site::{Site, content, public_key};

#[tokio::test]
async fn flavours_and_zones() {
    let site = Site::start(Mode::Nhn, &[]).await;
    let got = site.get("compute", "/flavors/detail?minRam=8192").await.is(200);
    assert!(
        got.body["flavors"]
            .as_array()
            .unwrap()
            .iter()
            .all(|flavor| flavor["ram"].as_u64().unwrap() >= 8192)
    );
    site.get("compute", "/flavors/detail?minRam=much").await.is(400);
    site.get("compute", "/flavors?colour=red").await.is(400);
    let zones = site.get("compute", "/os-availability-zone").await.is(200);
    assert_eq!(zones.body["availabilityZoneInfo"][0]["zoneName"], "kr-pub-a");
    site.get("compute", "/limits").await.is(404);
    let id = site.flavor("u2.c2m4").await;
    assert_eq!(
        site.get("compute", &format!("/flavors/{id}")).await.is(200).body["flavor"]["disk"],
        100
    );
    let upstream = Site::start(Mode::Openstack, &[]).await;
    let limits = upstream.get("compute", "/limits").await.is(200);
    assert_eq!(limits.body["limits"]["absolute"]["maxTotalInstances"], 2);
}

#[tokio::test]
async fn keypairs_are_imported_rsa_keys() {
    let site = Site::start(Mode::Openstack, &[]).await;
    let pair = |key: &str| json!({"keypair": {"name": "k", "public_key": key}});
    site.post("compute", "/os-keypairs", json!({"keypair": {"name": "k"}}))
        .await
        .is(400)
        .says("import");
    site.post("compute", "/os-keypairs", pair("ssh-ed25519 AAAA x"))
        .await
        .is(400)
        .says("ssh-rsa");
    site.post("compute", "/os-keypairs", pair("ssh-rsa AAAA x"))
        .await
        .is(400);
    let made = site
        .post_with(
            "compute",
            "/os-keypairs",
            pair(&public_key()),
            ("OpenStack-API-Version", "compute 2.2"),
        )
        .await
        .is(201);
    assert!(
        made.body["keypair"]["fingerprint"]
            .as_str()
            .unwrap()
            .starts_with("SHA256:")
    );
    site.post("compute", "/os-keypairs", pair(&public_key()))
        .await
        .is(409)
        .says("already exists");
    site.get("compute", "/os-keypairs/k").await.is(404);
    site.get("compute", "/os-keypairs/k").await.is(200);
    site.delete("compute", "/os-keypairs/k").await.is(202);
    site.delete("compute", "/os-keypairs/k").await.is(404);
}

#[tokio::test]
async fn microversions_are_echoed_upstream_and_ignored_on_nhn() {
    let upstream = Site::start(Mode::Openstack, &[]).await;
    let url = upstream.at("compute", "/flavors");
    let got = upstream
        .try_call("GET", &url, None, &[("OpenStack-API-Version", "compute 2.67")])
        .await
        .unwrap();
    assert_eq!(got.header("OpenStack-API-Version"), Some("compute 2.67"));
    upstream
        .try_call("GET", &url, None, &[("OpenStack-API-Version", "compute 2.999")])
        .await
        .unwrap()
        .is(406);
    upstream
        .try_call("GET", &url, None, &[("X-OpenStack-Nova-API-Version", "two")])
        .await
        .unwrap()
        .is(400);
    let nhn = Site::start(Mode::Nhn, &[]).await;
    let url = nhn.at("compute", "/flavors");
    let got = nhn
        .try_call("GET", &url, None, &[("OpenStack-API-Version", "compute 2.67")])
        .await
        .unwrap()
        .is(200);
    assert_eq!(got.header("OpenStack-API-Version"), None);
    let wrong = url.replace("/v2/", "/v2.1/");
    nhn.try_call("GET", &wrong, None, &[]).await.unwrap().is(404);
}

#[tokio::test]
async fn nhns_rules_for_windows_are_enforced() {
    let site = Site::start(Mode::Nhn, &[]).await;
    site.prepare().await;
    let good = site.order("build-name-15ch").await;
    let u2 = site.flavor("u2.c2m4").await;
    let small = site.flavor("t2.c1m1").await;
    let sql = site
        .image("Windows 2022 STD with MS-SQL 2022 STD(2025.11.11.) EN")
        .await;
    let missing = "00000000-0000-4000-8000-000000000000";
    let cases: Vec<(&str, Value, &str)> = vec![
        ("/name", json!("sixteen-letters-"), "15 characters"),
        ("/name", json!(""), "name"),
        ("/flavorRef", json!(small), "memory"),
        ("/flavorRef", json!(missing), "could not be found"),
        ("/imageRef", json!(missing), "Can not find requested image"),
        ("/imageRef", json!(sql), "different images"),
        ("/key_name", json!("nobody"), "Invalid key_name"),
        ("/key_name", Value::Null, "null"),
        ("/networks", json!([]), "exactly one network"),
        ("/networks/0/uuid", json!(missing), "Network could not be found"),
        (
            "/security_groups/0/name",
            json!("nobody"),
            "Unable to find security_group",
        ),
        ("/user_data", json!("%%%"), "cannot be decoded"),
        ("/user_data", json!("A".repeat(65_536)), "too long"),
        ("/availability_zone", json!("mars"), "availability zone"),
        ("/metadata/run", json!("x".repeat(256)), "255"),
        ("/metadata/run", json!(1), "invalid type"),
        ("/min_count", json!(2), "must be 1"),
        ("/config_drive", json!(true), "config_drive"),
        (
            "/block_device_mapping_v2/0/volume_size",
            json!(49),
            "Volume size is too small",
        ),
        (
            "/block_device_mapping_v2/0/volume_type",
            json!("Golden SSD"),
            "volume_type",
        ),
        ("/block_device_mapping_v2/0/boot_index", json!(1), "Boot sequence"),
        (
            "/block_device_mapping_v2/0/destination_type",
            json!("local"),
            "destination_type",
        ),
        ("/block_device_mapping_v2/0/source_type", json!("blank"), "source_type"),
        ("/adminPass", json!("x"), "unknown field `adminPass`"),
    ];
    for (pointer, value, words) in cases {
        let mut odd = good.clone();
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        let parent = odd["server"].pointer_mut(parent).unwrap();
        match parent {
            Value::Array(_) => panic!("{pointer}"),
            parent => parent[field] = value,
        }
        site.launch(odd).await.is(400).says(words);
    }
    for (field, words) in [
        ("key_name", "Invalid key_name"),
        ("block_device_mapping_v2", "Missing Block Device Mapping attribute"),
        ("networks", "networks"),
    ] {
        let mut odd = good.clone();
        odd["server"].as_object_mut().unwrap().remove(field);
        site.launch(odd).await.is(400).says(words);
    }
    let mut local = good.clone();
    local["server"]
        .as_object_mut()
        .unwrap()
        .remove("block_device_mapping_v2");
    local["server"]["flavorRef"] = json!(u2);
    site.launch(local).await.is(400).says("u2");
    assert!(
        site.lab
            .leftovers()
            .iter()
            .all(|left| left.kind != ResourceKind::Server),
        "nothing was made"
    );
    site.launch(good).await.is(202);
}

#[tokio::test]
async fn a_server_comes_up_with_what_it_was_given() {
    let site = Site::start(Mode::Nhn, &[]).await;
    site.prepare().await;
    let got = site.launch(site.order("b1").await).await.is(202);
    assert!(got.body["server"].get("adminPass").is_none());
    let id = got.body["server"]["id"].as_str().unwrap().to_owned();
    let path = format!("/servers/{id}");
    site.get("compute", &path).await.is(404).says("could not be found");
    assert_eq!(
        site.face(&id).await,
        ("BUILD".to_owned(), Some("scheduling".to_owned()), 0)
    );
    assert_eq!(site.server(&id).await["addresses"], json!({}));
    site.post("compute", &format!("{path}/action"), json!({"os-stop": null}))
        .await
        .is(409)
        .says("building");
    site.put("compute", &format!("{path}/metadata/a"), json!({"meta": {"a": "b"}}))
        .await
        .is(409);
    site.pass(60);
    assert_eq!(site.face(&id).await, ("ACTIVE".to_owned(), None, 1));
    let server = site.server(&id).await;
    assert_eq!(server["addresses"]["Default Network"][0]["addr"], "127.77.0.10");
    assert_eq!(server["metadata"]["login_username"], "Administrator");
    assert_eq!(server["metadata"]["volume_size"], "60");
    assert_eq!(server["metadata"]["run"], "1");
    assert_eq!(
        server["image"]["id"],
        json!(site.windows().await),
        "NHN shows the image of a volume root"
    );
    let machine = site.machine(0);
    let request = &machine.request;
    assert_eq!(request.user_data.as_deref(), Some(b"#ps1\n".as_slice()));
    assert_eq!(request.open_ports, [5986], "5985 is open to somebody else only");
    assert_eq!((request.disk_gb, request.ram_mb), (60, 4096));
    assert_eq!(request.public_keys, [public_key()]);
    assert_eq!(content(&request.disk), "Windows 2022 STD(2026.03.10.) EN");
    assert_eq!(site.lab.user_data(), [b"#ps1\n".to_vec()]);
    site.put("compute", &format!("{path}/metadata/a"), json!({"meta": {"a": "b"}}))
        .await
        .is(200);
    site.put("compute", &format!("{path}/metadata/a"), json!({"meta": {"z": "b"}}))
        .await
        .is(400);
    assert_eq!(
        site.get("compute", &format!("{path}/metadata")).await.is(200).body["metadata"]["a"],
        "b"
    );
    assert_eq!(
        site.put("compute", &path, json!({"server": {"name": "b2"}}))
            .await
            .is(200)
            .body["server"]["name"],
        "b2"
    );
}

#[tokio::test]
async fn lists_are_late_and_paged() {
    let site = Site::start(Mode::Nhn, &[]).await;
    site.prepare().await;
    let order = site.order("b1").await;
    site.launch(order.clone()).await.is(202);
    let count = |got: crate::site::Got| got.is(200).body["servers"].as_array().unwrap().len();
    assert_eq!(count(site.get("compute", "/servers/detail?name=%5Eb1%24").await), 0);
    assert_eq!(count(site.get("compute", "/servers/detail?name=%5Eb1%24").await), 0);
    assert_eq!(count(site.get("compute", "/servers/detail?name=%5Eb1%24").await), 1);
    let mut second = order;
    second["server"]["name"] = json!("b2");
    site.launch(second).await.is(202);
    site.pass(61);
    let page = site.get("compute", "/servers?limit=1").await.is(200);
    assert_eq!(page.body["servers"][0]["name"], "b2", "newest first");
    assert_eq!(page.body["servers_links"][0]["rel"], "next");
    let marker = page.body["servers"][0]["id"].as_str().unwrap().to_owned();
    let rest = site
        .get("compute", &format!("/servers?limit=1&marker={marker}"))
        .await
        .is(200);
    assert_eq!(rest.body["servers"][0]["name"], "b1");
    assert!(rest.body.get("servers_links").is_none());
    site.get("compute", "/servers?marker=nobody").await.is(400);
}

#[tokio::test]
async fn a_guest_that_goes_off_is_seen_in_four_states() {
    let site = Site::start(Mode::Nhn, &[]).await;
    let (id, _) = site.running().await;
    let face = |status: &str, task: Option<&str>, power| (status.to_owned(), task.map(str::to_owned), power);
    site.machine(0).shut_down();
    assert_eq!(site.face(&id).await, face("ACTIVE", None, 1));
    site.pass(5);
    assert_eq!(site.face(&id).await, face("ACTIVE", None, 4));
    site.pass(10);
    assert_eq!(site.face(&id).await, face("ACTIVE", Some("powering-off"), 4));
    site.post("compute", &format!("/servers/{id}/action"), json!({"os-stop": null}))
        .await
        .is(409)
        .says("powering-off");
    site.pass(10);
    assert_eq!(site.face(&id).await, face("SHUTOFF", None, 4));
    site.post("compute", &format!("/servers/{id}/action"), json!({"os-stop": null}))
        .await
        .is(409)
        .says("vm_state stopped");
    site.post("compute", &format!("/servers/{id}/action"), json!({"os-start": null}))
        .await
        .is(202);
    assert_eq!(site.face(&id).await, face("SHUTOFF", Some("powering-on"), 4));
    site.pass(6);
    assert_eq!(site.face(&id).await, face("ACTIVE", None, 1));
}

#[tokio::test]
async fn stop_waits_for_the_guest_and_then_cuts_the_power() {
    let site = Site::start(Mode::Openstack, &[]).await;
    let (id, _) = site.running().await;
    let action = format!("/servers/{id}/action");
    site.post("compute", &action, json!({"os-stop": {}})).await.is(400);
    site.post("compute", &action, json!({"os-stop": null})).await.is(202);
    site.pass(59);
    assert_eq!(site.face(&id).await.1.as_deref(), Some("powering-off"));
    site.pass(1);
    assert_eq!(site.face(&id).await, ("SHUTOFF".to_owned(), None, 4));
    site.post("compute", &action, json!({"reboot": {"type": "SOFT"}}))
        .await
        .is(409);
    site.post("compute", &action, json!({"reboot": {"type": "GENTLE"}}))
        .await
        .is(400);
    site.post("compute", &action, json!({"rebuild": {}}))
        .await
        .is(400)
        .says("unknown action");
    site.post("compute", &action, json!({"os-start": null, "os-stop": null}))
        .await
        .is(400);
}

#[tokio::test]
async fn deleting_takes_time_and_leaves_what_was_asked() {
    let site = Site::start(Mode::Nhn, &[]).await;
    let (id, volume) = site.running().await;
    site.delete("compute", &format!("/servers/{id}")).await.is(204);
    assert!(site.machine(0).destroyed.load(Ordering::SeqCst));
    assert_eq!(site.face(&id).await.1.as_deref(), Some("deleting"));
    assert_eq!(site.volume_status(&volume).await.as_deref(), Some("in-use"));
    site.pass(9);
    site.get("compute", &format!("/servers/{id}")).await.is(404);
    site.delete("compute", &format!("/servers/{id}")).await.is(404);
    assert_eq!(
        site.volume_status(&volume).await.as_deref(),
        Some("available"),
        "delete_on_termination was false"
    );
    let left: Vec<_> = site.lab.leftovers().iter().map(|left| left.kind).collect();
    assert_eq!(
        left,
        [ResourceKind::Volume, ResourceKind::SecurityGroup, ResourceKind::Keypair]
    );
    site.delete("volume", &format!("/volumes/{volume}")).await.is(202);
    assert_eq!(site.lab.leftovers().len(), 2, "what is being deleted is not left");
    assert_eq!(site.volume_status(&volume).await.as_deref(), Some("deleting"));
    site.pass(7);
    assert_eq!(site.volume_status(&volume).await, None);
}

#[tokio::test]
async fn a_volume_may_die_with_its_server() {
    let site = Site::start(Mode::Nhn, &[]).await;
    site.prepare().await;
    let mut order = site.order("b1").await;
    order["server"]["block_device_mapping_v2"][0]["delete_on_termination"] = json!(true);
    let id = site.launch(order).await.is(202).body["server"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(site.lab.leftovers().len(), 4);
    site.delete("compute", &format!("/servers/{id}")).await.is(204);
    assert_eq!(site.lab.leftovers().len(), 2);
    site.pass(60);
    assert_eq!(site.lab.leftovers().len(), 2);
}

#[tokio::test]
async fn the_quota_is_what_two_machines_need() {
    let site = Site::start(Mode::Nhn, &[]).await;
    site.prepare().await;
    let order = site.order("b1").await;
    site.launch(order.clone()).await.is(202);
    site.launch(order.clone()).await.is(202);
    site.launch(order)
        .await
        .is(403)
        .says("Quota exceeded for instances: Requested 1, but already used 2 of 2 instances");
}

#[tokio::test]
async fn upstream_differs() {
    let site = Site::start(Mode::Openstack, &[]).await;
    site.prepare().await;
    let order = site.order("a-name-of-more-than-15").await;
    site.post("compute", "/servers", order.clone())
        .await
        .is(400)
        .says("volume_type");
    let got = site.launch(order.clone()).await.is(202);
    let password = got.body["server"]["adminPass"].as_str().unwrap().to_owned();
    assert!(site.lab.secrets().contains(&password));
    let id = got.body["server"]["id"].as_str().unwrap().to_owned();
    site.pass(61);
    let server = site.server(&id).await;
    assert_eq!(server["image"], "");
    assert!(server["metadata"].get("login_username").is_none());
    let url = site.at("compute", &format!("/servers/{id}"));
    let new = site
        .try_call("GET", &url, None, &[("OpenStack-API-Version", "compute 2.47")])
        .await
        .unwrap()
        .is(200);
    assert_eq!(new.body["server"]["flavor"]["original_name"], "m1.medium");
    let url = site.at("compute", &format!("/servers/{id}/os-volume_attachments"));
    let new = site
        .try_call("GET", &url, None, &[("OpenStack-API-Version", "compute 2.89")])
        .await
        .unwrap()
        .is(200);
    assert!(
        new.body["volumeAttachments"][0].get("id").is_none()
            && new.body["volumeAttachments"][0]["bdm_uuid"].is_string()
    );
    let console = json!({"os-getConsoleOutput": {"length": 2}});
    let got = site
        .post("compute", &format!("/servers/{id}/action"), console)
        .await
        .is(200);
    assert_eq!(got.body["output"], "line 2\nline 3");
    let mut subnet = order;
    subnet["server"]["networks"] = json!([{"subnet": "x"}]);
    site.launch(subnet).await.is(400).says("subnet");
}

#[tokio::test]
async fn the_password_is_what_the_guest_posted() {
    let site = Site::start(Mode::Openstack, &[]).await;
    let (id, _) = site.running().await;
    let path = format!("/servers/{id}/os-server-password");
    assert_eq!(site.get("compute", &path).await.is(200).body["password"], "");
    *site.machine(0).password.lock().unwrap() = Some("cGFzcw==".to_owned());
    assert_eq!(site.get("compute", &path).await.is(200).body["password"], "cGFzcw==");
    site.delete("compute", &path).await.is(204);
    assert_eq!(site.get("compute", &path).await.is(200).body["password"], "");
    let nhn = Site::start(Mode::Nhn, &[]).await;
    let (id, _) = nhn.running().await;
    nhn.get("compute", &format!("/servers/{id}/os-server-password"))
        .await
        .is(404);
    nhn.post(
        "compute",
        &format!("/servers/{id}/action"),
        json!({"os-getConsoleOutput": {"length": 2}}),
    )
    .await
    .is(404);
}

#[tokio::test]
async fn create_image_is_for_local_disks() {
    for (mode, flavor, version, words) in [
        (Mode::Nhn, "u2.c2m4", "compute 2.45", "block storage"),
        (Mode::Openstack, "m1.large", "compute 2.45", "os-volume_upload_image"),
    ] {
        let site = Site::start(mode, &[]).await;
        let (id, _) = site.running().await;
        let body = json!({"createImage": {"name": "img", "metadata": {"a": "b"}}});
        let action = format!("/servers/{id}/action");
        site.post_with("compute", &action, body.clone(), ("OpenStack-API-Version", version))
            .await
            .is(400)
            .says(words);
        let image = if mode == Mode::Nhn {
            site.image("Ubuntu Server 24.04.2 LTS (2026.02.24)").await
        } else {
            site.windows().await
        };
        let mut order = site.order("local").await;
        order["server"]
            .as_object_mut()
            .unwrap()
            .remove("block_device_mapping_v2");
        order["server"]["flavorRef"] = json!(site.flavor(flavor).await);
        order["server"]["imageRef"] = json!(image);
        let id = site.launch(order).await.is(202).body["server"]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        site.pass(61);
        let action = format!("/servers/{id}/action");
        let got = site
            .post_with("compute", &action, body.clone(), ("OpenStack-API-Version", version))
            .await
            .is(202);
        let image = match mode {
            Mode::Nhn => got.header("Location").unwrap().rsplit('/').next().unwrap().to_owned(),
            Mode::Openstack => got.body["image_id"].as_str().unwrap().to_owned(),
        };
        assert_eq!(site.face(&id).await.1.as_deref(), Some("image_uploading"));
        site.post("compute", &action, body)
            .await
            .is(409)
            .says("image_uploading");
        site.pass(900);
        assert_eq!(site.image_status(&image).await.as_deref(), Some("active"));
        assert_eq!(site.face(&id).await.1, None);
        let captured = &site.lab.images()[0];
        assert_eq!(captured.properties["base_image_ref"].len(), 36);
        assert_eq!(captured.properties["a"], "b");
        assert!(captured.taken_while_running);
    }
}
