//! How long things take on the lab's clock, and how each service writes time.

use jiff::{SignedDuration, Timestamp};

/// From the request to `ACTIVE`.
pub(crate) const BUILD: SignedDuration = SignedDuration::from_secs(45);
/// The hypervisor knows that the guest is off; the API says it only now.
pub(crate) const POWER_SEEN: SignedDuration = SignedDuration::from_secs(5);
/// The compute service begins to stop a server whose guest is off.
pub(crate) const POWERING_OFF: SignedDuration = SignedDuration::from_secs(15);
/// The server is `SHUTOFF`.
pub(crate) const SHUTOFF: SignedDuration = SignedDuration::from_secs(25);
/// `os-stop` waits so long for the guest before it cuts the power.
pub(crate) const CLEAN_SHUTDOWN: SignedDuration = SignedDuration::from_secs(60);
/// `os-start` and `reboot` are under way.
pub(crate) const POWERING_ON: SignedDuration = SignedDuration::from_secs(5);
/// A server is deleted but still shown.
pub(crate) const SERVER_DELETE: SignedDuration = SignedDuration::from_secs(8);
/// A volume is deleted but still shown.
pub(crate) const VOLUME_DELETE: SignedDuration = SignedDuration::from_secs(6);
/// A new volume is `creating`.
pub(crate) const VOLUME_CREATE: SignedDuration = SignedDuration::from_secs(10);
/// An uploaded image is `queued` before its data come.
pub(crate) const IMAGE_QUEUED: SignedDuration = SignedDuration::from_secs(20);
/// Saving takes this and a share for each gigabyte.
pub(crate) const IMAGE_SAVING: SignedDuration = SignedDuration::from_secs(15);
/// The share for each gigabyte.
pub(crate) const IMAGE_SAVING_PER_GB: SignedDuration = SignedDuration::from_secs(4);
/// The volume is still `uploading` when its image is `active` already.
pub(crate) const UPLOAD_TAIL: SignedDuration = SignedDuration::from_secs(8);

/// Later, without ever overflowing.
pub(crate) fn after(moment: Timestamp, duration: SignedDuration) -> Timestamp {
    moment.checked_add(duration).unwrap_or(Timestamp::MAX)
}

/// `2026-11-22T03:01:00Z`: Nova, Glance, Keystone v2.0.
pub(crate) fn seconds(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2026-11-22T03:01:00.000000`: Cinder, and some fields of Nova.
pub(crate) fn micros(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S.%6f").to_string()
}

/// `2026-11-22T03:01:00.000000Z`: Keystone v3.
pub(crate) fn micros_z(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_writes_time_in_its_way() {
        let moment: Timestamp = "2026-11-22T03:01:00.5Z".parse().unwrap();
        assert_eq!(seconds(moment), "2026-11-22T03:01:00Z");
        assert_eq!(micros(moment), "2026-11-22T03:01:00.500000");
        assert_eq!(micros_z(moment), "2026-11-22T03:01:00.500000Z");
    }
}
