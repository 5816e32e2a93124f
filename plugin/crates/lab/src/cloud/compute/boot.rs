//! Booting a machine for a server that was accepted.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::super::clockwork::{BUILD, after};
use super::super::fresh::Fresh;
use super::super::front::Turn;
use super::super::ids::secret;
use super::super::image::Base;
use super::super::mode::Mode;
use super::super::network::{Group, Rule};
use super::super::reply::Reply;
use super::super::volume::{NewRoot, Volume};
use super::create::{Order, Root};
use super::server::{Fate, Halt, Server};
use crate::room::{BootRequest, Disk, Machine};

/// Makes the server, its root volume and its machine.
pub(crate) fn boot(turn: &mut Turn<'_>, order: Order) -> Reply {
    let id = turn.state.ids.next();
    let fate = fate(turn);
    // A server that no host takes never gets as far as its volume.
    let (disk, disk_gb, root) = match (&fate, &order.root) {
        (Fate::Fails(_), Root::New { base, .. }) => (base.disk(turn.world), 0, None),
        _ => root(turn, &order, &id),
    };
    let machine = (fate == Fate::Runs).then(|| machine(turn, &order, &id, disk, disk_gb));
    let groups: Vec<_> = order
        .groups
        .iter()
        .filter_map(|id| turn.state.groups.get(id))
        .map(|group| json!({"name": group.name}))
        .collect();
    turn.state.user_data.extend(order.user_data.clone());
    let server = server(turn, order, &id, (fate, machine, root));
    let reply = accepted(turn, &server, &groups);
    turn.state.servers.insert(id, server);
    reply
}

fn fate(turn: &Turn<'_>) -> Fate {
    let faults = &turn.world.faults;
    if let Some(text) = faults.strike("server-error") {
        let usual = "No valid host was found. There are not enough hosts available.";
        return Fate::Fails(if text.is_empty() { usual.to_owned() } else { text });
    }
    if faults.strike("server-stuck-build").is_some() {
        Fate::Stuck
    } else {
        Fate::Runs
    }
}

/// The root disk's content and size, and its volume.
fn root(turn: &mut Turn<'_>, order: &Order, server: &str) -> (Disk, u32, Option<String>) {
    match &order.root {
        Root::Local(base) => (base.disk(turn.world), order.flavor.disk_gb, None),
        Root::New {
            base,
            size_gb,
            kind,
            delete_on_termination,
        } => {
            let disk = base.disk(turn.world);
            let new = NewRoot {
                size_gb: *size_gb,
                kind,
                zone: order.zone,
                delete_on_termination: *delete_on_termination,
            };
            let volume = Volume::root(turn.state.ids.next(), server, new, base, disk.clone(), turn.now);
            let id = volume.id.clone();
            turn.state.volumes.insert(id.clone(), volume);
            (disk, *size_gb, Some(id))
        }
        Root::Existing {
            volume: id,
            delete_on_termination,
        } => {
            let empty = turn.world.room.blank_disk();
            let Some(volume) = turn.state.volumes.get_mut(id) else {
                return (empty, 0, None);
            };
            volume.attach(server, *delete_on_termination);
            (volume.disk.clone().unwrap_or(empty), volume.size_gb, Some(id.clone()))
        }
    }
}

fn machine(turn: &Turn<'_>, order: &Order, id: &str, disk: Disk, disk_gb: u32) -> Arc<dyn Machine> {
    let pair = order.key_name.as_ref().and_then(|name| turn.state.keypairs.get(name));
    let groups = order.groups.iter().filter_map(|id| turn.state.groups.get(id));
    turn.world.room.boot(BootRequest {
        server_id: id.to_owned(),
        name: order.name.clone(),
        disk,
        disk_gb,
        ram_mb: order.flavor.ram_mb,
        user_data: order.user_data.clone(),
        public_keys: pair.into_iter().map(|pair| pair.public_key.clone()).collect(),
        open_ports: open_ports(groups, turn.ask.peer),
    })
}

