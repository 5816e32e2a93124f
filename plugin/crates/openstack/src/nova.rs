//! Nova's calls and its words (<https://docs.openstack.org/api-ref/compute/>): requests as values, replies as our types.
//!
//! Nothing but a creation with `volume_type` asks for a microversion; replies are read in both shapes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reseal_machine::cloud::{
    Address, Attachment, Flavor, NewKeypair, NewServer, QuotaLeft, RootVolume, Server, ServerStatus,
};
use reseal_machine::{FlavorId, Marks, ServerId, VolumeId, marks};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use crate::catalog::Service::Compute;
use crate::dialect::Rules;
use crate::http::request::Request;
use crate::json;
use crate::paging::{List, Paging};

/// Console lines to ask for.
const CONSOLE_LINES: u32 = 100;

pub(crate) fn flavors() -> List {
    let request = Request::get(Compute, "list flavours", &["flavors", "detail"]);
    List {
        request,
        key: "flavors",
        paging: Paging::Marker,
    }
}

pub(crate) fn servers() -> List {
    let request = Request::get(Compute, "list servers", &["servers", "detail"]).query("limit", "1000");
    List {
        request,
        key: "servers",
        paging: Paging::Marker,
    }
}

/// Servers of exactly this name; `name` is a regular expression to Nova.
pub(crate) fn servers_named(name: &str) -> List {
    let mut list = servers();
    list.request = list.request.query("name", format!("^{}$", literal(name)));
    list
}

/// A name as a regular expression of the databases below Nova that fits nothing else.
fn literal(name: &str) -> String {
    name.chars()
        .flat_map(|c| {
            (!c.is_alphanumeric() && !matches!(c, '-' | '_' | ' '))
                .then_some('\\')
                .into_iter()
                .chain([c])
        })
        .collect()
}

pub(crate) fn keypairs() -> List {
    let request = Request::get(Compute, "list key pairs", &["os-keypairs"]);
    List {
        request,
        key: "keypairs",
        paging: Paging::Marker,
    }
}

pub(crate) fn limits() -> Request {
    Request::get(Compute, "show limits", &["limits"])
}

pub(crate) fn create_keypair(new: &NewKeypair) -> Request {
    Request::create(Compute, "import key pair", &["os-keypairs"])
        .json(json!({ "keypair": { "name": new.name, "public_key": new.public_key } }))
}

pub(crate) fn delete_keypair(name: &str) -> Request {
    Request::delete(Compute, "delete key pair", &["os-keypairs", name])
}

pub(crate) fn server(id: &ServerId) -> Request {
    Request::get(Compute, "show server", &["servers", id.as_str()])
}

pub(crate) fn delete_server(id: &ServerId) -> Request {
    Request::delete(Compute, "delete server", &["servers", id.as_str()])
}

pub(crate) fn console(id: &ServerId) -> Request {
    Request::post(Compute, "show console output", &["servers", id.as_str(), "action"])
        .json(json!({ "os-getConsoleOutput": { "length": CONSOLE_LINES } }))
}

pub(crate) fn password(id: &ServerId) -> Request {
    Request::get(
        Compute,
        "show server password",
        &["servers", id.as_str(), "os-server-password"],
    )
}

pub(crate) fn attachments(id: &ServerId) -> Request {
    Request::get(
        Compute,
        "list volume attachments",
        &["servers", id.as_str(), "os-volume_attachments"],
    )
}

pub(crate) fn create_image(id: &ServerId, name: &str) -> Request {
    Request::create(Compute, "create image of server", &["servers", id.as_str(), "action"])
        .json(json!({ "createImage": { "name": name, "metadata": {} } }))
}

/// `POST /servers`.
pub(crate) fn create_server(new: &NewServer, rules: &Rules) -> Request {
    let mut server = Map::new();
    let mut put = |key: &str, value: Value| server.insert(key.to_owned(), value);
    put("name", new.name.clone().into());
    put("flavorRef", new.flavor.as_str().into());
    if new.root_volume.is_none() || rules.image_ref_beside_mapping {
        put("imageRef", new.image.as_str().into());
    }
    put("key_name", new.key_name.clone().into());
    put("networks", json!([network(new, rules)]));
    put("metadata", metadata(&new.marks));
    if !new.security_groups.is_empty() {
        put(
            "security_groups",
            new.security_groups.iter().map(|name| json!({ "name": name })).collect(),
        );
    }
    if let Some(zone) = &new.availability_zone {
        put("availability_zone", zone.clone().into());
    }
    if let Some(data) = &new.user_data {
        put("user_data", STANDARD.encode(data.expose_secret()).into());
    }
    if let Some(volume) = &new.root_volume {
        put("block_device_mapping_v2", json!([mapping(new, volume)]));
    }
    let typed = new
        .root_volume
        .as_ref()
        .is_some_and(|volume| volume.volume_type.is_some());
    Request::create(Compute, "create server", &["servers"])
        .json(json!({ "server": server }))
        .version(rules.volume_type_version.filter(|_| typed))
}

