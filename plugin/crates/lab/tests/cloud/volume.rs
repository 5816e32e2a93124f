//! Cinder in both modes, and images made of volumes.

use reseal_lab::Mode;
use serde_json::json;

use crate::site::{Site, content};

#[tokio::test]
async fn nhn_uploads_an_attached_volume_with_force() {
    let site = Site::start(Mode::Nhn, &[]).await;
    let (server, volume) = site.running().await;
    site.halt(&server).await;
    assert_eq!(site.volume_status(&volume).await.as_deref(), Some("in-use"));
    site.upload(&volume, false)
        .await
        .is(400)
        .says("status must be available");
    let got = site.upload(&volume, true).await.is(202);
    let answer = &got.body["os-volume_upload_image"];
    assert_eq!(
        (answer["status"].as_str(), answer["size"].as_u64()),
        (Some("uploading"), Some(60))
    );
    let image = answer["image_id"].as_str().unwrap().to_owned();
    assert_eq!(site.image_status(&image).await, None, "404 at first");
    assert_eq!(site.image_status(&image).await, None, "and once more");
    assert_eq!(site.image_status(&image).await.as_deref(), Some("queued"));
    assert_eq!(site.volume_status(&volume).await.as_deref(), Some("uploading"));
    site.upload(&volume, true).await.is(400);
    site.delete("volume", &format!("/volumes/{volume}")).await.is(400);
    site.pass(20);
    assert_eq!(site.image_status(&image).await.as_deref(), Some("saving"));
    site.pass(60 * 4 + 15);
    assert_eq!(site.image_status(&image).await.as_deref(), Some("active"));
    assert_eq!(
        site.volume_status(&volume).await.as_deref(),
        Some("uploading"),
        "a little longer than the image"
    );
    site.pass(8);
    assert_eq!(site.volume_status(&volume).await.as_deref(), Some("in-use"));
    let captured = &site.lab.images()[0];
    assert_eq!(
        (captured.name.as_str(), captured.min_disk_gb, captured.min_ram_mb),
        ("img", 0, 0),
        "minimums are not inherited"
    );
    assert_eq!(captured.properties["os_type"], "Windows");
    assert_eq!(captured.properties["nhncloud_product"], "compute");
    assert!(!captured.properties.contains_key("image_id") && !captured.properties.contains_key("image_name"));
    assert!(!captured.taken_while_running && captured.size > 0);
}

#[tokio::test]
async fn upstream_refuses_force_and_wants_the_server_gone() {
    let site = Site::start(Mode::Openstack, &[]).await;
    let (server, volume) = site.running().await;
    site.halt(&server).await;
    let got = site.upload(&volume, true).await.is(400);
    let words = format!("Invalid volume: Volume {volume} status must be available");
    assert_eq!(got.body, json!({"badRequest": {"code": 400, "message": words}}));
    site.delete("compute", &format!("/servers/{server}")).await.is(204);
    site.pass(9);
    let metadata =
        site.get("volume", &format!("/volumes/{volume}")).await.is(200).body["volume"]["volume_image_metadata"].clone();
    assert_eq!(
        (metadata["os_type"].as_str(), metadata["min_disk"].as_str()),
        (Some("windows"), Some("40"))
    );
    let set = json!({"os-set_image_metadata": {"metadata": {"os_type": "other"}}});
    site.post("volume", &format!("/volumes/{volume}/action"), set)
        .await
        .is(200);
    let body = json!({"os-volume_upload_image": {"image_name": "img", "visibility": "private"}});
    let action = format!("/volumes/{volume}/action");
    site.post("volume", &action, body.clone())
        .await
        .is(400)
        .says("visibility");
    let got = site
        .post_with("volume", &action, body, ("OpenStack-API-Version", "volume 3.1"))
        .await
        .is(202);
    assert_eq!(got.header("OpenStack-API-Version"), Some("volume 3.1"));
    site.pass(3600);
    let captured = &site.lab.images()[0];
    assert_eq!(
        (captured.status.as_str(), captured.properties["os_type"].as_str()),
        ("active", "other")
    );
}

#[tokio::test]
async fn deleting_the_server_breaks_an_upload() {
    let site = Site::start(Mode::Nhn, &[]).await;
    let (server, volume) = site.running().await;
    let got = site.upload(&volume, true).await.is(202);
    let image = got.body["os-volume_upload_image"]["image_id"]
        .as_str()
        .unwrap()
        .to_owned();
    site.pass(61);
    assert_eq!(site.image_status(&image).await.as_deref(), Some("saving"));
    assert!(site.lab.images()[0].taken_while_running);
    site.delete("compute", &format!("/servers/{server}")).await.is(204);
    assert_eq!(site.image_status(&image).await, None);
    site.pass(10);
    assert_eq!(site.volume_status(&volume).await.as_deref(), Some("available"));
    assert!(site.lab.images().is_empty());
}

