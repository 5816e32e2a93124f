//! `POST /servers`: the body, and everything that must be right before a machine is booted.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::super::access::Microversion;
use super::super::ask::present;
use super::super::front::Turn;
use super::super::image::Base;
use super::super::mode::Mode;
use super::super::offer::{self, Flavor, Network};
use super::super::reply::{Outcome, Refusal};
use super::super::volume;
use super::{boot, flavors, limits, metadata};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    server: New,
}

/// The fields of NHN's guide and of upstream that a build may send. `null` is no value for any of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    #[serde(rename = "flavorRef")]
    flavor: String,
    #[serde(default, rename = "imageRef", deserialize_with = "present")]
    image: Option<String>,
    #[serde(default, deserialize_with = "present")]
    key_name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    networks: Option<Vec<NewNetwork>>,
    #[serde(default, deserialize_with = "present")]
    security_groups: Option<Vec<NewGroup>>,
    #[serde(default, deserialize_with = "present")]
    user_data: Option<String>,
    #[serde(default, deserialize_with = "present")]
    metadata: Option<BTreeMap<String, String>>,
    #[serde(default, deserialize_with = "present")]
    availability_zone: Option<String>,
    #[serde(default, deserialize_with = "present")]
    block_device_mapping_v2: Option<Vec<Mapping>>,
    #[serde(default, deserialize_with = "present")]
    min_count: Option<u32>,
    #[serde(default, deserialize_with = "present")]
    max_count: Option<u32>,
    #[serde(default, deserialize_with = "present")]
    config_drive: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewNetwork {
    #[serde(default, deserialize_with = "present")]
    uuid: Option<String>,
    #[serde(default, deserialize_with = "present")]
    subnet: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewGroup {
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mapping {
    source_type: String,
    destination_type: String,
    boot_index: i64,
    uuid: String,
    #[serde(default, deserialize_with = "present")]
    volume_size: Option<u32>,
    #[serde(default, deserialize_with = "present")]
    volume_type: Option<String>,
    #[serde(default)]
    delete_on_termination: bool,
}

/// Where the root disk is.
pub(crate) enum Root {
    /// On the host, of the flavour's size.
    Local(Base),
    /// A new volume made of the image.
    New {
        base: Base,
        size_gb: u32,
        kind: &'static str,
        delete_on_termination: bool,
    },
    /// A volume that is there already.
    Existing {
        volume: String,
        delete_on_termination: bool,
    },
}

/// A server that may be booted.
pub(crate) struct Order {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) flavor: &'static Flavor,
    pub(crate) image: Option<(String, String)>,
    pub(crate) root: Root,
    pub(crate) network: &'static Network,
    pub(crate) groups: Vec<String>,
    pub(crate) key_name: Option<String>,
    pub(crate) user_data: Option<Vec<u8>>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) zone: &'static str,
}

/// Creates a server.
pub(crate) fn create(turn: &mut Turn<'_>, version: Microversion) -> Outcome {
    turn.ask.query(&[])?;
    let Body { server } = turn.ask.json()?;
    let order = check(turn, server, version)?;
    limits::check(turn, order.flavor.vcpus, order.flavor.ram_mb)?;
    if let Root::New { size_gb, .. } = &order.root {
        volume::check_quota(turn, *size_gb).map_err(|refusal| Refusal::forbidden(refusal.message))?;
    }
    Ok(boot::boot(turn, order))
}

fn check(turn: &Turn<'_>, new: New, version: Microversion) -> Result<Order, Refusal> {
    check_fields(turn.world.mode, &new, version)?;
    let flavor = check_flavor(turn, &new.flavor)?;
    let network = check_network(turn.world.mode, new.networks.as_deref(), version)?;
    let key_name = check_key(turn, new.key_name)?;
    let user_data = new.user_data.as_deref().map(decode_user_data).transpose()?;
    let groups = check_groups(turn, new.security_groups.unwrap_or_default())?;
    let image = new
        .image
        .as_deref()
        .filter(|id| upstream_id(turn, id))
        .map(|id| usable_image(turn, id))
        .transpose()?;
    let root = check_root(turn, flavor, image.as_ref(), new.block_device_mapping_v2, version)?;
    let image = image.or_else(|| root.base().cloned());
    let base = root.base().or(image.as_ref());
    if let Some(base) = base {
        check_image(turn, &new.name, flavor, &root, base, user_data.is_some())?;
    }
    Ok(Order {
        name: new.name,
        description: new.description,
        flavor,
        image: image.map(|base| (base.id, base.name)),
        root,
        network,
        groups,
        key_name,
        user_data,
        metadata: new.metadata.unwrap_or_default(),
        zone: check_zone(turn.world.mode, new.availability_zone.as_deref())?,
    })
}

