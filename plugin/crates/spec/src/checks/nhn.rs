//! What NHN Cloud is documented to refuse.

use super::Complain;
use crate::codes;
use crate::model::{RootVolume, Size, Spec, Visibility, WayIn};

/// Characters of the name of a Windows machine.
const LONGEST_NAME: usize = 15;
/// Bytes of a user-data script, leaving room for the build's own.
const LARGEST_SCRIPT: usize = 40_000;
/// Root volumes of Windows machines, MB.
const SMALLEST_ROOT: u32 = 50 * 1024;
const LARGEST_ROOT: u32 = 2000 * 1024;
/// The least RAM of Windows machines, MB.
const LEAST_RAM: u32 = 2 * 1024;

pub(super) fn check(spec: &Spec, complain: &mut Complain<'_>) {
    for (at, flavor) in [
        ("/base/flavor", Some(&spec.base.flavor)),
        ("/verify/flavor", spec.verify.flavor.as_ref()),
    ] {
        if flavor.is_some_and(|flavor| flavor.to_ascii_lowercase().starts_with("u2.")) {
            let help = "use an m2, c2, r2, t2 or x1 flavour";
            complain.error(
                codes::NHN_FLAVOR,
                at,
                "U2 flavours of NHN Cloud do not run Windows",
                help,
            );
        }
    }
    names(spec, complain);
    root(spec, complain);
    if let Some(min_ram) = spec.image.min_ram.filter(|size| size.mb() < LEAST_RAM) {
        let message = format!("Windows on NHN Cloud needs 2 GB of RAM, not {min_ram}");
        complain.error(codes::NHN_SIZE, "/image/min_ram", message, "");
    }
    if let Some(min_disk) = spec.image.min_disk.filter(|size| size.mb() < SMALLEST_ROOT) {
        let message = format!("Windows on NHN Cloud needs a disk of 50 GB, not {min_disk}");
        complain.error(codes::NHN_SIZE, "/image/min_disk", message, "");
    }
    if matches!(spec.image.visibility, Visibility::Public | Visibility::Community) {
        let message = format!(
            "NHN Cloud has no {} images of its users",
            spec.image.visibility.as_str()
        );
        complain.error(
            codes::NHN_VISIBILITY,
            "/image/visibility",
            message,
            "`private` or `shared`",
        );
    }
    if spec.connect.winrm.way_in == WayIn::ServerPassword {
        let message = "NHN Cloud does not document the call for the instance password";
        complain.warning(
            codes::NHN_PASSWORD,
            "/connect/winrm/way_in",
            message,
            "`auto` uses user data there",
        );
    }
}

fn names(spec: &Spec, complain: &mut Complain<'_>) {
    if let Some(name) = spec
        .base
        .server_name
        .as_ref()
        .filter(|name| name.chars().count() > LONGEST_NAME)
    {
        let length = name.chars().count();
        let message =
            format!("a Windows machine's name on NHN Cloud has at most {LONGEST_NAME} characters, not {length}");
        complain.error(
            codes::NHN_NAME,
            "/base/server_name",
            message,
            "leave it out: the build makes one that fits",
        );
    }
    let script = spec.base.user_data.as_ref().and_then(|path| spec.scripts.get(path));
    if script.is_some_and(|script| script.text.len() > LARGEST_SCRIPT) {
        let message = "this script is too large for user data on NHN Cloud, which has room for 65,535 bytes of base64";
        complain.error(
            codes::NHN_USER_DATA,
            "/base/user_data",
            message,
            "do it in a step of `software`",
        );
    }
}

fn root(spec: &Spec, complain: &mut Complain<'_>) {
    match &spec.base.root_volume {
        Some(RootVolume::None) => {
            let message = "machines on NHN Cloud boot from a volume";
            let help = "write `root_volume: { size: 50 GB }`";
            complain.error(codes::NHN_SIZE, "/base/root_volume", message, help);
        }
        Some(RootVolume::Volume(volume)) if !(SMALLEST_ROOT..=LARGEST_ROOT).contains(&volume.size.mb()) => {
            let limits = (Size::from_mb(SMALLEST_ROOT), Size::from_mb(LARGEST_ROOT));
            let message = format!(
                "the root volume of Windows on NHN Cloud has {} to {}, not {}",
                limits.0, limits.1, volume.size
            );
            complain.error(codes::NHN_SIZE, "/base/root_volume/size", message, "");
        }
        _ => {}
    }
}