/// The ports that the client can reach: a rule counts only when it lets in the client or loopback.
fn open_ports<'a>(groups: impl Iterator<Item = &'a Group>, client: IpAddr) -> Vec<u16> {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut ports: Vec<u16> = groups
        .flat_map(|group| &group.rules)
        .filter(|rule| rule.lets_in(client) || rule.lets_in(loopback))
        .flat_map(Rule::ports)
        .collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

type Made = (Fate, Option<Arc<dyn Machine>>, Option<String>);

fn server(turn: &mut Turn<'_>, order: Order, id: &str, (fate, machine, root): Made) -> Server {
    let mut metadata = order.metadata;
    if turn.world.mode == Mode::Nhn {
        metadata.extend(nhn_metadata(turn, order.image.as_ref(), root.as_deref()));
    }
    Server {
        id: id.to_owned(),
        name: order.name,
        description: order.description,
        flavor: order.flavor,
        image: order.image,
        key_name: order.key_name,
        metadata,
        groups: order.groups,
        network: order.network,
        port: turn.state.ids.next(),
        mac: mac(turn),
        zone: order.zone,
        root,
        machine,
        created: turn.now,
        active_at: active_at(turn),
        fate,
        halt: halt(turn),
        meddler: turn.world.faults.strike("shutoff-then-active").is_some(),
        off_since: None,
        stopping: None,
        starting: None,
        imaging: None,
        deleted: None,
        password_cleared: false,
        fresh: Fresh::new(turn.now),
    }
}

/// NHN copies facts about the image into the metadata.
fn nhn_metadata(turn: &Turn<'_>, image: Option<&(String, String)>, root: Option<&str>) -> Vec<(String, String)> {
    let Some((id, name)) = image else { return Vec::new() };
    let Some(base) = Base::find(turn, id) else {
        return Vec::new();
    };
    let copied = [
        "os_type",
        "os_distro",
        "os_version",
        "os_architecture",
        "login_username",
        "hypervisor_type",
        "monitoring_agent",
        "tc_env",
        "project_domain",
    ];
    let mut facts: Vec<_> = copied
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), base.properties.get(*key)?.clone())))
        .collect();
    facts.push(("image_name".to_owned(), name.clone()));
    if let Some(volume) = root.and_then(|id| turn.state.volumes.get(id)) {
        facts.push(("volume_size".to_owned(), volume.size_gb.to_string()));
    }
    facts
}

fn mac(turn: &mut Turn<'_>) -> String {
    let number = turn.state.ids.jitter(1 << 24);
    format!(
        "fa:16:3e:{:02x}:{:02x}:{:02x}",
        number >> 16,
        (number >> 8) & 0xff,
        number & 0xff
    )
}

fn active_at(turn: &mut Turn<'_>) -> Timestamp {
    let slow = turn
        .world
        .faults
        .strike("slow-build")
        .map_or(0, |minutes| minutes.parse().unwrap_or(10));
    let jitter = i64::try_from(turn.state.ids.jitter(10)).unwrap_or(0);
    after(
        turn.now,
        BUILD + SignedDuration::from_secs(jitter) + SignedDuration::from_mins(slow),
    )
}

fn halt(turn: &Turn<'_>) -> Halt {
    let faults = &turn.world.faults;
    if faults.strike("never-shutoff").is_some() {
        return Halt::Unseen;
    }
    let delay = faults
        .strike("slow-shutoff")
        .map_or(0, |seconds| seconds.parse().unwrap_or(600));
    Halt::Seen(SignedDuration::from_secs(delay))
}

fn accepted(turn: &mut Turn<'_>, server: &Server, groups: &[serde_json::Value]) -> Reply {
    let mut body =
        json!({"id": server.id, "security_groups": groups, "links": super::view::links(turn.world, &server.id)});
    if turn.world.mode == Mode::Openstack {
        let password = secret();
        body["OS-DCF:diskConfig"] = json!("MANUAL");
        body["adminPass"] = json!(password);
        turn.state.admin_passwords.push(password);
    }
    Reply::json(202, json!({"server": body}))
}
