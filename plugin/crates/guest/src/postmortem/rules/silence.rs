//! What a log means that just ends.

use super::{Cause, Phase, SYSPREP};
use crate::postmortem::entry::Entry;

const HANG: Cause = Cause { letter: 'o', ..SYSPREP };

/// The text of the last line, in small letters, and what it means that nothing follows.
const SILENCE: &[(&str, Cause)] = &[
    (
        "sysprep_clean_validate_opk",
        Cause {
            class: "hang_validation",
            phase: Phase::Validation,
            meaning: "the first validator hangs, or the log was cut off there",
            cure: "end sysprep, restart, run once more",
            ..HANG
        },
    ),
    (
        "sysprep_generalize_pnp_drivers: exit",
        Cause {
            class: "hang_after_drivers",
            meaning: "the clean-up of drivers has ended; the part after it hangs, or the log was cut off there",
            cure: "seen with Message Queuing (MSMQ, which WCF's activation brings along): remove the feature and restart \
                   before sysprep; begin again from the base image",
            ..HANG
        },
    ),
    (
        "sysprep_generalize_pnp",
        Cause {
            class: "hang_drivers",
            meaning: "the clean-up of drivers hangs, or the log was cut off there",
            cure: "set PersistAllDeviceInstalls = true in the generalize pass; begin again from the base image",
            ..HANG
        },
    ),
    (
        "generalizeforimaging",
        Cause {
            class: "hang_update_service",
            meaning: "the update services are busy or disabled",
            cure: "stop them before sysprep but keep `wuauserv` startable; allow more than 20 minutes",
            ..HANG
        },
    ),
    (
        "vmagentdisabler.dll",
        Cause {
            letter: 'h',
            class: "cloud_agent",
            meaning: "the cloud agent's part in sysprep is missing or cannot be loaded",
            cure: "delete its value under SysPrepExternal\\Generalize",
            ..SYSPREP
        },
    ),
    (
        "rdpsyspreprestoreoffline",
        Cause {
            letter: 'u',
            class: "firmware",
            phase: Phase::FirstBoot,
            meaning: "the Remote Desktop part of this Windows crashes on machines with BIOS firmware and an MBR disk",
            cure: "use UEFI and GPT for image and machines",
            ..SYSPREP
        },
    ),
];

/// The causes alone.
pub(super) fn causes() -> impl Iterator<Item = &'static Cause> {
    SILENCE.iter().map(|(_, cause)| cause)
}

/// The cause for a log without errors whose last line is this.
pub(in crate::postmortem) fn by_silence(last: &Entry) -> Option<&'static Cause> {
    let text = last.text.to_lowercase();
    let over = [
        "the time is now",
        "shutting down sysprep log",
        "successfully executed",
        "without error",
    ];
    if over.iter().any(|end| text.contains(end)) {
        return None;
    }
    let known = SILENCE.iter().find(|(known, _)| text.contains(known));
    known.map(|(_, cause)| cause)
}
