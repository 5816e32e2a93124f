//! `PATCH /v2/images/{id}` and tags, with Glance's rules and its media type.

use hyper::Method;
use serde::Deserialize;
use serde_json::Value;

use super::super::front::Turn;
use super::super::mode::Mode;
use super::super::reply::{Outcome, Refusal, Reply};
use super::fields;
use super::images::Image;
use super::view;

const MEDIA_TYPE: &str = "application/openstack-images-v2.1-json-patch";
const BASE: &[&str] = &[
    "name",
    "visibility",
    "min_disk",
    "min_ram",
    "protected",
    "tags",
    "disk_format",
    "container_format",
    "os_hidden",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Operation {
    op: Op,
    path: String,
    #[serde(default, deserialize_with = "some")]
    value: Option<Value>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Op {
    Add,
    Replace,
    Remove,
}

/// A value that is there, even when it is `null`.
fn some<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// What a patch can change; put together first, so that a patch is applied as a whole or not at all.
struct Draft {
    name: String,
    visibility: String,
    min_disk_gb: u32,
    min_ram_mb: u32,
    protected: bool,
    tags: Vec<String>,
    properties: std::collections::BTreeMap<String, String>,
}

/// Changes an image.
pub(crate) fn patch(turn: &mut Turn<'_>, id: &str) -> Outcome {
    turn.ask.query(&[])?;
    let operations: Vec<Operation> = turn.ask.document(MEDIA_TYPE)?;
    let (mode, now, tenant) = (turn.world.mode, turn.now, turn.world.tenant.id.clone());
    let image = view::own(turn, id)?;
    let mut draft = Draft::of(image);
    for operation in operations {
        draft.apply(mode, operation)?;
    }
    fields::check_count(draft.properties.len())?;
    draft.commit(image);
    image.updated = now;
    Ok(Reply::json(200, view::of_own(image, &tenant, now)))
}

impl Draft {
    fn of(image: &Image) -> Self {
        Self {
            name: image.name.clone(),
            visibility: image.visibility.clone(),
            min_disk_gb: image.min_disk_gb,
            min_ram_mb: image.min_ram_mb,
            protected: image.protected,
            tags: image.tags.clone(),
            properties: image.properties.clone(),
        }
    }

    fn commit(self, image: &mut Image) {
        image.name = self.name;
        image.visibility = self.visibility;
        image.min_disk_gb = self.min_disk_gb;
        image.min_ram_mb = self.min_ram_mb;
        image.protected = self.protected;
        image.tags = self.tags;
        image.properties = self.properties;
    }

    fn apply(&mut self, mode: Mode, Operation { op, path, value }: Operation) -> Result<(), Refusal> {
        let Some(key) = path
            .strip_prefix('/')
            .filter(|key| !key.is_empty() && !key.contains('/'))
        else {
            return Err(Refusal::invalid(format!(
                "Pointer `{path}` does not name one property."
            )));
        };
        let key = key.replace("~1", "/").replace("~0", "~");
        fields::check_writable(&key)?;
        match (op, value) {
            (Op::Remove, None) => self.remove(mode, &key),
            (Op::Remove, Some(_)) => Err(Refusal::strict("'remove' takes no value")),
            (_, None) => Err(Refusal::invalid(format!("Operation on '{key}' requires a value."))),
            (_, Some(value)) if BASE.contains(&key.as_str()) => self.set_base(mode, &key, &value),
            (op, Some(value)) => self.set_property(mode, op, key, &value),
        }
    }

    fn remove(&mut self, mode: Mode, key: &str) -> Result<(), Refusal> {
        if BASE.contains(&key) {
            return Err(Refusal::forbidden(format!("Property {key} may not be removed.")));
        }
        if !self.properties.contains_key(key) {
            return Err(missing(key));
        }
        fields::steered(mode, key)?;
        self.properties.remove(key);
        Ok(())
    }

    fn set_property(&mut self, mode: Mode, op: Op, key: String, value: &Value) -> Result<(), Refusal> {
        if op == Op::Replace && !self.properties.contains_key(&key) {
            return Err(missing(&key));
        }
        let text = fields::property(mode, &key, value)?;
        self.properties.insert(key, text);
        Ok(())
    }

    fn set_base(&mut self, mode: Mode, key: &str, value: &Value) -> Result<(), Refusal> {
        let wrong =
            |wanted: &str| Refusal::invalid(format!("Invalid value for '{key}': {value} is not of type '{wanted}'"));
        let number = || {
            value
                .as_u64()
                .and_then(|number| u32::try_from(number).ok())
                .ok_or_else(|| wrong("integer"))
        };
        let text = || value.as_str().map(str::to_owned).ok_or_else(|| wrong("string"));
        match key {
            "name" => {
                self.name = text()?;
                fields::check_name(&self.name)?;
            }
            "min_disk" => self.min_disk_gb = number()?,
            "min_ram" => self.min_ram_mb = number()?,
            "protected" => self.protected = value.as_bool().ok_or_else(|| wrong("boolean"))?,
            "visibility" => self.visibility = fields::visibility(mode, text()?)?,
            "tags" => self.tags = fields::tags(mode, value)?,
            _ => {
                return Err(Refusal::forbidden(format!(
                    "Attribute '{key}' can be replaced only for a queued image."
                )));
            }
        }
        Ok(())
    }
}

fn missing(key: &str) -> Refusal {
    Refusal::conflict(format!("Property {key} does not exist."))
}

/// Puts or removes one tag.
pub(crate) fn tag(turn: &mut Turn<'_>, id: &str, tag: &str) -> Outcome {
    turn.ask.bare()?;
    fields::check_tag(turn.world.mode, tag)?;
    let put = turn.ask.method == Method::PUT;
    let image = view::own(turn, id)?;
    let there = image.tags.iter().any(|known| known == tag);
    match (put, there) {
        (true, true) => {}
        (true, false) if image.tags.len() >= fields::MOST => {
            return Err(Refusal::new(413, "Maximum number of tags exceeded."));
        }
        (true, false) => image.tags.push(tag.to_owned()),
        (false, true) => image.tags.retain(|known| known != tag),
        (false, false) => return Err(Refusal::not_found(format!("Tag {tag} not found"))),
    }
    Ok(Reply::empty(204))
}
