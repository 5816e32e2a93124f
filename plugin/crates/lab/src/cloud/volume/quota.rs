//! The project's room for volumes.

use serde_json::json;

use super::super::front::Turn;
use super::super::mode::Mode;
use super::super::reply::{Outcome, Refusal, Reply};

fn used(turn: &Turn<'_>) -> (u32, u32) {
    turn.state
        .volumes
        .values()
        .fold((0, 0), |(count, sum), volume| (count + 1, sum + volume.size_gb))
}

/// Refuses a volume more than the quota allows: 413, as Cinder does.
pub(crate) fn check(turn: &Turn<'_>, size_gb: u32) -> Result<(), Refusal> {
    let (quota, (count, sum)) = (turn.world.quota, used(turn));
    if count + 1 > quota.volumes {
        let words = format!(
            "VolumeLimitExceeded: Maximum number of volumes allowed ({}) exceeded for quota 'volumes'.",
            quota.volumes
        );
        return Err(Refusal::new(413, words));
    }
    if sum + size_gb > quota.gigabytes {
        let words = format!(
            "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes quota. Requested {size_gb}G, \
             quota is {}G and {sum}G has been consumed.",
            quota.gigabytes
        );
        return Err(Refusal::new(413, words));
    }
    Ok(())
}

/// `GET /limits`, upstream only.
pub(crate) fn limits(turn: &Turn<'_>) -> Outcome {
    turn.ask.bare()?;
    if turn.world.mode == Mode::Nhn {
        return Err(Refusal::not_found("The resource could not be found."));
    }
    let (quota, (count, sum)) = (turn.world.quota, used(turn));
    let absolute = json!({"maxTotalVolumes": quota.volumes, "totalVolumesUsed": count,
                          "maxTotalVolumeGigabytes": quota.gigabytes, "totalGigabytesUsed": sum});
    Ok(Reply::json(200, json!({"limits": {"rate": [], "absolute": absolute}})))
}
