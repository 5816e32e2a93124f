//! `schema`: what editors want.

use clap::Args;

use crate::console::Console;
use crate::exit::Exit;

/// `schema`.
#[derive(Debug, Args)]
pub struct Schema {}

/// Prints the JSON Schema of specs.
pub(super) fn schema(_command: &Schema, console: &Console) -> Exit {
    console.line(&serde_json::to_string_pretty(&reseal_spec::schema::schema()).unwrap_or_default());
    Exit::Ok
}
