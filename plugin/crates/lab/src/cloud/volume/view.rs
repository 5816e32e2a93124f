//! Volumes and volume types as JSON.

use serde_json::{Value, json};

use super::super::clockwork::micros;
use super::super::front::Turn;
use super::super::ids::uuid_of;
use super::super::mode::Mode;
use super::super::offer;
use super::super::reply::{Outcome, Refusal, Reply};
use super::volumes::{Volume, look, missing};

/// How much of each volume a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    Brief,
    Full,
}

/// Shows one.
pub(crate) fn show(turn: &mut Turn<'_>, id: &str) -> Outcome {
    turn.ask.bare()?;
    look(turn, id)?;
    let volume = turn.state.volumes.get(id).ok_or_else(|| missing(id))?;
    Ok(Reply::json(200, json!({"volume": body(turn, volume)})))
}

/// Lists them.
pub(crate) fn list(turn: &mut Turn<'_>, detail: Detail) -> Outcome {
    turn.ask.no_body()?;
    let upstream = ["sort", "limit", "offset", "marker", "name", "status", "metadata"];
    let known = if turn.world.mode == Mode::Nhn {
        upstream.get(..4)
    } else {
        upstream.get(..)
    };
    let query = turn.ask.query(known.unwrap_or_default())?;
    let (limit, offset) = (
        query.number("limit")?.unwrap_or(1000).clamp(1, 1000),
        query.number("offset")?.unwrap_or(0),
    );
    let now = turn.now;
    let mut listed: Vec<_> = turn
        .state
        .volumes
        .values()
        .filter(|volume| volume.fresh.listed(now))
        .map(|volume| (volume.created, volume.id.clone()))
        .collect();
    listed.sort_by(|a, b| b.cmp(a));
    let marker = match query.get("marker") {
        None => 0,
        Some(id) => {
            1 + listed
                .iter()
                .position(|(_, listed)| listed == id)
                .ok_or_else(|| Refusal::invalid(format!("marker [{id}] not found")))?
        }
    };
    let skip = marker + usize::try_from(offset).unwrap_or(usize::MAX / 2);
    let volumes = listed
        .iter()
        .filter_map(|(_, id)| turn.state.volumes.get(id))
        .filter(|volume| {
            query.get("name").is_none_or(|name| volume.name == name)
                && query.get("status").is_none_or(|status| volume.status(now) == status)
        });
    let page = volumes
        .skip(skip)
        .take(usize::try_from(limit).unwrap_or(1000))
        .map(|volume| match detail {
            Detail::Full => body(turn, volume),
            Detail::Brief => json!({"id": volume.id, "name": volume.name, "links": []}),
        });
    Ok(Reply::json(200, json!({"volumes": page.collect::<Vec<Value>>()})))
}

/// The whole volume.
pub(crate) fn body(turn: &Turn<'_>, volume: &Volume) -> Value {
    let attachment = |server: &String| {
        json!({"id": volume.id, "volume_id": volume.id, "attachment_id": uuid_of(&format!("attachment/{}", volume.id)),
               "server_id": server, "device": "/dev/vda", "attached_at": micros(volume.created)})
    };
    let shown = volume.server.iter().filter(|_| volume.status(turn.now) != "creating");
    let attachments: Vec<Value> = shown.map(attachment).collect();
    let mut body = json!({
        "id": volume.id, "name": volume.name, "status": volume.status(turn.now), "size": volume.size_gb,
        "bootable": if volume.bootable { "true" } else { "false" }, "encrypted": false, "volume_type": volume.kind,
        "availability_zone": volume.zone, "multiattach": false, "attachments": attachments, "snapshot_id": null,
        "source_volid": null, "metadata": volume.metadata, "description": volume.description,
        "user_id": turn.world.tenant.user_id, "os-vol-tenant-attr:tenant_id": turn.world.tenant.id,
        "created_at": micros(volume.created), "links": []});
    if turn.world.mode == Mode::Openstack && volume.bootable {
        body["volume_image_metadata"] = json!(volume.image_metadata);
    }
    body
}

/// The volume types.
pub(crate) fn types(turn: &Turn<'_>) -> Outcome {
    turn.ask.no_body()?;
    turn.ask.query(&["is_public", "limit", "marker"])?;
    let kind = |name: &&str| {
        json!({"id": uuid_of(&format!("type/{name}")), "name": name, "is_public": true, "os-volume-type-access:is_public": true,
               "extra_specs": {"volume_backend_name": name.to_lowercase().replace(' ', "_")}, "description": null})
    };
    let types: Vec<Value> = offer::volume_types(turn.world.mode).iter().map(kind).collect();
    Ok(Reply::json(200, json!({"volume_types": types})))
}
