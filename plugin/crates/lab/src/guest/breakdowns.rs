//! Every way in which sysprep breaks down: when it happens, what it writes, and what a look before would have seen.
//!
//! The lines are those of real logs. What follows the reason is mechanical: the module's caller, the session, the
//! phase and at last `WinMain` each say that they failed, in the words of the phase that they are in.

use super::machine::State;
use super::sysprep_log::{CLEANUP, GENERALIZE, Line, error, error_coded};
use crate::faults::{FaultInfo, Faults};

/// The point of a run at which something breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Before anything is looked at.
    Start,
    /// While the cleanup providers are validated.
    CleanupValidation,
    /// While the generalize providers are validated.
    GeneralizeValidation,
    /// While the cleanup providers work.
    Cleanup,
    /// While the generalize providers work.
    Generalize,
}

/// Whose failure it is, which decides how the lines after the reason look.
enum Culprit {
    /// Nobody's: sysprep itself ends with these words.
    Itself,
    /// An action of an action file: `'Method' from DLL`, or nothing when the action is no call.
    Action(&'static str),
    /// A registered provider: `DLL,Entry`.
    Provider(&'static str),
}

/// One way to break down.
struct Breakdown {
    /// The fault that makes it happen out of the blue, when no look before can see it.
    fault: &'static str,
    what: &'static str,
    when: When,
    /// Whether the machine is in a state that breaks it, and the thing that the lines name.
    state: fn(&State, &Faults) -> Option<String>,
    /// Error lines before the chain; `{}` is the thing.
    reasons: &'static [(&'static str, &'static str)],
    culprit: Culprit,
    /// What the culprit returned, as the lines write it.
    code: &'static str,
    /// What sysprep ends with.
    hr: &'static str,
}

fn unseen(_: &State, _: &Faults) -> Option<String> {
    None
}

fn nameless(broken: bool) -> Option<String> {
    broken.then(String::new)
}

fn service(state: &State, name: &str, broken: fn(&super::windows::Service) -> bool) -> Option<String> {
    nameless(state.disk.services.get(&name.to_lowercase()).is_some_and(broken))
}

const OPK: &str = "'Sysprep_Clean_Validate_Opk' from C:\\Windows\\System32\\spopk.dll";
const APPX: &str = "'SysprepGeneralizeValidate' from C:\\Windows\\System32\\AppxSysprep.dll";
const REARM: &str = "'SLReArmWindows' from C:\\Windows\\System32\\slc.dll";

/// All of them, in the order in which sysprep would meet them.
const BREAKDOWNS: &[Breakdown] = &[
    Breakdown {
        fault: "sysprep-not-elevated",
        what: "sysprep's account lacks privileges",
        when: When::Start,
        state: |_, faults| faults.armed("filtered-token"),
        reasons: &[(
            "",
            "ValidatePrivileges:User does not have required privileges to sysprep machine",
        )],
        culprit: Culprit::Itself,
        code: "",
        hr: "",
    },
    Breakdown {
        fault: "sysprep-dialog-cancelled",
        what: "sysprep shows its window, and somebody closes it",
        when: When::Start,
        state: unseen,
        reasons: &[("0x0f0043", "WinMain:The sysprep dialog box returned FALSE")],
        culprit: Culprit::Itself,
        code: "",
        hr: "",
    },
    Breakdown {
        fault: "sysprep-earlier-failure",
        what: "sysprep cannot update its recorded state, as after an earlier failure",
        when: When::Start,
        state: |state, _| nameless(state.disk.setup.generalization != 7),
        reasons: &[
            (
                "0x0f0073",
                "RunExternalDlls:Not running DLLs; either the machine is in an invalid state or we couldn't update the recorded state, dwRet = 31(0x1f)",
            ),
            (
                "0x0f00ae",
                "WinMain:Hit failure while processing sysprep cleanup external providers; hr = 0x8007001f",
            ),
        ],
        culprit: Culprit::Itself,
        code: "",
        hr: "",
    },
    Breakdown {
        fault: "sysprep-pending-reboot",
        what: "updates begin to wait for a restart after the last look: sysprep refuses",
        when: When::CleanupValidation,
        state: |state, _| nameless(state.disk.reboot_pending()),
        reasons: &[(
            "",
            "Sysprep_Clean_Validate_Opk:There are one or more Windows updates that require a reboot. To run Sysprep, reboot the computer and restart the application.[gle=0x000036b7]",
        )],
        culprit: Culprit::Action(OPK),
        code: "0x139f[gle=0x000036b7]",
        hr: "0x8007139f[gle=0x000036b7]",
    },
    Breakdown {
        fault: "sysprep-reserved-storage",
        what: "reserved storage comes into use after the last look: sysprep refuses",
        when: When::CleanupValidation,
        state: |_, faults| faults.armed("reserved-storage"),
        reasons: &[(
            "",
            "Sysprep_Clean_Validate_Opk: Audit mode cannot be turned on if reserved storage is in use. An update or servicing operation may be using reserved storage.; hr = 0x800F0975",
        )],
        culprit: Culprit::Action(OPK),
        code: "0x975",
        hr: "0x80070975",
    },
    Breakdown {
        fault: "sysprep-servicing-unavailable",
        what: "the servicing server does not start: sysprep refuses",
        when: When::CleanupValidation,
        state: unseen,
        reasons: &[(
            "0x0f00b0",
            "spopk.dll:: Failed to query pending CBS operations; hr = 0x80080005",
        )],
        culprit: Culprit::Action(OPK),
        code: "0x5",
        hr: "0x80070005",
    },
    Breakdown {
        fault: "sysprep-appx-service",
        what: "the app service is disabled after the last look: sysprep refuses",
        when: When::GeneralizeValidation,
        state: |state, _| service(state, "AppXSvc", |service| service.start == "Disabled"),
        reasons: &[],
        culprit: Culprit::Action(APPX),
        code: "0x422",
        hr: "0x80070422",
    },
    Breakdown {
        fault: "sysprep-appx",
        what: "the Store updates an app (=FULL NAME) after the last look: sysprep refuses",
        when: When::GeneralizeValidation,
        state: |state, _| {
            let mut blockers = state.disk.appx.iter();
            let blocker = blockers.find(|appx| !appx.provisioned && !appx.users.is_empty());
            blocker.map(|appx| appx.full_name.clone())
        },
        reasons: &[
            (
                "",
                "Package {} was installed for a user, but not provisioned for all users. This package will not function properly in the sysprep image.",
            ),
            ("", "Failed to remove apps for the current user: 0x80073cf2."),
            ("", "Exit code of RemoveAllApps thread was 0x3cf2."),
        ],
        culprit: Culprit::Action(APPX),
        code: "0x3cf2",
        hr: "0x80073cf2",
    },
    Breakdown {
        fault: "sysprep-bitlocker",
        what: "device encryption switches itself on after the last look: sysprep refuses",
        when: When::GeneralizeValidation,
        state: |state, _| nameless(state.disk.bitlocker.is_some_and(|drive| drive.conversion != 0)),
        reasons: &[(
            "",
            "BitLocker-Sysprep: BitLocker is on for the OS volume. Turn BitLocker off to run Sysprep. (0x80310039)",
        )],
        culprit: Culprit::Action("'ValidateBitLockerState' from C:\\Windows\\System32\\BdeSysprep.dll"),
        code: "0x80310039",
        hr: "0x80310039",
    },
    Breakdown {
        fault: "provider",
        what: "an external sysprep provider (=DLL,ENTRY) cannot be loaded: sysprep breaks off half-way",
        when: When::Cleanup,
        state: unseen,
        reasons: &[],
        culprit: Culprit::Provider("DscCore.dll,SysPrep_Cleanup"),
        code: "0x2",
        hr: "0x80070002[gle=0x00000006]",
    },
    Breakdown {
        fault: "sysprep-search",
        what: "the search service comes back to work: sysprep breaks off half-way",
        when: When::Cleanup,
        state: |state, _| service(state, "WSearch", |service| service.running),
        reasons: &[],
        culprit: Culprit::Action("'MSSrch_SysPrep_Cleanup' from C:\\Windows\\System32\\mssrch.dll"),
        code: "0x5",
        hr: "0x80070005",
    },
    Breakdown {
        fault: "sysprep-upgrade-leftovers",
        what: "Windows was upgraded in place and hides it: sysprep breaks off half-way",
        when: When::Cleanup,
        state: |_, faults| faults.armed("upgraded"),
        reasons: &[
            (
                "",
                "RemoveUninstall:Failed to instantiate uninstall interface; hr = 0x80070003",
            ),
            ("", "Sysprep_Clean_Opk:Failed to remove Uninstall; dwRet = 0x3"),
        ],
        culprit: Culprit::Action("'Sysprep_Clean_Opk' from C:\\Windows\\System32\\spopk.dll"),
        code: "0x3",
        hr: "0x80070003",
    },
    Breakdown {
        fault: "sysprep-browser-provider",
        what: "a browser's update has registered the 32-bit path of its provider",
        when: When::Cleanup,
        state: unseen,
        reasons: &[(
            "0x0f0080",
            "LaunchDll:Could not load DLL C:\\Windows\\SysWOW64\\iesysprep.dll[gle=0x000000c1]",
        )],
        culprit: Culprit::Provider("C:\\Windows\\SysWOW64\\iesysprep.dll,Sysprep_Cleanup_IE"),
        code: "193",
        hr: "0x800700c1[gle=0x000000c1]",
    },
    Breakdown {
        fault: "sysprep-media-sharing",
        what: "media sharing begins to work after the last look: sysprep breaks off half-way",
        when: When::Cleanup,
        state: |state, _| service(state, "WMPNetworkSvc", |service| service.running),
        reasons: &[],
        culprit: Culprit::Provider("drmv2clt.dll,Sysprep"),
        code: "-2147467259",
        hr: "0x80004005",
    },
    Breakdown {
        fault: "sysprep-cryptography",
        what: "the cryptographic services do not answer: sysprep breaks off half-way",
        when: When::Cleanup,
        state: |state, _| {
            let disabled: fn(&super::windows::Service) -> bool = |service| service.start == "Disabled";
            service(state, "CryptSvc", disabled).or_else(|| service(state, "VSS", disabled))
        },
        reasons: &[],
        culprit: Culprit::Provider("C:\\Windows\\System32\\capisp.dll,CryptoSysPrep_Clean"),
        code: "-1073610698",
        hr: "0xc0020036",
    },
    Breakdown {
        fault: "sysprep-rearm",
        what: "the last rearm is used up after the last look: sysprep breaks off half-way",
        when: When::Generalize,
        state: |state, _| nameless(state.disk.license.rearm == 0 && !super::sysprep::skips_rearm(state)),
        reasons: &[],
        culprit: Culprit::Action(REARM),
        code: "0xc004d307",
        hr: "0xc004d307",
    },
    Breakdown {
        fault: "sysprep-rearm-old-form",
        what: "the same in the words of older versions",
        when: When::Generalize,
        state: unseen,
        reasons: &[],
        culprit: Culprit::Provider("C:\\Windows\\System32\\slc.dll,SLReArmWindows"),
        code: "-1073425657",
        hr: "0xc004d307",
    },
    Breakdown {
        fault: "sysprep-licensing-stopping",
        what: "the licensing service is stopping: sysprep breaks off half-way",
        when: When::Generalize,
        state: unseen,
        reasons: &[],
        culprit: Culprit::Action(REARM),
        code: "0xc004f075",
        hr: "0xc004f075",
    },
    Breakdown {
        fault: "sysprep-sense",
        what: "Defender for Endpoint is onboarded after the last look: sysprep breaks off half-way",
        when: When::Generalize,
        state: |_, faults| faults.armed("sense-onboarded"),
        reasons: &[
            (
                "",
                "ActionPlatform::DeleteValue: Error from RegDeleteValueW for value senseGuid under key HKEY_LOCAL_MACHINE\\Software\\Microsoft\\Windows Advanced Threat Protection; dwRet = 0x5",
            ),
            (
                "",
                "SysprepSession::ExecuteAction: Failed during deleteValue operation; dwRet = 0x5",
            ),
            (
                "",
                "SysprepSession::ExecuteInternal: Error in executing action for Windows-SenseClient-Service; dwRet = 0x5",
            ),
        ],
        culprit: Culprit::Action(""),
        code: "0x5",
        hr: "0x80070005",
    },
    Breakdown {
        fault: "sysprep-bcd",
        what: "the system partition cannot be reached: sysprep breaks off half-way",
        when: When::Generalize,
        state: |_, faults| faults.armed("bcd-unreadable"),
        reasons: &[("", "BCD: Failed to get system partition. Status: c0000452")],
        culprit: Culprit::Provider("C:\\Windows\\System32\\spbcd.dll,Sysprep_Generalize_Bcd"),
        code: "2[gle=0x00000012]",
        hr: "0x80070002[gle=0x00000012]",
    },
    Breakdown {
        fault: "sysprep-msdtc",
        what: "the transaction coordinator fails: sysprep breaks off half-way",
        when: When::Generalize,
        state: unseen,
        reasons: &[],
        culprit: Culprit::Provider("C:\\Windows\\System32\\msdtcprx.dll,SysPrepDtcGeneralize"),
        code: "-2146434815",
        hr: "0x80100101",
    },
    Breakdown {
        fault: "sysprep-remote-desktop",
        what: "the Remote Desktop provider crashes, as on Windows 11 25H2 under BIOS",
        when: When::Generalize,
        state: unseen,
        reasons: &[
            ("", "Entering RdpSysPrepRestoreOffline"),
            (
                "",
                "ActionPlatform::LaunchModule: Failure occurred while executing 'RdpSysPrepRestoreOffline' from C:\\Windows\\System32\\tssysprep.dll; unhandled exception (0xc0000005)",
            ),
        ],
        culprit: Culprit::Action(""),
        code: "0xc0000005",
        hr: "0xc0000005",
    },
];

/// The faults that make sysprep break down out of the blue.
pub(super) fn faults() -> impl Iterator<Item = FaultInfo> {
    BREAKDOWNS.iter().map(|one| FaultInfo {
        name: one.fault,
        what: one.what,
    })
}

/// The error lines of what breaks sysprep down at this point, if anything does.
pub(super) fn at(when: When, state: &State, faults: &Faults) -> Option<Vec<Line>> {
    let mut here = BREAKDOWNS.iter().filter(|one| one.when == when);
    here.find_map(|one| {
        let thing = faults.armed(one.fault).or_else(|| (one.state)(state, faults))?;
        Some(one.lines(&thing))
    })
}

/// The lines of an app that an earlier run stumbled over.
pub(super) fn earlier() -> Vec<Line> {
    let appx = BREAKDOWNS.iter().find(|one| one.fault == "sysprep-appx");
    appx.map(|one| one.lines("")).unwrap_or_default()
}

impl Breakdown {
    fn lines(&self, thing: &str) -> Vec<Line> {
        let usual = "Microsoft.Edge.GameAssist_1.0.3423.0_x64__8wekyb3d8bbwe";
        let thing_or_usual = if thing.is_empty() { usual } else { thing };
        let reasons = self.reasons.iter();
        let mut lines: Vec<Line> = reasons
            .map(|(code, text)| coded_or_not(code, text.replace("{}", thing_or_usual)))
            .collect();
        match self.culprit {
            Culprit::Itself => {}
            Culprit::Action(module) => lines.extend(self.session(module)),
            Culprit::Provider(usual) => lines.extend(self.provider(if thing.is_empty() { usual } else { thing })),
        }
        lines
    }

    /// An action of an action file fails.
    fn session(&self, module: &str) -> Vec<Line> {
        let code = self.code;
        let (what, doing) = match self.when {
            When::Cleanup | When::Generalize => ("Execute", "executing"),
            _ => ("Validate", "validating"),
        };
        let file = match self.when {
            When::CleanupValidation | When::Cleanup => CLEANUP,
            _ => GENERALIZE,
        };
        let called = format!("ActionPlatform::LaunchModule: Failure occurred while executing {module}; dwRet = {code}");
        let mut lines: Vec<Line> = (!module.is_empty()).then(|| error(called)).into_iter().collect();
        lines.extend([
            error(format!(
                "SysprepSession::{what}: Error in {doing} actions from {file}; dwRet = {code}"
            )),
            error(format!(
                "RunPlatformActions:Failed while {doing} Sysprep session actions; dwRet = {code}"
            )),
            halting("RunDlls", code),
            self.end("internal "),
        ]);
        lines
    }

    /// A registered provider fails.
    fn provider(&self, entry: &str) -> Vec<Line> {
        let code = self.code;
        let launched = format!("LaunchDll:Failure occurred while executing '{entry}', returned error code {code}");
        let kind = if self.when == When::Cleanup { "external " } else { "" };
        vec![
            error_coded("0x0f0082", launched),
            halting("RunExternalDlls", code),
            self.end(kind),
        ]
    }

    /// `WinMain`'s word.
    fn end(&self, kind: &str) -> Line {
        let hr = self.hr;
        let (code, doing, stage) = match self.when {
            When::Cleanup => ("0x0f00ae", "processing", "cleanup"),
            When::CleanupValidation => ("0x0f00d8", "pre-validate", "cleanup"),
            When::GeneralizeValidation => ("0x0f00d8", "pre-validate", "generalize"),
            When::Generalize | When::Start => ("0x0f00a8", "processing", "generalize"),
        };
        error_coded(
            code,
            format!("WinMain:Hit failure while {doing} sysprep {stage} {kind}providers; hr = {hr}"),
        )
    }
}

fn halting(who: &str, code: &str) -> Line {
    error_coded(
        "0x0f0070",
        format!(
            "{who}:An error occurred while running registry sysprep DLLs, halting sysprep execution. dwRet = {code}"
        ),
    )
}

fn coded_or_not(code: &'static str, text: String) -> Line {
    if code.is_empty() {
        error(text)
    } else {
        error_coded(code, text)
    }
}
