//! What is left of the quota, where the cloud tells.

use serde_json::json;

use super::super::front::Turn;
use super::super::mode::Mode;
use super::super::reply::{Outcome, Refusal, Reply};

/// `GET /limits`: upstream only; NHN's guide does not have it.
pub(crate) fn limits(turn: &Turn<'_>) -> Outcome {
    turn.ask.no_body()?;
    let query = turn.ask.query(&["reserved"])?;
    // The lab reserves nothing, so the answer is the same either way; anything else is no answer to the question.
    if query
        .get("reserved")
        .is_some_and(|word| !["false", "true", "0", "1"].contains(&word.to_lowercase().as_str()))
    {
        return Err(Refusal::invalid("Invalid input for query parameters reserved."));
    }
    if turn.world.mode == Mode::Nhn {
        return Err(Refusal::not_found("The resource could not be found."));
    }
    let (quota, used) = (turn.world.quota, Used::of(turn));
    Ok(Reply::json(
        200,
        json!({"limits": {"rate": [], "absolute": {
            "maxTotalInstances": quota.instances, "totalInstancesUsed": used.instances,
            "maxTotalCores": quota.cores, "totalCoresUsed": used.cores,
            "maxTotalRAMSize": quota.ram_mb, "totalRAMUsed": used.ram_mb,
            "maxTotalKeypairs": quota.keypairs, "maxServerMeta": 128, "maxServerGroups": 10,
            "maxServerGroupMembers": 10, "totalServerGroupsUsed": 0}}}),
    ))
}

/// What the project's servers use. A server that is being deleted still counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) instances: u32,
    pub(crate) cores: u32,
    pub(crate) ram_mb: u32,
}

impl Used {
    /// The sum over all servers.
    pub(crate) fn of(turn: &Turn<'_>) -> Self {
        turn.state.servers.values().fold(Self::default(), |sum, server| Self {
            instances: sum.instances + 1,
            cores: sum.cores + server.flavor.vcpus,
            ram_mb: sum.ram_mb + server.flavor.ram_mb,
        })
    }
}

/// Refuses one server more than the quota allows.
pub(crate) fn check(turn: &Turn<'_>, cores: u32, ram_mb: u32) -> Result<(), Refusal> {
    let (quota, mut used) = (turn.world.quota, Used::of(turn));
    if turn.world.faults.strike("quota-instances").is_some() {
        used.instances = quota.instances;
    }
    if turn.world.faults.strike("quota-cores").is_some() {
        used.cores = quota.cores;
    }
    let lines = [
        ("instances", 1, used.instances, quota.instances),
        ("cores", cores, used.cores, quota.cores),
        ("ram", ram_mb, used.ram_mb, quota.ram_mb),
    ];
    match lines.into_iter().find(|(_, asked, used, most)| used + asked > *most) {
        None => Ok(()),
        Some((what, asked, used, most)) => Err(Refusal::forbidden(format!(
            "Quota exceeded for {what}: Requested {asked}, but already used {used} of {most} {what}"
        ))),
    }
}
