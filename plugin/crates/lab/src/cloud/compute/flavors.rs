//! Flavours and availability zones.

use serde_json::{Value, json};

use super::super::front::Turn;
use super::super::mode::Mode;
use super::super::offer::{self, Flavor};
use super::super::paging::{USUAL, links, page};
use super::super::reply::{Outcome, Refusal, Reply};

/// How much of each object a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Id, name, links.
    Brief,
    /// Everything.
    Full,
}

/// Lists the flavours that are large enough.
pub(crate) fn list(turn: &Turn<'_>, detail: Detail) -> Outcome {
    turn.ask.no_body()?;
    let query = turn.ask.query(&["minDisk", "minRam", "limit", "marker", "is_public"])?;
    let (disk, ram) = (
        query.number("minDisk")?.unwrap_or(0),
        query.number("minRam")?.unwrap_or(0),
    );
    let fits = |flavor: &&Flavor| u64::from(flavor.disk_gb) >= disk && u64::from(flavor.ram_mb) >= ram;
    // All flavours of the lab are public; only an administrator may ask for others.
    if query
        .get("is_public")
        .is_some_and(|public| !public.eq_ignore_ascii_case("true"))
    {
        return Err(Refusal::strict(
            "only an administrator may list flavours that are not public",
        ));
    }
    let all = offer::flavors(turn.world.mode).iter().filter(fits);
    let all: Vec<(String, &Flavor)> = all.map(|flavor| (flavor.id(), flavor)).collect();
    let page = page(&query, all, USUAL, |(id, _)| id)?;
    let bodies: Vec<Value> = page.items.iter().map(|(_, flavor)| body(flavor, detail)).collect();
    let mut reply = json!({"flavors": bodies});
    if let Some(next) = &page.next {
        reply["flavors_links"] = links(turn, next);
    }
    Ok(Reply::json(200, reply))
}

/// Shows one.
pub(crate) fn show(turn: &Turn<'_>, id: &str) -> Outcome {
    turn.ask.bare()?;
    let flavor =
        by_id(turn.world.mode, id).ok_or_else(|| Refusal::not_found(format!("Flavor {id} could not be found.")))?;
    Ok(Reply::json(200, json!({"flavor": body(flavor, Detail::Full)})))
}

/// The flavour with this id.
pub(crate) fn by_id(mode: Mode, id: &str) -> Option<&'static Flavor> {
    offer::flavors(mode).iter().find(|flavor| flavor.id() == id)
}

/// Availability zones.
pub(crate) fn zones(turn: &Turn<'_>) -> Outcome {
    turn.ask.bare()?;
    let zone = |name: &&str| json!({"zoneName": name, "zoneState": {"available": true}, "hosts": null});
    let zones: Vec<Value> = turn.world.mode.zones().iter().map(zone).collect();
    Ok(Reply::json(200, json!({"availabilityZoneInfo": zones})))
}

fn body(flavor: &Flavor, detail: Detail) -> Value {
    match detail {
        Detail::Brief => json!({"id": flavor.id(), "name": flavor.name, "links": []}),
        Detail::Full => json!({
            "id": flavor.id(), "name": flavor.name, "ram": flavor.ram_mb, "vcpus": flavor.vcpus, "disk": flavor.disk_gb,
            "swap": "", "rxtx_factor": 1.0, "OS-FLV-EXT-DATA:ephemeral": 0, "OS-FLV-DISABLED:disabled": false,
            "os-flavor-access:is_public": true, "extra_specs": {"flavor_type": "standard"}, "links": []}),
    }
}
