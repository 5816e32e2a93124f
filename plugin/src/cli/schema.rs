//! `schema`: what editors check specs with, and what programs that read our output can rely on.

use clap::{Args, ValueEnum};
use reseal_journal::Entry;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::plan::PlanDocument;
use crate::console::timeline::Timeline;
use crate::console::{Console, Line};
use crate::exit::Exit;

/// `schema`.
#[derive(Debug, Args)]
pub struct Schema {
    /// Of what.
    #[arg(value_enum, default_value_t)]
    pub kind: Kind,
}

/// What has a schema.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A spec.
    #[default]
    Spec,
    /// A file of steps, for `use:`.
    Steps,
    /// What `plan -json` prints, a line for each build.
    Plan,
    /// A line of the journal in a run's folder, and `entry` in the lines of `build -json`.
    Journal,
    /// What `report -json` prints.
    Report,
}

/// Prints a JSON Schema, draft-07.
pub(super) fn schema(command: &Schema, console: &Console) -> Exit {
    let schema = of(command.kind);
    console.line(&serde_json::to_string_pretty(&schema).unwrap_or_default());
    Exit::Ok
}

/// The schema of `kind`.
fn of(kind: Kind) -> Value {
    match kind {
        Kind::Spec => reseal_spec::schema::schema(),
        Kind::Steps => reseal_spec::schema::part_schema(),
        Kind::Plan => written::<Line<'_, PlanDocument<'_>>>("Reseal plan, version 1"),
        Kind::Journal => written::<Entry>("Reseal journal entry, version 1"),
        Kind::Report => written::<Line<'_, Timeline>>("Reseal report, version 1"),
    }
}

/// The schema of what we write: members may be added, and readers skip what they do not know.
fn written<T: JsonSchema>(title: &str) -> Value {
    let settings = SchemaSettings::draft07().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), json!(title));
    }
    schema
}
