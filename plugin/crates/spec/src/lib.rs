//! What the user writes, what it means, and every complaint between the two.
//!
//! [`load()`] turns the text of a spec into one [`Spec`] for each combination of its matrix, and a list of diagnostics;
//! it never fails and never touches the file system, the environment or the clock. The types in [`model`] are the
//! truth: [`schema::schema`] is derived from them. This crate knows no cloud and no protocol.
//!
//! Start reading at [`mod@load`], then [`model`].

mod build;
mod checks;
pub mod codes;
mod documents;
mod files;
pub mod load;
mod matrix;
pub mod model;
pub mod route;
pub mod schema;
mod shape;
pub mod starter;
pub mod steps;
pub mod template;
mod variables;
mod when;
mod yaml;

pub use codes::{CODES, explain};
pub use load::{BuildInfo, Files, Inputs, Loaded, load};
pub use model::{Origin, Spec, SpecStep};
