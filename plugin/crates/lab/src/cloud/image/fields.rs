//! Fields of an image that its owner may set, with one set of rules for making and for changing it.

use serde_json::Value;

use super::super::mode::Mode;
use super::super::reply::Refusal;

/// What Glance keeps itself.
const READ_ONLY: &[&str] = &[
    "id",
    "status",
    "size",
    "virtual_size",
    "checksum",
    "owner",
    "created_at",
    "updated_at",
    "deleted",
    "deleted_at",
    "self",
    "file",
    "schema",
    "direct_url",
    "locations",
    "os_hash_algo",
    "os_hash_value",
    "stores",
];

/// The longest name or key, characters.
const LONGEST: usize = 255;
/// The longest value of a property, bytes: what its column holds.
const LONGEST_VALUE: usize = 65_535;
/// How many properties and how many tags an image may have.
pub(crate) const MOST: usize = 128;

/// Whether the field may be written at all.
pub(crate) fn check_writable(key: &str) -> Result<(), Refusal> {
    if READ_ONLY.contains(&key) {
        return Err(Refusal::forbidden(format!("Attribute '{key}' is read-only.")));
    }
    Ok(())
}

/// A name.
pub(crate) fn check_name(name: &str) -> Result<(), Refusal> {
    if name.chars().count() > LONGEST {
        return Err(Refusal::invalid(format!(
            "Invalid value for 'name': '{name}' is too long"
        )));
    }
    Ok(())
}

/// A property of one's own.
pub(crate) fn property(mode: Mode, key: &str, value: &Value) -> Result<String, Refusal> {
    steered(mode, key)?;
    let Value::String(text) = value else {
        return Err(Refusal::invalid(format!(
            "Invalid value for property '{key}': {value} is not of type 'string'"
        )));
    };
    if key.is_empty() || key.chars().count() > LONGEST || text.len() > LONGEST_VALUE {
        return Err(Refusal::invalid(format!("Invalid property '{key}': it is too long")));
    }
    Ok(text.clone())
}

/// On NHN, what comes with the base image and steers the hypervisor or the console is left alone.
pub(crate) fn steered(mode: Mode, key: &str) -> Result<(), Refusal> {
    let steered = key.starts_with("hw_") || (key.starts_with("nhncloud_") && key != "nhncloud_allow_download");
    if mode == Mode::Nhn && steered {
        return Err(Refusal::forbidden(format!("Property '{key}' is protected")));
    }
    Ok(())
}

/// How many properties there are.
pub(crate) fn check_count(properties: usize) -> Result<(), Refusal> {
    if properties > MOST {
        return Err(Refusal::new(
            413,
            "The limit has been exceeded on the number of allowed image properties.",
        ));
    }
    Ok(())
}

/// A list of tags; each of them counts once.
pub(crate) fn tags(mode: Mode, value: &Value) -> Result<Vec<String>, Refusal> {
    let wrong = || Refusal::invalid(format!("Invalid value for 'tags': {value} is not a list of texts"));
    let given = value.as_array().ok_or_else(wrong)?;
    let mut tags: Vec<String> = Vec::new();
    for tag in given {
        let tag = tag.as_str().ok_or_else(wrong)?;
        check_tag(mode, tag)?;
        if !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
    }
    if tags.len() > MOST {
        return Err(Refusal::new(413, "Maximum number of tags exceeded."));
    }
    Ok(tags)
}

/// A tag that may be set.
pub(crate) fn check_tag(mode: Mode, tag: &str) -> Result<(), Refusal> {
    if tag.is_empty() || tag.chars().count() > LONGEST || (mode == Mode::Nhn && tag.starts_with('_')) {
        return Err(Refusal::invalid(format!("Invalid tag '{tag}'")));
    }
    Ok(())
}

/// A visibility that the project may choose.
pub(crate) fn visibility(mode: Mode, wanted: String) -> Result<String, Refusal> {
    match (mode, wanted.as_str()) {
        (_, "private" | "shared") | (Mode::Openstack, "community") => Ok(wanted),
        (_, "public") => Err(Refusal::forbidden(
            "You are not authorized to complete publicize_image action.",
        )),
        _ => Err(Refusal::invalid(format!("Invalid visibility value: {wanted}"))),
    }
}

/// A format of disks.
pub(crate) fn check_disk_format(format: &str) -> Result<(), Refusal> {
    const FORMATS: [&str; 11] = [
        "ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "ploop", "iso",
    ];
    known("disk_format", &FORMATS, format)
}

/// A format of containers.
pub(crate) fn check_container_format(format: &str) -> Result<(), Refusal> {
    const FORMATS: [&str; 7] = ["ami", "ari", "aki", "bare", "ovf", "ova", "docker"];
    known("container_format", &FORMATS, format)
}

fn known(field: &str, known: &[&str], word: &str) -> Result<(), Refusal> {
    if known.contains(&word) {
        return Ok(());
    }
    Err(Refusal::invalid(format!("Invalid {field} '{word}' for image.")))
}
