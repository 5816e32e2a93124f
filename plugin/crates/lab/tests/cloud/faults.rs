//! Every fault of the cloud, at least once.

use reseal_lab::cloud::FAULTS;
use reseal_lab::{Lab, Mode};
use serde_json::json;

use crate::site::{Site, credentials, options, public_key, send, variable, within};

#[test]
fn every_fault_is_described_and_tested_here() {
    let tests = include_str!("faults.rs");
    let known = Lab::known_faults();
    for fault in FAULTS {
        assert!(
            tests.contains(&format!("\"{}", fault.name)),
            "no test arms {}",
            fault.name
        );
        assert!(!fault.what.is_empty() && !fault.what.contains('\n') && known.contains(fault));
    }
    let names: std::collections::BTreeSet<_> = known.iter().map(|fault| fault.name).collect();
    assert_eq!(names.len(), known.len(), "names are unique");
}

#[tokio::test]
async fn a_wrong_password() {
    for mode in [Mode::Nhn, Mode::Openstack] {
        let (options, ..) = options(mode, &["wrong-password"]);
        let lab = Lab::start(options).await.unwrap();
        let (url, body) = credentials(&lab, mode, &variable(&lab, "OS_PASSWORD"));
        let got = send(
            "POST",
            &url,
            &[("Content-Type", "application/json")],
            body.to_string().into_bytes(),
        )
        .await
        .unwrap();
        got.is(401);
    }
}

#[tokio::test]
async fn tokens_that_die_early() {
    let site = Site::start(Mode::Nhn, &["token-expires=3*1"]).await;
    site.pass(179);
    site.get("compute", "/flavors").await.is(200);
    site.pass(1);
    site.get("compute", "/flavors").await.is(401);
    let (token, _) = crate::site::log_in(&site.lab, Mode::Nhn).await;
    let site = Site { token, ..site };
    site.pass(3600);
    site.get("compute", "/flavors").await.is(200);
    let site = Site::start(Mode::Nhn, &["unauthorized-once"]).await;
    site.get("compute", "/flavors").await.is(401);
    site.get("compute", "/flavors").await.is(200);
}

#[tokio::test]
async fn a_catalogue_without_volumes_and_an_empty_image_list() {
    let site = Site::start(Mode::Nhn, &["catalog-without-volume", "image-list-empty"]).await;
    assert!(!site.catalog.keys().any(|kind| kind.contains("volume")));
    assert_eq!(site.get("image", "/images").await.is(200).body["images"], json!([]));
}

async fn launched(faults: &[&str]) -> (Site, String) {
    let site = Site::start(Mode::Nhn, faults).await;
    site.prepare().await;
    let got = site.launch(site.order("b1").await).await.is(202);
    let id = got.body["server"]["id"].as_str().unwrap().to_owned();
    site.pass(61);
    (site, id)
}

#[tokio::test]
async fn servers_that_do_not_come_up() {
    let (site, id) = launched(&["server-error=Out of luck.*1"]).await;
    let server = site.server(&id).await;
    assert_eq!(
        (server["status"].as_str(), server["fault"]["message"].as_str()),
        (Some("ERROR"), Some("Out of luck."))
    );
    assert!(site.room.machines.lock().unwrap().is_empty());
    site.delete("compute", &format!("/servers/{id}")).await.is(204);
    let (site, id) = launched(&["server-stuck-build"]).await;
    site.pass(86_000);
    site.get("compute", "/flavors").await.is(401);
    let (token, _) = crate::site::log_in(&site.lab, Mode::Nhn).await;
    let site = Site { token, ..site };
    assert_eq!(site.face(&id).await.0, "BUILD");
    let (site, id) = launched(&["slow-build=20"]).await;
    assert_eq!(site.face(&id).await.0, "BUILD");
    site.pass(1200);
    assert_eq!(site.face(&id).await.0, "ACTIVE");
}

