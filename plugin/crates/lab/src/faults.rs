//! Faults as data: what goes wrong, and how often.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// One fault that the lab knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultInfo {
    /// The name for `--fault`, e.g. `image-killed` or `appx`.
    pub name: &'static str,
    /// What happens, in one line.
    pub what: &'static str,
}

/// All faults that can be armed: the cloud's, then the guest's.
pub fn known() -> Vec<FaultInfo> {
    [crate::cloud::FAULTS, &crate::guest::faults()].concat()
}

/// A fault that was asked for: `name`, `name=argument`, and how many times it strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Armed {
    /// The argument after `=`, e.g. a package name or a number.
    pub argument: Option<String>,
    /// Strikes left; `None` is always.
    pub left: Option<u32>,
}

/// The faults of one lab.
#[derive(Debug, Default)]
pub struct Faults(Mutex<BTreeMap<String, Armed>>);

impl Faults {
    /// Arms a fault from its text: `name`, `name=argument`, `name*2` (twice), `name=argument*2`. Unknown names are the
    /// caller's to refuse: see `Lab::known_faults`.
    pub fn arm(&self, text: &str) {
        let (rest, left) = match text.rsplit_once('*') {
            Some((rest, count)) => match count.parse() {
                Ok(count) => (rest, Some(count)),
                Err(_) => (text, None),
            },
            None => (text, None),
        };
        let (name, argument) = match rest.split_once('=') {
            Some((name, argument)) => (name, Some(argument.to_owned())),
            None => (rest, None),
        };
        self.lock().insert(name.to_owned(), Armed { argument, left });
    }

    /// Whether the fault strikes now; counts the strike. The argument is empty when none was given.
    pub fn strike(&self, name: &str) -> Option<String> {
        let mut armed = self.lock();
        let fault = armed.get_mut(name)?;
        match &mut fault.left {
            Some(0) => return None,
            Some(left) => *left -= 1,
            None => {}
        }
        Some(fault.argument.clone().unwrap_or_default())
    }

    /// Whether the fault is armed, without counting.
    pub fn armed(&self, name: &str) -> Option<String> {
        let armed = self.lock();
        let fault = armed.get(name)?;
        (fault.left != Some(0)).then(|| fault.argument.clone().unwrap_or_default())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Armed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_as_often_as_it_was_armed() {
        let faults = Faults::default();
        faults.arm("appx=Microsoft.Winget.Source*2");
        assert_eq!(faults.strike("appx").as_deref(), Some("Microsoft.Winget.Source"));
        assert_eq!(faults.strike("appx").as_deref(), Some("Microsoft.Winget.Source"));
        assert_eq!(faults.strike("appx"), None);
        assert_eq!(faults.strike("never"), None);
    }
}