fn check_fields(mode: Mode, new: &New, version: Microversion) -> Result<(), Refusal> {
    metadata::check_name(&new.name)?;
    if new.min_count.unwrap_or(1) != 1 || new.max_count.unwrap_or(1) != 1 {
        return Err(Refusal::invalid(
            "min_count and max_count must be 1 when the root is a volume.",
        ));
    }
    if new.description.is_some() && (mode == Mode::Nhn || version < Microversion(2, 19)) {
        return Err(additional("description"));
    }
    if new.config_drive.is_some() && mode == Mode::Nhn {
        return Err(additional("config_drive"));
    }
    metadata::check(new.metadata.iter().flatten())
}

fn additional(field: &str) -> Refusal {
    Refusal::invalid(format!(
        "Invalid input for field/attribute server. Additional properties are not allowed ('{field}' was unexpected)"
    ))
}

fn check_flavor(turn: &Turn<'_>, id: &str) -> Result<&'static Flavor, Refusal> {
    let vanished = turn.world.faults.strike("flavour-vanished").is_some();
    let flavor = flavors::by_id(turn.world.mode, id).filter(|_| !vanished);
    flavor.ok_or_else(|| Refusal::invalid(format!("Flavor {id} could not be found.")))
}

fn check_network(mode: Mode, asked: Option<&[NewNetwork]>, version: Microversion) -> Result<&'static Network, Refusal> {
    let networks = match asked {
        None if mode == Mode::Openstack && version >= Microversion(2, 37) => {
            return Err(Refusal::invalid(
                "Invalid input for field/attribute server. 'networks' is a required property",
            ));
        }
        None => return Err(Refusal::strict("'networks' is missing")),
        Some(networks) => networks,
    };
    let [one] = networks else {
        return Err(Refusal::strict("exactly one network is wanted: the guest has one card"));
    };
    let found = match (&one.uuid, &one.subnet) {
        (Some(id), None) => offer::networks(mode).iter().find(|network| network.id() == *id),
        (None, Some(id)) if mode == Mode::Nhn => {
            offer::networks(mode).iter().find(|network| network.subnet_id() == *id)
        }
        (None, Some(_)) => return Err(additional("subnet")),
        _ => {
            return Err(Refusal::invalid(
                "Bad network format: exactly one of uuid and subnet is wanted",
            ));
        }
    };
    let network = found.ok_or_else(|| Refusal::invalid("Network could not be found."))?;
    if network.external {
        let words = format!(
            "It is not allowed to create an interface on external network {}",
            network.id()
        );
        return Err(Refusal::forbidden(words));
    }
    Ok(network)
}

fn check_key(turn: &Turn<'_>, name: Option<String>) -> Result<Option<String>, Refusal> {
    match &name {
        None if turn.world.mode == Mode::Nhn => Err(Refusal::invalid("Invalid key_name provided.")),
        Some(name) if !turn.state.keypairs.contains_key(name) => Err(Refusal::invalid("Invalid key_name provided.")),
        _ => Ok(name),
    }
}

fn decode_user_data(text: &str) -> Result<Vec<u8>, Refusal> {
    if text.len() > 65_535 {
        return Err(Refusal::invalid(
            "Invalid input for field/attribute user_data. The value is too long.",
        ));
    }
    STANDARD
        .decode(text)
        .map_err(|_| Refusal::invalid("Userdata content cannot be decoded"))
}

/// Ids of the groups that are named. A name that two groups have is ambiguous.
fn check_groups(turn: &Turn<'_>, groups: Vec<NewGroup>) -> Result<Vec<String>, Refusal> {
    let asked = if groups.is_empty() {
        vec!["default".to_owned()]
    } else {
        groups.into_iter().map(|group| group.name).collect()
    };
    let mut ids = Vec::new();
    for name in asked {
        let mut found = turn
            .state
            .groups
            .values()
            .filter(|group| group.name == name || group.id == name);
        match (found.next(), found.next()) {
            (Some(group), None) => ids.push(group.id.clone()),
            (None, _) => {
                return Err(Refusal::invalid(format!(
                    "Unable to find security_group with name or id '{name}'"
                )));
            }
            _ => {
                return Err(Refusal::conflict(format!(
                    "Multiple security_group matches found for name '{name}', use an ID to be more specific."
                )));
            }
        }
    }
    Ok(ids)
}

