//! `doctor`: what is reachable, and which layer fails.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use reseal_lab::Mode;
use reseal_lab::clock::JumpClock;
use reseal_machine::Clock;
use reseal_spec::model::{Cloud, Provider};
use serde_json::json;

use super::args::{Runs, Values};
use super::open;
use super::rehearse::start_lab;
use crate::VERSION;
use crate::console::Console;
use crate::console::text::pad;
use crate::exit::Exit;
use crate::rim::clock::SystemClock;
use crate::rim::env::Env;
use crate::wiring;

/// `doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// A spec whose cloud is to be looked at; without it the cloud that the variables name.
    pub spec: Option<PathBuf>,
    /// The run folder.
    #[command(flatten)]
    pub runs: Runs,
}

/// One thing that was looked at.
struct Look {
    name: String,
    ok: bool,
    detail: String,
    hint: Option<String>,
}

impl Look {
    fn good(name: &str, detail: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            ok: true,
            detail: detail.into(),
            hint: None,
        }
    }

    fn bad(name: &str, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            ok: false,
            hint: Some(hint.into()),
            ..Self::good(name, detail)
        }
    }
}

/// Looks at everything from here to the cloud's services. What fails here is told apart from what fails there.
pub(super) async fn doctor(command: &Doctor, env: &Env, console: &Console) -> Exit {
    let wanted = match &command.spec {
        Some(spec) => match wanted(spec, &command.runs.folder, env, console) {
            Ok(cloud) => cloud,
            Err(exit) => return exit,
        },
        None => Cloud {
            provider: Provider::Lab,
            ..no_cloud()
        },
    };
    let mut looks = vec![
        Look::good(
            "reseal",
            format!("{VERSION} on {} {}", std::env::consts::OS, std::env::consts::ARCH),
        ),
        variables(env),
        runs(&command.runs.folder),
        lab().await,
    ];
    let here = looks.iter().all(|look| look.ok);
    looks.extend(cloud(&wanted, env, console).await);
    show(&looks, console);
    match (here, looks.iter().all(|look| look.ok)) {
        (false, _) => Exit::Internal,
        (true, false) => Exit::Cloud,
        (true, true) => Exit::Ok,
    }
}

fn no_cloud() -> Cloud {
    Cloud {
        provider: Provider::Lab,
        cloud: None,
        region: None,
        availability_zone: None,
    }
}

fn wanted(spec: &Path, runs: &Path, env: &Env, console: &Console) -> Result<Cloud, Exit> {
    let (document, _) = open::sound(spec, &Values::default(), env, console, runs, open::build_facts())?;
    let cloud = document.loaded.specs.first().map(|spec| spec.cloud.clone());
    cloud.ok_or(Exit::Input)
}

/// Names only: values may be secrets.
fn variables(env: &Env) -> Look {
    let names = env.names_with_prefix("OS_");
    if names.is_empty() {
        Look::good(
            "variables",
            "no OS_* variable is set; credentials can only come from clouds.yaml",
        )
    } else {
        Look::good("variables", format!("set: {}", names.join(", ")))
    }
}

fn runs(folder: &Path) -> Look {
    let probe = folder.join(".doctor");
    let made = fs::create_dir_all(folder)
        .and_then(|()| fs::write(&probe, b"x"))
        .and_then(|()| fs::remove_file(&probe));
    match made {
        Ok(()) => Look::good("run folder", format!("{} can be written", folder.display())),
        Err(error) => Look::bad(
            "run folder",
            format!("{}: {error}", folder.display()),
            "`-runs FOLDER` keeps runs elsewhere",
        ),
    }
}

async fn lab() -> Look {
    let clock: Arc<dyn Clock> = Arc::new(JumpClock::new(SystemClock::new(1).now()));
    match start_lab(Mode::Nhn, clock, &[], 1).await {
        Ok(lab) => {
            let address = lab.auth_url();
            lab.shutdown().await;
            Look::good("lab", format!("served at {address}: `reseal rehearse` works here"))
        }
        Err(error) => Look::bad("lab", error.to_string(), "loopback must take connections (127.0.0.1)"),
    }
}

async fn cloud(wanted: &Cloud, env: &Env, console: &Console) -> Vec<Look> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(env.hurry()));
    let config = match wiring::cloud_config(wanted, env, clock, &console.scrubber) {
        Ok(config) => config,
        Err(error) => {
            return vec![Look::bad("credentials", error.message.clone(), error.hints.join("; "))];
        }
    };
    let kind = match &config.credentials.auth {
        reseal_openstack::Auth::Password { .. } => "user and password",
        reseal_openstack::Auth::ApplicationCredential { .. } => "an application credential",
        reseal_openstack::Auth::Token { .. } => "a token",
    };
    let mut looks = vec![Look::good(
        "credentials",
        format!("{kind} for {}", config.credentials.auth_url),
    )];
    looks.extend(reseal_openstack::check(config).await.into_iter().map(|check| Look {
        name: check.name,
        ok: check.ok,
        detail: check.detail,
        hint: check.hint,
    }));
    looks
}

fn show(looks: &[Look], console: &Console) {
    if console.is_json() {
        let checks: Vec<_> = looks
            .iter()
            .map(|look| json!({ "name": look.name, "ok": look.ok, "detail": look.detail, "hint": look.hint }))
            .collect();
        return console.document(
            "doctor",
            json!({ "ok": looks.iter().all(|look| look.ok), "checks": checks }),
        );
    }
    for look in looks {
        let sign = if look.ok { "ok  " } else { "FAIL" };
        console.line(&format!("{sign}  {}  {}", pad(&look.name, 16), look.detail));
        for hint in look.hint.iter().flat_map(|hint| hint.split("; ")) {
            console.line(&format!("      {}  hint: {hint}", pad("", 16)));
        }
    }
}
