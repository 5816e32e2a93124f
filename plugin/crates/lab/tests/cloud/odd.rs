//! Strictness over the whole surface: every documented body with one thing wrong, and garbage.

use proptest::prelude::*;
use reseal_lab::Mode;
use serde_json::{Value, json};

use crate::site::{Site, public_key, send};

/// Every way of spoiling one place of a document, with what was done.
fn spoiled(body: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for pointer in pointers(body, String::new()) {
        let put = |value: Value| {
            let mut odd = body.clone();
            *odd.pointer_mut(&pointer).unwrap() = value;
            odd
        };
        match body.pointer(&pointer).unwrap() {
            Value::Object(fields) => {
                let mut more = fields.clone();
                more.insert("colour".to_owned(), json!("red"));
                found.push((format!("{pointer} with a field more"), put(more.into())));
                found.push((format!("{pointer} as a list"), put(json!([1]))));
            }
            Value::Array(_) | Value::String(_) => found.push((format!("{pointer} as an object"), put(json!({"a": 1})))),
            _ => found.push((format!("{pointer} as a text"), put(json!("text")))),
        }
    }
    found
}

fn pointers(value: &Value, here: String) -> Vec<String> {
    let inner: Vec<String> = match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| pointers(value, format!("{here}/{key}")))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(at, value)| pointers(value, format!("{here}/{at}")))
            .collect(),
        _ => Vec::new(),
    };
    std::iter::once(here).chain(inner).collect()
}

/// Free-form maps, where one more field is no mistake.
fn free(what: &str) -> bool {
    what.starts_with("/server/metadata with") || what.starts_with("/keypair/type")
}

#[tokio::test]
async fn one_wrong_thing_in_any_body_is_a_400() {
    for mode in [Mode::Nhn, Mode::Openstack] {
        let site = Site::start(mode, &[]).await;
        let (server, volume) = site.running().await;
        let public = site.network(true).await;
        let bodies = [
            (
                "compute",
                "/os-keypairs".to_owned(),
                json!({"keypair": {"name": "k2", "public_key": public_key()}}),
            ),
            ("compute", "/servers".to_owned(), site.order("b2").await),
            ("compute", format!("/servers/{server}/action"), json!({"os-stop": null})),
            (
                "compute",
                format!("/servers/{server}/action"),
                json!({"reboot": {"type": "HARD"}}),
            ),
            (
                "volume",
                "/volumes".to_owned(),
                json!({"volume": {"size": 10, "name": "v"}}),
            ),
            (
                "volume",
                format!("/volumes/{volume}/action"),
                json!({"os-volume_upload_image": {"image_name": "i", "force": true, "disk_format": "qcow2"}}),
            ),
            (
                "network",
                "/floatingips".to_owned(),
                json!({"floatingip": {"floating_network_id": public}}),
            ),
            (
                "network",
                "/security-groups".to_owned(),
                json!({"security_group": {"name": "g2", "description": "d"}}),
            ),
        ];
        for (service, path, body) in bodies {
            for (what, odd) in spoiled(&body).into_iter().filter(|(what, _)| !free(what)) {
                let header = ("OpenStack-API-Version", "compute 2.67");
                let got = site.post_with(service, &path, odd, header).await;
                assert_eq!(got.status, 400, "{mode:?} {path}: {what}: {}", got.text);
            }
        }
        assert_eq!(site.lab.leftovers().len(), 4, "nothing was made");
    }
}

