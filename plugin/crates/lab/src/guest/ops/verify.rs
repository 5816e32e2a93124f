//! `verify_facts`: what proves on a clone that the image is good.

use serde_json::json;

use super::{Answered, Cx, Done, cloudbase};

/// What a build leaves when it forgets to clean.
const TRACES: [&str; 3] = [
    "c:\\windows\\temp\\reseal-",
    "c:\\windows\\system32\\sysprep\\reseal-",
    "c:\\users\\reseal-",
];

/// `verify_facts`.
pub fn facts(cx: &Cx<'_>) -> Answered {
    let disk = &cx.state.disk;
    let traces = disk
        .files
        .all()
        .filter(|entry| TRACES.iter().any(|trace| entry.path.to_lowercase().starts_with(trace)));
    let users = disk
        .users
        .values()
        .filter(|user| user.enabled)
        .map(|user| user.name.clone());
    let profiles = disk
        .users
        .values()
        .filter(|user| user.profile)
        .map(|user| format!("C:\\Users\\{}", user.name));
    Ok(Done::after(
        6.0,
        json!({
            "computer_name": disk.computer_name, "machine_sid": disk.machine_sid, "image_state": disk.setup.image_state,
            "license": cloudbase::license(disk),
            "drive_c_bytes": disk.c_bytes, "disk_unallocated_bytes": disk.unallocated,
            "system_locale": disk.locale.system, "user_locale": disk.locale.user, "ui_language": disk.locale.ui,
            "input_locale": disk.locale.input, "time_zone": disk.locale.time_zone,
            "cloudbase": cloudbase::state(cx),
            "oldest_system_event_utc": disk.oldest_event.to_string(), "users": users.collect::<Vec<_>>(),
            "profiles": profiles.collect::<Vec<_>>(), "rearm_count": disk.license.rearm,
            "traces": traces.map(|entry| entry.path.clone()).collect::<Vec<_>>(),
        }),
    ))
}
