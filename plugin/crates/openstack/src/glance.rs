//! Glance's calls and its words (<https://docs.openstack.org/api-ref/image/v2/>).

use std::collections::BTreeMap;

use reseal_machine::ImageId;
use reseal_machine::cloud::{Image, ImageChanges, ImageQuery, ImageStatus};
use serde_json::{Value, json};

use crate::catalog::Service::Image as Glance;
use crate::http::request::Request;
use crate::json;
use crate::paging::{List, Paging};

/// The media type of changes.
const PATCH: &str = "application/openstack-images-v2.1-json-patch";

/// The members of an image that are not custom properties.
const BASE: &[&str] = &[
    "id",
    "name",
    "status",
    "visibility",
    "owner",
    "protected",
    "tags",
    "container_format",
    "disk_format",
    "size",
    "virtual_size",
    "min_disk",
    "min_ram",
    "checksum",
    "os_hash_algo",
    "os_hash_value",
    "os_hidden",
    "created_at",
    "updated_at",
    "self",
    "file",
    "schema",
    "locations",
    "direct_url",
    "stores",
];

/// Images by name and visibility, newest first. Other conditions are looked at by us: not every cloud documents
/// filters by property.
pub(crate) fn images(query: &ImageQuery, page: &str) -> List {
    let mut request = Request::get(Glance, "list images", &["images"])
        .query("limit", page)
        .query("sort_key", "created_at")
        .query("sort_dir", "desc");
    // To Glance `in:a,b` is a list and not a name.
    if let Some(name) = query.name.as_ref().filter(|name| !name.starts_with("in:")) {
        request = request.query("name", name.clone());
    }
    if let Some(visibility) = &query.visibility {
        request = request.query("visibility", visibility.clone());
    }
    List {
        request,
        key: "images",
        paging: Paging::Marker,
    }
}

/// Images of one project.
pub(crate) fn images_of(project: &str, page: &str) -> List {
    let mut list = images(&ImageQuery::default(), page);
    list.request = list.request.query("owner", project);
    list
}

pub(crate) fn image(id: &ImageId) -> Request {
    Request::get(Glance, "show image", &["images", id.as_str()])
}

pub(crate) fn delete_image(id: &ImageId) -> Request {
    Request::delete(Glance, "delete image", &["images", id.as_str()])
}

pub(crate) fn tag(id: &ImageId, tag: &str) -> Request {
    Request::put(Glance, "tag image", &["images", id.as_str(), "tags", tag])
}

/// Sharing twice is a conflict, which is as good as sharing once.
pub(crate) fn share(id: &ImageId, project: &str) -> Request {
    Request::post(Glance, "share image", &["images", id.as_str(), "members"]).json(json!({ "member": project }))
}

/// All changes in one request, or `None` when there is nothing to change. Custom properties are always added (that also
/// replaces them), base members always replaced; `present` are the properties that can be removed.
pub(crate) fn update(id: &ImageId, changes: &ImageChanges, present: &BTreeMap<String, String>) -> Option<Request> {
    let mut patch = Vec::new();
    let mut replace = |key: &str, value: Option<Value>| {
        patch.extend(value.map(|value| json!({ "op": "replace", "path": format!("/{key}"), "value": value })));
    };
    replace("name", changes.name.clone().map(Value::from));
    replace("min_disk", changes.min_disk_gb.map(Value::from));
    replace("min_ram", changes.min_ram_mb.map(Value::from));
    replace("visibility", changes.visibility.clone().map(Value::from));
    let kept = |key: &&String| present.contains_key(*key) && !changes.set.contains_key(*key);
    patch.extend(
        changes
            .remove
            .iter()
            .filter(kept)
            .map(|key| json!({ "op": "remove", "path": pointer(key) })),
    );
    patch.extend(
        changes
            .set
            .iter()
            .map(|(key, value)| json!({ "op": "add", "path": pointer(key), "value": value })),
    );
    patch.extend(
        changes
            .protected
            .map(|value| json!({ "op": "replace", "path": "/protected", "value": value })),
    );
    let request = Request::patch(Glance, "update image", &["images", id.as_str()]);
    (!patch.is_empty()).then(|| request.json(Value::Array(patch)).media(PATCH))
}

/// A JSON pointer to one member (RFC 6901).
fn pointer(key: &str) -> String {
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}

pub(crate) fn read_image(value: &Value) -> Option<Image> {
    let members = value
        .as_object()?
        .iter()
        .filter(|(key, _)| !BASE.contains(&key.as_str()));
    Some(Image {
        id: ImageId::new(json::text(value, "id")?),
        name: json::text(value, "name").unwrap_or_default(),
        status: status(&json::text(value, "status").unwrap_or_default()),
        visibility: json::text(value, "visibility").unwrap_or_default(),
        created_at: json::time(value, "created_at"),
        min_disk_gb: json::small(value, "min_disk"),
        min_ram_mb: json::small(value, "min_ram"),
        size: json::number(value, "size"),
        protected: json::flag(value, "protected"),
        tags: json::list(value, "tags")
            .iter()
            .filter_map(|tag| Some(tag.as_str()?.to_owned()))
            .collect(),
        properties: members
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect(),
    })
}

fn status(word: &str) -> ImageStatus {
    match word {
        "queued" => ImageStatus::Queued,
        "saving" | "uploading" | "importing" => ImageStatus::Saving,
        "active" => ImageStatus::Active,
        "deactivated" => ImageStatus::Deactivated,
        "killed" => ImageStatus::Killed,
        "deleted" | "pending_delete" => ImageStatus::Deleted,
        other => ImageStatus::Other(other.to_owned()),
    }
}

/// Whether an image fits all conditions of a query.
pub(crate) fn fits(image: &Image, query: &ImageQuery) -> bool {
    let same = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
    let has = |(key, value): (&String, &String)| image.properties.get(key) == Some(value);
    same(&query.name, &image.name) && same(&query.visibility, &image.visibility) && query.properties.iter().all(has)
}

#[cfg(test)]
mod tests;
