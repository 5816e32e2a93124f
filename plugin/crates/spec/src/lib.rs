//! What the user writes, what it means, and every complaint between the two.
//!
//! [`load`] turns the text of a spec into one [`Spec`] for each combination of its matrix, and a list of diagnostics;
//! it never fails and never touches the file system, the environment or the clock. The types in [`model`] are the
//! truth: [`schema::schema`] is derived from them. This crate knows no cloud and no protocol.
//!
//! Start reading at [`mod@load`], then [`model`].

pub mod load;
pub mod model;
pub mod schema;
pub mod steps;
pub mod template;

pub use load::{BuildInfo, Files, Inputs, Loaded, load};
pub use model::{Origin, Spec, SpecStep};
