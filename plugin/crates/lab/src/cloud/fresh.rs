//! Eventual consistency, always on: a new object is not there for one look and not listed for two.

use jiff::{SignedDuration, Timestamp};

/// After this time everybody sees everything.
const SETTLED: SignedDuration = SignedDuration::from_secs(60);

/// How often a new object has been looked for.
#[derive(Debug)]
pub(crate) struct Fresh {
    born: Timestamp,
    looks: u32,
    hidden: u32,
}

impl Fresh {
    /// Made just now.
    pub(crate) fn new(born: Timestamp) -> Self {
        Self { born, looks: 0, hidden: 1 }
    }

    /// Made just now, not there for `hidden` looks.
    pub(crate) fn hidden(born: Timestamp, hidden: u32) -> Self {
        Self { born, looks: 0, hidden }
    }

    /// Whether one look by id finds it. Counts the look.
    pub(crate) fn shown(&mut self, now: Timestamp) -> bool {
        self.look(now, self.hidden)
    }

    /// Whether a list has it. Counts the look.
    pub(crate) fn listed(&mut self, now: Timestamp) -> bool {
        self.look(now, self.hidden.max(2))
    }

    fn look(&mut self, now: Timestamp, hidden: u32) -> bool {
        let looks = self.looks;
        self.looks = looks.saturating_add(1);
        looks >= hidden || now.duration_since(self.born) >= SETTLED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_look_misses_and_two_lists_miss() {
        let now = Timestamp::UNIX_EPOCH;
        let mut fresh = Fresh::new(now);
        assert!(!fresh.shown(now));
        assert!(fresh.shown(now));
        let mut fresh = Fresh::new(now);
        assert!(!fresh.listed(now) && !fresh.listed(now));
        assert!(fresh.listed(now));
        assert!(Fresh::new(now).listed(now + SETTLED));
    }
}
