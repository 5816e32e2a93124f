//! What the project has, and what it was given.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::access::Token;
use super::compute::{Keypair, Server};
use super::ids::Ids;
use super::image::Image;
use super::network::{FloatingIp, Group};
use super::volume::Volume;

/// Everything that changes. Keys are ids (for key pairs, names).
pub(crate) struct State {
    pub(crate) ids: Ids,
    /// All tokens ever given out.
    pub(crate) tokens: BTreeMap<String, Token>,
    /// All user data ever given.
    pub(crate) user_data: Vec<Vec<u8>>,
    /// All `adminPass` ever given out.
    pub(crate) admin_passwords: Vec<String>,
    pub(crate) servers: BTreeMap<String, Server>,
    pub(crate) keypairs: BTreeMap<String, Keypair>,
    pub(crate) volumes: BTreeMap<String, Volume>,
    /// The project's own images.
    pub(crate) images: BTreeMap<String, Image>,
    pub(crate) groups: BTreeMap<String, Group>,
    pub(crate) floating_ips: BTreeMap<String, FloatingIp>,
}

impl State {
    /// A project with nothing but its `default` security group.
    pub(crate) fn new(seed: u64, now: Timestamp) -> Self {
        let mut ids = Ids::new(seed);
        let default = Group::default_group(ids.next(), now);
        Self {
            ids,
            tokens: BTreeMap::new(),
            user_data: Vec::new(),
            admin_passwords: Vec::new(),
            servers: BTreeMap::new(),
            keypairs: BTreeMap::new(),
            volumes: BTreeMap::new(),
            images: BTreeMap::new(),
            groups: BTreeMap::from([(default.id.clone(), default)]),
            floating_ips: BTreeMap::new(),
        }
    }
}
