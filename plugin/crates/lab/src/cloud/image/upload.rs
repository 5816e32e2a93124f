//! Images that are made by hand: created empty, filled with a file, deleted.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::ask::Payload;
use super::super::front::Turn;
use super::super::mode::Mode;
use super::super::reply::{Outcome, Refusal, Reply};
use super::fields;
use super::images::{Image, NewImage};
use super::view;

/// Creates an image without data.
pub(crate) fn create(turn: &mut Turn<'_>) -> Outcome {
    turn.ask.query(&[])?;
    let fields: Map<String, Value> = turn.ask.json()?;
    let mode = turn.world.mode;
    let mut new = blank(mode);
    let mut tags = Vec::new();
    for (key, value) in fields {
        set(mode, &mut new, &mut tags, &key, &value)?;
    }
    fields::check_count(new.properties.len())?;
    if mode == Mode::Nhn && (new.name.is_empty() || !new.properties.contains_key("os_type")) {
        return Err(Refusal::invalid("name and os_type are required."));
    }
    let mut image = Image::empty(turn, new);
    image.tags = tags;
    let body = view::of_own(&image, &turn.world.tenant.id, turn.now);
    let location = format!("{}/v2/images/{}", turn.world.endpoints.image, image.id);
    turn.state.images.insert(image.id.clone(), image);
    let reply = Reply::json(201, body).with("Location", location);
    Ok(match mode {
        Mode::Nhn => reply,
        Mode::Openstack => reply.with("OpenStack-image-import-methods", ""),
    })
}

fn blank(mode: Mode) -> NewImage {
    NewImage {
        name: String::new(),
        visibility: if mode == Mode::Nhn { "private" } else { "shared" }.to_owned(),
        protected: false,
        disk_format: "qcow2".to_owned(),
        container_format: "bare".to_owned(),
        min_disk_gb: 0,
        min_ram_mb: 0,
        properties: BTreeMap::new(),
        disk: None,
        running: false,
    }
}

fn set(mode: Mode, new: &mut NewImage, tags: &mut Vec<String>, key: &str, value: &Value) -> Result<(), Refusal> {
    let wrong = || {
        Refusal::invalid(format!(
            "Provided object does not match schema 'image': {value} is not right for '{key}'"
        ))
    };
    let text = || value.as_str().map(str::to_owned).ok_or_else(wrong);
    let number = || {
        value
            .as_u64()
            .and_then(|number| u32::try_from(number).ok())
            .ok_or_else(wrong)
    };
    fields::check_writable(key)?;
    match key {
        "name" => {
            new.name = text()?;
            fields::check_name(&new.name)?;
        }
        "visibility" => new.visibility = fields::visibility(mode, text()?)?,
        "protected" => new.protected = value.as_bool().ok_or_else(wrong)?,
        "disk_format" => {
            new.disk_format = text()?;
            fields::check_disk_format(&new.disk_format)?;
        }
        "container_format" => {
            new.container_format = text()?;
            fields::check_container_format(&new.container_format)?;
        }
        "min_disk" => new.min_disk_gb = number()?,
        "min_ram" => new.min_ram_mb = number()?,
        "tags" => *tags = fields::tags(mode, value)?,
        "os_hidden" if value == &Value::Bool(false) => {}
        "os_hidden" => {
            return Err(Refusal::strict(
                "a hidden image is one that nobody finds; leave os_hidden out",
            ));
        }
        _ => {
            let text = fields::property(mode, key, value)?;
            new.properties.insert(key.to_owned(), text);
        }
    }
    Ok(())
}

/// Fills an image.
pub(crate) fn file(turn: &mut Turn<'_>, id: &str) -> Outcome {
    turn.ask.query(&[])?;
    let Payload::Data { size, checksum } = &turn.ask.payload else {
        return Err(Refusal::new(
            415,
            "lab: Content-Type must be 'application/octet-stream'",
        ));
    };
    let (size, checksum, now) = (*size, checksum.clone(), turn.now);
    let image = view::own(turn, id)?;
    if !image.waits_for_file() {
        let status = image.status(now).unwrap_or("deleted");
        return Err(Refusal::conflict(format!(
            "Invalid image status transition: {status} -> saving"
        )));
    }
    image.filled(now, size, checksum);
    Ok(Reply::empty(204))
}

/// Deletes an image.
pub(crate) fn delete(turn: &mut Turn<'_>, id: &str) -> Outcome {
    turn.ask.bare()?;
    if view::own(turn, id)?.protected {
        return Err(Refusal::forbidden(format!(
            "Image {id} is protected and cannot be deleted."
        )));
    }
    turn.state.images.remove(id);
    Ok(Reply::empty(204))
}

/// What can be imported: nothing, so that a client has to ask.
pub(crate) fn methods(turn: &Turn<'_>) -> Outcome {
    turn.ask.bare()?;
    let methods = json!({"type": "array", "description": "Import methods available.", "value": []});
    Ok(Reply::json(200, json!({"import-methods": methods})))
}
