//! The known failures.

use super::Phase;
use super::log::Entry;

/// One known failure.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) letter: char,
    pub(super) class: &'static str,
    /// Texts of which one must stand in an error line.
    lines: &'static [&'static str],
    /// Codes that are enough by themselves, when no line decides.
    codes: &'static [u32],
    /// The phase when the log does not say.
    pub(super) phase: Phase,
    pub(super) meaning: &'static str,
    pub(super) cure: &'static str,
}

pub(super) const SUCCESS: Rule = Rule {
    letter: '-',
    class: "success",
    lines: &[],
    codes: &[],
    phase: Phase::Execution,
    meaning: "sysprep ended well",
    cure: "nothing to do",
};

pub(super) const UNKNOWN: Rule = Rule {
    letter: '?',
    class: "unknown",
    lines: &[],
    codes: &[],
    phase: Phase::Unknown,
    meaning: "this failure is not in the catalogue",
    cure: "read the lines above the last one with `dwRet`; the first error names the reason",
};

/// In the order in which they are tried: the special ones before the general ones.
const RULES: &[Rule] = &[
    Rule {
        letter: 'a',
        class: "appx_service_disabled",
        lines: &["AppxSysprep.dll; dwRet = 0x422"],
        codes: &[0x8007_0422],
        phase: Phase::Validation,
        meaning: "the app service `AppXSvc` is disabled",
        cure: "set its start type to manual, restart, run again",
    },
    Rule {
        letter: 'a',
        class: "appx_not_provisioned",
        lines: &[
            "but not provisioned for all users",
            "Failed to remove apps for the current user",
            "RemoveAllApps thread",
        ],
        codes: &[0x8007_3CF2, 0x8007_3CFA, 0x8007_3D19],
        phase: Phase::Validation,
        meaning: "an app is installed for a user but not provisioned for all",
        cure: "remove the package for all users (`fix: [appx]`), keep the store from putting it back, run again",
    },
    Rule {
        letter: 'b',
        class: "rearm_exhausted",
        lines: &["SLReArmWindows"],
        codes: &[0xC004_D307, 0xC004_F075],
        phase: Phase::Execution,
        meaning: "Windows may not be rearmed again, or the licensing service was stopping",
        cure: "set SkipRearm = 1 in the generalize pass, or begin again from a base image with rearms left",
    },
    Rule {
        letter: 'd',
        class: "reserved_storage",
        lines: &["reserved storage is in use"],
        codes: &[0x8007_0975, 0x800F_0975],
        phase: Phase::Validation,
        meaning: "an update or servicing operation uses reserved storage",
        cure: "wait for servicing, restart, or switch reserved storage off (`fix: [reserved_storage]`)",
    },
    Rule {
        letter: 'c',
        class: "pending_reboot",
        lines: &["Windows updates that require a reboot"],
        codes: &[0x8007_139F],
        phase: Phase::Validation,
        meaning: "updates wait for a restart",
        cure: "restart, perhaps twice, and run again",
    },
    Rule {
        letter: 'c',
        class: "servicing_unavailable",
        lines: &["Failed to query pending CBS operations"],
        codes: &[],
        phase: Phase::Validation,
        meaning: "the servicing server did not start",
        cure: "let servicing settle, run again",
    },
    Rule {
        letter: 'e',
        class: "bitlocker",
        lines: &["BitLocker is on for the OS volume", "ValidateBitLockerState"],
        codes: &[0x8031_0039],
        phase: Phase::Validation,
        meaning: "BitLocker is on for the system volume",
        cure: "decrypt it (`fix: [bitlocker]`) and wait until the conversion has ended",
    },
    Rule {
        letter: 'f',
        class: "earlier_failure",
        lines: &["the machine is in an invalid state or we couldn't update the recorded state"],
        codes: &[0x8007_001F],
        phase: Phase::Execution,
        meaning: "an earlier sysprep failed half way, or one was run in a state that it does not accept",
        cure: "begin again from the base image",
    },
    Rule {
        letter: 'g',
        class: "defender_onboarded",
        lines: &["Windows Advanced Threat Protection", "Windows-SenseClient-Service"],
        codes: &[],
        phase: Phase::Execution,
        meaning: "Defender for Endpoint is onboarded and keeps its key locked",
        cure: "offboard before sysprep, onboard on the clone; begin again from the base image",
    },
    Rule {
        letter: 'k',
        class: "search_service",
        lines: &["MSSrch_SysPrep_Cleanup", "mssrch.dll"],
        codes: &[],
        phase: Phase::Execution,
        meaning: "the search service was at work",
        cure: "stop `WSearch` before sysprep (`fix: [services]`)",
    },
    Rule {
        letter: 'j',
        class: "boot_configuration",
        lines: &[
            "Sysprep_Generalize_Bcd",
            "Failed to get system partition",
            "error opening the system store",
        ],
        codes: &[],
        phase: Phase::Execution,
        meaning: "the system partition or its boot configuration cannot be reached",
        cure: "repair it with `bcdboot C:\\Windows /s S: /f ALL`, begin again from the base image",
    },
    Rule {
        letter: 'i',
        class: "upgrade_leftovers",
        lines: &[
            "RemoveUninstall:Failed",
            "Sysprep_Clean_Opk:Failed to remove Uninstall",
            "MiracastView",
        ],
        codes: &[0x8007_0003],
        phase: Phase::Execution,
        meaning: "this Windows was upgraded in place",
        cure: "begin with a clean installation",
    },
    Rule {
        letter: 'l',
        class: "msdtc",
        lines: &["msdtcprx.dll", "SysPrepDtc"],
        codes: &[],
        phase: Phase::Execution,
        meaning: "the transaction coordinator's provider failed",
        cure: "run `msdtc -uninstall`, restart, `msdtc -install` before sysprep",
    },
    Rule {
        letter: 'm',
        class: "cryptography",
        lines: &["capisp.dll", "CryptoSysPrep", "CAPISysPrep"],
        codes: &[0xC002_0036],
        phase: Phase::Execution,
        meaning: "a provider of the cryptographic services failed",
        cure: "start `CryptSvc` and `VSS` before sysprep (`fix: [services]`)",
    },
    Rule {
        letter: 'n',
        class: "media_sharing",
        lines: &["drmv2clt.dll"],
        codes: &[],
        phase: Phase::Execution,
        meaning: "media sharing was at work",
        cure: "stop `WMPNetworkSvc` before sysprep",
    },
    Rule {
        letter: 'p',
        class: "dialog_cancelled",
        lines: &["The sysprep dialog box returned FALSE"],
        codes: &[],
        phase: Phase::Validation,
        meaning: "sysprep was started without arguments, or its window was closed",
        cure: "start it with all arguments and `/quiet`",
    },
    Rule {
        letter: 'q',
        class: "not_elevated",
        lines: &["ValidatePrivileges"],
        codes: &[],
        phase: Phase::Validation,
        meaning: "the account lacks privileges",
        cure: "run as an administrator with the full token",
    },
    Rule {
        letter: 'r',
        class: "command_line",
        lines: &["Malformed command line", "Unable to parse command-line"],
        codes: &[],
        phase: Phase::Validation,
        meaning: "sysprep did not understand its command line",
        cure: "put the answer file at a path without blanks",
    },
    Rule {
        letter: 'h',
        class: "external_provider",
        lines: &[
            "LaunchDll:Failure occurred",
            "LaunchDll:Could not load DLL",
            "RunExternalDlls:An error occurred",
        ],
        codes: &[0x8007_0002],
        phase: Phase::Execution,
        meaning: "another program's part in sysprep failed",
        cure: "the line names its DLL: remove or repair its registration under SysPrepExternal",
    },
    Rule {
        letter: 'g',
        class: "access_denied",
        lines: &["RegDeleteValueW", "Failed during deleteValue operation"],
        codes: &[0x8007_0005],
        phase: Phase::Execution,
        meaning: "a key or file that sysprep must change is locked",
        cure: "the first error line names it; stop or offboard the program that protects it",
    },
];

