//! Nova's bodies, read and written.

use proptest::prelude::*;
use reseal_machine::cloud::Dialect;
use reseal_machine::{BuildId, FlavorId, ImageId, NetworkId};

use super::*;
use crate::dialect::rules;

const ACTIVE: &str = include_str!("../../../../../tests/data/openstack/server-active.json");

fn body(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn windows() -> NewServer {
    NewServer {
        name: "reseal-7f3a2c".to_owned(),
        marks: Marks::new(BuildId::new("7f3a2c"), "cloud/server"),
        image: ImageId::new("11111111-1111-4111-8111-111111111111"),
        flavor: FlavorId::new("22222222-2222-4222-8222-222222222222"),
        network: NetworkId::new("66666666-6666-4666-8666-666666666666"),
        subnet: Some("77777777-7777-4777-8777-777777777777".to_owned()),
        key_name: "reseal-7f3a2c".to_owned(),
        security_groups: vec!["reseal-7f3a2c".to_owned()],
        availability_zone: Some("kr-pub-a".to_owned()),
        root_volume: Some(RootVolume {
            size_gb: 50,
            volume_type: Some("General SSD".to_owned()),
            delete_on_termination: true,
        }),
        user_data: Some("#ps1_sysnative\n".to_owned().into()),
    }
}

#[test]
fn nhn_gets_what_its_guide_shows() {
    let request = create_server(&windows(), rules(Dialect::Nhn));
    let mut expect = body(include_str!(
        "../../../../../tests/data/openstack/request-server-nhn.json"
    ));
    let server = expect["server"].as_object_mut().unwrap();
    server.insert(
        "metadata".to_owned(),
        json!({ "reseal_build": "7f3a2c", "reseal_step": "cloud/server" }),
    );
    server.insert("user_data".to_owned(), "I3BzMV9zeXNuYXRpdmUK".into());
    assert_eq!(request.body.unwrap(), expect);
    assert_eq!(request.version, None);
}

#[test]
fn upstream_asks_for_a_microversion_only_with_a_volume_type() {
    let rules = rules(Dialect::Openstack);
    let mut new = windows();
    let request = create_server(&new, rules);
    let server = &request.body.as_ref().unwrap()["server"];
    assert_eq!(request.version.unwrap().value, "compute 2.67");
    assert_eq!(server.get("imageRef"), None);
    assert_eq!(
        server["networks"],
        json!([{ "uuid": "66666666-6666-4666-8666-666666666666" }])
    );
    new.root_volume.as_mut().unwrap().volume_type = None;
    assert_eq!(create_server(&new, rules).version, None);
    new.root_volume = None;
    let image_backed = create_server(&new, rules).body.unwrap();
    assert_eq!(
        image_backed["server"]["imageRef"],
        "11111111-1111-4111-8111-111111111111"
    );
    assert_eq!(image_backed["server"].get("block_device_mapping_v2"), None);
}

#[test]
fn servers_are_read_in_both_shapes() {
    let building =
        read_server(&body(include_str!("../../../../../tests/data/openstack/server-build.json"))["server"]).unwrap();
    assert_eq!(
        (building.status, building.task_state.as_deref()),
        (ServerStatus::Build, Some("scheduling"))
    );
    let active = read_server(&body(ACTIVE)["server"]).unwrap();
    assert_eq!(
        (active.status, active.task_state, active.power_state),
        (ServerStatus::Active, None, Some(1))
    );
    let addresses: Vec<_> = active
        .addresses
        .iter()
        .map(|a| (a.addr.as_str(), a.floating, a.version))
        .collect();
    assert_eq!(addresses, [("192.168.0.15", false, 4), ("203.0.113.10", true, 4)]);
    assert_eq!(active.metadata["os_type"], "Windows");
}

#[test]
fn a_server_that_is_being_deleted_counts_as_deleted() {
    assert_eq!(status("ACTIVE", Some("deleting")), ServerStatus::Deleted);
    assert_eq!(status("SHUTOFF", Some("powering-off")), ServerStatus::Shutoff);
    assert_eq!(
        status("VERIFY_RESIZE", None),
        ServerStatus::Other("VERIFY_RESIZE".to_owned())
    );
}

#[test]
fn a_fault_is_told() {
    let server =
        json!({ "id": "1", "status": "ERROR", "fault": { "code": 500, "message": "No valid host was found." } });
    assert_eq!(
        read_server(&server).unwrap().fault.as_deref(),
        Some("No valid host was found.")
    );
}

#[test]
fn attachments_come_by_device_with_and_without_id() {
    let found = read_attachments(&body(include_str!(
        "../../../../../tests/data/openstack/attachments.json"
    )));
    assert_eq!(found[0].device, "/dev/vda");
    let many = json!({ "volumeAttachments": [
        { "volumeId": "n", "device": null }, { "volumeId": "aa", "device": "/dev/vdaa" },
        { "volumeId": "b", "device": "/dev/vdb" }, { "volumeId": "a", "device": "/dev/vda", "tag": null },
    ] });
    let order: Vec<_> = read_attachments(&many)
        .iter()
        .map(|entry| entry.volume.to_string())
        .collect();
    assert_eq!(order, ["a", "b", "aa", "n"]);
}

#[test]
fn an_unlimited_quota_is_not_told() {
    let limits = json!({ "limits": { "absolute": { "maxTotalInstances": 10, "totalInstancesUsed": 12, "maxTotalCores": -1, "totalCoresUsed": 4, "maxTotalRAMSize": 51200, "totalRAMUsed": 1200 } } });
    let left = read_quota(&limits);
    assert_eq!((left.instances, left.cores, left.ram_mb), (Some(0), None, Some(50000)));
}

#[test]
fn a_name_is_searched_literally() {
    assert_eq!(literal("win.2022-a_b"), "win\\.2022-a_b");
}

#[test]
fn flavours_are_read() {
    let flavors = body(include_str!("../../../../../tests/data/openstack/flavors.json"));
    let flavor = read_flavor(&flavors["flavors"][0]).unwrap();
    assert_eq!(
        (flavor.name.as_str(), flavor.ram_mb, flavor.vcpus, flavor.disk_gb),
        ("m2.c2m4", 4096, 2, 0)
    );
}

proptest! {
    #[test]
    fn mutated_servers_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = ACTIVE.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(value) = serde_json::from_slice::<Value>(&bytes) {
            let _ = read_server(value.get("server").unwrap_or(&value));
            let _ = read_attachments(&value);
            let _ = read_quota(&value);
        }
    }
}