#[tokio::test]
async fn shutdowns_that_are_not_seen_or_not_kept() {
    let (site, id) = launched(&["never-shutoff"]).await;
    site.machine(0).shut_down();
    site.face(&id).await;
    site.pass(20_000);
    assert_eq!(site.face(&id).await, ("ACTIVE".to_owned(), None, 4));
    let (site, id) = launched(&["slow-shutoff=600"]).await;
    site.machine(0).shut_down();
    site.face(&id).await;
    site.pass(600);
    assert_eq!(site.face(&id).await.0, "ACTIVE");
    site.pass(30);
    assert_eq!(site.face(&id).await.0, "SHUTOFF");
    let (site, id) = launched(&["shutoff-then-active"]).await;
    site.halt(&id).await;
    site.pass(10);
    assert_eq!(site.face(&id).await, ("ACTIVE".to_owned(), None, 1));
}

#[tokio::test]
async fn passwords() {
    for (mode, fault, expected) in [
        (Mode::Nhn, "password-offered", Some("cGFzcw==")),
        (Mode::Openstack, "password-not-offered", None),
        (Mode::Openstack, "password-never", Some("")),
        (Mode::Openstack, "password-garbled", Some("AAAAAA==")),
    ] {
        let site = Site::start(mode, &[fault]).await;
        let (id, _) = site.running().await;
        *site.machine(0).password.lock().unwrap() = Some("cGFzcw==".to_owned());
        let got = site.get("compute", &format!("/servers/{id}/os-server-password")).await;
        assert_eq!(
            (got.status == 200).then(|| got.body["password"].as_str().unwrap()),
            expected,
            "{fault}"
        );
    }
}

#[tokio::test]
async fn force_may_go_the_other_way() {
    for (mode, fault, status) in [
        (Mode::Nhn, "force-refused", 400),
        (Mode::Openstack, "force-allowed", 202),
    ] {
        let site = Site::start(mode, &[fault]).await;
        let (_, volume) = site.running().await;
        site.upload(&volume, true).await.is(status);
    }
}

/// Image and volume 60 seconds, and an hour, after the upload began.
async fn upload(fault: &str) -> [(Option<String>, Option<String>); 2] {
    let site = Site::start(Mode::Nhn, &[fault]).await;
    let (_, volume) = site.running().await;
    let got = site.upload(&volume, true).await.is(202);
    let image = got.body["os-volume_upload_image"]["image_id"]
        .as_str()
        .unwrap()
        .to_owned();
    site.pass(60);
    let early = (site.image_status(&image).await, site.volume_status(&volume).await);
    site.pass(3600);
    [
        early,
        (site.image_status(&image).await, site.volume_status(&volume).await),
    ]
}

#[tokio::test]
async fn uploads_that_fail() {
    let state = |image: Option<&str>, volume: &str| (image.map(str::to_owned), Some(volume.to_owned()));
    let saving = state(Some("saving"), "uploading");
    assert_eq!(upload("volume-error").await, [saving.clone(), state(None, "error")]);
    assert_eq!(upload("image-vanishes").await, [saving.clone(), state(None, "in-use")]);
    assert_eq!(
        upload("image-killed").await,
        [saving.clone(), state(Some("killed"), "in-use")]
    );
    assert_eq!(upload("upload-stuck").await, [saving.clone(), saving.clone()]);
    assert_eq!(upload("slow-upload=120").await, [saving.clone(), saving]);
    assert_eq!(
        upload("image-queued-long=8").await,
        [state(Some("queued"), "uploading"), state(Some("active"), "in-use")]
    );
}

#[tokio::test]
async fn creations_that_are_refused() {
    for (fault, status, words) in [
        ("flavour-vanished", 400, "could not be found"),
        ("quota-instances", 403, "Quota exceeded for instances"),
        (
            "quota-cores",
            403,
            "Quota exceeded for cores: Requested 2, but already used 8 of 8 cores",
        ),
    ] {
        let site = Site::start(Mode::Nhn, &[fault]).await;
        site.prepare().await;
        site.launch(site.order("b1").await).await.is(status).says(words);
    }
    let site = Site::start(Mode::Nhn, &["keypair-conflict"]).await;
    let pair = json!({"keypair": {"name": "k", "public_key": public_key()}});
    site.post("compute", "/os-keypairs", pair.clone()).await.is(409);
    site.post("compute", "/os-keypairs", pair).await.is(200);
}

