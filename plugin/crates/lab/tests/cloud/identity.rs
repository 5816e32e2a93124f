//! Keystone in both modes.

use reseal_lab::{Lab, Mode};
use serde_json::{Value, json};

use crate::site::{Site, credentials, log_in, options, send, variable};

const JSON: (&str, &str) = ("Content-Type", "application/json");

async fn post(url: &str, body: &Value) -> crate::site::Got {
    send("POST", url, &[JSON], body.to_string().into_bytes()).await.unwrap()
}

#[tokio::test]
async fn the_right_password_gives_a_catalogue_and_a_wrong_one_401() {
    for mode in [Mode::Nhn, Mode::Openstack] {
        let site = Site::start(mode, &[]).await;
        assert!(site.catalog["compute"].starts_with("http://127.0.0.1:"));
        let (url, body) = credentials(&site.lab, mode, "wrong");
        let got = post(&url, &body).await.is(401);
        assert_eq!(got.body["error"]["title"], "Unauthorized");
        assert!(got.header("WWW-Authenticate").unwrap().starts_with("Keystone uri="));
    }
}

#[tokio::test]
async fn nhn_is_v2_with_volumev2_and_public_addresses_only() {
    let site = Site::start(Mode::Nhn, &[]).await;
    let (url, body) = credentials(&site.lab, Mode::Nhn, &variable(&site.lab, "OS_PASSWORD"));
    let access = post(&url, &body).await.is(200).body["access"].clone();
    assert_eq!(access["token"]["expires"], "2026-11-22T15:00:00Z");
    assert_eq!(access["token"]["issued_at"], "2026-11-22T03:00:00.000000");
    let compute = &access["serviceCatalog"][0];
    assert_eq!(compute["endpoints"][0]["region"], "KR2", "the wrong region comes first");
    assert_eq!(
        compute["endpoints"][1].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["region", "publicURL"]
    );
    assert!(site.catalog["volumev2"].contains("/v2/") && !site.catalog.contains_key("block-storage"));
    post(&url.replace("/v2.0/tokens", "/v3/auth/tokens"), &body)
        .await
        .is(404)
        .says("v2.0 only");
}

#[tokio::test]
async fn upstream_is_v3_with_block_storage_and_an_hour() {
    let site = Site::start(Mode::Openstack, &[]).await;
    let (url, mut body) = credentials(&site.lab, Mode::Openstack, &variable(&site.lab, "OS_PASSWORD"));
    let token = post(&url, &body).await.is(201).body["token"].clone();
    assert_eq!(token["expires_at"], "2026-11-22T04:00:00.000000Z");
    assert!(
        site.catalog["block-storage"].contains("/volume/v3/") && site.catalog["compute"].ends_with("/compute/v2.1")
    );
    post(&site.lab.auth_url().replace("/v3", "/v2.0/tokens"), &body)
        .await
        .is(404)
        .says("v3 only");
    let root = send("GET", &site.lab.auth_url().replace("/v3", "/"), &[], Vec::new())
        .await
        .unwrap()
        .is(300);
    assert_eq!(root.body["versions"]["values"][0]["id"], "v3.14");
    body["auth"].as_object_mut().unwrap().remove("scope");
    post(&url, &body).await.is(400).says("scope is wanted");
}

