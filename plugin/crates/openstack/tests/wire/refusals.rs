//! What each refusal means to the caller, and what is taken back.

use reseal_machine::cloud::{
    ImageChanges, ImageSource, IngressRule, NewFloatingIp, NewImage, NewSecurityGroup, Observed, ResourceKind,
    ServerPassword,
};
use reseal_machine::{
    BuildId, Cloud, CloudErrorKind, FloatingIpId, ImageId, Marks, NetworkId, SecurityGroupId, ServerId, Status,
    VolumeId,
};
use serde_json::{Value, json};

use crate::script::{Answer, Script, TestClock, say, with};

fn refuse(status: u16, message: &str) -> Answer {
    say(status, json!({ "x": { "code": status, "message": message } }))
}

fn neutron(status: u16, kind: &str, message: &str) -> Answer {
    say(
        status,
        json!({ "NeutronError": { "type": kind, "message": message, "detail": "" } }),
    )
}

#[tokio::test]
async fn deleting_what_is_gone_succeeds_and_looking_at_it_is_an_answer() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    for route in [
        "DELETE /compute/v2.1/servers/x",
        "DELETE /compute/v2.1/os-keypairs/x",
        "DELETE /image/v2/images/x",
        "DELETE /volume/v3/volumes/x",
        "DELETE /network/v2.0/security-groups/x",
        "DELETE /network/v2.0/floatingips/x",
        "GET /compute/v2.1/servers/x",
        "GET /image/v2/images/x",
        "GET /volume/v3/volumes/x",
    ] {
        script.on(route, [refuse(404, "no x")]);
    }
    cloud.delete_server(&ServerId::new("x")).await.unwrap();
    cloud.delete_keypair("x").await.unwrap();
    cloud.delete_image(&ImageId::new("x")).await.unwrap();
    cloud.delete_volume(&VolumeId::new("x")).await.unwrap();
    cloud.delete_security_group(&SecurityGroupId::new("x")).await.unwrap();
    cloud.delete_floating_ip(&FloatingIpId::new("x")).await.unwrap();
    assert_eq!(cloud.server(&ServerId::new("x")).await.unwrap(), Observed::Gone);
    assert_eq!(cloud.image(&ImageId::new("x")).await.unwrap(), Observed::Gone);
    assert_eq!(cloud.volume(&VolumeId::new("x")).await.unwrap(), Observed::Gone);
}

#[tokio::test]
async fn what_is_in_use_can_be_deleted_later() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    script
        .on(
            "DELETE /network/v2.0/security-groups/g",
            [neutron(409, "SecurityGroupInUse", "Security Group g in use.")],
        )
        .on(
            "DELETE /volume/v3/volumes/v",
            [refuse(400, "Invalid volume: Volume status must be available or error")],
        )
        .on("DELETE /volume/v3/volumes/w", [refuse(400, "Invalid input received")]);
    let group = cloud
        .delete_security_group(&SecurityGroupId::new("g"))
        .await
        .unwrap_err();
    assert_eq!(
        (group.kind, group.status),
        (CloudErrorKind::Conflict, Status::Temporary)
    );
    let volume = cloud.delete_volume(&VolumeId::new("v")).await.unwrap_err();
    assert_eq!(
        (volume.kind, volume.status),
        (CloudErrorKind::Conflict, Status::Temporary)
    );
    let wrong = cloud.delete_volume(&VolumeId::new("w")).await.unwrap_err();
    assert_eq!((wrong.kind, wrong.status), (CloudErrorKind::Invalid, Status::Permanent));
}

#[tokio::test]
async fn a_group_without_its_rule_is_deleted_again() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    script
        .on(
            "POST /network/v2.0/security-groups",
            [say(201, json!({ "security_group": { "id": "g", "name": "n" } }))],
        )
        .on(
            "POST /network/v2.0/security-group-rules",
            [
                neutron(
                    409,
                    "SecurityGroupRuleExists",
                    "Security group rule already exists. Rule id is r.",
                ),
                neutron(
                    409,
                    "OverQuota",
                    "Quota exceeded for resources: ['security_group_rule'].",
                ),
            ],
        )
        .on("DELETE /network/v2.0/security-groups/g", [say(204, Value::Null)]);
    let rule = |port| IngressRule {
        port,
        cidr: "198.51.100.7/32".to_owned(),
    };
    let new = NewSecurityGroup {
        name: "n".to_owned(),
        marks: Marks::new(BuildId::new("b"), "s"),
        ingress: vec![rule(5985), rule(5986)],
    };
    assert_eq!(
        cloud.create_security_group(&new).await.unwrap_err().kind,
        CloudErrorKind::Quota
    );
    assert_eq!(script.asked("DELETE /network/v2.0/security-groups/g").len(), 1);
    let sent = &script.asked("POST /network/v2.0/security-groups")[0].body["security_group"]["description"];
    assert!(
        sent.as_str().unwrap().contains("reseal_build=b reseal_step=s"),
        "{sent}"
    );
}