#[tokio::test]
async fn floating_addresses() {
    for (fault, status, words) in [
        ("floating-500-once", 500, "internal server error"),
        ("floating-no-router*1", 404, "ExternalGatewayForFloatingIPNotFound"),
        ("floating-quota*1", 409, "OverQuota"),
    ] {
        let site = Site::start(Mode::Nhn, &[fault]).await;
        let (server, _) = site.running().await;
        let port = site
            .get("network", &format!("/ports?device_id={server}"))
            .await
            .is(200)
            .body["ports"][0]["id"]
            .clone();
        let body = json!({"floatingip": {"floating_network_id": site.network(true).await, "port_id": port}});
        site.post("network", "/floatingips", body.clone())
            .await
            .is(status)
            .says(words);
        site.post("network", "/floatingips", body).await.is(201);
    }
}

#[tokio::test]
async fn a_group_that_stays_in_use() {
    let site = Site::start(Mode::Nhn, &["sg-in-use*2"]).await;
    let got = site
        .post("network", "/security-groups", json!({"security_group": {"name": "a"}}))
        .await
        .is(201);
    let path = format!(
        "/security-groups/{}",
        got.body["security_group"]["id"].as_str().unwrap()
    );
    site.delete("network", &path).await.is(409).says("SecurityGroupInUse");
    site.delete("network", &path).await.is(409);
    site.delete("network", &path).await.is(204);
}

#[tokio::test]
async fn limits_proxies_and_resets() {
    let site = Site::start(Mode::Nhn, &["rate-limit=9*1"]).await;
    let got = site.get("image", "/images").await;
    assert_eq!((got.status, got.header("Retry-After")), (429, Some("9")));
    site.get("image", "/images").await.is(200);
    let (options, clock, room) = options(Mode::Nhn, &[]);
    let site = Site::with(options, clock, room).await;
    drop(site);
    let html = fault_after_login("html-503*2").await;
    assert!(html.iter().all(|status| *status == Some(503)), "{html:?}");
    assert_eq!(fault_after_login("reset*2").await, [None, None]);
    assert_eq!(fault_after_login("slow-answers=1*2").await, [Some(200), Some(200)]);
}

/// What the first two requests of any kind get.
async fn fault_after_login(fault: &str) -> [Option<u16>; 2] {
    let (options, ..) = options(Mode::Openstack, &[fault]);
    let lab = Lab::start(options).await.unwrap();
    let url = lab.auth_url();
    let mut statuses = [Some(0); 2];
    for status in &mut statuses {
        *status = within(send("GET", &url, &[("Accept", "application/json")], Vec::new()))
            .await
            .map(|got| got.status);
    }
    assert_eq!(
        send("GET", &url, &[], Vec::new()).await.unwrap().status,
        200,
        "the fault is over"
    );
    statuses
}

#[tokio::test]
async fn things_that_are_made_without_an_answer() {
    let site = Site::start(Mode::Nhn, &["reset-after-create"]).await;
    site.prepare().await;
    let order = site.order("b1").await;
    let url = site.at("compute", "/servers");
    assert!(site.try_call("POST", &url, Some(order), &[]).await.is_none());
    assert_eq!(site.lab.requests().last().unwrap().status, 0);
    assert_eq!(site.lab.leftovers().len(), 4, "the server is there all the same");
    let site = Site::start(Mode::Nhn, &["503-after-create=keypair"]).await;
    let pair = json!({"keypair": {"name": "k", "public_key": public_key()}});
    site.post("compute", "/os-keypairs", pair.clone()).await.is(503);
    site.post("compute", "/os-keypairs", pair).await.is(409);
}
