//! Facts about the guest before sysprep, and what they mean.

mod facts;
mod judge;
mod rules;

pub use self::facts::{
    AppxBlocker, AppxFacts, BitlockerVolume, Facts, Problem, Profile, Provider, ServiceFact, StoreFacts,
};
pub use self::judge::{Options, judge};
pub use self::rules::RULES;
pub use crate::rule::{Finding, Remedy, Rule, Severity};