#[tokio::test]
async fn an_address_that_cannot_be_attached_is_released() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    let loose = json!({ "floatingip": { "id": "a", "floating_ip_address": "203.0.113.10", "port_id": null } });
    script
        .on(
            "GET /network/v2.0/ports",
            [
                say(200, json!({ "ports": [] })),
                say(200, json!({ "ports": [{ "id": "p" }] })),
            ],
        )
        .on("POST /network/v2.0/floatingips", [say(201, loose)])
        .on(
            "PUT /network/v2.0/floatingips/a",
            [neutron(404, "ExternalGatewayForFloatingIPNotFound", "not reachable")],
        )
        .on("DELETE /network/v2.0/floatingips/a", [say(204, Value::Null)]);
    let new = NewFloatingIp {
        network: NetworkId::new("ext"),
        server: ServerId::new("s"),
        marks: Marks::new(BuildId::new("b"), "s"),
    };
    let early = cloud.create_floating_ip(&new).await.unwrap_err();
    assert_eq!(
        (early.kind, early.status),
        (CloudErrorKind::Conflict, Status::Temporary)
    );
    let stranded = cloud.create_floating_ip(&new).await.unwrap_err();
    assert_eq!(stranded.kind, CloudErrorKind::NotFound);
    assert!(stranded.hints[0].contains("router"), "{stranded:?}");
    assert_eq!(script.asked("DELETE /network/v2.0/floatingips/a").len(), 1);
}

#[tokio::test]
async fn the_password_is_absent_not_yet_or_there() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    let route = "GET /compute/v2.1/servers/s/os-server-password";
    let server = ServerId::new("s");
    for status in [403, 404, 501] {
        script.on(route, [refuse(status, "no")]);
        assert_eq!(
            cloud.server_password(&server).await.unwrap(),
            ServerPassword::NotOffered
        );
    }
    script.on(
        route,
        [
            say(200, json!({ "password": "" })),
            say(200, json!({ "password": "q1w2==" })),
        ],
    );
    assert_eq!(cloud.server_password(&server).await.unwrap(), ServerPassword::NotYet);
    assert_eq!(
        cloud.server_password(&server).await.unwrap(),
        ServerPassword::Encrypted("q1w2==".to_owned())
    );
}

#[tokio::test]
async fn a_console_that_is_not_offered_is_no_error() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    let route = "POST /compute/v2.1/servers/s/action";
    for status in [400, 403, 404, 405, 409, 501] {
        script.on(route, [refuse(status, "no")]);
        assert_eq!(cloud.console_output(&ServerId::new("s")).await.unwrap(), None);
    }
    script.on(route, [say(200, json!({ "output": "hello" }))]);
    assert_eq!(
        cloud.console_output(&ServerId::new("s")).await.unwrap().as_deref(),
        Some("hello")
    );
    let long = format!("{}끝", "처음 ".repeat(100_000));
    script.on(route, [say(200, json!({ "output": long }))]);
    let told = cloud.console_output(&ServerId::new("s")).await.unwrap().unwrap();
    assert!(told.len() <= 64 * 1024 && told.ends_with(" 처음 끝"), "{}", told.len());
}

#[tokio::test]
async fn refused_force_keeps_the_clouds_words() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    let route = "POST /volume/v3/volumes/v/action";
    script.on(
        route,
        [
            refuse(400, "Invalid volume: Volume v status must be available"),
            say(
                202,
                json!({ "os-volume_upload_image": { "image_id": "i", "status": "uploading", "volume_type": "ssd" } }),
            ),
            Answer::HangUp,
        ],
    );
    let image = |force| NewImage {
        name: "n".to_owned(),
        source: ImageSource::Volume {
            volume: VolumeId::new("v"),
            force,
        },
        disk_format: "qcow2".to_owned(),
    };
    let refused = cloud.create_image(&image(true)).await.unwrap_err();
    assert_eq!(
        (refused.kind, refused.status),
        (CloudErrorKind::Invalid, Status::Permanent)
    );
    assert!(refused.message.contains("status must be available"), "{refused}");
    assert_eq!(cloud.create_image(&image(false)).await.unwrap(), ImageId::new("i"));
    assert!(cloud.create_image(&image(false)).await.unwrap_err().perhaps);
    let sent = json!({ "image_name": "n", "force": false, "disk_format": "qcow2", "container_format": "bare" });
    assert_eq!(script.asked(route)[1].body, json!({ "os-volume_upload_image": sent }));
}

