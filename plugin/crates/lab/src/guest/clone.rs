//! What goes wrong at the first boot of a machine that was made of an image built here.
//!
//! From outside a clone that stops, one that loops and one that is slow look alike: the server stays `ACTIVE`, its
//! power state 1, and no instance action is recorded, because a guest's own restart never leaves the hypervisor. Only
//! the serial port, where a cloud keeps its output, tells them apart.

use jiff::Timestamp;

use super::answer;
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

/// Puts back what specialize should have renewed: the machine's SID, its name.
pub(super) fn keep_identity(state: &mut State, (sid, name): (String, String), faults: &Faults) {
    if fault(state, faults, "clone-sid-kept").is_some() {
        state.disk.machine_sid = sid;
    }
    if fault(state, faults, "clone-name-kept").is_some() {
        state.disk.computer_name = name;
    }
}
