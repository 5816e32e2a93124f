//! What goes wrong at the first boot of a machine that was made of an image built here.
//!
//! From outside a clone that stops, one that loops and one that is slow look alike: the server stays `ACTIVE`, its
//! power state 1, and no instance action is recorded, because a guest's own restart never leaves the hypervisor. Only
//! the serial port, where a cloud keeps its output, tells them apart.

use jiff::Timestamp;

use super::answer::{self, Answer};
use super::boot::{self, Stage, UNATTEND_LOG};
use super::machine::{Event, Guest, State, after};
use super::windows::{GENERALIZED, UNDEPLOYABLE};
use crate::faults::Faults;

/// How much longer a slow first boot takes, minutes.
const SLOW: f64 = 12.0;

/// The argument of a fault, if it is armed and this machine is a clone.
pub(super) fn fault(state: &State, faults: &Faults, name: &str) -> Option<String> {
    faults.armed(name).filter(|_| state.disk.sealed > 0)
}

/// The seconds by which the first boot is slower.
pub(super) fn slowness(state: &mut State, faults: &Faults) -> f64 {
    let Some(minutes) = fault(state, faults, "clone-slow-boot") else {
        return 0.0;
    };
    state.live.say("Getting devices ready 4%");
    60.0 * minutes.parse().unwrap_or(SLOW)
}

/// The page at which Setup waits for a person.
pub(super) fn asks(state: &State, faults: &Faults) -> Option<String> {
    let page = fault(state, faults, "clone-asks")?;
    Some(if page.is_empty() {
        "language and region".to_owned()
    } else {
        page
    })
}

/// A boot that does not come to its end: one round of a loop, or the machine goes off. Says whether it is one.
pub(super) fn begins_again(state: &mut State, at: Timestamp, faults: &Faults) -> bool {
    if ![GENERALIZED, UNDEPLOYABLE].contains(&state.disk.setup.image_state) {
        return false;
    }
    let seconds = match fault(state, faults, "clone-boot-loop").as_deref() {
        Some("bugcheck") => 12.0,
        Some(_) => 25.0,
        None => return goes_off(state, at, faults),
    };
    under_way(state);
    boot::plan(state, at, 0.0, &[(seconds, Stage::Loop)]);
    true
}

fn goes_off(state: &mut State, at: Timestamp, faults: &Faults) -> bool {
    let off = fault(state, faults, "clone-powers-off").is_some();
    if off {
        under_way(state);
        state.live.plan(after(at, 30.0), Event::Down { restart: false });
    }
    off
}

fn under_way(state: &mut State) {
    state.disk.setup.image_state = UNDEPLOYABLE;
    state.disk.setup.generalization = 3;
    state.live.say("Getting ready");
}

/// The end of one round of the loop: what Setup or the kernel leaves, and the restart.
pub(super) fn fall(guest: &Guest, state: &mut State, at: Timestamp) {
    if fault(state, &guest.faults, "clone-boot-loop").as_deref() == Some("bugcheck") {
        state.live.say("Stop code: INACCESSIBLE BOOT DEVICE");
    } else {
        let rejection = answer::rejection_of_kind("unknown-setting");
        let log = rejection.log(at);
        state.disk.files.append(UNATTEND_LOG, &log, at);
        state.disk.files.append("C:\\Windows\\Panther\\setuperr.log", &log, at);
        state.live.say(rejection.dialog);
    }
    state.history.push("boot loop".to_owned());
    Guest::restart_in(state, at, 8.0);
}

/// Cloudbase-Init runs before OOBE, WinRM answers, and the restart that belongs to the first boot comes after it. Says
/// whether it is so.
pub(super) fn answers_and_restarts(state: &mut State, at: Timestamp, faults: &Faults) -> bool {
    if fault(state, faults, "clone-restarts-once").is_none() {
        return false;
    }
    let stages = [(10.0, Stage::Plugins), (14.0, Stage::UserData), (16.0, Stage::Up)];
    boot::plan(state, at, 0.0, &stages);
    Guest::restart_in(state, at, 60.0);
    true
}