fn network(new: &NewServer, rules: &Rules) -> Value {
    match &new.subnet {
        Some(subnet) if rules.server_in_subnet => json!({ "subnet": subnet }),
        _ => json!({ "uuid": new.network }),
    }
}

fn mapping(new: &NewServer, volume: &RootVolume) -> Value {
    let mut mapping = json!({
        "boot_index": 0,
        "source_type": "image",
        "uuid": new.image,
        "destination_type": "volume",
        "volume_size": volume.size_gb,
        "delete_on_termination": volume.delete_on_termination,
    });
    if let (Some(kind), Some(mapping)) = (&volume.volume_type, mapping.as_object_mut()) {
        mapping.insert("volume_type".to_owned(), kind.clone().into());
    }
    mapping
}

/// Marks as metadata. Keys and values have at most 255 characters.
pub(crate) fn metadata(marks: &Marks) -> Value {
    let short = |text: &str| text.chars().take(255).collect::<String>();
    json!({ marks::BUILD_KEY: short(marks.build.as_str()), marks::STEP_KEY: short(&marks.step) })
}

pub(crate) fn read_flavor(value: &Value) -> Option<Flavor> {
    Some(Flavor {
        id: FlavorId::new(json::text(value, "id")?),
        name: json::text(value, "name").unwrap_or_default(),
        ram_mb: json::small(value, "ram"),
        vcpus: json::small(value, "vcpus"),
        disk_gb: json::small(value, "disk"),
    })
}

pub(crate) fn read_server(value: &Value) -> Option<Server> {
    let task_state = json::text(value, "OS-EXT-STS:task_state");
    Some(Server {
        id: ServerId::new(json::text(value, "id")?),
        name: json::text(value, "name").unwrap_or_default(),
        status: status(&json::text(value, "status").unwrap_or_default(), task_state.as_deref()),
        task_state,
        power_state: value.get("OS-EXT-STS:power_state").and_then(Value::as_i64),
        addresses: addresses(value),
        metadata: json::strings(value, "metadata"),
        fault: value.get("fault").and_then(|fault| json::text(fault, "message")),
    })
}

/// For some seconds after a deletion the server is still there, with the task `deleting`.
fn status(word: &str, task: Option<&str>) -> ServerStatus {
    match (word, task) {
        ("DELETED" | "SOFT_DELETED", _) | (_, Some("deleting" | "soft-deleting")) => ServerStatus::Deleted,
        ("BUILD" | "BUILDING", _) => ServerStatus::Build,
        ("ACTIVE", _) => ServerStatus::Active,
        ("SHUTOFF", _) => ServerStatus::Shutoff,
        ("ERROR", _) => ServerStatus::Error,
        (other, _) => ServerStatus::Other(other.to_owned()),
    }
}

fn addresses(server: &Value) -> Vec<Address> {
    let networks = server.get("addresses").and_then(Value::as_object).into_iter().flatten();
    let read = |network: &str, entry: &Value| {
        let addr = json::text(entry, "addr")?;
        let version = json::number(entry, "version").and_then(|version| u8::try_from(version).ok());
        Some(Address {
            network: network.to_owned(),
            version: version.unwrap_or(if addr.contains(':') { 6 } else { 4 }),
            floating: json::text(entry, "OS-EXT-IPS:type").as_deref() == Some("floating"),
            addr,
        })
    };
    networks
        .flat_map(|(network, list)| {
            json::items(list)
                .iter()
                .filter_map(|entry| read(network, entry))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Attachments by device, those without a device last. Since 2.89 there is no `id`, so `volumeId` it is.
pub(crate) fn read_attachments(reply: &Value) -> Vec<Attachment> {
    let read = |entry: &Value| {
        let volume = VolumeId::new(json::text(entry, "volumeId").or_else(|| json::text(entry, "id"))?);
        Some(Attachment {
            volume,
            device: json::text(entry, "device").unwrap_or_default(),
        })
    };
    let mut found: Vec<_> = json::list(reply, "volumeAttachments").iter().filter_map(read).collect();
    // `/dev/vdz` goes before `/dev/vdaa`.
    found.sort_by_key(|entry| (entry.device.is_empty(), entry.device.len(), entry.device.clone()));
    found
}

/// What is left of the absolute limits; -1 is "without limit", which we do not tell.
pub(crate) fn read_quota(reply: &Value) -> QuotaLeft {
    let absolute = reply
        .get("limits")
        .and_then(|limits| limits.get("absolute"))
        .unwrap_or(&Value::Null);
    let left = |limit: &str, used: &str| {
        let limit = json::number(absolute, limit)?;
        Some(limit.saturating_sub(json::number(absolute, used)?))
    };
    QuotaLeft {
        instances: left("maxTotalInstances", "totalInstancesUsed"),
        cores: left("maxTotalCores", "totalCoresUsed"),
        ram_mb: left("maxTotalRAMSize", "totalRAMUsed"),
    }
}

#[cfg(test)]
mod tests;
