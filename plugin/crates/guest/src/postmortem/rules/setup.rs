//! Why the first boot of a clone stops: the answer file, the passes specialize and oobeSystem, and servicing.
//!
//! Texts after `Description =` and in dialogs are in the language of Windows, so the codes beside them count as much.

use super::{Cause, Phase, SETUP, Strength};

const REASON: Cause = SETUP;
const CONSEQUENCE: Cause = Cause {
    strength: Strength::Consequence,
    ..SETUP
};
const ASIDE: Cause = Cause {
    strength: Strength::Aside,
    warnings: true,
    ..SETUP
};
const SERVICING: Cause = Cause {
    strength: Strength::Code,
    phase: Phase::Unknown,
    ..SETUP
};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        class: "unattend_password",
        lines: &[&["failed to decode password"]],
        warnings: true,
        meaning: "an obscured password of the answer file cannot be decoded",
        cure: "`PlainText` false needs Base64 of UTF-16 with the right ending; `reseal unattend lint` checks it",
        ..REASON
    },
    Cause {
        class: "unattend_malformed",
        lines: &[
            &["the error was detected at line"],
            &["answer file", "line", "column"],
            &["unattend", "not well-formed"],
            &["hrdeserialized = 0xc00ce"],
            &["hrresult = 0xc00ce"],
            &["internal error", "loading or searching for an unattend"],
            &["unable to deserialize", "0x800705b9"],
            &["unable to deserialize", "0xc00ce"],
        ],
        meaning: "the answer file is no well-formed XML, or cannot be read",
        cure: "`reseal unattend lint FILE` shows the place",
        ..REASON
    },
    Cause {
        class: "unattend_unreadable",
        lines: &[
            &["unable to deserialize", "0x80070005"],
            &["answer file", "access is denied"],
        ],
        meaning: "Setup found the answer file but may not read it: it is encrypted (EFS), or its permissions are wrong",
        cure: "write it anew without encryption (`cipher /d`), readable for SYSTEM",
        ..REASON
    },
    Cause {
        class: "unattend_duplicate",
        lines: &[
            &["should not appear twice in a single settings section"],
            &["0x8022001b"],
            &["specified more than once in the answer file"],
        ],
        codes: &[0x8022_001B],
        meaning: "a component or setting stands twice in one pass of the answer file",
        cure: "merge the two; `reseal unattend lint FILE` shows both",
        ..REASON
    },
    Cause {
        class: "unattend_unknown_setting",
        lines: &[
            &["setting is not defined in this component"],
            &["0x80220001"],
            &["component or setting specified", "does not exist"],
        ],
        codes: &[0x8022_0001],
        meaning: "the answer file has a setting that this component does not have, or not in this version of Windows",
        cure: "the line names component and path: look for a slip in the name, the wrong component or parent, or a \
               component that the image lacks; `reseal unattend lint FILE` finds most",
        ..REASON
    },
    Cause {
        class: "unattend_invalid_value",
        lines: &[
            &["description = value is invalid"],
            &["0x80220005"],
            &["80220005 [error,facility=facility_state_management"],
            &["for pass [", "the answer file is invalid"],
        ],
        codes: &[0x8022_0005],
        meaning: "the answer file has a value that is too long, of the wrong type or out of range",
        cure: "the line names component and path; commands may have 259 letters (first-logon commands 1024), a computer \
               name 15; `reseal unattend lint FILE` finds most",
        ..REASON
    },
    Cause {
        class: "unattend_product_key",
        lines: &[
            &["product key", "fail"],
            &["product key", "invalid"],
            &["productkey", "fail"],
            &["product key", "does not match"],
            &["product key", "cannot be"],
            &["no images are available"],
            &["software license terms", "find"],
        ],
        codes: &[0xC004_F069, 0xC004_F050],
        not: &["skipp"],
        meaning: "the product key of the answer file does not fit this edition of Windows",
        cure: "leave it out, or use the key of exactly this edition and channel",
        ..REASON
    },
    Cause {
        class: "unattend_password_refused",
        lines: &[
            &["password", "does not meet the password policy"],
            &["useraccounts", "0x800708c5"],
        ],
        codes: &[0x8007_08C5, 0x8007_052D],
        meaning: "the password policy of Windows refuses a password of the answer file",
        cure: "use a longer password with letters of several kinds, or relax the policy of the image",
        ..REASON
    },
    Cause {
        class: "unattend_disk",
        lines: &[
            &["could not apply", "<diskconfiguration>"],
            &["performdiskoperation", "fail"],
            &["applydiskoperation", "fail"],
        ],
        phase: Phase::Unknown,
        meaning: "Setup could not carry out the disk layout of the answer file",
        cure: "the installation must see the disk (its driver on the medium), the disk's number must be right, and the \
               partitions must fit the firmware: GPT with an EFI partition for UEFI, MBR for BIOS",
        ..REASON
    },
    Cause {
        class: "copy_profile",
        lines: &[
            &["copyprofile failed"],
            &["_findlatestprofile failed"],
            &["copyprofiledirectory", "fail"],
        ],
        meaning: "CopyProfile failed: there is a profile entry without its folder, or none to copy",
        cure: "remove the stale key under ProfileList before sysprep, or set CopyProfile to false",
        ..REASON
    },
    Cause {
        class: "unattend_command_failed",
        lines: &[
            &["cannot be applied", "component [microsoft-windows-deployment]"],
            &["runsynchronous", "fatal"],
            &["[runsynchronous]", "fail"],
            &["error executing command from unattend"],
        ],
        meaning: "a command of the answer file ended with a code that stops Setup",
        cure: "make the command end with 0, or set its WillReboot to Never, which ignores the code",
        ..REASON
    },
    Cause {
        class: "unattend_not_applied",
        lines: &[
            &["the settings specified in the answer file cannot be applied"],
            &["answer file", "cannot be applied"],
        ],
        meaning: "a component could not carry out its settings from the answer file",
        cure: "the dialog or line names the component; usual reasons are a product key of another edition, a password \
               that the policy refuses, and a command that ends with an error",
        ..REASON
    },
    Cause {
        class: "earlier_setup_failure",
        lines: &[&["pass has failed status"], &["system is in an invalid state"]],
        not: &["sysprep", "dlls"],
        meaning: "an earlier attempt of this first boot failed and is remembered; a corrected answer file has no effect any more",
        cure: "clone anew from the image, or build again",
        ..CONSEQUENCE
    },
    Cause {
        class: "hardware_configuration",
        lines: &[
            &["could not", "configure", "run on this computer's hardware"],
            &["cannot be configured to run on this computer's hardware"],
            &["callback_specialize", "an error occurred"],
            &["sysprep specialize offline failed"],
        ],
        meaning: "Setup could not adapt Windows to this machine: a part of sysprep failed in specialize",
        cure: "the SYSPRP lines before it name the part; give the whole setupact.log of C:\\Windows\\Panther",
        ..CONSEQUENCE
    },
    Cause {
        class: "setup_restarted",
        lines: &[&["restarted unexpectedly or encountered an unexpected error"]],
        meaning: "an earlier boot of this setup failed; this message only repeats it at every boot",
        cure: "read Panther\\setuperr.log and Panther\\UnattendGC\\setuperr.log of the machine: the first failure stands there",
        ..CONSEQUENCE
    },
    Cause {
        class: "unattend_rejected",
        lines: &[
            &["user input error was detected in unattend"],
            &["failed to complete runsmipass"],
            &["unattend action failed with exit code"],
            &["execution of unattend gcs failed"],
            &["unattend file is not valid"],
            &["is not a valid unattended setup answer file"],
            &["could not parse or process"],
            &["smi data results dump: source"],
            &["could not apply", "unattend"],
            &["[generalize]"],
            &["[offlineservicing]"],
            &["unattend.xml]", "[specialize]"],
            &["unattend.xml]", "[oobesystem]"],
            &["unattend.xml]", "[windowspe]"],
            &["[microsoft-windows-", "[specialize]"],
            &["[microsoft-windows-", "[oobesystem]"],
        ],
        codes: &[0x8030_000B, 0x8030_000C],
        meaning: "Setup could not carry out the answer file; no line here is known to say what is wrong with it",
        cure: "look in setupact.log beside this file for warnings just before (`[Shell Unattend]`, `SMI data results \
               dump`); `reseal unattend lint FILE` finds most",
        ..CONSEQUENCE
    },
    Cause {
        class: "oobe_failed",
        lines: &[
            &["windows could not complete the installation"],
            &["could not finish configuring the system"],
            &["windows could not configure one or more system components"],
            &["online installation cannot complete"],
            &["oobeldr.exe", "failed with exit code"],
            &["setup.exe failed, returning exit code"],
        ],
        meaning: "the first boot failed in specialize or oobeSystem; no line here is known to say why",
        cure: "read Panther\\UnattendGC\\setupact.log: the reason stands before these lines, often in an error without a name",
        ..CONSEQUENCE
    },
    Cause {
        class: "domain_join",
        lines: &[
            &["netjoindomain", "fail"],
            &["unattended join", "unable to join"],
            &["unattended join", "fail"],
            &["djoin.exe", "fail"],
            &["netpdodomainjoin: status: 0x"],
        ],
        not: &["status: 0x0"],
        warnings: true,
        meaning: "the machine could not join its domain",
        cure: "the code says why: 1355 no domain controller (DNS, network), 1326 wrong account or password, 2732 the \
               computer account exists and may not be used again",
        ..REASON
    },
    Cause {
        class: "network_setting_rejected",
        lines: &[&["tcpip", "rejected the value"], &["netiougc.exe", "error processing"]],
        meaning: "a network setting of the answer file was rejected",
        cure: "the line names the value; take it out of `Microsoft-Windows-TCPIP`, or correct it",
        ..ASIDE
    },
    Cause {
        class: "unattend_not_found",
        lines: &[&["no unattend file was present"], &["found no unattend file"]],
        meaning: "Setup used no answer file: there was none, or none with a part for this pass",
        cure: "a file that is given at installation needs a windowsPE pass; for a clone give it to sysprep by /unattend",
        ..ASIDE
    },
    Cause {
        class: "time_zone_ignored",
        lines: &[&["unknown time zone"]],
        meaning: "the answer file's time zone is not known to Windows and was ignored",
        cure: "use the id of the registry, e.g. `Korea Standard Time`, not a display name; `reseal unattend lint` suggests it",
        ..ASIDE
    },
    Cause {
        class: "setupcomplete_skipped",
        lines: &[&["will not run setupcomplete.cmd"]],
        meaning: "SetupComplete.cmd was not run: Windows found an OEM licence",
        cure: "use a volume licence key in the image, or run the script by another way (a first-logon command, a task)",
        ..ASIDE
    },
    Cause {
        class: "setup_boot_configuration",
        lines: &[
            &["could not update the computer's boot configuration"],
            &["modifybootentries: error"],
            &["failed to create a new system store"],
        ],
        phase: Phase::Unknown,
        meaning: "Setup could not write the boot configuration",
        cure: "firmware and disk must fit: UEFI needs GPT with an EFI partition, BIOS an active partition on an MBR disk; \
               take away other disks and sticks",
        ..REASON
    },
    Cause {
        class: "servicing_stack",
        codes: &[0x800F_0823],
        meaning: "the update needs a newer servicing stack",
        cure: "install the latest servicing stack update (or a cumulative update that holds it) first",
        ..SERVICING
    },
    Cause {
        class: "servicing_hang",
        codes: &[0x800F_0920],
        meaning: "servicing hung, or a restart came while it was at work; it rolls back",
        cure: "let it end before the next restart; a program that restarts the machine meanwhile must be stopped",
        ..SERVICING
    },
    Cause {
        class: "servicing_installer",
        lines: &[&["failed execution of queue item installer"]],
        codes: &[0x800F_0922],
        meaning: "an installer within servicing failed, and the update rolls back",
        cure: "the lines of CBS.log before it say what it ran into: a disabled service, a missing file, or no room in the \
               EFI or system partition",
        ..SERVICING
    },
    Cause {
        class: "component_store",
        codes: &[
            0x8007_3712,
            0x8007_371B,
            0x800F_081F,
            0x800F_0831,
            0x800F_0900,
            0x800F_0982,
            0x800F_0983,
            0x800F_0984,
            0x800F_0986,
            0x800F_0988,
        ],
        meaning: "the component store is damaged, or lacks what the operation builds on",
        cure: "`DISM /Online /Cleanup-Image /RestoreHealth` with a source of the same build; then try again",
        ..SERVICING
    },
    Cause {
        class: "servicing_pending",
        codes: &[0x800F_0816, 0x800F_082F, 0x8007_0BC9, 0x8007_0BC2],
        meaning: "servicing waits for a restart",
        cure: "restart, perhaps twice, and try again",
        ..SERVICING
    },
    Cause {
        class: "servicing_source",
        codes: &[0x800F_0906, 0x800F_0907, 0x800F_0954],
        meaning: "servicing could not get the source files of a feature",
        cure: "give a source (`/Source:` with the installation medium's sxs folder), or allow Windows Update as source",
        ..SERVICING
    },
    Cause {
        class: "disk_full",
        lines: &[&["not enough space on the disk"]],
        codes: &[0x8007_0070, 0xC190_020E],
        meaning: "there is not enough space on the disk",
        cure: "enlarge the system volume or free space, and try again",
        ..SERVICING
    },
];
