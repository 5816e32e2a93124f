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
