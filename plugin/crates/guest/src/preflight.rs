//! Facts about the guest before sysprep, and what they mean.

mod facts;
mod judge;

pub use self::facts::{
    AppxBlocker, AppxFacts, BitlockerVolume, Facts, Problem, Profile, Provider, ServiceFact, StoreFacts,
};
pub use self::judge::{Finding, Options, Severity, judge};
