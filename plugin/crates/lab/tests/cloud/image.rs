//! Glance in both modes.

use reseal_lab::Mode;
use serde_json::{Value, json};

use crate::site::{Got, Site, send};

const PATCH: &str = "application/openstack-images-v2.1-json-patch";

async fn patch(site: &Site, id: &str, operations: Value) -> Got {
    let url = site.at("image", &format!("/images/{id}"));
    site.try_call("PATCH", &url, Some(operations), &[("Content-Type", PATCH)])
        .await
        .unwrap()
}

async fn uploaded(site: &Site) -> String {
    let (_, volume) = site.running().await;
    let volume = if site.mode == Mode::Openstack {
        let body = json!({"volume": {"size": 50, "imageRef": site.windows().await}});
        site.post("volume", "/volumes", body).await.is(202).body["volume"]["id"]
            .as_str()
            .unwrap()
            .to_owned()
    } else {
        volume
    };
    site.pass(60);
    let got = site.upload(&volume, site.mode == Mode::Nhn).await.is(202);
    site.pass(600);
    got.body["os-volume_upload_image"]["image_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn pages(site: &Site, first: &str) -> Vec<usize> {
    let base = site.catalog["image"].clone();
    let mut next = Some(first.to_owned());
    let mut sizes = Vec::new();
    while let Some(path) = next {
        let got = site
            .try_call("GET", &format!("{base}{path}"), None, &[])
            .await
            .unwrap()
            .is(200);
        sizes.push(got.body["images"].as_array().unwrap().len());
        next = got.body["next"].as_str().map(str::to_owned);
    }
    sizes
}

#[tokio::test]
async fn lists_come_in_pages_of_the_clouds_size() {
    let nhn = Site::start(Mode::Nhn, &[]).await;
    let sizes = pages(&nhn, "/v2/images?visibility=public").await;
    assert!(sizes.len() == 2 && sizes[0] == 100, "{sizes:?}");
    assert_eq!(pages(&nhn, "/v2/images?visibility=public&limit=1000").await.len(), 1);
    let upstream = Site::start(Mode::Openstack, &[]).await;
    let sizes = pages(&upstream, "/v2/images").await;
    assert!(sizes.len() == 2 && sizes[0] == 25, "{sizes:?}");
}

#[tokio::test]
async fn filters_are_equalities_and_typing_errors_are_refused() {
    let site = Site::start(Mode::Nhn, &[]).await;
    let got = site
        .get(
            "image",
            "/images?os_type=Windows&os_version=2022%20STD&sort_key=created_at&sort_dir=desc",
        )
        .await
        .is(200);
    let images = got.body["images"].as_array().unwrap();
    assert!(
        images[0]["name"]
            .as_str()
            .unwrap()
            .starts_with("Windows 2022 STD(2026.03.10.)")
    );
    assert!(images.iter().all(|image| image["os_version"] == "2022 STD"));
    assert_eq!(
        images[0]["self"],
        json!(format!("/v2/images/{}", images[0]["id"].as_str().unwrap()))
    );
    site.get("image", "/images?page=2")
        .await
        .is(400)
        .says("unknown query parameter 'page'");
    site.get("image", "/images?limit=1&limit=2").await.is(400).says("twice");
    site.get("image", "/images?limit=many").await.is(400);
    site.get("image", "/images?marker=nobody").await.is(400);
    site.get("image", "/images?sort_dir=up").await.is(400);
    site.get("image", "/images?sort=name:asc").await.is(400);
    site.get("image", "/images/nobody")
        .await
        .is(404)
        .says("No image found with ID nobody");
    let url = site.at("image", "/images/nobody");
    let html = send(
        "GET",
        &url,
        &[("X-Auth-Token", &site.token), ("Accept", "*/*")],
        Vec::new(),
    )
    .await
    .unwrap()
    .is(404);
    assert!(html.text.starts_with("<html>"), "no JSON for who did not ask for it");
}

#[tokio::test]
async fn patch_has_glances_rules() {
    let site = Site::start(Mode::Nhn, &[]).await;
    let id = uploaded(&site).await;
    let good = json!([{"op": "replace", "path": "/min_disk", "value": 50}, {"op": "replace", "path": "/min_ram", "value": 2048},
        {"op": "add", "path": "/gi_spec", "value": "1"}, {"op": "add", "path": "/os_type", "value": "windows"},
        {"op": "replace", "path": "/name", "value": "new"}, {"op": "remove", "path": "/release_date"}]);
    let got = patch(&site, &id, good).await.is(200);
    assert_eq!(
        (got.body["min_disk"].as_u64(), got.body["gi_spec"].as_str()),
        (Some(50), Some("1"))
    );
    assert!(got.body.get("release_date").is_none());
    let cases = [
        (json!([{"op": "replace", "path": "/nope", "value": "x"}]), 409),
        (json!([{"op": "remove", "path": "/nope"}]), 409),
        (json!([{"op": "replace", "path": "/status", "value": "active"}]), 403),
        (json!([{"op": "remove", "path": "/min_disk"}]), 403),
        (json!([{"op": "replace", "path": "/min_disk", "value": "50"}]), 400),
        (json!([{"op": "add", "path": "/flag", "value": true}]), 400),
        (json!([{"op": "add", "path": "/flag"}]), 400),
        (json!([{"op": "add", "path": "flag", "value": "x"}]), 400),
        (json!([{"op": "move", "path": "/a", "value": "x"}]), 400),
        (json!({"op": "add", "path": "/a", "value": "x"}), 400),
        (
            json!([{"op": "replace", "path": "/visibility", "value": "public"}]),
            403,
        ),
        (
            json!([{"op": "replace", "path": "/visibility", "value": "community"}]),
            400,
        ),
        (json!([{"op": "remove", "path": "/hw_qemu_guest_agent"}]), 403),
        (json!([{"op": "replace", "path": "/tags", "value": ["_x"]}]), 400),
    ];
    for (operations, status) in cases {
        let text = operations.to_string();
        assert_eq!(patch(&site, &id, operations).await.status, status, "{text}");
    }
    let half = json!([{"op": "add", "path": "/half", "value": "x"}, {"op": "remove", "path": "/nope"}]);
    patch(&site, &id, half).await.is(409);
    assert!(!site.lab.images()[0].properties.contains_key("half"), "all or nothing");
    let url = site.at("image", &format!("/images/{id}"));
    site.try_call("PATCH", &url, Some(json!([])), &[])
        .await
        .unwrap()
        .is(415)
        .says(PATCH);
    let public = site.windows().await;
    patch(
        &site,
        &public,
        json!([{"op": "replace", "path": "/name", "value": "mine"}]),
    )
    .await
    .is(403);
}

#[tokio::test]
async fn protection_tags_and_members() {
    let site = Site::start(Mode::Openstack, &[]).await;
    let id = uploaded(&site).await;
    let image = format!("/images/{id}");
    let call = async |method: &str, path: String| {
        site.try_call(method, &site.at("image", &path), None, &[])
            .await
            .unwrap()
    };
    call("PUT", format!("{image}/tags/golden")).await.is(204);
    call("DELETE", format!("{image}/tags/silver")).await.is(404);
    site.get("image", "/images?tag=golden").await.is(200).says(&id);
    site.post("image", &format!("{image}/members"), json!({"member": "p"}))
        .await
        .is(403);
    patch(
        &site,
        &id,
        json!([{"op": "replace", "path": "/visibility", "value": "shared"}]),
    )
    .await
    .is(200);
    let member = site
        .post("image", &format!("{image}/members"), json!({"member": "p"}))
        .await
        .is(200);
    assert_eq!(member.body["status"], "pending");
    site.post("image", &format!("{image}/members"), json!({"member": "p"}))
        .await
        .is(409);
    site.put("image", &format!("{image}/members/p"), json!({"status": "accepted"}))
        .await
        .is(403);
    assert_eq!(site.lab.images()[0].members, ["p"]);
    call("DELETE", format!("{image}/members/p")).await.is(204);
    patch(
        &site,
        &id,
        json!([{"op": "replace", "path": "/protected", "value": true}]),
    )
    .await
    .is(200);
    call("DELETE", image.clone())
        .await
        .is(403)
        .says("is protected and cannot be deleted");
    patch(
        &site,
        &id,
        json!([{"op": "replace", "path": "/protected", "value": false}]),
    )
    .await
    .is(200);
    call("DELETE", image.clone()).await.is(204);
    call("DELETE", image).await.is(404);
    let public = site.windows().await;
    call("DELETE", format!("/images/{public}")).await.is(403);
}

#[tokio::test]
async fn an_image_made_by_hand_waits_for_its_file() {
    let site = Site::start(Mode::Nhn, &[]).await;
    site.post("image", "/images", json!({"name": "x"}))
        .await
        .is(400)
        .says("os_type");
    site.post(
        "image",
        "/images",
        json!({"name": "x", "os_type": "windows", "min_disk": "50"}),
    )
    .await
    .is(400);
    site.post(
        "image",
        "/images",
        json!({"name": "x", "os_type": "windows", "tags": ["_a"]}),
    )
    .await
    .is(400);
    site.post(
        "image",
        "/images",
        json!({"name": "x", "os_type": "windows", "status": "active"}),
    )
    .await
    .is(403);
    let body = json!({"name": "x", "os_type": "windows", "min_disk": 50, "visibility": "private", "tags": ["a"]});
    let made = site.post("image", "/images", body).await.is(201);
    assert_eq!(made.body["status"], "queued");
    let id = made.body["id"].as_str().unwrap().to_owned();
    let url = site.at("image", &format!("/images/{id}/file"));
    let send_file = async |kind: &str| {
        let headers = [
            ("X-Auth-Token", site.token.as_str()),
            ("Accept", "application/json"),
            ("Content-Type", kind),
        ];
        send("PUT", &url, &headers, vec![7; 100_000]).await.unwrap()
    };
    send_file("application/json").await.is(415);
    send_file("application/octet-stream").await.is(204);
    send_file("application/octet-stream").await.is(409);
    let images = site.lab.images();
    assert_eq!((images[0].status.as_str(), images[0].size), ("active", 100_000));
    site.pass(60);
    assert_eq!(
        site.get("image", &format!("/images/{id}")).await.is(200).body["size"],
        100_000
    );
}
