//! Windows Update in rounds: what is offered depends on what has been installed and on reboots in between.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answered, Cx, Failure, Step, read};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    round: u32,
    rounds: u32,
    categories: Vec<String>,
    include: Vec<String>,
    exclude: Vec<String>,
    server: String,
    timeout_seconds: f64,
}

struct Update {
    kb: &'static str,
    title: &'static str,
    category: &'static str,
    /// Offered from this round of reboots on.
    round: u32,
    reboot: bool,
    seconds: f64,
}

const UPDATES: [Update; 5] = [
    Update {
        kb: "KB5031539",
        title: "Servicing Stack Update",
        category: "security",
        round: 1,
        reboot: false,
        seconds: 40.0,
    },
    Update {
        kb: "KB5034770",
        title: "Cumulative Update for Windows Server",
        category: "security",
        round: 1,
        reboot: true,
        seconds: 600.0,
    },
    Update {
        kb: "KB5034439",
        title: "Security Update (Windows Recovery Environment)",
        category: "security",
        round: 1,
        reboot: false,
        seconds: 60.0,
    },
    Update {
        kb: "KB2267602",
        title: "Security Intelligence Update for Microsoft Defender Antivirus",
        category: "definition",
        round: 1,
        reboot: false,
        seconds: 30.0,
    },
    Update {
        kb: "KB5034614",
        title: "Cumulative Update for .NET Framework",
        category: "security",
        round: 2,
        reboot: true,
        seconds: 180.0,
    },
];

/// `windows_update`.
pub fn run(cx: &mut Cx<'_>, input: &Value) -> Answered {
    let wanted: Wanted = read(input)?;
    if !cx.detached || !cx.is_system() {
        let message = "Windows Update refuses a network logon.";
        return Err(Failure::new("access_denied", message).hresult(0x8007_0005));
    }
    if !["default", "windows_update", "microsoft_update"].contains(&wanted.server.as_str()) {
        return Err(Failure::new(
            "invalid_input",
            format!("the server is `{}`", wanted.server),
        ));
    }
    if let Some(code) = cx.faults().strike("update-service") {
        let number = u32::from_str_radix(code.trim_start_matches("0x"), 16).unwrap_or(0x8024_401c);
        return Err(Failure::new("update_service", "the update service cannot be reached").hresult(number));
    }
    let offered: Vec<&Update> = UPDATES.iter().filter(|update| offered(cx, update, &wanted)).collect();
    let seconds = 30.0 + offered.iter().map(|update| update.seconds).sum::<f64>();
    if seconds > wanted.timeout_seconds {
        let seconds = wanted.timeout_seconds;
        return Err(Failure {
            seconds,
            ..Failure::new("timeout", "the updates did not end in time")
        });
    }
    let items: Vec<Value> = offered.iter().map(|update| install(cx, update)).collect();
    let ended = |state: &str| items.iter().filter(|item| item["state"] == state).count();
    let (good, bad) = (ended("installed"), ended("failed"));
    let last = wanted.round >= wanted.rounds;
    if bad > 0 && last {
        let message = format!("{bad} of {} updates failed.", items.len());
        return Err(Failure {
            hint: Some("leave out what cannot be installed".to_owned()),
            items,
            seconds,
            ..Failure::new("updates_failed", message)
        });
    }
    let reboot = items.iter().any(|item| item["reboot_required"] == true);
    cx.state.disk.pending.update |= reboot;
    let more = !items.is_empty() && !last;
    let log = items
        .iter()
        .map(|item| format!("{}: {}", item["id"], item["state"]))
        .collect();
    let detail = format!("{good} updates");
    Step {
        items,
        reboot_required: reboot,
        more,
        seconds,
        log,
        ..Step::either(good > 0, detail)
    }
    .done()
}

fn suits(update: &Update, wanted: &Wanted) -> bool {
    let named = |list: &[String]| list.iter().any(|kb| kb.eq_ignore_ascii_case(update.kb));
    let category = wanted
        .categories
        .iter()
        .any(|category| category == update.category || category == "all");
    (category || named(&wanted.include)) && !named(&wanted.exclude)
}

fn offered(cx: &Cx<'_>, update: &Update, wanted: &Wanted) -> bool {
    let new = !cx.state.disk.updates.contains(update.kb);
    new && update.round <= cx.state.live.update_round && suits(update, wanted)
}

fn install(cx: &mut Cx<'_>, update: &Update) -> Value {
    let armed = cx.faults().armed("update-fails");
    let fails = armed.is_some_and(|kb| kb.eq_ignore_ascii_case(update.kb));
    let (state, code) = if fails {
        ("failed", "0x80070643")
    } else {
        ("installed", "0x00000000")
    };
    if !fails {
        cx.state.disk.updates.insert(update.kb.to_owned());
    }
    json!({"id": update.kb, "title": update.title, "state": state, "code": code, "reboot_required": update.reboot && !fails})
}
