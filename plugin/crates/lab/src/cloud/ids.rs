//! Ids that are never used twice: a hash of the lab's seed and a counter, in the form of a UUID.

use sha2::{Digest, Sha256};

/// Hands out ids.
#[derive(Debug)]
pub(crate) struct Ids {
    seed: u64,
    next: u64,
}

impl Ids {
    /// Ids that follow from `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, next: 0 }
    }

    /// The next id.
    pub(crate) fn next(&mut self) -> String {
        self.next += 1;
        uuid_of(&format!("{}/{}", self.seed, self.next))
    }

    /// The next small number below `below`, for jitter.
    pub(crate) fn jitter(&mut self, below: u64) -> u64 {
        self.next += 1;
        let hash = Sha256::digest(format!("{}/{}/jitter", self.seed, self.next));
        hash.iter().take(4).fold(0, |sum, byte| sum * 256 + u64::from(*byte)) % below.max(1)
    }
}

/// A UUID (in the form of version 4) that follows from a text.
pub(crate) fn uuid_of(text: &str) -> String {
    let hash = Sha256::digest(text);
    let mut bytes = [0_u8; 16];
    bytes.iter_mut().zip(hash.iter()).for_each(|(to, from)| *to = *from);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// 32 hex digits that follow from a text: tenants, users, checksums.
pub(crate) fn hex32_of(text: &str) -> String {
    let hash = Sha256::digest(text);
    hex::encode(hash.iter().take(16).copied().collect::<Vec<_>>())
}

/// A secret of 32 hex digits. Random, never from the seed.
pub(crate) fn secret() -> String {
    hex::encode(rand::random::<[u8; 16]>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_from_the_seed_and_differ() {
        let (mut one, mut same, mut other) = (Ids::new(1), Ids::new(1), Ids::new(2));
        let first = one.next();
        assert_eq!(first, same.next());
        assert_ne!(first, other.next());
        assert_ne!(first, one.next());
        assert_eq!(first.len(), 36);
        assert!(one.jitter(10) < 10);
    }
}
