//! What is sent again, what is looked up first, and what is left to the caller.

use reseal_machine::cloud::{ImageQuery, NewFloatingIp, NewKeypair, NewServer, RootVolume};
use reseal_machine::{BuildId, Cloud, CloudErrorKind, FlavorId, ImageId, Marks, NetworkId, ServerId, Status};
use reseal_openstack::{OpenStack, Service};
use serde_json::{Value, json};

use crate::script::{Answer, Script, TOKENS, TestClock, say, with};

const FLAVORS: &str = "GET /compute/v2.1/flavors/detail";
const SERVERS: &str = "POST /compute/v2.1/servers";
const LIST: &str = "GET /compute/v2.1/servers/detail";

fn html(status: u16) -> Answer {
    let body = "<html><body><h1>Bad gateway</h1></body></html>".to_owned();
    Answer::Say {
        status,
        headers: Vec::new(),
        body,
    }
}

fn marks() -> Marks {
    Marks::new(BuildId::new("0199-ab"), "cloud/server")
}

fn new_server() -> NewServer {
    NewServer {
        name: "reseal-0199".to_owned(),
        marks: marks(),
        image: ImageId::new("i1"),
        flavor: FlavorId::new("f1"),
        network: NetworkId::new("n1"),
        subnet: None,
        key_name: "reseal-0199".to_owned(),
        security_groups: Vec::new(),
        availability_zone: None,
        root_volume: Some(RootVolume {
            size_gb: 50,
            volume_type: None,
            delete_on_termination: false,
        }),
        user_data: None,
    }
}

fn listed(build: &str) -> Answer {
    let metadata = json!({ "reseal_build": build, "reseal_step": "cloud/server" });
    say(
        200,
        json!({ "servers": [{ "id": "s1", "name": "reseal-0199", "metadata": metadata }] }),
    )
}

fn nothing_listed() -> Answer {
    say(200, json!({ "servers": [] }))
}

fn made(id: &str) -> Answer {
    say(202, json!({ "server": { "id": id } }))
}

#[tokio::test]
async fn a_look_is_repeated_with_growing_pauses() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    script.on(
        FLAVORS,
        [
            html(503),
            Answer::HangUp,
            html(500),
            say(200, json!({ "flavors": [{ "id": "f", "name": "m2" }] })),
        ],
    );
    assert_eq!(cloud.flavors().await.unwrap()[0].name, "m2");
    assert_eq!(clock.slept(), [1, 2, 4]);
    assert_eq!(cloud.stats().retries, 3);
}

#[tokio::test]
async fn patience_ends() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    script.on(FLAVORS, [with(html(503), "x-openstack-request-id", "req-7")]);
    let error = cloud.flavors().await.unwrap_err();
    assert_eq!(
        (error.kind, error.status, error.http),
        (CloudErrorKind::Unavailable, Status::Persistent, Some(503))
    );
    assert_eq!((error.request_id.as_deref(), error.perhaps), (Some("req-7"), false));
    assert_eq!(error.message, "Bad gateway (HTTP 503)");
    assert_eq!(script.asked(FLAVORS).len(), 6);
}

#[tokio::test]
async fn a_rate_limit_is_waited_for_even_by_a_creation() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    let body = json!({ "overLimit": { "code": 413, "message": "limited", "retryAfter": "9" } });
    script.on(
        SERVERS,
        [
            with(say(429, json!(null)), "retry-after", "7"),
            say(413, body),
            made("s1"),
        ],
    );
    assert_eq!(cloud.create_server(&new_server()).await.unwrap(), ServerId::new("s1"));
    assert_eq!(clock.slept(), [7, 9]);
}

#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_found_by_its_marks() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    script
        .on(SERVERS, [Answer::HangUp])
        .on(LIST, [nothing_listed(), listed("somebody-else"), listed("0199-ab")]);
    assert_eq!(cloud.create_server(&new_server()).await.unwrap(), ServerId::new("s1"));
    assert_eq!(script.asked(SERVERS).len(), 1);
    assert!(
        script.asked(LIST)[0].path.contains("name=%5Ereseal-0199%24"),
        "{:?}",
        script.asked(LIST)[0]
    );
}

#[tokio::test]
async fn a_creation_that_was_lost_and_is_not_found_is_left_to_the_caller() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    script.on(SERVERS, [Answer::HangUp]).on(LIST, [nothing_listed()]);
    let error = cloud.create_server(&new_server()).await.unwrap_err();
    assert!(error.perhaps, "{error:?}");
    assert_eq!((script.asked(SERVERS).len(), script.asked(LIST).len()), (1, 4));
}

#[tokio::test]
async fn a_creation_that_the_service_spoilt_is_looked_up_and_asked_for_again() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    script.on(SERVERS, [html(503), made("s2")]).on(LIST, [nothing_listed()]);
    assert_eq!(cloud.create_server(&new_server()).await.unwrap(), ServerId::new("s2"));
    assert_eq!((script.asked(SERVERS).len(), script.asked(LIST).len()), (2, 4));
}

