//! What several commands begin with: the spec with its variables, the chosen builds, the setting of one build.

use std::path::Path;
use std::sync::Arc;

use reseal_diag::SourceText;
use reseal_engine::Stop;
use reseal_machine::{Clock, Cloud};
use reseal_spec::model::AddressKind;
use reseal_spec::{BuildInfo, Spec};

use super::args::Values;
use super::tell;
use crate::console::Console;
use crate::exit::Exit;
use crate::rim::clock::SystemClock;
use crate::rim::env::Env;
use crate::rim::files::SpecFolder;
use crate::rim::net;
use crate::scrub::Scrubber;
use crate::session::{self, Document, Setting, Variables, Wishes};
use crate::wiring;

/// Build facts for commands that build nothing.
pub(crate) fn build_facts() -> BuildInfo {
    session::new_build(&SystemClock::new(1)).1
}

/// Reads a spec with everything that comes from outside; says what cannot be read.
pub(super) fn open(
    path: &Path,
    values: &Values,
    env: &Env,
    console: &Console,
    runs: &Path,
    build: BuildInfo,
) -> Result<(Document, SpecFolder), Exit> {
    let hint = "`reseal init` writes a spec to begin with".to_owned();
    read(path, console, &[hint])?;
    let mut files = Vec::new();
    for file in &values.var_files {
        files.push(SourceText::new(file.display().to_string(), read(file, console, &[])?));
    }
    let variables = Variables {
        vars: values.vars.clone(),
        files,
        environment: env.spec_variables(),
    };
    let folder = SpecFolder::of(path, runs, console.scrubber.clone());
    let document = Document::read(path, &folder, &variables, build).map_err(|error| {
        console.error(&format!("cannot read `{}`: {error}", path.display()), &[]);
        Exit::Input
    })?;
    let secrets = document.loaded.specs.iter().flat_map(|spec| spec.secrets.values());
    secrets.for_each(|secret| console.scrubber.learn(secret));
    Ok((document, folder))
}

/// As [`open`], and without an error in the spec.
pub(super) fn sound(
    path: &Path,
    values: &Values,
    env: &Env,
    console: &Console,
    runs: &Path,
    build: BuildInfo,
) -> Result<(Document, SpecFolder), Exit> {
    let (document, folder) = open(path, values, env, console, runs, build)?;
    match tell::diagnostics(console, &document.loaded.diagnostics) {
        Exit::Ok => Ok((document, folder)),
        exit => Err(exit),
    }
}

/// A text file, or what is wrong with it in words.
pub(super) fn read(path: &Path, console: &Console, hints: &[String]) -> Result<String, Exit> {
    let wrong = |why: &str, hints: &[String]| {
        console.error(&format!("cannot read `{}`: {why}", path.display()), hints);
        Exit::Input
    };
    if path.is_dir() {
        return Err(wrong("it is a folder", &["name a file in it".to_owned()]));
    }
    session::read_text(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => wrong("there is no such file", hints),
        _ => wrong(&error.to_string(), &[]),
    })
}

/// The builds that `-only` and `-except` leave; none is an error that says which there are.
pub(super) fn chosen<'a>(document: &'a Document, values: &Values, console: &Console) -> Result<Vec<&'a Spec>, Exit> {
    let (only, except) = (patterns(&values.only, console)?, patterns(&values.except, console)?);
    let fits = |patterns: &[glob::Pattern], name: &str| patterns.iter().any(|pattern| pattern.matches(name));
    let all = &document.loaded.specs;
    let wanted = |spec: &&Spec| (only.is_empty() || fits(&only, &spec.name)) && !fits(&except, &spec.name);
    let chosen: Vec<&Spec> = all.iter().filter(wanted).collect();
    if chosen.is_empty() && !all.is_empty() {
        let names: Vec<&str> = all.iter().map(|spec| spec.name.as_str()).collect();
        let hint = format!("there are {}", names.join(", "));
        console.error("`-only` and `-except` leave no build", &[hint]);
        return Err(Exit::Input);
    }
    Ok(chosen)
}

fn patterns(texts: &[String], console: &Console) -> Result<Vec<glob::Pattern>, Exit> {
    let one = |text: &String| {
        glob::Pattern::new(text).map_err(|error| {
            console.error(&format!("`{text}` is no pattern: {error}"), &[]);
            Exit::Input
        })
    };
    texts.iter().map(one).collect()
}

/// What the command line decides about a plan, and under which address the guest sees this machine.
pub(crate) fn wishes(
    spec: &Spec,
    env: &Env,
    clock: &Arc<dyn Clock>,
    scrubber: &Scrubber,
    force: bool,
    locked: bool,
) -> Wishes {
    let direct = spec.base.address == AddressKind::Fixed;
    let config = wiring::cloud_config(&spec.cloud, env, Arc::clone(clock), scrubber).ok();
    Wishes {
        provisioners: false,
        force,
        locked,
        runner: config.and_then(|config| net::runner(&config.credentials.auth_url, direct)),
    }
}

/// What a plan or a build needs.
pub(crate) fn setting(
    clock: Arc<dyn Clock>,
    cloud: Arc<dyn Cloud>,
    runs: &Path,
    folder: &SpecFolder,
    scrubber: &Scrubber,
) -> Setting {
    Setting {
        clock,
        cloud,
        runs: runs.to_owned(),
        folder: folder.clone(),
        scrubber: scrubber.clone(),
        stop: Stop::default(),
    }
}
