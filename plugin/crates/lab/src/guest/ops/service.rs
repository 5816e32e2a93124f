//! `service`: how a service starts and whether it runs, with the refusals of the real ones.

use serde::Deserialize;
use serde_json::Value;

use super::{Answered, Cx, Done, Failure, Step, Then, read};
use crate::guest::machine::WinRmState;
use crate::guest::windows::Service;

/// Windows does not let go of these: they accept no stop, or guard themselves.
const UNSTOPPABLE: [&str; 8] = [
    "rpcss",
    "dcomlaunch",
    "rpceptmapper",
    "schedule",
    "gpsvc",
    "mpssvc",
    "bfe",
    "windefend",
];

/// The service through which the question came.
const OURS: &str = "winrm";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    id: String,
    start: Option<String>,
    state: Option<String>,
    #[expect(dead_code, reason = "services of the lab obey at once, or not at all")]
    wait_seconds: f64,
}

/// `service`.
pub fn service(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Wanted = read(input)?;
    let start = wanted.start.as_deref().map(start_type).transpose()?;
    let key = wanted.id.to_lowercase();
    let Some(service) = cx.state.disk.services.get_mut(&key) else {
        return Err(Failure::new(
            "unknown_service",
            format!("There is no service named {}.", wanted.id),
        ));
    };
    let before = service.clone();
    // The start type comes first, unless it is "disabled": a disabled service cannot be started.
    if let Some(start) = start.filter(|start| *start != "Disabled") {
        start.clone_into(&mut service.start);
    }
    let acted = match wanted.state.as_deref() {
        Some(state) => act(service, &key, state)?,
        None => false,
    };
    if let Some(start) = start {
        start.clone_into(&mut service.start);
    }
    let (now, changed) = (service.clone(), *service != before || acted);
    if key == "cloudbase-init" {
        cx.state.disk.cloudbase.start.clone_from(&now.start);
    }
    let step = Step {
        seconds: 2.0,
        ..Step::either(changed, wanted.id)
    };
    let done = step.done()?;
    Ok(if key == OURS && acted {
        cut_off(cx, &now, done)
    } else {
        done
    })
}

fn start_type(word: &str) -> Result<&'static str, Failure> {
    match word {
        "automatic" => Ok("Auto"),
        "automatic_delayed" => Ok("AutoDelayed"),
        "manual" => Ok("Manual"),
        "disabled" => Ok("Disabled"),
        other => Err(Failure::new("invalid_input", format!("start is `{other}`"))),
    }
}

/// Starts or stops it; whether anything was done.
fn act(service: &mut Service, key: &str, state: &str) -> Result<bool, Failure> {
    let name = service.name.clone();
    let stops = matches!(state, "stopped" | "restarted") && service.running;
    if stops && UNSTOPPABLE.contains(&key) {
        let message = format!("Service '{name}' cannot be stopped: the service refuses.");
        return Err(Failure::thrown(message));
    }
    let starts = match state {
        "running" => !service.running,
        "restarted" => true,
        "stopped" => false,
        other => return Err(Failure::new("invalid_input", format!("state is `{other}`"))),
    };
    if starts && service.start == "Disabled" {
        return Err(Failure::thrown(format!(
            "Service '{name}' cannot be started due to the following error: Cannot start service {name} on computer '.'."
        )));
    }
    service.running = state != "stopped";
    Ok(starts || stops)
}

/// Whoever stops or restarts WinRM through WinRM gets no answer; after a stop nobody ever does.
fn cut_off(cx: &mut Cx<'_>, now: &Service, done: Done) -> Done {
    if !now.running {
        cx.state.live.winrm = WinRmState::Down;
    }
    cx.state.live.run.cancel();
    cx.state.live.run = tokio_util::sync::CancellationToken::new();
    Done {
        then: Then::Silence,
        ..done
    }
}
