//! What the project may use: exactly what the asked number of builds needs, so that a leak is felt at once.

/// The project's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Servers.
    pub instances: u32,
    /// Virtual CPUs.
    pub cores: u32,
    /// RAM, MB.
    pub ram_mb: u32,
    /// Volumes.
    pub volumes: u32,
    /// Sum of all volumes, GB.
    pub gigabytes: u32,
    /// Floating addresses.
    pub floating_ips: u32,
    /// Security groups beside `default`.
    pub security_groups: u32,
    /// Key pairs.
    pub keypairs: u32,
}

impl Quota {
    /// Enough for this many builds at the same time: each has a build machine and, later, one that verifies.
    pub const fn for_builds(builds: u32) -> Self {
        Self {
            instances: 2 * builds,
            cores: 8 * builds,
            ram_mb: 32_768 * builds,
            volumes: 2 * builds,
            gigabytes: 400 * builds,
            floating_ips: 2 * builds,
            security_groups: 2 * builds,
            keypairs: 2 * builds,
        }
    }
}
