//! An image as JSON: its properties are flat, beside its fields.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::super::clockwork::seconds;
use super::super::front::Turn;
use super::super::ids::hex32_of;
use super::super::mode::Mode;
use super::super::offer::images::{BaseImage, public};
use super::super::reply::{Outcome, Refusal, Reply};
use super::images::Image;

/// Shows one.
pub(crate) fn show(turn: &mut Turn<'_>, id: &str) -> Outcome {
    turn.ask.bare()?;
    if let Some(image) = public(turn.world.mode).iter().find(|image| image.id == id) {
        return Ok(Reply::json(200, of_public(turn.world.mode, image)));
    }
    let tenant = turn.world.tenant.id.clone();
    let now = turn.now;
    let image = look(turn, id)?;
    Ok(Reply::json(200, of_own(image, &tenant, now)))
}

/// One of the project's images, for a look; a new one is not there for some looks.
pub(crate) fn look<'s>(turn: &'s mut Turn<'_>, id: &str) -> Result<&'s mut Image, Refusal> {
    let now = turn.now;
    let image = turn.state.images.get_mut(id);
    image
        .filter(|image| image.fresh.shown(now) && image.status(now).is_some())
        .ok_or_else(|| missing(id))
}

/// One of the project's images, for a change. The provider's are not ours to change.
pub(crate) fn own<'s>(turn: &'s mut Turn<'_>, id: &str) -> Result<&'s mut Image, Refusal> {
    let now = turn.now;
    if public(turn.world.mode).iter().any(|image| image.id == id) {
        return Err(Refusal::forbidden("You are not permitted to change this image"));
    }
    turn.state
        .images
        .get_mut(id)
        .filter(|image| image.status(now).is_some())
        .ok_or_else(|| missing(id))
}

pub(crate) fn missing(id: &str) -> Refusal {
    Refusal::not_found(format!("No image found with ID {id}"))
}

/// A public image.
pub(crate) fn of_public(mode: Mode, image: &BaseImage) -> Value {
    let tags: &[&str] = if mode == Mode::Nhn { &["_AVAILABLE_"] } else { &[] };
    let mut body = json!({
        "id": image.id, "name": image.name, "status": "active", "visibility": "public", "owner": hex32_of("provider"),
        "protected": true, "tags": tags, "container_format": "bare", "disk_format": "qcow2", "size": image.size,
        "virtual_size": null, "min_disk": image.min_disk_gb, "min_ram": image.min_ram_mb, "checksum": hex32_of(&image.id),
        "created_at": seconds(image.created), "updated_at": seconds(image.created)});
    let properties = image
        .properties
        .iter()
        .map(|(key, value)| ((*key).to_owned(), json!(value)));
    finish(&mut body, &image.id, properties.collect());
    body
}

/// One of the project's images.
pub(crate) fn of_own(image: &Image, tenant: &str, now: Timestamp) -> Value {
    let status = image.status(now).unwrap_or("deleted");
    let done = status == "active";
    let mut body = json!({
        "id": image.id, "name": image.name, "status": status, "visibility": image.visibility, "owner": tenant,
        "protected": image.protected, "tags": image.tags, "container_format": image.container_format,
        "disk_format": image.disk_format, "size": done.then_some(image.size), "virtual_size": null,
        "min_disk": image.min_disk_gb, "min_ram": image.min_ram_mb, "checksum": done.then_some(&image.checksum),
        "created_at": seconds(image.created), "updated_at": seconds(image.updated)});
    let properties = image.properties.iter().map(|(key, value)| (key.clone(), json!(value)));
    finish(&mut body, &image.id, properties.collect());
    body
}

fn finish(body: &mut Value, id: &str, properties: Map<String, Value>) {
    if let Some(body) = body.as_object_mut() {
        body.extend(properties);
        body.insert("self".to_owned(), json!(format!("/v2/images/{id}")));
        body.insert("file".to_owned(), json!(format!("/v2/images/{id}/file")));
        body.insert("schema".to_owned(), json!("/v2/schemas/image"));
    }
}