#[tokio::test]
async fn an_address_that_came_with_a_500_is_kept() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    let address =
        json!({ "id": "a1", "floating_ip_address": "203.0.113.10", "port_id": "p1", "description": marks().to_text() });
    script
        .on(
            "GET /network/v2.0/ports",
            [say(
                200,
                json!({ "ports": [{ "id": "p1", "device_owner": "compute:nova" }] }),
            )],
        )
        .on(
            "POST /network/v2.0/floatingips",
            [say(500, json!({ "NeutronError": "oops" }))],
        )
        .on(
            "GET /network/v2.0/floatingips",
            [say(200, json!({ "floatingips": [address] }))],
        );
    let new = NewFloatingIp {
        network: NetworkId::new("ext"),
        server: ServerId::new("s1"),
        marks: marks(),
    };
    assert_eq!(cloud.create_floating_ip(&new).await.unwrap().address, "203.0.113.10");
    assert_eq!(script.asked("POST /network/v2.0/floatingips").len(), 1);
}

#[tokio::test]
async fn a_key_pair_is_ours_only_with_our_key() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    let pairs = |key: &str| {
        say(
            200,
            json!({ "keypairs": [{ "keypair": { "name": "reseal-0199", "public_key": key } }] }),
        )
    };
    let new = NewKeypair {
        name: "reseal-0199".to_owned(),
        public_key: "ssh-rsa AAAA".to_owned(),
    };
    script
        .on("POST /compute/v2.1/os-keypairs", [Answer::HangUp])
        .on("GET /compute/v2.1/os-keypairs", [pairs("ssh-rsa AAAA\n")]);
    cloud.create_keypair(&new).await.unwrap();
    script.on("GET /compute/v2.1/os-keypairs", [pairs("ssh-rsa BBBB")]);
    assert!(cloud.create_keypair(&new).await.unwrap_err().perhaps);
    let taken = json!({ "conflictingRequest": { "code": 409, "message": "Key pair 'reseal-0199' already exists." } });
    script.on("POST /compute/v2.1/os-keypairs", [say(409, taken)]);
    assert_eq!(
        cloud.create_keypair(&new).await.unwrap_err().kind,
        CloudErrorKind::Conflict
    );
}

#[tokio::test]
async fn all_pages_are_asked_of_our_own_address() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    let image =
        |id: &str, day: u32| json!({ "id": id, "name": "w", "created_at": format!("2026-03-{day:02}T00:00:00Z") });
    let page = |images: Value, next: Option<&str>| say(200, json!({ "images": images, "next": next }));
    script.on(
        "GET /image/v2/images",
        [
            page(
                json!([image("a", 1), image("b", 3)]),
                Some("http://evil.invalid/v2/images?marker=b"),
            ),
            page(json!([image("c", 2)]), None),
        ],
    );
    let query = ImageQuery {
        name: Some("w".to_owned()),
        ..ImageQuery::default()
    };
    let ids: Vec<_> = cloud
        .images(&query)
        .await
        .unwrap()
        .iter()
        .map(|image| image.id.to_string())
        .collect();
    assert_eq!(ids, ["b", "c", "a"], "newest first");
    let second = &script.asked("GET /image/v2/images")[1].path;
    assert!(
        second.contains("marker=b") && second.contains("name=w") && second.contains("limit=1000"),
        "{second}"
    );
}

#[tokio::test]
async fn nobody_at_home_is_tried_again_and_then_named() {
    let (script, clock) = (Script::start().await, TestClock::new());
    script.on(TOKENS, [script.token("t1")]);
    let mut config = script.config(&clock);
    // Port 1 of loopback: nobody listens there.
    config
        .endpoints
        .insert(Service::Compute, "http://127.0.0.1:1/v2.1".to_owned());
    let error = OpenStack::connect(config).await.unwrap().flavors().await.unwrap_err();
    assert_eq!(
        (error.kind, error.status, error.perhaps),
        (CloudErrorKind::Unavailable, Status::Persistent, false)
    );
    assert!(error.message.contains("127.0.0.1"), "{error}");
    assert_eq!(clock.slept(), [1, 2, 4, 8, 16]);
}

#[tokio::test]
async fn a_cloud_that_was_never_there_is_given_up_soon() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let mut config = script.config(&clock);
    config.credentials.auth_url = "http://127.0.0.1:1/v3".to_owned();
    let error = OpenStack::connect(config).await.unwrap_err();
    assert!(error.message.contains("cannot be reached"), "{error}");
    assert_eq!(clock.slept(), [1, 2]);
}

#[tokio::test]
async fn a_list_that_repeats_itself_is_no_list() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    let page = |id: &str, next: &str| {
        let next = format!("http://elsewhere.example/v2/images?marker={next}");
        say(200, json!({ "images": [{ "id": id }], "next": next }))
    };
    let images = "GET /image/v2/images";
    for pages in [
        vec![page("a", "x"), page("b", "y"), page("c", "x")],
        vec![page("a", "x"), page("a", "y"), page("a", "z")],
    ] {
        let before = script.asked(images).len();
        script.on(images, pages);
        let error = cloud.images(&ImageQuery::default()).await.unwrap_err();
        assert!(error.message.contains("circle"), "{error}");
        assert!(script.asked(images).len() - before <= 4);
    }
    let full: Vec<_> = (0..1000).map(|number| json!({ "id": number.to_string() })).collect();
    script
        .on("GET /compute/v2.1/servers/detail", [nothing_listed()])
        .on("GET /volume/v3/volumes/detail", [say(200, json!({ "volumes": full }))]);
    let error = cloud.find_marked(None).await.unwrap_err();
    assert!(error.message.contains("circle"), "{error}");
    assert_eq!(script.asked("GET /volume/v3/volumes/detail").len(), 2);
}
