//! Eventual consistency, always on: a new object is not there for one look and not listed for two.

use std::cell::Cell;

use jiff::{SignedDuration, Timestamp};

/// After this time everybody sees everything.
const SETTLED: SignedDuration = SignedDuration::from_secs(60);

/// How often a new object has been looked for.
#[derive(Debug)]
pub(crate) struct Fresh {
    born: Timestamp,
    looks: Cell<u32>,
    hidden: u32,
}

impl Fresh {
    /// Made just now.
    pub(crate) fn new(born: Timestamp) -> Self {
        Self {
            born,
            looks: Cell::new(0),
            hidden: 1,
        }
    }

    /// Made just now, not there for `hidden` looks; with 0 it was always there.
    pub(crate) fn hidden(born: Timestamp, hidden: u32) -> Self {
        Self {
            born,
            looks: Cell::new(0),
            hidden,
        }
    }

    /// Whether one look by id finds it. Counts the look.
    pub(crate) fn shown(&self, now: Timestamp) -> bool {
        self.look(now, self.hidden)
    }

    /// Whether a list has it. Counts the look.
    pub(crate) fn listed(&self, now: Timestamp) -> bool {
        let hidden = if self.hidden == 0 { 0 } else { self.hidden.max(2) };
        self.look(now, hidden)
    }

    fn look(&self, now: Timestamp, hidden: u32) -> bool {
        let looks = self.looks.get();
        self.looks.set(looks.saturating_add(1));
        looks >= hidden || now.duration_since(self.born) >= SETTLED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_look_misses_and_two_lists_miss() {
        let now = Timestamp::UNIX_EPOCH;
        let fresh = Fresh::new(now);
        assert!(!fresh.shown(now));
        assert!(fresh.shown(now));
        let fresh = Fresh::new(now);
        assert!(!fresh.listed(now) && !fresh.listed(now));
        assert!(fresh.listed(now));
        assert!(Fresh::new(now).listed(now + SETTLED));
    }
}
