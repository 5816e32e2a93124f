//! Random hurt that comes back with its seed.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use reseal_engine::hooks::{Hooks, Point, Strike};
use sha2::{Digest as _, Sha256};

/// One place in so many is hurt.
const ONE_IN: u8 = 5;

/// Repeats steps whose answers "were lost", each place at most once: what happened twice must have happened once.
pub(super) struct Chaos {
    seed: u64,
    struck: Mutex<BTreeSet<(Point, String)>>,
}

impl Chaos {
    /// Hurts the places that belong to the seed.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            struck: Mutex::default(),
        }
    }

    fn is_chosen(&self, point: Point, step: &str) -> bool {
        let place = format!("{} {point:?} {step}", self.seed);
        let byte = Sha256::digest(place.as_bytes()).first().copied().unwrap_or(1);
        byte.is_multiple_of(ONE_IN)
    }
}

impl Hooks for Chaos {
    fn at(&self, point: Point, step: &str) -> Strike {
        if !matches!(point, Point::Done | Point::Undone) || !self.is_chosen(point, step) {
            return Strike::Pass;
        }
        let mut struck = self.struck.lock().unwrap_or_else(PoisonError::into_inner);
        if struck.insert((point, step.to_owned())) {
            Strike::Repeat
        } else {
            Strike::Pass
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_hurts_the_same_places_once() {
        let places = |seed: u64| {
            let chaos = Chaos::new(seed);
            let steps: Vec<String> = (0..50).map(|number| format!("step/{number}")).collect();
            let hurt = |step: &String| chaos.at(Point::Done, step) == Strike::Repeat;
            let first: Vec<String> = steps.iter().filter(|step| hurt(step)).cloned().collect();
            assert!(!steps.iter().any(hurt), "a place is hurt once");
            first
        };
        assert!(!places(1).is_empty());
        assert_eq!(places(1), places(1));
        assert_ne!(places(1), places(2));
    }
}
