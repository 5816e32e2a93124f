//! Cinder's calls and its words (<https://docs.openstack.org/api-ref/block-storage/v3/>); v2 has the same shapes.

use reseal_machine::cloud::Volume;
use reseal_machine::{Marks, ServerId, VolumeId};
use serde_json::{Value, json};

use crate::catalog::Service::BlockStorage;
use crate::dialect::Rules;
use crate::http::request::Request;
use crate::json;
use crate::nova;
use crate::paging::{List, Paging};

pub(crate) fn volumes() -> List {
    let request = Request::get(BlockStorage, "list volumes", &["volumes", "detail"]).query("limit", "1000");
    List {
        request,
        key: "volumes",
        paging: Paging::Offset,
    }
}

pub(crate) fn volume(id: &VolumeId) -> Request {
    Request::get(BlockStorage, "show volume", &["volumes", id.as_str()])
}

pub(crate) fn delete_volume(id: &VolumeId) -> Request {
    Request::delete(BlockStorage, "delete volume", &["volumes", id.as_str()])
}

/// Adds to the metadata; what is there stays.
pub(crate) fn mark(id: &VolumeId, marks: &Marks) -> Request {
    Request::post(BlockStorage, "mark volume", &["volumes", id.as_str(), "metadata"])
        .json(json!({ "metadata": nova::metadata(marks) }))
}

/// `os-volume_upload_image`.
pub(crate) fn upload(id: &VolumeId, name: &str, force: bool, disk_format: &str, rules: &Rules) -> Request {
    let mut body =
        json!({ "image_name": name, "force": force, "disk_format": disk_format, "container_format": "bare" });
    if let (Some(visibility), Some(body)) = (rules.upload_visibility, body.as_object_mut()) {
        body.insert("visibility".to_owned(), visibility.into());
    }
    Request::create(
        BlockStorage,
        "create image of volume",
        &["volumes", id.as_str(), "action"],
    )
    .json(json!({ "os-volume_upload_image": body }))
}

pub(crate) fn read_volume(value: &Value) -> Option<Volume> {
    let attached = json::list(value, "attachments").iter();
    Some(Volume {
        id: VolumeId::new(json::text(value, "id")?),
        status: json::text(value, "status").unwrap_or_default(),
        size_gb: json::small(value, "size"),
        bootable: json::flag(value, "bootable"),
        attached_to: attached
            .filter_map(|entry| json::text(entry, "server_id"))
            .map(ServerId::new)
            .collect(),
    })
}

/// Whether a refused deletion is about the volume's present state: Cinder says 400 for that.
pub(crate) fn is_busy(message: &str) -> bool {
    let text = message.to_lowercase();
    text.contains("status must be") || text.contains("attached") || text.contains("must not be")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_read() {
        let text = include_str!("../../../../tests/data/openstack/volume.json");
        let reply: Value = serde_json::from_str(text).unwrap();
        let volume = read_volume(&reply["volume"]).unwrap();
        assert_eq!(volume.status, "in-use");
        assert!(volume.bootable, "bootable is a string to Cinder");
        assert_eq!((volume.size_gb, volume.attached_to.len()), (50, 1));
    }

    #[test]
    fn busy_is_told_from_wrong() {
        assert!(is_busy(
            "Invalid volume: Volume status must be available or error or error_restoring"
        ));
        assert!(!is_busy("Invalid input received"));
    }
}
