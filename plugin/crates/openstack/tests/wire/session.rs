//! Tokens: fetched once, renewed in time, renewed when refused, never shown.

use std::time::Duration;

use reseal_machine::cloud::Dialect;
use reseal_machine::{Cloud, CloudErrorKind};
use reseal_openstack::{Auth, OpenStack};
use serde_json::json;

use crate::script::{Answer, Script, TOKENS, TestClock, say, with};

const FLAVORS: &str = "GET /compute/v2.1/flavors/detail";

fn no_flavors() -> Answer {
    say(200, json!({ "flavors": [] }))
}

fn unauthorized() -> Answer {
    say(
        401,
        json!({ "error": { "code": 401, "title": "Unauthorized", "message": "expired" } }),
    )
}

#[tokio::test]
async fn one_token_serves_many_calls() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    script
        .on(FLAVORS, [no_flavors()])
        .on("GET /network/v2.0/networks", [say(200, json!({ "networks": [] }))]);
    cloud.flavors().await.unwrap();
    cloud.networks().await.unwrap();
    assert_eq!((cloud.stats().calls, cloud.stats().tokens), (3, 1));
    let asked = &script.asked(FLAVORS)[0];
    assert_eq!(asked.headers["x-auth-token"], "t1");
    assert_eq!(asked.headers["accept"], "application/json");
    assert!(asked.headers["x-openstack-request-id"].starts_with("req-"));
    assert!(asked.headers["user-agent"].starts_with("reseal/"));
    assert_eq!(cloud.capabilities().await.unwrap().region, "R1");
    assert!(!format!("{cloud:?}").contains("canary"));
}

#[tokio::test]
async fn a_token_is_renewed_before_its_end() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    script.on(FLAVORS, [no_flavors()]);
    clock.advance(Duration::from_mins(56));
    cloud.flavors().await.unwrap();
    assert_eq!(script.asked(FLAVORS)[0].headers["x-auth-token"], "t2");
}

#[tokio::test]
async fn a_good_token_outlives_a_bad_moment_of_keystone() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    script.on(FLAVORS, [no_flavors()]).on(TOKENS, [say(503, json!(null))]);
    clock.advance(Duration::from_mins(56));
    cloud.flavors().await.unwrap();
    assert_eq!(script.asked(FLAVORS)[0].headers["x-auth-token"], "t1");
    clock.advance(Duration::from_mins(5));
    assert_eq!(cloud.flavors().await.unwrap_err().kind, CloudErrorKind::Unavailable);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_call_replayed() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    script.on(FLAVORS, [unauthorized(), no_flavors()]);
    cloud.flavors().await.unwrap();
    let tokens: Vec<_> = script
        .asked(FLAVORS)
        .iter()
        .map(|asked| asked.headers["x-auth-token"].clone())
        .collect();
    assert_eq!(tokens, ["t1", "t2"]);
}

#[tokio::test]
async fn a_second_refusal_ends() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    script.on(FLAVORS, [unauthorized()]);
    let error = cloud.flavors().await.unwrap_err();
    assert_eq!((error.kind, error.http), (CloudErrorKind::Auth, Some(401)));
    assert!(
        error.hints.iter().any(|hint| hint.contains("user and password")),
        "{error:?}"
    );
    assert_eq!(script.asked(FLAVORS).len(), 2);
}

#[tokio::test]
async fn many_refused_at_once_renew_once() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    script.on(FLAVORS, [unauthorized(), unauthorized(), unauthorized(), no_flavors()]);
    let (a, b, c) = tokio::join!(cloud.flavors(), cloud.flavors(), cloud.flavors());
    a.and(b).and(c).unwrap();
    assert_eq!(cloud.stats().tokens, 2);
}

#[tokio::test]
async fn a_wrong_password_says_which_password_is_wanted() {
    let (script, clock) = (Script::start().await, TestClock::new());
    script
        .on(TOKENS, [unauthorized()])
        .on("POST /v2.0/tokens", [unauthorized()]);
    let upstream = OpenStack::connect(script.config(&clock)).await.unwrap_err();
    assert!(upstream.hints[0].contains("OS_USER_DOMAIN_NAME"), "{upstream:?}");
    let mut config = script.config(&clock);
    config.dialect = Dialect::Nhn;
    config.credentials.auth_url = format!("{}/v2.0", script.url);
    let nhn = OpenStack::connect(config).await.unwrap_err();
    assert_eq!(nhn.kind, CloudErrorKind::Auth);
    assert!(nhn.hints[0].contains("API password"), "{nhn:?}");
    assert_eq!(clock.slept(), Vec::<u64>::new(), "a wrong password is not tried again");
}

#[tokio::test]
async fn keystone_is_asked_for_its_versions_when_the_address_has_none() {
    let (script, clock) = (Script::start().await, TestClock::new());
    script.on(
        "GET /",
        [say(
            300,
            json!({ "versions": { "values": [{ "id": "v3.14", "links": [{ "href": "http://evil.invalid/v3/" }] }] } }),
        )],
    );
    script.on(TOKENS, [script.token("t1")]);
    let mut config = script.config(&clock);
    config.credentials.auth_url.clone_from(&script.url);
    OpenStack::connect(config).await.unwrap();
    assert_eq!(script.all(), ["GET /", TOKENS]);
}

#[tokio::test]
async fn an_ended_token_cannot_be_renewed() {
    let (script, clock) = (Script::start().await, TestClock::new());
    script.on(TOKENS, [unauthorized()]);
    let mut config = script.config(&clock);
    config.credentials.auth = Auth::Token {
        token: "old".to_owned().into(),
        project: None,
    };
    let error = OpenStack::connect(config).await.unwrap_err();
    assert!(error.hints[0].contains("cannot be renewed"), "{error:?}");
}

#[tokio::test]
async fn several_regions_want_a_choice() {
    let (script, clock) = (Script::start().await, TestClock::new());
    script.on(TOKENS, [script.token("t1")]);
    let mut config = script.config(&clock);
    config.region = Some("R2".to_owned());
    let error = OpenStack::connect(config).await.unwrap_err();
    assert!(
        error.message.contains("R2") && error.hints[0].contains("R1"),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_override_goes_before_the_catalogue() {
    let (script, clock) = (Script::start().await, TestClock::new());
    script
        .on(TOKENS, [script.token("t1")])
        .on("GET /elsewhere/v2.1/flavors/detail", [no_flavors()]);
    let mut config = script.config(&clock);
    config
        .endpoints
        .insert(reseal_openstack::Service::Compute, format!("{}/elsewhere", script.url));
    OpenStack::connect(config).await.unwrap().flavors().await.unwrap();
}

#[tokio::test]
async fn redirections_are_never_followed() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    script.on(
        FLAVORS,
        [with(
            say(302, json!(null)),
            "location",
            &format!("{}/other", script.url),
        )],
    );
    let error = cloud.flavors().await.unwrap_err();
    assert!(error.message.contains("redirection"), "{error}");
    assert!(script.asked("GET /other").is_empty());
}
