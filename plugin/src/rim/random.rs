//! Chance and ids.

use jiff::Timestamp;
use rand::TryRngCore as _;
use rand::rngs::OsRng;
use reseal_machine::BuildId;
use reseal_pipeline::world::Random;
use uuid::Uuid;

/// The system's random numbers, asked directly: libraries with generators of their own take tens of milliseconds to start.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsRandom;

impl Random for OsRandom {
    #[expect(clippy::panic, reason = "nothing may go on with a password of zeros")]
    fn fill(&self, buffer: &mut [u8]) {
        if let Err(error) = OsRng.try_fill_bytes(buffer) {
            panic!("the operating system has no random numbers: {error}");
        }
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
