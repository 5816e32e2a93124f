//! `packer`: this program as Packer's plugin, put where Packer looks.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use reseal_packer::{binary_name, checksum_name, go_arch, go_os};
use sha2::{Digest as _, Sha256};

use crate::VERSION;
use crate::console::Console;
use crate::exit::Exit;
use crate::rim::env::{self, Env};

/// `packer`.
#[derive(Debug, Subcommand)]
pub enum Packer {
    /// Put this program where Packer looks for plugins.
    Install(Install),
}

/// `packer install`.
#[derive(Debug, Args)]
pub struct Install {
    /// The address that templates name in `required_plugins`.
    #[arg(long, value_name = "HOST/OWNER/NAME", default_value = "github.com/reseal/reseal")]
    pub source: String,
    /// Write the plugin and its checksum into this folder instead, for a release.
    #[arg(long, value_name = "FOLDER", conflicts_with = "source")]
    pub to: Option<PathBuf>,
}

/// Does it.
pub(super) fn packer(command: &Packer, env: &Env, console: &Console) -> Exit {
    let Packer::Install(install) = command;
    match put(install, env) {
        Ok(target) => {
            console.line(&format!(
                "Successfully installed plugin {} to {}",
                install.source,
                target.display()
            ));
            if install.to.is_none() {
                console.line(&block(&install.source));
            }
            Exit::Ok
        }
        Err(Refused { why, hint }) => {
            console.error(&why, &hint.into_iter().collect::<Vec<String>>());
            Exit::Input
        }
    }
}

/// Why nothing was installed.
struct Refused {
    why: String,
    hint: Option<String>,
}

impl Refused {
    fn new(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            hint: None,
        }
    }

    fn hint(self, hint: &str) -> Self {
        Self {
            hint: Some(hint.to_owned()),
            ..self
        }
    }
}

fn put(install: &Install, env: &Env) -> Result<PathBuf, Refused> {
    let program = env::program().map_err(|error| Refused::new(format!("this program cannot find itself: {error}")))?;
    let name = name(&install.source)?;
    let folder = match &install.to {
        Some(folder) => folder.clone(),
        None => install
            .source
            .split('/')
            .fold(plugins(env)?, |folder, part| folder.join(part)),
    };
    let target = folder.join(binary_name(name, VERSION, go_os(), go_arch()));
    write(&program, &target).map_err(|error| {
        Refused::new(format!("cannot write `{}`: {error}", target.display()))
            .hint("PACKER_PLUGIN_PATH names another folder for plugins")
    })?;
    Ok(target)
}

/// The plugin's name by its address, which must be one that Packer takes.
fn name(source: &str) -> Result<&str, Refused> {
    let wrong = |why: &str| Refused::new(format!("`{source}` is no address of a plugin: {why}"));
    let parts: Vec<&str> = source.split('/').collect();
    let name = parts.last().copied().unwrap_or_default();
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if parts.len() < 3 || parts.len() > 16 || parts.iter().any(|part| part.is_empty()) {
        Err(wrong("it has a host and two names, like `github.com/reseal/reseal`"))
    } else if parts
        .iter()
        .any(|part| *part == "." || *part == ".." || part.contains(['\\', '?', '#', ':']))
    {
        Err(wrong("it has no scheme, query or dots for folders"))
    } else if !name.chars().all(letters) || name.starts_with(['-']) || name.ends_with('-') || name.contains("--") {
        Err(wrong("its last part has letters, digits and single dashes"))
    } else if name.starts_with("packer-") {
        Err(wrong("its last part does not begin with `packer-`"))
    } else {
        Ok(name)
    }
}

/// Where Packer looks for plugins.
fn plugins(env: &Env) -> Result<PathBuf, Refused> {
    if let Some(path) = env.get("PACKER_PLUGIN_PATH") {
        let separator = if cfg!(windows) { ';' } else { ':' };
        if path.contains(separator) {
            let why = format!("PACKER_PLUGIN_PATH is `{path}`, and Packer takes one folder only");
            return Err(Refused::new(why));
        }
        return Ok(path.into());
    }
    let found = if cfg!(windows) { windows(env) } else { unix(env) };
    found
        .map(|config| config.join("plugins"))
        .ok_or_else(|| Refused::new("there is no home folder").hint("PACKER_PLUGIN_PATH names a folder for plugins"))
}

