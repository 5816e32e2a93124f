//! What the engine runs. One file per action; their registered names are in [`registry`].

pub mod cloud;
pub mod guest;

use reseal_engine::Registry;

use crate::world::World;

/// All actions, bound to a world.
pub fn registry(world: &World) -> Registry {
    let mut registry = Registry::default();
    cloud::register(&mut registry, world);
    guest::register(&mut registry, world);
    registry
}
