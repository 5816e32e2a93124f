//! Answers to the test's questions: what is left, what was captured, what is secret.

use super::world::World;
use crate::lab::{CapturedImage, Leftover};

impl World {
    pub(crate) fn leftovers(&self) -> Vec<Leftover> { Vec::new() }
    pub(crate) fn captured_images(&self) -> Vec<CapturedImage> { Vec::new() }
    pub(crate) fn secrets(&self) -> Vec<String> {
        let tenant = &self.tenant;
        let mut secrets = vec![tenant.password.clone(), tenant.application_secret.clone()];
        secrets.extend(self.state().tokens.keys().cloned());
        secrets
    }
    pub(crate) fn destroy_machines(&self) {}
}
