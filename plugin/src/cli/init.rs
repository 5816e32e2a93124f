//! `init`: a spec to begin with, its schema, and a CI file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use reseal_spec::model::Provider;
use reseal_spec::starter;

use crate::console::Console;
use crate::console::text::quoted;
use crate::exit::Exit;

/// The schema's file name, beside the spec.
const SCHEMA: &str = "reseal.v1.schema.json";

/// `init`.
#[derive(Debug, Args)]
pub struct Init {
    /// The spec to write, or a folder for it.
    #[arg(default_value = "windows.reseal.yaml")]
    pub spec: PathBuf,
    /// Which family of clouds the image is built on.
    #[arg(long, value_enum, default_value = "nhn")]
    pub provider: Family,
    /// Write a CI file too.
    #[arg(long, value_enum)]
    pub ci: Option<System>,
    /// Replace files that are there already.
    #[arg(long)]
    pub force: bool,
}

/// Which family of clouds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Family {
    /// NHN Cloud.
    Nhn,
    /// Upstream OpenStack.
    Openstack,
    /// The built-in lab.
    Lab,
}

/// Which CI system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum System {
    /// GitHub Actions.
    Github,
    /// GitLab CI.
    Gitlab,
}

/// Writes the files; none when one is there already.
pub(super) fn init(command: &Init, console: &Console) -> Exit {
    let spec = place(&command.spec);
    let files = files(command, &spec);
    if !command.force && refuses(&files, console) {
        return Exit::Input;
    }
    for (path, text) in &files {
        if let Err(error) = write(path, text) {
            console.error(&format!("cannot write `{}`: {error}", path.display()), &[]);
            return Exit::Input;
        }
        console.say(&format!("wrote {}", path.display()));
    }
    let spec = quoted(&spec.display().to_string());
    console.say(&format!("next: reseal validate {spec}"));
    console.say(&format!(
        "      reseal rehearse {spec}    # builds it in the lab, without a cloud"
    ));
    Exit::Ok
}

/// Where the spec goes: into a folder under the usual name, else to the name given; a name without an ending gets ours.
fn place(wanted: &Path) -> PathBuf {
    let is_folder = wanted.is_dir() || wanted.as_os_str().to_string_lossy().ends_with('/');
    if is_folder {
        wanted.join("windows.reseal.yaml")
    } else if wanted.extension().is_none() {
        wanted.with_extension("reseal.yaml")
    } else {
        wanted.to_owned()
    }
}

fn files(command: &Init, spec: &Path) -> Vec<(PathBuf, String)> {
    let provider = match command.provider {
        Family::Nhn => Provider::Nhn,
        Family::Openstack => Provider::Openstack,
        Family::Lab => Provider::Lab,
    };
    let schema = serde_json::to_string_pretty(&reseal_spec::schema::schema()).unwrap_or_default();
    let mut files = vec![
        (spec.to_owned(), starter::starter(provider, SCHEMA)),
        (spec.with_file_name(SCHEMA), format!("{schema}\n")),
    ];
    let name = quoted(&spec.display().to_string());
    files.extend(command.ci.map(|ci| match ci {
        System::Github => (
            PathBuf::from(".github/workflows/image.yml"),
            starter::github_workflow(&name),
        ),
        System::Gitlab => (PathBuf::from(".gitlab-ci.yml"), starter::gitlab_pipeline(&name)),
    }));
    files
}

/// Whether one of the files is somebody's. An older schema of ours is not: it may be written again.
fn refuses(files: &[(PathBuf, String)], console: &Console) -> bool {
    let ours = |path: &Path| path.file_name().is_some_and(|name| name == SCHEMA);
    let there: Vec<String> = files
        .iter()
        .filter(|(path, _)| path.exists() && !ours(path))
        .map(|(path, _)| format!("`{}`", path.display()))
        .collect();
    if there.is_empty() {
        return false;
    }
    let hint = "name another file, or give `-force` to replace".to_owned();
    console.error(&format!("already there: {}", there.join(", ")), &[hint]);
    true
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_an_ending_gets_ours() {
        let check = |given: &str, expect: &str| assert_eq!(place(Path::new(given)), PathBuf::from(expect));
        check("my-image", "my-image.reseal.yaml");
        check("a/my-image.reseal.yaml", "a/my-image.reseal.yaml");
        check("web.yaml", "web.yaml");
        check("specs/", "specs/windows.reseal.yaml");
    }
}
