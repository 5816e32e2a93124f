//! The border between the cloud and its machines.
//!
//! The cloud side knows servers, volumes and images and never looks inside a [`Disk`]. The guest side knows Windows
//! and never speaks of tenants. The cloud asks a [`MachineRoom`] for a [`Machine`] when a server is created.

use std::any::Any;
use std::net::IpAddr;
use std::sync::Arc;

/// What is on a root disk. Opaque to the cloud side: copied when an image is made, handed back when one is booted.
#[derive(Clone)]
pub struct Disk(pub Arc<dyn Any + Send + Sync>);

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Disk")
    }
}

/// Whether a machine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// Running, or booting.
    On,
    /// Off, by itself or by the cloud.
    Off,
}

/// What the cloud tells a new machine.
#[derive(Debug, Clone)]
pub struct BootRequest {
    /// The server's id, also its metadata instance id.
    pub server_id: String,
    /// The server's name.
    pub name: String,
    /// A copy of the image's disk.
    pub disk: Disk,
    /// The root volume's size, GB.
    pub disk_gb: u32,
    /// RAM, MB.
    pub ram_mb: u32,
    /// User data, base64 undone.
    pub user_data: Option<Vec<u8>>,
    /// The imported public keys, `ssh-rsa …`.
    pub public_keys: Vec<String>,
    /// The TCP ports that the security groups let in. Others are closed to the client.
    pub open_ports: Vec<u16>,
}

/// A machine as its cloud sees it. Every answer is for the present moment of the lab's clock.
pub trait Machine: Send + Sync {
    /// On or off.
    fn power(&self) -> Power;
    /// Starts it (again).
    fn power_on(&self);
    /// Takes the power away at once.
    fn power_off(&self);
    /// The loopback address that is its alone; WinRM listens there on 5985 and 5986 as on a real guest.
    fn address(&self) -> IpAddr;
    /// The state of its disk, for an image. Consistent only when it is off.
    fn disk(&self) -> Disk;
    /// What Cloudbase-Init posted to the metadata service: base64 of the encrypted password.
    fn posted_password(&self) -> Option<String>;
    /// What came out of its first serial port so far.
    fn console(&self) -> String;
    /// It is gone; listeners are closed.
    fn destroy(&self);
}

/// Makes machines.
pub trait MachineRoom: Send + Sync {
    /// Boots a machine. The boot itself takes the lab's time.
    fn boot(&self, request: BootRequest) -> Arc<dyn Machine>;
    /// A disk as it is in a provider's public image, by the image's name (`Windows 2022 STD(2026.03.10.) EN` …).
    fn provider_disk(&self, image_name: &str) -> Disk;
    /// A disk with bytes on it that no firmware starts: what becomes of an image whose file somebody uploaded.
    fn blank_disk(&self) -> Disk {
        Disk(Arc::new(()))
    }
}
