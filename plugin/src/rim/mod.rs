//! What belongs to the operating system: clock, environment, files, chance. The only place that asks for them.

pub mod clock;
pub mod env;
pub mod files;
pub mod net;
pub mod random;
pub mod spool;