/// Upstream takes an empty `imageRef` for none, as its own command line sends it.
fn upstream_id(turn: &Turn<'_>, id: &str) -> bool {
    turn.world.mode == Mode::Nhn || !id.is_empty()
}

fn usable_image(turn: &Turn<'_>, id: &str) -> Result<Base, Refusal> {
    let base = Base::find(turn, id).ok_or_else(|| Refusal::invalid("Can not find requested image"))?;
    if base.active {
        Ok(base)
    } else {
        Err(Refusal::invalid(format!("Image {id} is not active.")))
    }
}

fn check_root(
    turn: &Turn<'_>,
    flavor: &'static Flavor,
    image: Option<&Base>,
    mappings: Option<Vec<Mapping>>,
    version: Microversion,
) -> Result<Root, Refusal> {
    let mode = turn.world.mode;
    let Some(mappings) = mappings else {
        let local = mode == Mode::Openstack || flavor.is_u2();
        return match image {
            Some(base) if local && flavor.disk_gb > 0 => Ok(Root::Local(base.clone())),
            Some(_) if mode == Mode::Openstack => Err(Refusal::forbidden(
                "Only volume-backed servers are allowed for flavors with zero disk.",
            )),
            Some(_) => Err(Refusal::invalid("Missing Block Device Mapping attribute")),
            None => Err(Refusal::invalid("Invalid imageRef provided.")),
        };
    };
    let [mapping] = mappings.as_slice() else {
        return Err(Refusal::strict("exactly one block device is wanted: the root"));
    };
    if mapping.boot_index != 0 {
        return Err(Refusal::invalid(
            "Block Device Mapping is Invalid: Boot sequence for the instance and image/block device mapping combination is not valid.",
        ));
    }
    if mapping.destination_type != "volume" {
        return Err(Refusal::invalid(
            "Block Device Mapping is Invalid: destination_type must be 'volume' for this flavor.",
        ));
    }
    if mapping.volume_type.is_some() && mode == Mode::Openstack && version < Microversion(2, 67) {
        return Err(Refusal::invalid(
            "Invalid input for field/attribute block_device_mapping_v2. Additional properties are not allowed ('volume_type' was unexpected)",
        ));
    }
    if flavor.is_u2() {
        return Err(Refusal::invalid(
            "Block Device Mapping is Invalid: u2 flavors have a local root disk.",
        ));
    }
    match mapping.source_type.as_str() {
        "image" => new_root(turn, image, mapping),
        "volume" => existing_root(turn, mapping),
        other => Err(Refusal::strict(format!(
            "source_type '{other}'; the lab knows image and volume"
        ))),
    }
}

fn new_root(turn: &Turn<'_>, image: Option<&Base>, mapping: &Mapping) -> Result<Root, Refusal> {
    let base = usable_image(turn, &mapping.uuid)?;
    if image.is_some_and(|image| image.id != base.id) {
        return Err(Refusal::invalid(
            "Block Device Mapping is Invalid: imageRef and the mapping's uuid are different images.",
        ));
    }
    let Some(size_gb) = mapping.volume_size.filter(|size| *size > 0) else {
        return Err(Refusal::invalid(
            "Block Device Mapping is Invalid: volume_size is missing.",
        ));
    };
    let types = offer::volume_types(turn.world.mode);
    let kind = match mapping.volume_type.as_deref() {
        None => types.first().copied(),
        Some(name) => types.iter().copied().find(|kind| *kind == name),
    };
    let kind = kind.ok_or_else(|| Refusal::invalid("Invalid volume_type provided."))?;
    Ok(Root::New {
        base,
        size_gb,
        kind,
        delete_on_termination: mapping.delete_on_termination,
    })
}