#[tokio::test]
async fn application_credentials_take_no_scope_and_tokens_give_tokens() {
    let site = Site::start(Mode::Openstack, &[]).await;
    let env = site.lab.application_credential_env().unwrap();
    let value = |name: &str| env.iter().find(|(key, _)| key == name).unwrap().1.clone();
    let (id, secret) = (
        value("OS_APPLICATION_CREDENTIAL_ID"),
        value("OS_APPLICATION_CREDENTIAL_SECRET"),
    );
    let url = format!("{}/auth/tokens", site.lab.auth_url());
    let mut body = json!({"auth": {"identity": {"methods": ["application_credential"], "application_credential": {"id": id, "secret": secret}}}});
    let got = post(&url, &body).await;
    let token = got.header("X-Subject-Token").unwrap().to_owned();
    got.is(201);
    body["auth"]["scope"] = json!({"project": {"id": "x"}});
    post(&url, &body).await.is(401).says("cannot request a scope");
    let project = json!({"name": variable(&site.lab, "OS_PROJECT_NAME"), "domain": {"id": "default"}});
    let again =
        json!({"auth": {"identity": {"methods": ["token"], "token": {"id": token}}, "scope": {"project": project}}});
    post(&url, &again).await.is(201);
    let nhn = Site::start(Mode::Nhn, &[]).await;
    assert!(nhn.lab.application_credential_env().is_none());
}

#[tokio::test]
async fn odd_requests_are_refused_with_a_reason() {
    let site = Site::start(Mode::Nhn, &[]).await;
    let (url, body) = credentials(&site.lab, Mode::Nhn, "x");
    send("POST", &url, &[], body.to_string().into_bytes())
        .await
        .unwrap()
        .is(400)
        .says("Content-Type");
    send("POST", &url, &[("Content-Type", "text/plain")], b"{}".to_vec())
        .await
        .unwrap()
        .is(415);
    let mut odd = body.clone();
    odd["auth"]["tenantName"] = json!("x");
    post(&url, &odd).await.is(400).says("unknown field `tenantName`");
    post(&format!("{url}?a=b"), &body)
        .await
        .is(400)
        .says("unknown query parameter 'a'");
    post(&url.replace("tokens", "users"), &body).await.is(400);
    send("GET", &site.at("compute", "/flavors"), &[("Accept", "*/*")], Vec::new())
        .await
        .unwrap()
        .is(400)
        .says("X-Auth-Token");
    let token = site.token.as_str();
    send(
        "GET",
        &site.at("compute", "/flavors"),
        &[("X-Auth-Token", token)],
        Vec::new(),
    )
    .await
    .unwrap()
    .is(400)
    .says("Accept");
    let headers = [("X-Auth-Token", "nonsense"), ("Accept", "application/json")];
    send("GET", &site.at("compute", "/flavors"), &headers, Vec::new())
        .await
        .unwrap()
        .is(401);
}

#[tokio::test]
async fn tokens_expire_when_they_say() {
    let site = Site::start(Mode::Openstack, &[]).await;
    site.pass(3599);
    site.get("compute", "/flavors").await.is(200);
    site.pass(1);
    let got = site.get("compute", "/flavors").await;
    assert!(got.header("WWW-Authenticate").is_some());
    got.is(401);
    let (token, _) = log_in(&site.lab, Mode::Openstack).await;
    let site = Site { token, ..site };
    site.get("compute", "/flavors").await.is(200);
}

#[tokio::test]
async fn secrets_are_random_and_known_and_the_log_has_none() {
    let (one, two) = (Site::start(Mode::Nhn, &[]).await, Site::start(Mode::Nhn, &[]).await);
    let password = variable(&one.lab, "OS_PASSWORD");
    assert_ne!(password, variable(&two.lab, "OS_PASSWORD"));
    let secrets = one.lab.secrets();
    assert!(secrets.contains(&password) && secrets.contains(&one.token));
    one.get("compute", "/flavors").await.is(200);
    let log = format!("{:?}", one.lab.requests());
    assert!(secrets.iter().all(|secret| !log.contains(secret)));
    assert_eq!(one.lab.request_count(), 2);
    assert_eq!(one.lab.requests()[0].path, "identity /v2.0/tokens");
    one.lab.shutdown().await;
}

#[tokio::test]
async fn unknown_faults_are_refused_at_the_start() {
    let (options, ..) = options(Mode::Nhn, &["no-such-fault"]);
    let Err(error) = Lab::start(options).await else {
        panic!("it started")
    };
    assert!(error.to_string().contains("no-such-fault"));
}
