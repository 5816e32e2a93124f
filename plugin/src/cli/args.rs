//! The arguments, in Packer's words. Options may begin with one dash or two.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Builds Windows golden images from one YAML file.
#[derive(Debug, Parser)]
#[command(name = "reseal", version, propagate_version = true, max_term_width = 100)]
pub struct Arguments {
    /// How things look.
    #[command(flatten)]
    pub look: Look,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// How things look.
#[derive(Debug, Clone, Default, Args)]
pub struct Look {
    /// Write JSON Lines instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// Write Packer's machine-readable lines.
    #[arg(long, global = true, conflicts_with = "json")]
    pub machine_readable: bool,
    /// Use colour: auto, always, never (or true, false).
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Colour,
    /// Put the time before every line.
    #[arg(long, global = true)]
    pub timestamp_ui: bool,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal that has not asked for none.
    #[default]
    Auto,
    /// In any case.
    #[value(alias = "true")]
    Always,
    /// Not at all.
    #[value(alias = "false")]
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check specs: everything that can be known offline.
    Validate(Validate),
    /// Show what a build would do.
    Plan(PlanCommand),
    /// Build images.
    Build(Build),
    /// Build on this machine, in the built-in lab: real protocols, no cloud, no time.
    Rehearse(Rehearse),
    /// Serve the built-in lab on loopback for any client.
    Lab(Lab),
    /// Show builds that are not closed.
    Status(Status),
    /// Go on with a build.
    Resume(Resume),
    /// Remove what builds have left.
    Cleanup(Cleanup),
    /// Print the JSON Schema of specs.
    Schema(Schema),
}

/// Values for a spec's variables.
#[derive(Debug, Clone, Default, Args)]
pub struct Values {
    /// Give a variable a value.
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = pair)]
    pub vars: Vec<(String, String)>,
    /// Take variables from a YAML or JSON file.
    #[arg(long = "var-file", value_name = "FILE")]
    pub var_files: Vec<PathBuf>,
    /// Only these builds of a matrix (names or patterns, with commas).
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Not these builds of a matrix.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub except: Vec<String>,
}

/// `validate`.
#[derive(Debug, Args)]
pub struct Validate {
    /// The specs.
    #[arg(required = true)]
    pub specs: Vec<PathBuf>,
    /// Ask the cloud too.
    #[arg(long)]
    pub online: bool,
    #[command(flatten)]
    pub values: Values,
}

/// `plan`.
#[derive(Debug, Args)]
pub struct PlanCommand {
    /// The spec.
    pub spec: PathBuf,
    /// Exit with 10 when there is something to do.
    #[arg(long)]
    pub detailed_exitcode: bool,
    #[command(flatten)]
    pub values: Values,
}

/// What to do when a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnError {
    /// Remove everything.
    Cleanup,
    /// Keep everything; `resume` or `cleanup` goes on.
    Abort,
    /// Ask.
    Ask,
}

/// `build`.
#[derive(Debug, Args)]
pub struct Build {
    /// The specs.
    #[arg(required = true)]
    pub specs: Vec<PathBuf>,
    #[command(flatten)]
    pub how: How,
    #[command(flatten)]
    pub values: Values,
}

/// How to build.
#[derive(Debug, Clone, Args)]
pub struct How {
    /// What to do when a step fails; without it the spec's `on_error`.
    #[arg(long, value_name = "POLICY")]
    pub on_error: Option<OnError>,
    /// Build although nothing changed; replace an image of the same name.
    #[arg(long)]
    pub force: bool,
    /// How many builds at once; 0 for all.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub parallel_builds: usize,
    /// Where runs are kept.
    #[arg(long, value_name = "FOLDER", default_value = ".reseal/runs")]
    pub runs: PathBuf,
}

/// `rehearse`.
#[derive(Debug, Args)]
pub struct Rehearse {
    /// The spec.
    pub spec: PathBuf,
    /// Arm a fault of the lab (`reseal lab --faults` lists them).
    #[arg(long = "fault", value_name = "NAME[=ARGUMENT][*TIMES]")]
    pub faults: Vec<String>,
    /// Hurt the build at random places; the same seed hurts the same places.
    #[arg(long, value_name = "SEED")]
    pub chaos: Option<u64>,
    #[command(flatten)]
    pub how: How,
    #[command(flatten)]
    pub values: Values,
}

/// `lab`.
#[derive(Debug, Args)]
pub struct Lab {
    /// Which family of cloud to play.
    #[arg(long, value_enum, default_value = "nhn")]
    pub mode: LabMode,
    /// How much faster than the wall's the lab's time runs.
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub speed: u32,
    /// Arm a fault.
    #[arg(long = "fault", value_name = "NAME[=ARGUMENT][*TIMES]")]
    pub faults: Vec<String>,
    /// How many builds the quota allows at once.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub builds: u32,
    /// List the faults that can be armed, and end.
    #[arg(long = "faults")]
    pub list_faults: bool,
}

/// Which family of cloud to play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LabMode {
    /// NHN Cloud.
    Nhn,
    /// Upstream OpenStack.
    Openstack,
}

/// `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Also builds that are closed.
    #[arg(long)]
    pub all: bool,
    /// Where runs are kept.
    #[arg(long, value_name = "FOLDER", default_value = ".reseal/runs")]
    pub runs: PathBuf,
}

/// `resume`.
#[derive(Debug, Args)]
pub struct Resume {
    /// The build's id, or its beginning or end.
    pub id: String,
    /// What to do when a step fails.
    #[arg(long, value_name = "POLICY", default_value = "cleanup")]
    pub on_error: OnError,
    /// Where runs are kept.
    #[arg(long, value_name = "FOLDER", default_value = ".reseal/runs")]
    pub runs: PathBuf,
}

/// `cleanup`.
#[derive(Debug, Args)]
pub struct Cleanup {
    /// The build's id, or its beginning or end; without it all open builds of this folder.
    pub id: Option<String>,
    /// Look in the cloud for everything that carries the build's marks, also without a journal. Needs a spec for the
    /// cloud to ask.
    #[arg(long, value_name = "SPEC")]
    pub by_marks: Option<PathBuf>,
    /// Where runs are kept.
    #[arg(long, value_name = "FOLDER", default_value = ".reseal/runs")]
    pub runs: PathBuf,
}

/// `schema`.
#[derive(Debug, Args)]
pub struct Schema {}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as `name=value`")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Packer's habit: `-var x=1` is `--var x=1`. Short options of one letter, values and `-` stay as they are.
pub fn with_two_dashes(arguments: Vec<OsString>) -> Vec<OsString> {
    arguments
        .into_iter()
        .map(|argument| match argument.to_str() {
            Some(text) if is_long(text) => OsString::from(format!("-{text}")),
            _ => argument,
        })
        .collect()
}

fn is_long(text: &str) -> bool {
    let Some(name) = text.strip_prefix('-') else {
        return false;
    };
    let letters = name.split('=').next().unwrap_or(name);
    letters.len() > 1 && letters.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !name.starts_with('-')
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn one_dash_is_as_good_as_two() {
        let check = |given: &str, expect: &str| {
            assert_eq!(with_two_dashes(vec![given.into()]), [OsString::from(expect)], "{given}");
        };
        check("-var", "--var");
        check("-color=false", "--color=false");
        check("--var", "--var");
        check("-h", "-h");
        check("-", "-");
        check("-5", "-5");
    }
}