fn existing_root(turn: &Turn<'_>, mapping: &Mapping) -> Result<Root, Refusal> {
    let volume = turn.state.volumes.get(&mapping.uuid);
    let volume = volume.ok_or_else(|| {
        Refusal::invalid(format!(
            "Block Device Mapping is Invalid: failed to get volume {}.",
            mapping.uuid
        ))
    })?;
    if volume.status(turn.now) != "available" || !volume.bootable {
        return Err(Refusal::invalid(format!(
            "Block Device Mapping is Invalid: volume {} is not available and bootable.",
            mapping.uuid
        )));
    }
    Ok(Root::Existing {
        volume: mapping.uuid.clone(),
        delete_on_termination: mapping.delete_on_termination,
    })
}

impl Root {
    fn base(&self) -> Option<&Base> {
        match self {
            Self::Local(base) | Self::New { base, .. } => Some(base),
            Self::Existing { .. } => None,
        }
    }

    fn size_gb(&self, turn: &Turn<'_>, flavor: &Flavor) -> u32 {
        match self {
            Self::Local(_) => flavor.disk_gb,
            Self::New { size_gb, .. } => *size_gb,
            Self::Existing { volume, .. } => turn.state.volumes.get(volume).map_or(0, |volume| volume.size_gb),
        }
    }
}

/// The image's minimums, and NHN's rules for Windows.
fn check_image(
    turn: &Turn<'_>,
    name: &str,
    flavor: &Flavor,
    root: &Root,
    base: &Base,
    user_data: bool,
) -> Result<(), Refusal> {
    let size_gb = root.size_gb(turn, flavor);
    if flavor.ram_mb < base.min_ram_mb {
        return Err(Refusal::invalid("Flavor's memory is too small for requested image."));
    }
    if size_gb < base.min_disk_gb {
        return Err(Refusal::invalid("Volume size is too small."));
    }
    if user_data
        && base
            .properties
            .get("nhncloud_allow_user_script")
            .is_some_and(|allowed| allowed == "false")
    {
        return Err(Refusal::invalid("User script is not allowed for this image."));
    }
    let windows = base
        .properties
        .get("os_type")
        .is_some_and(|os| os.eq_ignore_ascii_case("windows"));
    if turn.world.mode == Mode::Openstack || !windows {
        return Ok(());
    }
    let broken = [
        (
            name.chars().count() > 15,
            "The name of a Windows instance must not be longer than 15 characters.",
        ),
        (flavor.is_u2(), "Windows images cannot be used with u2 flavors."),
        (flavor.ram_mb < 2048, "Windows instances need at least 2 GB of memory."),
        (size_gb < 50, "Volume size is too small."),
    ];
    broken
        .into_iter()
        .find(|(broken, _)| *broken)
        .map_or(Ok(()), |(_, words)| Err(Refusal::invalid(words)))
}

fn check_zone(mode: Mode, asked: Option<&str>) -> Result<&'static str, Refusal> {
    let zones = mode.zones();
    let zone = match asked {
        None => zones.first().copied(),
        Some(name) => zones.iter().copied().find(|zone| *zone == name),
    };
    zone.ok_or_else(|| Refusal::invalid("The requested availability zone is not available"))
}

/// Kept so that a test can see that the strict decoding takes the documented example.
#[cfg(test)]
fn decodes(body: serde_json::Value) -> Result<(), String> {
    serde_json::from_value::<Body>(body)
        .map(|_| ())
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_documented_body_is_known_and_nothing_else() {
        let mut body = json!({"server": {"name": "gi-7f3a2c", "flavorRef": "2", "imageRef": "1", "key_name": "gi",
            "networks": [{"subnet": "7"}], "security_groups": [{"name": "gi"}], "user_data": "I3Bz",
            "metadata": {"gi_run": "7f3a2c"}, "block_device_mapping_v2": [{"boot_index": 0, "source_type": "image",
            "uuid": "1", "destination_type": "volume", "volume_size": 50, "volume_type": "General SSD",
            "delete_on_termination": true}]}});
        assert_eq!(decodes(body.clone()), Ok(()));
        body["server"]["adminPass"] = json!("x");
        assert!(decodes(body.clone()).unwrap_err().contains("adminPass"));
        body["server"].as_object_mut().unwrap().remove("adminPass");
        body["server"]["block_device_mapping_v2"][0]["volume_size"] = json!("50");
        assert!(decodes(body.clone()).is_err());
        body["server"]["block_device_mapping_v2"] = Value::Null;
        assert!(decodes(body).is_err());
    }
}
