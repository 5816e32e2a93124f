//! Why sysprep itself fails.

use super::{Cause, Phase, SYSPREP, Strength};

const REASON: Cause = SYSPREP;
const VALIDATION: Cause = Cause {
    phase: Phase::Validation,
    ..SYSPREP
};
const PART: Cause = Cause {
    strength: Strength::Part,
    ..SYSPREP
};
const CONSEQUENCE: Cause = Cause {
    strength: Strength::Consequence,
    ..SYSPREP
};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        letter: 'a',
        class: "appx_service_disabled",
        lines: &[&["appxsysprep.dll", "0x422"], &["appxsysprep.dll", "0x80070422"]],
        parts: &["appxsysprep.dll"],
        meaning: "a service that sysprep's part for apps needs is disabled (`AppXSvc`, `ClipSVC` or `StateRepository`)",
        cure: "set its start type to manual, restart, run again",
        ..VALIDATION
    },
    Cause {
        letter: 'a',
        class: "appx_not_provisioned",
        lines: &[
            &["installed for a user", "not provisioned"],
            &["but not provisioned for all users"],
            &["failed to remove apps for the current user"],
            &["removeallapps thread"],
            &["failed to remove staged package"],
            &["package", "failed waiting for remove operation"],
        ],
        codes: &[0x8007_3CF2, 0x8007_3CFA, 0x8007_3D19],
        parts: &["appxsysprep.dll", "sysprepgeneralizevalidate"],
        meaning: "an app is installed for a user but not provisioned for all, or it cannot be removed",
        cure: "remove the package for all users (`fix: [appx]`), keep the store from putting it back, run again; \
               only the first package in the way is logged, the next may follow",
        ..VALIDATION
    },
    Cause {
        letter: 'b',
        class: "licensing_service",
        lines: &[&["slrearmwindows", "0xc004f075"], &["slrearmwindows", "-1073426315"]],
        codes: &[0xC004_F075],
        meaning: "the licensing service was stopping when sysprep asked it to rearm Windows",
        cure: "start `sppsvc` and wait until it runs before sysprep; begin again from the base image",
        ..REASON
    },
    Cause {
        letter: 'b',
        class: "rearm_exhausted",
        lines: &[
            &["slrearmwindows", "0xc004d307"],
            &["slrearmwindows", "-1073425657"],
            &["rearm", "0xc004d307"],
        ],
        codes: &[0xC004_D307],
        meaning: "Windows may not be rearmed again",
        cure: "set SkipRearm = 1 in the generalize pass, or begin again from a base image with rearms left",
        ..REASON
    },
    Cause {
        letter: 'b',
        class: "rearm_pending",
        lines: &[
            &["slrearmwindows", "0xc004d302"],
            &["slrearmwindows", "-1073425662"],
            &["rearm", "0xc004d302"],
        ],
        codes: &[0xC004_D302],
        meaning: "Windows was rearmed already and has not been restarted since, so it may not be rearmed again",
        cure: "restart before sysprep, or set SkipRearm = 1 in the generalize pass; begin again from the base image",
        ..REASON
    },
    Cause {
        letter: 'd',
        class: "reserved_storage",
        lines: &[
            &["reserved storage is in use"],
            &["audit mode can", "be turned on if"],
            &["failed to validate reserves state"],
        ],
        codes: &[0x8007_0975, 0x800F_0975],
        meaning: "an update or servicing operation uses reserved storage",
        cure: "wait for servicing, restart, or switch reserved storage off (`fix: [reserved_storage]`)",
        ..VALIDATION
    },
    Cause {
        letter: 'c',
        class: "pending_reboot",
        lines: &[
            &["windows updates that require a reboot"],
            &["updates", "reboot the computer and restart the application"],
        ],
        codes: &[0x8007_139F],
        parts: &["spopk.dll", "sysprep_clean_validate_opk"],
        meaning: "updates wait for a restart",
        cure: "restart, perhaps twice, and run again",
        ..VALIDATION
    },
    Cause {
        letter: 'c',
        class: "servicing_unavailable",
        lines: &[&["failed to query pending cbs operations"]],
        meaning: "the servicing server did not start",
        cure: "let servicing settle, run again",
        ..VALIDATION
    },
    Cause {
        letter: 'e',
        class: "bitlocker",
        lines: &[
            &["bitlocker is on for the os volume"],
            &["turn bitlocker off to run sysprep"],
            &["validatebitlockerstate", "fail"],
        ],
        codes: &[0x8031_0039],
        parts: &["bdesysprep.dll", "validatebitlockerstate"],
        meaning: "BitLocker is on for the system volume",
        cure: "decrypt it (`fix: [bitlocker]`) and wait until the conversion has ended",
        ..VALIDATION
    },
    Cause {
        letter: 'g',
        class: "defender_onboarded",
        lines: &[
            &["windows advanced threat protection"],
            &["windows-senseclient-service"],
            &["senseguid"],
        ],
        meaning: "Defender for Endpoint is onboarded and keeps its key locked",
        cure: "offboard before sysprep, onboard on the clone; begin again from the base image",
        ..REASON
    },
    Cause {
        letter: 'i',
        class: "upgrade_leftovers",
        lines: &[
            &["removeuninstall:failed"],
            &["failed to remove uninstall"],
            &["will not run on an upgraded"],
            &["miracastview", "fail"],
        ],
        meaning: "this Windows was upgraded in place",
        cure: "begin with a clean installation",
        ..REASON
    },
    Cause {
        letter: 'j',
        class: "boot_configuration",
        lines: &[
            &["failed to get system partition"],
            &["error opening the system store"],
            &["sysprep_generalize_bcd", "fail"],
            &["sysprep_specialize_bcd", "error"],
        ],
        meaning: "the system partition or its boot configuration cannot be reached",
        cure: "make the system partition visible, repair it with `bcdboot C:\\Windows /s S: /f ALL`, begin again from the base image",
        ..REASON
    },
    Cause {
        letter: 'r',
        class: "command_line",
        lines: &[
            &["malformed command line"],
            &["unable to parse command-line"],
            &["unable to parse command line"],
            &["parsecommands", "not supported"],
            &["parsecommands", "unrecognized"],
        ],
        meaning: "sysprep did not understand its command line",
        cure: "put the answer file at a path without blanks, and check the spelling of the options",
        ..VALIDATION
    },
    Cause {
        letter: 'r',
        class: "answer_file_missing",
        lines: &[
            &["unattend", "does not exist"],
            &["unattend", "cannot be found"],
            &["unattend", "could not be found"],
            &["unattend", "not found"],
            &["answer file", "not found"],
            &["failed to cache unattend"],
            &["unable to cache unattend"],
        ],
        not: &["setting", "component"],
        meaning: "sysprep did not find the answer file, or could not copy it to its place",
        cure: "give its whole path, without blanks; the file must be well-formed (`reseal unattend lint FILE`)",
        ..VALIDATION
    },
    Cause {
        letter: 'q',
        class: "not_elevated",
        lines: &[
            &["validateprivileges", "does not have"],
            &["validateprivileges", "fail"],
            &["validateprivileges", "not "],
            &["must be an administrator to run sysprep"],
        ],
        not: &["has required privileges"],
        meaning: "the account lacks privileges",
        cure: "run as an administrator with the full token",
        ..VALIDATION
    },
    Cause {
        letter: 'r',
        class: "already_running",
        lines: &[&["another instance of sysprep"], &["sysprep is already running"]],
        meaning: "another sysprep runs, or waits behind a message box",
        cure: "end its process, run again with `/quiet`",
        ..VALIDATION
    },
    Cause {
        letter: 's',
        class: "domain_controller",
        lines: &[&["domain controller", "sysprep"], &["server role", "not support"]],
        meaning: "this machine has a role that cannot be generalized",
        cure: "remove the role before sysprep, and install it on the clone",
        ..VALIDATION
    },
    Cause {
        letter: 'h',
        class: "cloud_agent",
        lines: &[&["vmagentdisabler", "fail"], &["vmagentdisabler", "could not"]],
        parts: &["vmagentdisabler.dll"],
        meaning: "the cloud agent's part in sysprep is missing or cannot be loaded",
        cure: "delete its value under SysPrepExternal\\Generalize",
        ..REASON
    },
    Cause {
        letter: 'h',
        class: "provider_not_loadable",
        lines: &[
            &["could not load dll"],
            &["failed to load dll"],
            &["could not find", "entrypoint"],
            &["getprocaddress", "fail"],
        ],
        meaning: "a DLL that is registered for sysprep is missing, damaged or for another architecture",
        cure: "the line names it: repair the program it belongs to, or correct its registration (a path in SysWOW64 is \
               wrong for 64-bit Windows)",
        ..REASON
    },
    Cause {
        letter: 'a',
        class: "appx_cleanup",
        parts: &["appxsysprep.dll"],
        phase: Phase::Unknown,
        meaning: "sysprep's part for store apps failed",
        cure: "an error line above names the app: remove it for all users; check that `AppXSvc` and `StateRepository` start",
        ..PART
    },
    Cause {
        letter: 'k',
        class: "search_service",
        lines: &[&["mssrch_sysprep_cleanup", "fail"]],
        parts: &["mssrch.dll", "mssrch_sysprep"],
        meaning: "the search service was at work",
        cure: "stop `WSearch` before sysprep (`fix: [services]`)",
        ..PART
    },
    Cause {
        letter: 'l',
        class: "msdtc",
        parts: &["msdtcprx.dll", "sysprepdtc"],
        codes: &[0x8010_0101],
        meaning: "the transaction coordinator's provider failed",
        cure: "run `msdtc -uninstall`, restart, `msdtc -install` before sysprep",
        ..PART
    },
    Cause {
        letter: 'm',
        class: "cryptography",
        codes: &[0xC002_0036],
        parts: &["capisp.dll", "cryptosysprep", "capisysprep"],
        meaning: "a provider of the cryptographic services failed",
        cure: "start `CryptSvc` and `VSS` before sysprep (`fix: [services]`); on a clone, check that its image was \
               generalized only once and whole",
        ..PART
    },
    Cause {
        letter: 'n',
        class: "media_sharing",
        parts: &["drmv2clt.dll", "wmpnss", "sysprepwmp"],
        meaning: "media sharing was at work",
        cure: "stop `WMPNetworkSvc` before sysprep",
        ..PART
    },
    Cause {
        letter: 'b',
        class: "rearm_failed",
        parts: &["slrearmwindows", "slc.dll"],
        meaning: "the licensing service refused to rearm Windows",
        cure: "start `sppsvc` before sysprep and see `slmgr.vbs /dlv` for the rearm count; SkipRearm = 1 goes round it; \
               begin again from the base image",
        ..PART
    },
    Cause {
        letter: 'a',
        class: "store_licences",
        parts: &["wsclient.dll", "wslicensecleanupstate"],
        meaning: "the provider for the licences of store apps failed, mostly because its service does not run",
        cure: "let the store's service (`WSService`, later `ClipSVC`) be startable and start it before sysprep; begin again \
               from the base image",
        ..PART
    },
    Cause {
        letter: 'o',
        class: "device_cleanup",
        parts: &["sppnp.dll", "sysprep_generalize_pnp", "sysprep_specialize_pnp"],
        meaning: "the clean-up or set-up of devices and drivers failed",
        cure: "setupapi.dev.log names the driver: remove it, or set PersistAllDeviceInstalls = true in the generalize pass",
        ..PART
    },
    Cause {
        letter: 'o',
        class: "update_service",
        parts: &["wuaueng.dll", "generalizeforimaging"],
        meaning: "the update service's part in sysprep failed",
        cure: "keep `wuauserv` startable (not disabled), let running updates end, restart, begin again from the base image",
        ..PART
    },
    Cause {
        letter: 'o',
        class: "recovery_environment",
        parts: &["reagent.dll", "winre_generalize", "winre_specialize"],
        meaning: "the recovery environment (WinRE) cannot be reached or is set up wrongly",
        cure: "look at `reagentc /info`, run `reagentc /disable` and `/enable`, or `/disable` before sysprep",
        ..PART
    },
    Cause {
        letter: 'n',
        class: "browser_provider",
        parts: &["iesysprep.dll", "sysprep_cleanup_ie", "sysprep_generalize_ie"],
        meaning: "Internet Explorer's part in sysprep failed",
        cure: "see Panther\\IE\\setupact.log; an update of the browser may have registered a 32-bit path, or a profile is damaged",
        ..PART
    },
    Cause {
        letter: 'u',
        class: "firmware",
        lines: &[
            &["rdpsyspreprestoreoffline", "exception"],
            &["rdpsysprep", "0xc0000005"],
        ],
        parts: &["rdpsyspreprestoreoffline"],
        phase: Phase::FirstBoot,
        meaning: "the Remote Desktop part of this Windows crashes on machines with BIOS firmware and an MBR disk",
        cure: "use UEFI and GPT for image and machines",
        ..PART
    },
    Cause {
        letter: 'u',
        class: "short_names",
        parts: &["sysprep_specialize_ntfs"],
        codes: &[0x8007_0130, 0x8007_0131],
        phase: Phase::FirstBoot,
        meaning: "short (8.3) file names cannot be set up on the system volume as the image asks for",
        cure: "do not change the creation of short names (`fsutil 8dot3name`) in the installation or its answer file, or \
               set it in the same way for volume and registry",
        ..PART
    },
    Cause {
        letter: 'h',
        class: "dsc_configured",
        parts: &["dsccore.dll"],
        meaning: "PowerShell DSC's part in sysprep failed: a server that DSC has configured is not meant to be generalized",
        cure: "apply DSC on the clone, not in the image; begin again from the base image",
        ..PART
    },
    Cause {
        letter: 'g',
        class: "access_denied",
        lines: &[
            &["regdeletevaluew", "0x5"],
            &["regdeletekey", "0x5"],
            &["regsetvalue", "0x5"],
            &["error from reg", "dwret = 0x5"],
            &["failed during", "operation", "0x5"],
        ],
        not: &[
            "sysprepmodule",
            "0x50",
            "0x51",
            "0x52",
            "0x53",
            "0x54",
            "0x55",
            "0x56",
            "0x57",
            "0x58",
            "0x59",
            "0x5a",
            "0x5b",
            "0x5c",
            "0x5d",
            "0x5e",
            "0x5f",
        ],
        meaning: "a key or file that sysprep must change is locked",
        cure: "the first error line names it; stop or offboard the program that protects it",
        ..PART
    },
    Cause {
        letter: 'f',
        class: "earlier_failure",
        lines: &[
            &["the machine is in an invalid state"],
            &["couldn't update the recorded state"],
            &["not running dlls"],
        ],
        codes: &[0x8007_001F],
        meaning: "an earlier sysprep failed half way, or one was run in a state that it does not accept",
        cure: "begin again from the base image; the cause of the first failure stands in the log of that run",
        ..CONSEQUENCE
    },
    Cause {
        letter: 'p',
        class: "dialog_cancelled",
        lines: &[&["sysprep dialog box returned false"]],
        meaning: "sysprep was started without arguments, or its window was closed",
        cure: "start it with all arguments and `/quiet`",
        phase: Phase::Validation,
        ..CONSEQUENCE
    },
    Cause {
        letter: '?',
        class: "validation_message",
        lines: &[&["was not able to validate your windows installation"]],
        phase: Phase::Validation,
        meaning: "this is sysprep's message that a check has failed; it does not say which",
        cure: "give the log: C:\\Windows\\System32\\Sysprep\\Panther\\setupact.log",
        ..CONSEQUENCE
    },
    Cause {
        letter: '?',
        class: "fatal_message",
        lines: &[&["fatal error occurred while trying to sysprep the machine"]],
        phase: Phase::Unknown,
        meaning: "this is sysprep's message that it failed; it does not say why",
        cure: "give the log: C:\\Windows\\System32\\Sysprep\\Panther\\setupact.log",
        ..CONSEQUENCE
    },
];