/// Packer's own order.
fn unix(env: &Env) -> Option<PathBuf> {
    let path = |name: &str| env.get(name).map(PathBuf::from);
    if let Some(config) = path("PACKER_CONFIG_DIR") {
        return Some(config.join(".packer.d"));
    }
    let old = path("HOME").map(|home| home.join(".packer.d"));
    if let Some(old) = old.filter(|old| old.is_dir()) {
        return Some(old);
    }
    let config = path("XDG_CONFIG_HOME").or_else(|| path("HOME").map(|home| home.join(".config")));
    config.map(|config| config.join("packer"))
}

fn windows(env: &Env) -> Option<PathBuf> {
    let config = env.get("PACKER_CONFIG_DIR").or_else(|| env.get("APPDATA"));
    config.map(|config| Path::new(&config).join("packer.d"))
}

/// Writes the program and its checksum; neither is ever seen half.
fn write(program: &Path, target: &Path) -> io::Result<()> {
    let bytes = fs::read(program)?;
    let folder = target.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let file_name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let sum = hex::encode(Sha256::digest(&bytes));
    place(&folder.join(checksum_name(&file_name)), sum.as_bytes(), 0o644)?;
    place(target, &bytes, 0o755)
}

fn place(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    fs::write(&beside, bytes)?;
    allow(Path::new(&beside), mode)?;
    fs::rename(&beside, path)
}

#[cfg(unix)]
fn allow(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn allow(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}

/// What a template needs.
fn block(source: &str) -> String {
    let name = source.rsplit('/').next().unwrap_or(source);
    format!(
        "\npacker {{\n  required_plugins {{\n    {name} = {{\n      version = \">= {VERSION}\"\n      source  = \"{source}\"\n    \
         }}\n  }}\n}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Env {
        Env::of(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    }

    #[test]
    fn addresses_are_as_packer_takes_them() {
        let check = |source: &str, good: bool| assert_eq!(name(source).is_ok(), good, "{source}");
        check("github.com/reseal/reseal", true);
        check("example.com/a/b/c-d", true);
        for wrong in [
            "reseal",
            "a/b",
            "https://a/b/c",
            "a//b",
            "a/b/packer-x",
            "a/b/x_y",
            "a/b/-x",
            "a/b/x--y",
            "a/../c",
        ] {
            check(wrong, false);
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_folder_is_packers() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().display().to_string();
        let check = |pairs: &[(&str, &str)], expect: &str| {
            assert_eq!(
                plugins(&env(pairs))
                    .ok()
                    .map(|path| path.display().to_string())
                    .as_deref(),
                Some(expect)
            );
        };
        check(&[("PACKER_PLUGIN_PATH", "/p"), ("HOME", "/h")], "/p");
        check(&[("PACKER_CONFIG_DIR", "/c"), ("HOME", "/h")], "/c/.packer.d/plugins");
        check(&[("XDG_CONFIG_HOME", "/x"), ("HOME", "/h")], "/x/packer/plugins");
        check(&[("HOME", &path)], &format!("{path}/.config/packer/plugins"));
        fs::create_dir(home.path().join(".packer.d")).unwrap();
        check(
            &[("HOME", &path), ("XDG_CONFIG_HOME", "/x")],
            &format!("{path}/.packer.d/plugins"),
        );
        assert!(plugins(&env(&[("PACKER_PLUGIN_PATH", "/a:/b")])).is_err());
        assert!(plugins(&env(&[])).is_err());
    }

    #[test]
    fn a_plugin_has_its_checksum_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        fs::write(&program, b"abc").unwrap();
        let target = folder.path().join("a/b/packer-plugin-x_v1.0.0_x5.0_linux_amd64");
        for _ in 0..2 {
            write(&program, &target).unwrap();
            assert_eq!(fs::read(&target).unwrap(), b"abc");
            let sum =
                fs::read_to_string(target.with_file_name("packer-plugin-x_v1.0.0_x5.0_linux_amd64_SHA256SUM")).unwrap();
            assert_eq!(sum, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
            assert_eq!(fs::read_dir(target.parent().unwrap()).unwrap().count(), 2);
        }
    }
}
