//! The image that is made, and its proof.

use super::Complain;
use crate::codes;
use crate::model::{RootVolume, Spec, Visibility};
use crate::route;

/// Properties that Glance keeps itself.
const GLANCES_OWN: [&str; 27] = [
    "id",
    "name",
    "status",
    "visibility",
    "size",
    "virtual_size",
    "checksum",
    "owner",
    "min_disk",
    "min_ram",
    "tags",
    "protected",
    "disk_format",
    "container_format",
    "created_at",
    "updated_at",
    "file",
    "schema",
    "self",
    "direct_url",
    "locations",
    "os_hash_algo",
    "os_hash_value",
    "os_hidden",
    "stores",
    "deleted",
    "deleted_at",
];

pub(super) fn check(spec: &Spec, complain: &mut Complain<'_>) {
    let image = &spec.image;
    if image.name.trim().is_empty() || image.name.chars().count() > 255 {
        complain.error(
            codes::BAD_NAME,
            "/image/name",
            "an image's name has 1 to 255 characters",
            "",
        );
    }
    if image.alias.as_deref() == Some(image.name.as_str()) {
        let help = "a name with `${build.date}` is different each time";
        complain.error(
            codes::SAME_IMAGE,
            "/image/alias",
            "the alias is the image's own name",
            help,
        );
    }
    if !image.members.is_empty() && image.visibility != Visibility::Shared {
        let help = "add `visibility: shared`";
        complain.error(
            codes::MEMBERS,
            "/image/members",
            "only a shared image has members",
            help,
        );
    }
    sizes(spec, complain);
    for key in image.properties.keys() {
        let own = GLANCES_OWN.contains(&key.as_str());
        let bad = key.is_empty() || key.chars().count() > 255 || key.chars().any(char::is_control);
        if own || bad {
            let at = route::member("/image/properties", key);
            let help = if own {
                "write it as a field of `image`, or leave it to the cloud"
            } else {
                ""
            };
            complain.error(codes::BAD_PROPERTY, &at, format!("`{key}` cannot be a property"), help);
        }
    }
    if !spec.verify.boot && !spec.checks.is_empty() {
        let help = "add `boot: true`";
        complain.error(
            codes::CHECKS_WITHOUT_BOOT,
            "/verify/checks",
            "checks need a machine made of the image",
            help,
        );
    }
}

fn sizes(spec: &Spec, complain: &mut Complain<'_>) {
    let Some(min_disk) = spec.image.min_disk else { return };
    if let Some(RootVolume::Volume(volume)) = &spec.base.root_volume
        && min_disk < volume.size
    {
        let message = format!("the image is as large as the volume it is made of: {}", volume.size);
        let help = format!(
            "write `min_disk: {}` or more, or make `base.root_volume.size` smaller",
            volume.size
        );
        complain.error(codes::MIN_DISK, "/image/min_disk", message, &help);
    }
}