#[tokio::test]
async fn bodies_where_none_belong_and_parameters_that_nobody_knows() {
    let site = Site::start(Mode::Openstack, &[]).await;
    for (service, path) in [
        ("compute", "/flavors"),
        ("compute", "/servers/detail"),
        ("compute", "/os-keypairs"),
        ("volume", "/volumes/detail"),
        ("volume", "/types"),
        ("image", "/images"),
        ("network", "/networks"),
        ("network", "/ports"),
        ("network", "/floatingips"),
        ("network", "/security-groups"),
    ] {
        let url = site.at(service, path);
        site.try_call("GET", &url, Some(json!({})), &[])
            .await
            .unwrap()
            .is(400)
            .says("takes no body");
        site.get(service, &format!("{path}?colour=red"))
            .await
            .is(400)
            .says("colour");
        site.get(service, &format!("{path}?colour")).await.is(400);
        site.try_call("TRACE", &url, None, &[]).await.unwrap().is(400);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn garbage_is_always_answered(
        path in "[a-zA-Z0-9/%._:-]{0,40}",
        query in "[a-zA-Z0-9&=%+]{0,20}",
        body in proptest::collection::vec(any::<u8>(), 0..200),
        method in prop::sample::select(vec!["GET", "POST", "PUT", "PATCH", "DELETE"]),
        service in prop::sample::select(vec!["compute", "image", "network", "volume"]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answered = runtime.block_on(async {
            let site = Site::start(Mode::Openstack, &[]).await;
            let url = format!("{}?{query}", site.at(service, &format!("/{path}")));
            let headers = [("X-Auth-Token", site.token.as_str()), ("Accept", "application/json"), ("Content-Type", "application/json")];
            send(method, &url, &headers, body).await.map(|got| got.status)
        });
        prop_assert!(answered.is_some_and(|status| status < 500), "{answered:?}");
    }
}

/// What a server's name and metadata may be is the same for every request that carries them.
#[tokio::test]
async fn names_and_metadata_of_servers_have_one_set_of_rules() {
    let site = Site::start(Mode::Openstack, &[]).await;
    let (server, _) = site.running().await;
    let path = format!("/servers/{server}");
    for name in ["", " a", &"x".repeat(256), "a\u{7}"] {
        site.put("compute", &path, json!({"server": {"name": name}}))
            .await
            .is(400);
    }
    site.put("compute", &path, json!({"server": {"name": "x".repeat(255)}}))
        .await
        .is(200);
    let metadata = format!("{path}/metadata");
    for (key, value) in [
        ("", "x"),
        ("a/b", "x"),
        ("ключ", "x"),
        ("a", &"x".repeat(256)),
        (&"k".repeat(256), "x"),
    ] {
        let body = json!({"metadata": {key: value}});
        site.post("compute", &metadata, body).await.is(400);
        let one = format!("{metadata}/{}", key.replace('/', "%2F"));
        if !key.is_empty() && key.is_ascii() {
            site.put("compute", &one, json!({"meta": {key: value}})).await.is(400);
        }
    }
    let many: serde_json::Map<String, Value> = (0..129).map(|n| (format!("k{n}"), json!("v"))).collect();
    site.post("compute", &metadata, json!({"metadata": many}))
        .await
        .is(403)
        .says("exceeds 128");
    let kept = site.get("compute", &metadata).await.is(200).body["metadata"].clone();
    assert!(kept.get("k0").is_none(), "as a whole or not at all");
    let mut order = site.order("b2").await;
    order["server"]["metadata"] = json!({"a/b": "x"});
    site.launch(order).await.is(400).says("metadata");
}

/// Making an image is as strict as changing one.
#[tokio::test]
async fn images_are_made_by_the_rules_by_which_they_are_changed() {
    for mode in [Mode::Nhn, Mode::Openstack] {
        let site = Site::start(mode, &[]).await;
        let make = |field: &str, value: Value| {
            let mut body =
                json!({"name": "i", "os_type": "Windows", "disk_format": "qcow2", "container_format": "bare"});
            body[field] = value;
            body
        };
        for field in [
            "self",
            "file",
            "direct_url",
            "locations",
            "os_hash_value",
            "stores",
            "deleted_at",
            "virtual_size",
        ] {
            site.post("image", "/images", make(field, json!("x")))
                .await
                .is(403)
                .says("read-only");
        }
        let wrong = [
            ("name", json!("x".repeat(256))),
            ("disk_format", json!("exe")),
            ("container_format", json!("tar")),
            ("os_hidden", json!("yes")),
            ("tags", json!(["x".repeat(256)])),
            ("p", json!(7)),
            (&*"k".repeat(256), json!("x")),
        ];
        for (field, value) in wrong {
            site.post("image", "/images", make(field, value)).await.is(400);
        }
        let mut many = make("a", json!("b"));
        for n in 0..129 {
            many[format!("p{n}")] = json!("x");
        }
        site.post("image", "/images", many).await.is(413);
        let steered = site.post("image", "/images", make("hw_disk_bus", json!("x"))).await;
        steered.is(if mode == Mode::Nhn { 403 } else { 201 });
        let twice = site
            .post("image", "/images", make("tags", json!(["a", "a"])))
            .await
            .is(201);
        assert_eq!(twice.body["tags"], json!(["a"]));
    }
}

/// A parameter that a service knows is acted on or refused, never passed over.
#[tokio::test]
async fn no_known_parameter_is_passed_over() {
    let site = Site::start(Mode::Openstack, &[]).await;
    let (_server, _) = site.running().await;
    let refused = [
        ("compute", "/servers?changes-since=2026-01-01T00:00:00Z"),
        ("compute", "/servers?reservation_id=r-1"),
        ("compute", "/servers?limit=0"),
        ("compute", "/flavors?is_public=None"),
        ("compute", "/limits?reserved=perhaps"),
        ("volume", "/volumes?sort=size:asc"),
        ("volume", "/volumes?metadata=nonsense"),
        ("volume", "/types?limit=1"),
        ("image", "/images?member_status=pending"),
    ];
    for (service, path) in refused {
        site.get(service, path).await.is(400);
    }
    let count = |got: crate::site::Got, list: &str| got.is(200).body[list].as_array().unwrap().len();
    assert_eq!(count(site.get("network", "/networks?shared=true").await, "networks"), 1);
    assert_eq!(count(site.get("image", "/images?os_hidden=true").await, "images"), 0);
    for (service, path, list) in [
        ("network", "/networks", "networks"),
        ("network", "/subnets", "subnets"),
        ("network", "/security-groups", "security_groups"),
        ("compute", "/flavors", "flavors"),
    ] {
        let all = site.get(service, path).await.is(200).body[list].clone();
        let all: Vec<&Value> = all.as_array().unwrap().iter().collect();
        let mut found = Vec::new();
        let mut next = format!("{path}?limit=1");
        while found.len() <= all.len() {
            let page = site.get(service, &next).await.is(200);
            found.extend(page.body[list].as_array().unwrap().iter().map(|one| one["id"].clone()));
            let Some(href) = page.body[format!("{list}_links")][0]["href"].as_str() else {
                break;
            };
            next = format!("{path}?{}", href.split_once('?').unwrap().1);
        }
        let ids: Vec<Value> = all.iter().map(|one| one["id"].clone()).collect();
        assert_eq!(found, ids, "{path}");
        site.get(service, &format!("{path}?marker=nobody")).await.is(400);
    }
}

/// Pages of volumes count what the filter lets through, and nothing overflows.
#[tokio::test]
async fn pages_of_volumes_are_pages_of_what_fits() {
    let mut options = crate::site::options(Mode::Openstack, &[]);
    options.0.quota.volumes = 20;
    let site = Site::with(options.0, options.1, options.2).await;
    let mut ids = Vec::new();
    for n in 0..6 {
        let name = if n % 2 == 0 { "even" } else { "odd" };
        let body = json!({"volume": {"size": 1, "name": name, "metadata": {"n": n.to_string()}}});
        ids.push(site.post("volume", "/volumes", body).await.is(202).body["volume"]["id"].clone());
        site.pass(1);
    }
    site.pass(60);
    let list = |path: String| {
        let site = &site;
        async move {
            let got = site.get("volume", &path).await.is(200);
            let found = got.body["volumes"].as_array().unwrap().iter();
            let found: Vec<Value> = found.map(|volume| volume["id"].clone()).collect();
            let next = got.body["volumes_links"][0]["href"].as_str().map(str::to_owned);
            (found, next)
        }
    };
    while site.get("volume", "/volumes").await.is(200).body["volumes"]
        .as_array()
        .unwrap()
        .len()
        < 6
    {}
    let (first, next) = list("/volumes/detail?name=odd&limit=2".to_owned()).await;
    assert_eq!(first, [ids[5].clone(), ids[3].clone()]);
    let next = format!("/volumes/detail?{}", next.unwrap().split_once('?').unwrap().1);
    let (second, none) = list(next).await;
    assert_eq!((second, none), (vec![ids[1].clone()], None));
    let other = ids[4].as_str().unwrap();
    site.get("volume", &format!("/volumes?name=odd&marker={other}"))
        .await
        .is(400);
    let (rest, _) = list("/volumes?name=even&offset=2".to_owned()).await;
    assert_eq!(rest, [ids[0].clone()]);
    let (none, _) = list(format!("/volumes?offset={}", u64::MAX)).await;
    assert!(none.is_empty());
    let (all, _) = list(format!("/volumes?limit={}", u64::MAX)).await;
    assert_eq!(all.len(), 6);
    let (one, _) = list("/volumes?metadata=%7B%27n%27%3A%20%273%27%7D&sort=created_at:asc".to_owned()).await;
    assert_eq!(one, [ids[3].clone()]);
}

/// A file that somebody uploads is no Windows, whatever its image is called.
#[tokio::test]
async fn an_uploaded_file_is_not_a_windows() {
    let site = Site::start(Mode::Openstack, &[]).await;
    site.prepare().await;
    let body = json!({"name": "Windows 2022", "disk_format": "qcow2", "container_format": "bare"});
    let image = site.post("image", "/images", body).await.is(201).body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let url = site.at("image", &format!("/images/{image}/file"));
    let headers = [
        ("X-Auth-Token", site.token.as_str()),
        ("Accept", "application/json"),
        ("Content-Type", "application/octet-stream"),
    ];
    send("PUT", &url, &headers, b"not a disk".to_vec())
        .await
        .unwrap()
        .is(204);
    let mut order = site.order("b1").await;
    let text = order.to_string().replace(&site.windows().await, &image);
    order = serde_json::from_str(&text).unwrap();
    site.launch(order).await.is(202);
    let machines = site.room.machines.lock().unwrap();
    let disk = &machines.last().unwrap().request.disk;
    assert!(
        disk.0.downcast_ref::<String>().is_none(),
        "the room was not asked for a provider's disk"
    );
}