#[tokio::test]
async fn a_captured_image_boots_with_what_was_captured() {
    let site = Site::start(Mode::Nhn, &[]).await;
    let (server, volume) = site.running().await;
    site.halt(&server).await;
    let got = site.upload(&volume, true).await.is(202);
    let image = got.body["os-volume_upload_image"]["image_id"].clone();
    let mut order = site.order("b2").await;
    order["server"]["imageRef"] = image.clone();
    order["server"]["block_device_mapping_v2"][0]["uuid"] = image;
    site.launch(order.clone()).await.is(400).says("not active");
    site.pass(3600);
    site.launch(order).await.is(202);
    assert_eq!(content(&site.machine(1).request.disk), "disk of b1");
}

#[tokio::test]
async fn a_kept_volume_boots_again() {
    let site = Site::start(Mode::Nhn, &[]).await;
    let (server, volume) = site.running().await;
    site.delete("compute", &format!("/servers/{server}")).await.is(204);
    site.pass(9);
    let mut order = site.order("b2").await;
    order["server"].as_object_mut().unwrap().remove("imageRef");
    order["server"]["block_device_mapping_v2"] = json!([{"boot_index": 0, "source_type": "volume", "uuid": volume, "destination_type": "volume", "delete_on_termination": true}]);
    site.launch(order.clone()).await.is(202);
    assert_eq!(content(&site.machine(1).request.disk), "disk of b1");
    order["server"]["name"] = json!("b3");
    site.launch(order).await.is(400).says("not available");
}

#[tokio::test]
async fn actions_and_volumes_are_strict() {
    let site = Site::start(Mode::Nhn, &[]).await;
    let (_, volume) = site.running().await;
    let action = format!("/volumes/{volume}/action");
    for odd in [
        json!({"os-volume_upload_image": {"force": true}}),
        json!({"os-volume_upload_image": {"image_name": "x", "force": "yes"}}),
        json!({"os-volume_upload_image": {"image_name": "x", "force": true, "min_disk": 50}}),
        json!({"os-volume_upload_image": {"image_name": "x", "force": true, "disk_format": "iso"}}),
        json!({"os-volume_upload_image": {"image_name": "x", "force": true, "container_format": "ova"}}),
        json!({"os-set_image_metadata": {"metadata": {}}}),
        json!({"os-detach": {}}),
    ] {
        site.post("volume", &action, odd).await.is(400);
    }
    let public = json!({"os-volume_upload_image": {"image_name": "x", "force": true, "visibility": "public"}});
    site.post("volume", &action, public).await.is(403);
    site.post(
        "volume",
        &format!("/volumes/{volume}/metadata"),
        json!({"metadata": {"a": "b"}}),
    )
    .await
    .is(404);
    site.post("volume", "/volumes", json!({"volume": {"size": 10, "imageRef": "x"}}))
        .await
        .is(400);
    site.post("volume", "/volumes", json!({"volume": {"size": 2000}}))
        .await
        .is(413)
        .says("VolumeSizeExceedsAvailableQuota");
    site.post("volume", "/volumes", json!({"volume": {"size": 0}}))
        .await
        .is(400);
    site.get("volume", "/volumes/detail?status=error").await.is(400);
    let types = site.get("volume", "/types").await.is(200);
    assert_eq!(types.body["volume_types"][1]["name"], "General SSD");
    let wrong = site.at("volume", "/volumes").replace("/v2/", "/v3/");
    site.try_call("GET", &wrong, None, &[]).await.unwrap().is(404);
}

#[tokio::test]
async fn upstream_volumes_have_metadata_and_come_from_images() {
    let site = Site::start(Mode::Openstack, &[]).await;
    let body = json!({"volume": {"size": 50, "name": "v", "imageRef": site.windows().await, "metadata": {"a": "b"}}});
    let id = site.post("volume", "/volumes", body).await.is(202).body["volume"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(site.volume_status(&id).await, None);
    assert_eq!(site.volume_status(&id).await.as_deref(), Some("creating"));
    site.upload(&id, false).await.is(400);
    site.pass(10);
    assert_eq!(site.volume_status(&id).await.as_deref(), Some("available"));
    site.post(
        "volume",
        &format!("/volumes/{id}/metadata"),
        json!({"metadata": {"c": "d"}}),
    )
    .await
    .is(200);
    let got = site
        .put(
            "volume",
            &format!("/volumes/{id}"),
            json!({"volume": {"description": "x"}}),
        )
        .await
        .is(200);
    assert_eq!(got.body["volume"]["metadata"], json!({"a": "b", "c": "d"}));
    assert_eq!(got.body["volume"]["bootable"], "true");
    site.pass(60);
    let list = site.get("volume", "/volumes/detail?status=available").await.is(200);
    assert_eq!(list.body["volumes"][0]["description"], "x");
    assert_eq!(
        site.get("volume", "/limits").await.is(200).body["limits"]["absolute"]["totalGigabytesUsed"],
        50
    );
}
