//! Volumes and volume types as JSON.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::clockwork::micros;
use super::super::front::Turn;
use super::super::ids::uuid_of;
use super::super::mode::Mode;
use super::super::offer;
use super::super::paging::{USUAL, links, page, unsupported};
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
    let now = turn.now;
    let mut found: Vec<_> = turn
        .state
        .volumes
        .values()
        .filter(|volume| volume.fresh.listed(now))
        .map(|volume| (volume.created, volume.id.clone()))
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    sort(&mut found, query.get("sort"))?;
    let wanted = query.get("metadata").map(pairs).transpose()?;
    let fits = |volume: &Volume| {
        query.get("name").is_none_or(|name| volume.name == name)
            && query.get("status").is_none_or(|status| volume.status(now) == status)
            && wanted
                .iter()
                .flatten()
                .all(|(key, value)| volume.metadata.get(key) == Some(value))
    };
    // What is filtered out is no place to begin at, and does not count as skipped.
    let volumes = found
        .iter()
        .filter_map(|(_, id)| turn.state.volumes.get(id))
        .filter(|volume| fits(volume));
    let offset = usize::try_from(query.number("offset")?.unwrap_or(0)).unwrap_or(usize::MAX);
    let volumes: Vec<&Volume> = match query.get("marker") {
        None => volumes.skip(offset).collect(),
        Some(_) if offset > 0 => return Err(Refusal::strict("offset and marker are two ways to say it; send one")),
        Some(_) => volumes.collect(),
    };
    let page = page(&query, volumes, USUAL, |volume: &&Volume| volume.id.as_str())?;
    let shown = page.items.iter().map(|volume| match detail {
        Detail::Full => body(turn, volume),
        Detail::Brief => json!({"id": volume.id, "name": volume.name, "links": []}),
    });
    let mut reply = json!({"volumes": shown.collect::<Vec<Value>>()});
    if let Some(next) = &page.next {
        reply["volumes_links"] = links(turn, next);
    }
    Ok(Reply::json(200, reply))
}

/// The order, newest first unless something else is asked for.
fn sort<T>(found: &mut [T], wanted: Option<&str>) -> Result<(), Refusal> {
    match wanted {
        None | Some("created_at" | "created_at:desc") => Ok(()),
        Some("created_at:asc") => {
            found.reverse();
            Ok(())
        }
        Some(other) => Err(Refusal::strict(format!("sort '{other}'; the lab knows created_at"))),
    }
}

/// Cinder's filter by metadata: a Python dictionary in quotes of either kind.
fn pairs(text: &str) -> Result<BTreeMap<String, String>, Refusal> {
    let wrong = || Refusal::invalid(format!("Invalid filter metadata: {text}"));
    serde_json::from_str(&text.replace('\'', "\"")).map_err(|_| wrong())
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
    let query = turn.ask.query(&["is_public", "limit", "marker"])?;
    unsupported(&query, &["limit", "marker"])?;
    // All types of the lab are public; `None` asks for all.
    let public = query.get("is_public").map(str::to_lowercase);
    if public.is_some_and(|public| !["true", "none"].contains(&public.as_str())) {
        return Err(Refusal::strict(
            "only an administrator may list types that are not public",
        ));
    }
    let kind = |name: &&str| {
        json!({"id": uuid_of(&format!("type/{name}")), "name": name, "is_public": true, "os-volume-type-access:is_public": true,
               "extra_specs": {"volume_backend_name": name.to_lowercase().replace(' ', "_")}, "description": null})
    };
    let types: Vec<Value> = offer::volume_types(turn.world.mode).iter().map(kind).collect();
    Ok(Reply::json(200, json!({"volume_types": types})))
}