/// What makes the specialize pass fail, although the answer file is good.
pub(super) struct Breakdown {
    fault: &'static str,
    /// The log's folder below `Panther`.
    folder: &'static str,
    /// Lines without their time.
    lines: &'static [&'static str],
    dialog: &'static str,
}

const BREAKDOWNS: [Breakdown; 2] = [
    Breakdown {
        fault: "clone-copy-profile",
        folder: "UnattendGC\\",
        lines: &[
            "Error                        [Shell Unattend] _FindLatestProfile failed (0x80070003) [gle=0x00000003]",
            "Error                        [Shell Unattend] CopyProfile failed (0x80070003) [gle=0x00000003]",
            "Error                        [Action Queue] : Unattend action failed with exit code 3",
            "Error                        [windeploy.exe] Setup.exe failed, returning exit code [0x1f]",
        ],
        dialog: "Windows could not complete the installation. To install Windows on this computer, restart the installation.",
    },
    Breakdown {
        fault: "clone-bcd",
        folder: "",
        lines: &[
            "Error                 SYSPRP BCD: Failed to get system partition. Status: c0000452",
            "Error                 SYSPRP Sysprep_Specialize_Bcd: There was an error opening the system store. Status=[0xC0000452]",
            "Error                 SYSPRP ActionPlatform::LaunchModule: Failure occurred while executing 'Sysprep_Specialize_Bcd' from C:\\Windows\\System32\\spbcd.dll; dwRet = 0x490",
            "Error                 SYSPRP SysprepSession::Execute: Error in executing actions from C:\\Windows\\System32\\Sysprep\\ActionFiles\\Specialize.xml; dwRet = 0x490",
            "Error                 SYSPRP RunPlatformActions:Failed while executing Sysprep session actions; dwRet = 0x490",
            "Error      [0x0f0070] SYSPRP RunDlls:An error occurred while running registry sysprep DLLs, halting sysprep execution. dwRet = 0x490",
            "Error      [0x0f00a8] SYSPRP WinMain:Hit failure while processing sysprep specialize internal providers; hr = 0x80070490",
        ],
        dialog: "Windows could not configure one or more system components. To install Windows, restart the computer and then \
                 restart the installation.",
    },
];

/// What makes this clone's specialize pass fail; the profile is copied only where the answer file says so.
pub(super) fn breakdown(state: &State, faults: &Faults, answer: &Answer) -> Option<&'static Breakdown> {
    let armed = |name: &str| fault(state, faults, name).is_some();
    BREAKDOWNS.iter().find(|one| match one.fault {
        "clone-copy-profile" => answer.copy_profile && (armed(one.fault) || armed("stale-profile")),
        other => armed(other),
    })
}

/// The specialize pass has failed: its logs, and the dialog.
pub(super) fn broken(state: &mut State, at: Timestamp, breakdown: &Breakdown) {
    let stamp = at.strftime("%Y-%m-%d %H:%M:%S").to_string();
    let stamped = breakdown.lines.iter().map(|line| format!("{stamp}, {line}\r\n"));
    let log = stamped.collect::<Vec<_>>().concat();
    for name in ["setupact.log", "setuperr.log"] {
        let path = format!("C:\\Windows\\Panther\\{}{name}", breakdown.folder);
        state.disk.files.append(&path, &log, at);
    }
    boot::give_up(state, breakdown.dialog);
}

/// Puts back what specialize should have renewed: the machine's SID, its name.
pub(super) fn keep_identity(state: &mut State, (sid, name): (String, String), faults: &Faults) {
    if fault(state, faults, "clone-sid-kept").is_some() {
        state.disk.machine_sid = sid;
    }
    if fault(state, faults, "clone-name-kept").is_some() {
        state.disk.computer_name = name;
    }
}
