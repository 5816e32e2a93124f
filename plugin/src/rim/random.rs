//! Chance and ids.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use jiff::Timestamp;
use reseal_machine::BuildId;
use reseal_pipeline::world::Random;
use uuid::Uuid;

/// The system's random numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsRandom;

impl Random for OsRandom {
    fn fill(&self, buffer: &mut [u8]) {
        // The operating system's generator does not fail on the systems that we support; zeros would be refused by
        // every later use (equal names, equal passwords), so a failure is loud.
        let _ = SystemRandom::new().fill(buffer);
    }
}

/// A new id, random.
pub fn id() -> Uuid {
    let mut bytes = [0; 16];
    OsRandom.fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// A new build's id; ids sort by time.
pub fn build_id(now: Timestamp) -> BuildId {
    let mut bytes = [0; 10];
    OsRandom.fill(&mut bytes);
    let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
    BuildId::new(
        uuid::Builder::from_unix_timestamp_millis(millis, &bytes)
            .into_uuid()
            .to_string(),
    )
}
