//! Every reader takes every body, also a damaged one.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{cinder, glance, neutron, nova};

macro_rules! bodies {
    ($($name:literal),* $(,)?) => { &[$(include_str!(concat!("../../../../tests/data/openstack/", $name, ".json"))),*] };
}

const BODIES: &[&str] = bodies![
    "attachments",
    "flavors",
    "floatingip",
    "images",
    "networks",
    "ports",
    "security-group",
    "server-active",
    "server-build",
    "server-created",
    "token-v2",
    "token-v3",
    "upload",
    "volume",
    "vpcs",
];

/// Hands a value and everything inside it to all readers; says how many made something of it.
fn read_all(value: &Value) -> usize {
    let read = [
        nova::read_flavor(value).is_some(),
        nova::read_server(value).is_some(),
        !nova::read_attachments(value).is_empty(),
        nova::read_quota(value).cores.is_some(),
        glance::read_image(value).is_some(),
        cinder::read_volume(value).is_some(),
        neutron::read_network(value).is_some(),
        neutron::read_security_group(value).is_some(),
        neutron::read_floating_ip(value).is_some(),
        neutron::marks_of(value, "description").is_some(),
    ];
    let inside: usize = match value {
        Value::Array(items) => {
            usize::from(neutron::first_port(items).is_some()) + items.iter().map(read_all).sum::<usize>()
        }
        Value::Object(members) => members.values().map(read_all).sum(),
        _ => 0,
    };
    inside + read.into_iter().filter(|made| *made).count()
}

/// Replaces one leaf, counted from the front.
fn damage(value: &mut Value, left: &mut usize, by: &Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| damage(item, left, by)),
        Value::Object(members) => members.values_mut().for_each(|member| damage(member, left, by)),
        leaf => {
            if *left == 0 {
                *leaf = by.clone();
            }
            *left = left.wrapping_sub(1);
        }
    }
}

#[test]
fn whole_bodies_are_read() {
    for body in BODIES {
        assert!(read_all(&serde_json::from_str(body).unwrap()) > 0, "{body}");
    }
}

proptest! {
    #[test]
    fn damaged_text_is_read_or_refused(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = which.get(BODIES).as_bytes().to_vec();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(value) = serde_json::from_slice::<Value>(&bytes) {
            read_all(&value);
        }
    }

    #[test]
    fn a_leaf_of_another_kind_is_taken(which in any::<prop::sample::Index>(), mut at in 0_usize..80, kind in 0_usize..7) {
        let kinds = [Value::Null, json!(true), json!(-1), json!(1e300), json!(""), json!([]), json!({})];
        let mut value: Value = serde_json::from_str(BODIES[which.index(BODIES.len())]).unwrap();
        damage(&mut value, &mut at, &kinds[kind]);
        read_all(&value);
    }
}
