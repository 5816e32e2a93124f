//! A server as JSON.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::super::access::Microversion;
use super::super::clockwork::{micros, seconds};
use super::super::front::Turn;
use super::super::mode::Mode;
use super::super::network::FloatingIp;
use super::super::world::World;
use super::server::{Face, Fate, Server};

/// A server's links. Nobody should follow them.
pub(crate) fn links(world: &World, id: &str) -> Value {
    let base = &world.endpoints.compute;
    json!([{"rel": "self", "href": format!("{base}/v2/{}/servers/{id}", world.tenant.id)},
           {"rel": "bookmark", "href": format!("{base}/{}/servers/{id}", world.tenant.id)}])
}

/// The whole server.
pub(crate) fn full(turn: &Turn<'_>, server: &Server, version: Microversion) -> Value {
    let (now, face) = (turn.now, server.face(turn.now));
    let mut body = json!({
        "id": server.id, "name": server.name, "status": face.status, "created": seconds(server.created),
        "updated": seconds(now), "hostId": if server.wired(now) { super::super::ids::hex32_of(&server.id) } else { String::new() },
        "addresses": addresses(turn, server), "key_name": server.key_name, "image": image(turn.world.mode, server),
        "flavor": flavor(server, version),
        "OS-EXT-STS:task_state": face.task, "OS-EXT-STS:vm_state": face.vm, "OS-EXT-STS:power_state": face.power,
        "OS-EXT-AZ:availability_zone": if server.wired(now) { server.zone } else { "" },
        "OS-SRV-USG:launched_at": launched(server, now), "OS-SRV-USG:terminated_at": null,
        "os-extended-volumes:volumes_attached": volumes(server, now),
        "user_id": turn.world.tenant.user_id, "tenant_id": turn.world.tenant.id, "progress": 0, "config_drive": "",
        "accessIPv4": "", "accessIPv6": "", "metadata": server.metadata, "links": links(turn.world, &server.id)});
    if server.wired(now) {
        let names = server.groups.iter().filter_map(|id| turn.state.groups.get(id));
        body["security_groups"] = names.map(|group| json!({"name": group.name})).collect();
    }
    by_mode(turn, server, face, version, &mut body);
    body
}

fn by_mode(turn: &Turn<'_>, server: &Server, face: Face, version: Microversion, body: &mut Value) {
    match turn.world.mode {
        Mode::Nhn => {
            body["NHN-EXT-ATTR:ephemeral_disk_size"] = json!(0);
            body["NHN-EXT-ATTR:protect"] = json!(false);
        }
        Mode::Openstack => {
            body["OS-DCF:diskConfig"] = json!("MANUAL");
            if version >= Microversion(2, 19) {
                body["description"] = json!(server.description);
            }
        }
    }
    if let (Fate::Fails(message), "ERROR") = (&server.fate, face.status) {
        body["fault"] = json!({"code": 500, "created": seconds(server.created), "message": message});
    }
}

/// NHN shows the image of a volume root; upstream shows an empty text.
fn image(mode: Mode, server: &Server) -> Value {
    match (&server.image, mode, &server.root) {
        (_, Mode::Openstack, Some(_)) | (None, ..) => json!(""),
        (Some((id, _)), ..) => json!({"id": id, "links": []}),
    }
}

fn flavor(server: &Server, version: Microversion) -> Value {
    let flavor = server.flavor;
    if version >= Microversion(2, 47) {
        return json!({"original_name": flavor.name, "ram": flavor.ram_mb, "vcpus": flavor.vcpus, "disk": flavor.disk_gb,
                      "ephemeral": 0, "swap": 0, "extra_specs": {}});
    }
    json!({"id": flavor.id(), "links": []})
}

fn launched(server: &Server, now: Timestamp) -> Value {
    if server.machine.is_some() && now >= server.active_at {
        json!(micros(server.active_at))
    } else {
        Value::Null
    }
}

fn volumes(server: &Server, now: Timestamp) -> Value {
    let root = server.root.iter().filter(|_| server.wired(now));
    root.map(|id| json!({"id": id})).collect()
}

/// Fixed and, when attached, floating: the same loopback address, so that a client simply connects to what it reads.
fn addresses(turn: &Turn<'_>, server: &Server) -> Value {
    let mut networks = Map::new();
    if let Some(address) = server.address().filter(|_| server.wired(turn.now)) {
        let entry = |kind: &str, addr: &str| json!({"addr": addr, "version": 4, "OS-EXT-IPS:type": kind, "OS-EXT-IPS-MAC:mac_addr": server.mac});
        let mut entries = vec![entry("fixed", &address)];
        let mut floating = turn.state.floating_ips.values();
        if floating.any(|ip: &FloatingIp| ip.server.as_ref() == Some(&server.id)) {
            entries.push(entry("floating", &address));
        }
        networks.insert(server.network.name.to_owned(), entries.into());
    }
    networks.into()
}
