//! `POST /volumes/{id}/action`: making an image of a volume.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::super::access::Microversion;
use super::super::ask::present;
use super::super::clockwork::{UPLOAD_TAIL, after, micros};
use super::super::front::Turn;
use super::super::ids::uuid_of;
use super::super::image::{Image, NewImage};
use super::super::mode::Mode;
use super::super::reply::{Outcome, Refusal, Reply};
use super::volumes::{Upload, Volume, missing};
use crate::room::{Disk, Power};

/// Does one action.
pub(crate) fn act(turn: &mut Turn<'_>, id: &str, version: Microversion) -> Outcome {
    turn.ask.query(&[])?;
    let body: Map<String, Value> = turn.ask.json()?;
    let mut actions = body.into_iter();
    let (Some((name, argument)), None) = (actions.next(), actions.next()) else {
        return Err(Refusal::invalid("There is no such action: exactly one is wanted"));
    };
    match (name.as_str(), turn.world.mode) {
        ("os-volume_upload_image", _) => upload(turn, id, argument, version),
        ("os-set_image_metadata", Mode::Openstack) => set_image_metadata(turn, id, argument),
        (other, _) => Err(Refusal::strict(format!("unknown action '{other}'"))),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    image_name: String,
    #[serde(default)]
    force: bool,
    #[serde(default, deserialize_with = "present")]
    disk_format: Option<String>,
    #[serde(default, deserialize_with = "present")]
    container_format: Option<String>,
    #[serde(default, deserialize_with = "present")]
    visibility: Option<String>,
    #[serde(default, deserialize_with = "present")]
    protected: Option<bool>,
}

fn upload(turn: &mut Turn<'_>, id: &str, argument: Value, version: Microversion) -> Outcome {
    let new: New = argument_of(argument)?;
    check(turn, &new, version)?;
    let volume = turn.state.volumes.get(id).ok_or_else(|| missing(id))?;
    check_status(turn, volume, new.force)?;
    let (disk, running) = content(turn, volume)?;
    let size_gb = volume.size_gb;
    let properties = inherited(&volume.image_metadata);
    let disk_format = new.disk_format.unwrap_or_else(|| "raw".to_owned());
    let made = NewImage {
        name: new.image_name,
        visibility: new.visibility.unwrap_or_else(|| "private".to_owned()),
        protected: new.protected.unwrap_or(false),
        disk_format: disk_format.clone(),
        container_format: "bare".to_owned(),
        min_disk_gb: 0,
        min_ram_mb: 0,
        properties,
        disk: Some(disk),
        running,
    };
    let image = Image::start(turn, made, size_gb);
    let fails = turn.world.faults.strike("volume-error").is_some();
    let until = image
        .finished()
        .map(|moment| if fails { moment } else { after(moment, UPLOAD_TAIL) });
    let reply = accepted(turn, id, &image, &disk_format);
    if let Some(volume) = turn.state.volumes.get_mut(id) {
        volume.upload = Some(Upload {
            image: image.id.clone(),
            until,
            fails,
        });
    }
    turn.state.images.insert(image.id.clone(), image);
    Ok(reply)
}

fn check(turn: &Turn<'_>, new: &New, version: Microversion) -> Result<(), Refusal> {
    let upstream = turn.world.mode == Mode::Openstack;
    let late = new.visibility.is_some() || new.protected.is_some();
    if upstream && late && version < Microversion(3, 1) {
        return Err(Refusal::invalid(
            "Additional properties are not allowed ('visibility', 'protected' were unexpected)",
        ));
    }
    if new.image_name.is_empty() || new.image_name.chars().count() > 255 {
        return Err(Refusal::invalid("Invalid input for field/attribute image_name."));
    }
    let formats: &[&str] = if upstream {
        &["raw", "vmdk", "vdi", "qcow2", "vhd", "vhdx", "ploop"]
    } else {
        &["raw", "qcow2", "vhd", "vmdk", "vdi"]
    };
    if new
        .disk_format
        .as_ref()
        .is_some_and(|format| !formats.contains(&format.as_str()))
    {
        return Err(Refusal::invalid("Invalid input for field/attribute disk_format."));
    }
    if new.container_format.as_ref().is_some_and(|format| format != "bare") {
        return Err(Refusal::invalid("Invalid input for field/attribute container_format."));
    }
    match new.visibility.as_deref() {
        None | Some("private" | "shared") => Ok(()),
        Some("public") => Err(Refusal::forbidden(
            "Policy doesn't allow volume_extension:volume_actions:upload_public to be performed.",
        )),
        Some(other) => Err(Refusal::invalid(format!(
            "Invalid input for field/attribute visibility. Value: {other}."
        ))),
    }
}

/// Upstream says `Invalid volume: …` to everything that does not fit; the words matter to clients.
fn check_status(turn: &Turn<'_>, volume: &Volume, force: bool) -> Result<(), Refusal> {
    let faults = &turn.world.faults;
    let allowed = match turn.world.mode {
        Mode::Nhn => faults.armed("force-refused").is_none(),
        Mode::Openstack => faults.armed("force-allowed").is_some() && faults.armed("force-refused").is_none(),
    };
    match volume.status(turn.now) {
        "available" => {}
        "in-use" if force && allowed => {}
        _ => {
            return Err(Refusal::invalid(format!(
                "Invalid volume: Volume {} status must be available",
                volume.id
            )));
        }
    }
    if !volume.bootable {
        return Err(Refusal::strict(format!(
            "volume {} is not bootable; an image of it would be of no use",
            volume.id
        )));
    }
    if volume
        .image_metadata
        .get("nhncloud_allow_image_create")
        .is_some_and(|allowed| allowed == "false")
    {
        return Err(Refusal::invalid("Image creation is not allowed for this volume."));
    }
    Ok(())
}

/// The disk as it is now, and whether somebody is writing to it.
fn content(turn: &Turn<'_>, volume: &Volume) -> Result<(Disk, bool), Refusal> {
    let server = volume.server.as_ref().and_then(|id| turn.state.servers.get(id));
    if let Some(machine) = server
        .filter(|server| server.deleted.is_none())
        .and_then(|server| server.machine.as_ref())
    {
        return Ok((machine.disk(), machine.power() == Power::On));
    }
    let disk = volume
        .disk
        .clone()
        .ok_or_else(|| Refusal::strict(format!("volume {} has no content", volume.id)))?;
    Ok((disk, false))
}

/// All properties of the base image survive, its minimums and its name do not.
fn inherited(metadata: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let own = [
        "checksum",
        "container_format",
        "disk_format",
        "image_name",
        "image_id",
        "min_disk",
        "min_ram",
        "name",
        "size",
    ];
    metadata
        .iter()
        .filter(|(key, _)| !own.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn accepted(turn: &Turn<'_>, id: &str, image: &Image, disk_format: &str) -> Reply {
    let volume = turn.state.volumes.get(id);
    let kind = volume.map_or("", |volume| volume.kind);
    let size = volume.map_or(0, |volume| volume.size_gb);
    let body = json!({
        "id": id, "image_id": image.id, "image_name": image.name, "status": "uploading", "size": size,
        "disk_format": disk_format, "container_format": "bare", "updated_at": micros(turn.now), "display_description": null,
        "volume_type": {"name": kind, "id": uuid_of(&format!("type/{kind}")), "is_public": true, "extra_specs": []}});
    Reply::json(202, json!({"os-volume_upload_image": body}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    metadata: BTreeMap<String, String>,
}

fn set_image_metadata(turn: &mut Turn<'_>, id: &str, argument: Value) -> Outcome {
    let Metadata { metadata } = argument_of(argument)?;
    let now = turn.now;
    let volume = turn.state.volumes.get_mut(id).ok_or_else(|| missing(id))?;
    if volume.status(now) == "uploading" {
        return Err(Refusal::invalid(format!(
            "Invalid volume: Volume {id} status must be available or in-use"
        )));
    }
    volume.image_metadata.extend(metadata);
    Ok(Reply::json(200, json!({"metadata": volume.image_metadata})))
}

fn argument_of<T: DeserializeOwned>(value: Value) -> Result<T, Refusal> {
    serde_json::from_value(value)
        .map_err(|error| Refusal::strict(format!("the action's argument is not as wanted: {error}")))
}
