//! From a spec and facts to a plan, and the actions that carry the plan out.
//!
//! - [`facts`] asks the cloud what a plan must know.
//! - [`plan`] is pure: spec and facts in, steps and complaints out.
//! - [`actions`] are what the engine runs; they reach the cloud and the guest through [`world::World`].
//! - [`identity`] makes the keys and the certificate of one build.

pub mod actions;
pub mod facts;
pub mod identity;
pub mod lock;
pub mod plan;
pub mod problem;
pub mod secrets;
pub mod world;

mod wildcard;

pub use wildcard::matches;