#[tokio::test]
async fn an_image_of_a_server_is_named_by_body_or_location() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    let location = with(say(202, Value::Null), "location", "http://glance:9292/images/i1");
    script.on(
        "POST /compute/v2.1/servers/s/action",
        [location, say(202, json!({ "image_id": "i2" })), say(202, Value::Null)],
    );
    let image = NewImage {
        name: "n".to_owned(),
        source: ImageSource::Server {
            server: ServerId::new("s"),
        },
        disk_format: "qcow2".to_owned(),
    };
    assert_eq!(cloud.create_image(&image).await.unwrap(), ImageId::new("i1"));
    assert_eq!(cloud.create_image(&image).await.unwrap(), ImageId::new("i2"));
    assert_eq!(
        cloud.create_image(&image).await.unwrap_err().kind,
        CloudErrorKind::Unexpected
    );
}

#[tokio::test]
async fn an_image_is_changed_in_one_request_and_shared_twice_without_harm() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    script
        .on(
            "GET /image/v2/images/i",
            [say(200, json!({ "id": "i", "password_0": "x" }))],
        )
        .on("PATCH /image/v2/images/i", [say(200, json!({ "id": "i" }))])
        .on("PUT /image/v2/images/i/tags/golden", [say(204, Value::Null)])
        .on("POST /image/v2/images/i/members", [refuse(409, "already")]);
    let changes = ImageChanges {
        min_disk_gb: Some(50),
        remove: vec!["password_0".to_owned(), "password_1".to_owned()],
        tags: vec!["golden".to_owned()],
        members: vec!["p2".to_owned()],
        ..ImageChanges::default()
    };
    cloud.update_image(&ImageId::new("i"), &changes).await.unwrap();
    let patch = &script.asked("PATCH /image/v2/images/i");
    assert_eq!(patch.len(), 1);
    assert_eq!(
        patch[0].headers["content-type"],
        "application/openstack-images-v2.1-json-patch"
    );
    assert_eq!(patch[0].body.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_volume_that_cannot_be_marked_is_left_alone() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    let route = "POST /volume/v3/volumes/v/metadata";
    let marks = Marks::new(BuildId::new("b"), "s");
    script.on(
        route,
        [refuse(404, "no such call"), say(200, json!({ "metadata": {} }))],
    );
    cloud.mark_volume(&VolumeId::new("v"), &marks).await.unwrap();
    cloud.mark_volume(&VolumeId::new("v"), &marks).await.unwrap();
    assert_eq!(
        script.asked(route)[1].body,
        json!({ "metadata": { "reseal_build": "b", "reseal_step": "s" } })
    );
}

#[tokio::test]
async fn everything_marked_is_found_in_the_order_in_which_it_must_go() {
    let (script, clock) = (Script::start().await, TestClock::new());
    let cloud = script.connect(&clock).await;
    let marks = json!({ "reseal_build": "0199abcdef", "reseal_step": "s" });
    let text = "made by Reseal, reseal_build=0199abcdef reseal_step=s";
    script
        .on("GET /compute/v2.1/servers/detail", [say(200, json!({ "servers": [{ "id": "s", "metadata": marks }, { "id": "t", "metadata": {} }] }))])
        .on("GET /volume/v3/volumes/detail", [say(200, json!({ "volumes": [{ "id": "v", "metadata": marks }] }))])
        .on("GET /network/v2.0/floatingips", [say(200, json!({ "floatingips": [{ "id": "a", "description": text }, { "id": "b" }] }))])
        .on("GET /network/v2.0/security-groups", [say(200, json!({ "security_groups": [{ "id": "g", "description": text }] }))])
        .on("GET /compute/v2.1/os-keypairs", [say(200, json!({ "keypairs": [{ "keypair": { "name": "reseal-abcdef" } }, { "keypair": { "name": "mine" } }] }))])
        .on("GET /image/v2/images", [say(200, json!({ "images": [{ "id": "i", "reseal_build": "0199abcdef" }, { "id": "j", "reseal_build": "other00" }] }))]);
    let found = cloud.find_marked(Some(&BuildId::new("0199abcdef"))).await.unwrap();
    let kinds: Vec<_> = found.iter().map(|marked| (marked.kind, marked.id.as_str())).collect();
    let expect = [
        (ResourceKind::Server, "s"),
        (ResourceKind::Volume, "v"),
        (ResourceKind::FloatingIp, "a"),
        (ResourceKind::SecurityGroup, "g"),
        (ResourceKind::Keypair, "reseal-abcdef"),
        (ResourceKind::Image, "i"),
    ];
    assert_eq!(kinds, expect);
    assert_eq!(cloud.find_marked(None).await.unwrap().len(), 7);
    assert!(script.asked("GET /image/v2/images")[0].path.contains("owner=p1"));
}
