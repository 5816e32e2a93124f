//! The fake cloud: Keystone, Nova, Glance, Cinder and Neutron over HTTP on loopback.
//!
//! A request comes in at [`front`], becomes an [`ask::Ask`], is checked for its token, and is answered by one of the
//! five services while it alone holds the [`state::State`]. Every state is a function of the clock: before each answer
//! [`settle`] carries out what became due since the last one. What the lab does not know, it refuses.

mod access;
mod ask;
mod clockwork;
mod compute;
mod discovery;
mod faults;
mod fresh;
mod front;
mod identity;
mod ids;
mod image;
mod mode;
mod network;
mod offer;
mod paging;
mod quota;
mod reply;
mod report;
mod settle;
mod state;
mod volume;
mod world;

pub use faults::FAULTS;
pub use mode::Mode;
pub use quota::Quota;
pub(crate) use world::{World, start};
