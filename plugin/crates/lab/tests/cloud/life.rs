//! The lab as a whole: version documents, latency, several at once, the end.

use std::sync::atomic::Ordering;
use std::time::Duration;

use reseal_lab::{Mode, Quota};

use crate::site::{Site, options, send};

#[tokio::test]
async fn general_clients_find_versions_without_a_token() {
    let site = Site::start(Mode::Openstack, &[]).await;
    let get = async |url: String| send("GET", &url, &[], Vec::new()).await.unwrap();
    let compute = get(site.catalog["compute"].clone()).await.is(200);
    assert_eq!(compute.body["version"]["version"], "2.104");
    let image = get(format!("{}/", site.catalog["image"])).await.is(300);
    assert_eq!(image.body["versions"][0]["status"], "CURRENT");
    get(format!("{}/", site.catalog["network"])).await.is(200).says("v2.0");
    let (volume, _) = site.catalog["block-storage"].split_once("/v3").unwrap();
    get(format!("{volume}/v3/")).await.is(200).says("3.71");
    let nhn = Site::start(Mode::Nhn, &[]).await;
    get(nhn.catalog["image"].clone()).await.is(400);
}

/// What OpenStack's own command line sends beyond the documents: empty `Accept`, empty `imageRef`, switches that are off.
#[tokio::test]
async fn the_habits_of_openstacks_own_client_pass() {
    let site = Site::start(Mode::Openstack, &[]).await;
    site.prepare().await;
    let mut order = site.order("b1").await;
    order["server"]["imageRef"] = serde_json::json!("");
    let id = site.launch(order).await.is(202).body["server"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    site.pass(61);
    let url = site.at("compute", &format!("/servers/{id}/action"));
    let headers = [
        ("X-Auth-Token", site.token.as_str()),
        ("Accept", ""),
        ("Content-Type", "application/json"),
    ];
    send("POST", &url, &headers, br#"{"os-stop":null}"#.to_vec())
        .await
        .unwrap()
        .is(202);
    site.get("compute", "/servers/detail?deleted=False").await.is(200);
    site.get("compute", "/servers/detail?deleted=True").await.is(400);
    site.get("compute", "/limits?reserved=False").await.is(200);
    let body = serde_json::json!({"volume": {"size": 1}});
    let volume = site.post("volume", "/volumes", body).await.is(202).body["volume"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    site.pass(10);
    site.delete("volume", &format!("/volumes/{volume}?cascade=True&force=False"))
        .await
        .is(400);
    site.delete("volume", &format!("/volumes/{volume}?cascade=False&force=False"))
        .await
        .is(202);
}

#[tokio::test]
async fn latency_is_added_to_every_answer() {
    let (mut options, clock, room) = options(Mode::Nhn, &[]);
    options.latency = Some(Duration::from_millis(1));
    let quick = Site::with(options, clock, room).await;
    quick.get("compute", "/flavors").await.is(200);
    let (mut options, ..) = crate::site::options(Mode::Nhn, &[]);
    options.latency = Some(Duration::from_hours(1));
    let slow = reseal_lab::Lab::start(options).await.unwrap();
    let answer = tokio::time::timeout(
        Duration::from_millis(30),
        send("GET", &slow.auth_url(), &[], Vec::new()),
    )
    .await;
    assert!(answer.is_err(), "an hour has not passed");
    assert_eq!(slow.request_count(), 1, "the request was carried out all the same");
}

#[tokio::test]
async fn one_lab_serves_many_builds_and_labs_do_not_meet() {
    let (mut options, clock, room) = options(Mode::Nhn, &[]);
    options.quota = Quota::for_builds(20);
    let many = Site::with(options, clock, room).await;
    many.prepare().await;
    let order = many.order("b").await;
    for _ in 0..40 {
        many.launch(order.clone()).await.is(202);
    }
    many.launch(order).await.is(403);
    let other = Site::start(Mode::Nhn, &[]).await;
    assert!(other.lab.leftovers().is_empty());
    let headers = [("X-Auth-Token", many.token.as_str()), ("Accept", "application/json")];
    let url = other.at("compute", "/servers");
    send("GET", &url, &headers, Vec::new()).await.unwrap().is(401);
}

#[tokio::test]
async fn the_end_closes_everything() {
    let site = Site::start(Mode::Openstack, &[]).await;
    site.running().await;
    let (_, rest) = site.catalog["compute"].split_once("//").unwrap();
    let (host, _) = rest.split_once('/').unwrap();
    let idle = tokio::net::TcpStream::connect(host).await.unwrap();
    site.lab.shutdown().await;
    assert!(tokio::net::TcpStream::connect(host).await.is_err());
    assert!(site.room.machines.lock().unwrap()[0].destroyed.load(Ordering::SeqCst));
    drop(idle);
}
