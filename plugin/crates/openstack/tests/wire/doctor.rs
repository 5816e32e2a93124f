//! The doctor names the layer that fails, and nothing above it.

use reseal_openstack::check;
use serde_json::json;

use crate::script::{Script, TOKENS, TestClock, say};

#[tokio::test]
async fn all_layers_of_a_well_cloud() {
    let (script, clock) = (Script::start().await, TestClock::new());
    script
        .on(TOKENS, [script.token("t1")])
        .on("GET /compute/v2.1/flavors", [say(200, json!({ "flavors": [] }))])
        .on("GET /image/v2/images", [say(200, json!({ "images": [] }))])
        .on("GET /network/v2.0/networks", [say(200, json!({ "networks": [] }))])
        .on(
            "GET /volume/v3/volumes",
            [say(403, json!({ "forbidden": { "message": "not for you" } }))],
        );
    let checks = check(script.config(&clock)).await;
    let seen: Vec<_> = checks.iter().map(|check| (check.name.as_str(), check.ok)).collect();
    let layers = [
        ("network", true),
        ("authentication", true),
        ("catalogue", true),
        ("compute service", true),
        ("image service", true),
        ("network service", true),
        ("block storage service", false),
    ];
    assert_eq!(seen, layers);
    assert!(checks.last().unwrap().detail.contains("not for you"), "{checks:?}");
    assert!(
        checks.iter().all(|check| !check.ok || check.hint.is_none()),
        "{checks:?}"
    );

    let mut config = script.config(&clock);
    config.credentials.tls.insecure = true;
    let checks = check(config).await;
    let hint = checks[1].hint.as_deref().unwrap_or_default();
    assert!(checks[1].ok && hint.contains("no certificate is checked"), "{checks:?}");
}

#[tokio::test]
async fn nothing_is_looked_at_above_what_fails() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let mut config = script.config(&clock);
    config.credentials.auth_url = "http://127.0.0.1:1/v3".to_owned();
    let checks = check(config).await;
    assert_eq!(checks.len(), 1);
    assert!(
        !checks[0].ok && checks[0].hint.as_ref().unwrap().contains("https_proxy"),
        "{checks:?}"
    );

    script.on(TOKENS, [say(401, json!({ "error": { "message": "no" } }))]);
    let checks = check(script.config(&clock)).await;
    assert_eq!(
        checks.last().map(|check| (check.name.as_str(), check.ok)),
        Some(("authentication", false))
    );
}
