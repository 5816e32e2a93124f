//! Variables: their declarations, the values given from outside, and their places in texts.

mod declare;
mod fill;
mod scope;

pub(crate) use declare::{bad_name, declared, is_name};
pub(crate) use fill::{Filler, Form};
pub(crate) use scope::{Given, Known, Scope, builtins, given, spec_scope};