/// The last line of a log that just ends, and what it means.
const SILENCE: &[(&str, Rule)] = &[
    (
        "Sysprep_Clean_Validate_Opk",
        Rule {
            letter: 'o',
            class: "hang_validation",
            lines: &[],
            codes: &[],
            phase: Phase::Validation,
            meaning: "the first validator hangs",
            cure: "end sysprep, restart, run once more",
        },
    ),
    (
        "Sysprep_Generalize_Pnp",
        Rule {
            letter: 'o',
            class: "hang_drivers",
            lines: &[],
            codes: &[],
            phase: Phase::Execution,
            meaning: "the clean-up of drivers hangs",
            cure: "set PersistAllDeviceInstalls = true in the generalize pass; begin again from the base image",
        },
    ),
    (
        "GeneralizeForImaging",
        Rule {
            letter: 'o',
            class: "hang_update_service",
            lines: &[],
            codes: &[],
            phase: Phase::Execution,
            meaning: "the update services are busy or disabled",
            cure: "stop them before sysprep but keep `wuauserv` startable; allow more than 20 minutes",
        },
    ),
    (
        "VMAgentDisabler.dll",
        Rule {
            letter: 'h',
            class: "cloud_agent",
            lines: &[],
            codes: &[],
            phase: Phase::Execution,
            meaning: "the cloud agent's part in sysprep is missing or cannot be loaded",
            cure: "delete its value under SysPrepExternal\\Generalize",
        },
    ),
];

/// The rule for an error line.
pub(super) fn by_line(text: &str) -> Option<&'static Rule> {
    RULES
        .iter()
        .find(|rule| rule.lines.iter().any(|known| text.contains(known)))
}

/// The rule for a code alone.
pub(super) fn by_code(hr: u32) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.codes.contains(&hr))
}

/// The rule for a log without errors that just ends.
pub(super) fn by_silence(entries: &[Entry]) -> Option<&'static Rule> {
    let last = entries
        .iter()
        .rev()
        .find(|entry| entry.is_sysprep() && !entry.text.is_empty())?;
    if last.text.contains("The time is now") || last.text.contains("Successfully executed") {
        return None;
    }
    SILENCE
        .iter()
        .find(|(known, _)| last.text.contains(known))
        .map(|(_, rule)| rule)
}
