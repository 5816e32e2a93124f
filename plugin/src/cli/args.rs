//! The arguments, in Packer's words. Options may begin with one dash or two.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::{
    build, completions, doctor, explain, init, lab, packer, plan, preflight, rehearse, report, resume, schema, status,
    unattend, validate,
};
use crate::console::text::quoted;

/// Where runs are kept when nothing else is said.
pub const DEFAULT_RUNS: &str = ".reseal/runs";

/// Builds Windows golden images from one YAML file.
#[derive(Debug, Parser)]
#[command(name = "reseal", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = EXIT_CODES)]
pub struct Arguments {
    /// How things look.
    #[command(flatten)]
    pub look: Look,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Options may be written with one dash or two.

Exit codes:
   0  all is well                          7  answer file, preflight or sysprep failed
   1  a fault of this program, or a step   8  the image could not be made
      that did not end in time             9  the image does not hold what it should
   2  the spec or the command is wrong    10  plan: there is something to do
   4  the cloud refused, or is not well   11  the image is there, but something is left behind
   5  the guest cannot be reached        130  interrupted, and cleaned up
   6  a step of the software failed";

/// How things look.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct Look {
    /// Write JSON Lines to standard output instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// Write Packer's machine-readable lines to standard output.
    #[arg(long, global = true, conflicts_with = "json")]
    pub machine_readable: bool,
    /// When to use colour; true and false are understood too.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true
    )]
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
    /// Write a spec to begin with, its schema, and a CI file.
    Init(init::Init),
    /// Check specs: everything that can be known offline.
    Validate(validate::Validate),
    /// Show what a build would do.
    Plan(plan::PlanCommand),
    /// Build images.
    Build(build::Build),
    /// Build on this machine, in the built-in lab: real protocols, no cloud, no time.
    Rehearse(rehearse::Rehearse),
    /// Serve the built-in lab on loopback for any client.
    Lab(lab::Lab),
    /// Show builds that are not closed.
    Status(status::Status),
    /// Go on with a build from the step that failed.
    Resume(resume::Resume),
    /// Remove what builds have left.
    Cleanup(resume::Cleanup),
    /// Make the timeline of a build.
    Report(report::Report),
    /// Compile, check and compare answer files.
    #[command(subcommand)]
    Unattend(unattend::Unattend),
    /// Explain a code, or read sysprep's logs.
    Explain(explain::Explain),
    /// Say what is reachable, and which layer fails.
    Doctor(doctor::Doctor),
    /// This program as Packer's plugin.
    #[command(subcommand)]
    Packer(packer::Packer),
    /// Say whether sysprep would succeed on a guest, and cure what can be cured.
    Preflight(preflight::Preflight),
    /// Print the JSON Schema of specs.
    Schema(schema::Schema),
    /// Print the completions for a shell.
    Completions(completions::Completions),
}

/// Values for a spec's variables.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Variables and matrix")]
pub struct Values {
    /// Give a variable a value; may be repeated.
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = pair)]
    pub vars: Vec<(String, String)>,
    /// Take variables from a YAML or JSON file; may be repeated.
    #[arg(long = "var-file", value_name = "FILE")]
    pub var_files: Vec<PathBuf>,
    /// Only these builds of a matrix (names or patterns, with commas).
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Not these builds of a matrix.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub except: Vec<String>,
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

/// Where runs are kept.
#[derive(Debug, Clone, Args)]
pub struct Runs {
    /// Where runs are kept.
    #[arg(long = "runs", value_name = "FOLDER", default_value = DEFAULT_RUNS)]
    pub folder: PathBuf,
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
    /// Refuse to build when image, files or downloads are not what the lock beside the spec says.
    #[arg(long)]
    pub locked: bool,
    /// How many builds at once; 0 for all.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub parallel_builds: usize,
    /// Add the images to a manifest in the shape of Packer's.
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// The run folder.
    #[command(flatten)]
    pub runs: Runs,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as `name=value`")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Packer's habit: `-var x=1` is `--var x=1`. Short options of one letter, values, `-` and what follows `--` stay.
pub(super) fn with_two_dashes(arguments: Vec<OsString>) -> Vec<OsString> {
    let mut only_values = false;
    let mut one = |argument: OsString| {
        only_values |= argument == "--";
        match argument.to_str() {
            Some(text) if !only_values && is_long(text) => OsString::from(format!("-{text}")),
            _ => argument,
        }
    };
    arguments.into_iter().map(&mut one).collect()
}

fn is_long(text: &str) -> bool {
    let Some(name) = text.strip_prefix('-') else {
        return false;
    };
    let letters = name.split('=').next().unwrap_or(name);
    letters.len() > 1 && letters.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !name.starts_with('-')
}

/// The command as a person would type it again.
pub(super) fn typed(arguments: &[OsString]) -> String {
    let words = arguments.iter().skip(1).map(|word| quoted(&word.to_string_lossy()));
    let words: Vec<String> = std::iter::once("reseal".to_owned()).chain(words).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        let words = line.split(' ').map(OsString::from).collect();
        Arguments::try_parse_from(with_two_dashes(words))
    }

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
        let after: Vec<OsString> = vec!["--".into(), "-odd-name.yaml".into(), "-file".into()];
        assert_eq!(with_two_dashes(after.clone()), after);
    }

    #[test]
    fn packer_users_need_not_learn_new_words() {
        let parsed =
            parse("reseal build -color=false -on-error=ask -var a=b=c -parallel-builds=2 -only=x.* -force x.yaml");
        let parsed = parsed.unwrap();
        assert_eq!(parsed.look.color, Colour::Never);
        let Command::Build(build) = parsed.command else {
            panic!("another command");
        };
        assert_eq!(build.values.vars, [("a".to_owned(), "b=c".to_owned())]);
        assert_eq!((build.how.on_error, build.how.parallel_builds), (Some(OnError::Ask), 2));
        assert!(parse("reseal build -json -machine-readable x.yaml").is_err());
        assert!(parse("reseal build -var nothing x.yaml").is_err());
    }

    #[test]
    fn a_command_can_be_pasted() {
        let words = ["/usr/bin/reseal", "build", "my spec.yaml", "-var", "a=b"].map(OsString::from);
        assert_eq!(typed(&words), "reseal build 'my spec.yaml' -var a=b");
    }
}
