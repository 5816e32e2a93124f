//! Sysprep's log: the lines of a good run, and of every way to fail.

use jiff::Timestamp;

use super::machine::State;
use super::sysprep::{ACT, ERR, TAG};
use crate::faults::Faults;

/// The action file of the cleanup providers.
pub(super) const CLEANUP: &str = "C:\\Windows\\System32\\Sysprep\\ActionFiles\\Cleanup.xml";
/// The action file of the generalize providers.
pub(super) const GENERALIZE: &str = "C:\\Windows\\System32\\Sysprep\\ActionFiles\\Generalize.xml";

/// Writes lines, each `LEVEL|CODE|TEXT`, as Windows writes them.
pub fn log(state: &mut State, at: Timestamp, lines: &[String]) {
    let stamp = at.strftime("%Y-%m-%d %H:%M:%S");
    for line in lines {
        let mut parts = line.splitn(3, '|');
        let (level, code, text) = (parts.next(), parts.next(), parts.next());
        let (level, text) = (level.unwrap_or_default(), text.unwrap_or_default());
        let code = code
            .filter(|code| !code.is_empty())
            .map_or_else(|| " ".repeat(10), |code| format!("[{code}]"));
        let line = format!("{stamp}, {level:<11}{code} SYSPRP {text}\r\n");
        state.disk.files.append(ACT, &line, at);
        if level == "Error" {
            state.disk.files.append(ERR, &line, at);
        }
    }
}

/// An information.
pub(super) fn info(text: &str) -> String {
    format!("Info||{text}")
}

/// An information with a message number.
pub(super) fn coded(code: &str, text: &str) -> String {
    format!("Info|{code}|{text}")
}

/// An error.
pub(super) fn error(text: &str) -> String {
    format!("Error||{text}")
}

/// An error with a message number.
pub(super) fn error_coded(code: &str, text: &str) -> String {
    format!("Error|{code}|{text}")
}

/// How every run begins.
pub(super) fn banner(at: Timestamp) -> Vec<String> {
    let bar = "========================================================";
    let mut lines = vec![
        info(bar),
        info("===          Beginning of a new sysprep run          ==="),
        info(bar),
        coded(
            "0x0f004d",
            &format!("The time is now {}", at.strftime("%Y-%m-%d %H:%M:%S")),
        ),
        coded(
            "0x0f004e",
            "Initialized SysPrep log at C:\\Windows\\System32\\Sysprep\\Panther",
        ),
        coded(
            "0x0f0054",
            "ValidatePrivileges:User has required privileges to sysprep machine",
        ),
        coded(
            "0x0f007e",
            &format!("FCreateTagFile:Tag file {TAG} does not already exist, no need to delete anything"),
        ),
    ];
    for option in ["GENERALIZE", "OOBE", "QUIT", "QUIET", "UNATTEND"] {
        lines.push(coded(
            "0x0f005f",
            &format!("ParseCommands:Found supported command line option '{option}'"),
        ));
    }
    lines
}

/// One way in which validation or execution fails: its `Error` lines.
pub(super) struct Trouble {
    reasons: Vec<String>,
    module: String,
    actions: &'static str,
    code: String,
    last: (&'static str, String),
}

impl Trouble {
    pub(super) fn lines(&self, validating: bool) -> Vec<String> {
        let (what, doing) = if validating {
            ("Validate", "validating")
        } else {
            ("Execute", "executing")
        };
        let mut lines: Vec<String> = self.reasons.iter().map(|reason| error(reason)).collect();
        let code = &self.code;
        if !self.module.is_empty() {
            let text = format!(
                "ActionPlatform::LaunchModule: Failure occurred while executing {}; dwRet = {code}",
                self.module
            );
            lines.push(error(&text));
        }
        let actions = self.actions;
        lines.push(error(&format!(
            "SysprepSession::{what}: Error in {doing} actions from {actions}; dwRet = {code}"
        )));
        lines.push(error(&format!(
            "RunPlatformActions:Failed while {doing} Sysprep session actions; dwRet = {code}"
        )));
        lines.push(error_coded(
            "0x0f0070",
            &format!("RunDlls:An error occurred while running registry sysprep DLLs, halting sysprep execution. dwRet = {code}"),
        ));
        lines.push(error_coded(self.last.0, &self.last.1));
        lines
    }
}

/// The last line of a validation that failed.
pub(super) fn pre_validate(stage: &str, hr: &str) -> (&'static str, String) {
    (
        "0x0f00d8",
        format!("WinMain:Hit failure while pre-validate sysprep {stage} internal providers; hr = {hr}"),
    )
}

/// The last line of a run that broke off.
pub(super) fn processing(hr: &str) -> (&'static str, String) {
    (
        "0x0f00a8",
        format!("WinMain:Hit failure while processing sysprep generalize internal providers; hr = {hr}"),
    )
}

/// What validation of the cleanup providers finds.
pub(super) fn cleanup_trouble(state: &State, faults: &Faults) -> Option<Trouble> {
    let opk = "'Sysprep_Clean_Validate_Opk' from C:\\Windows\\System32\\spopk.dll".to_owned();
    if state.disk.reboot_pending() {
        let reason = "Sysprep_Clean_Validate_Opk:There are one or more Windows updates that require a reboot. To run Sysprep, reboot the computer and restart the application.[gle=0x000036b7]";
        let (code, last) = (
            "0x139f[gle=0x000036b7]".to_owned(),
            pre_validate("cleanup", "0x8007139f[gle=0x000036b7]"),
        );
        return Some(Trouble {
            reasons: vec![reason.to_owned()],
            module: opk,
            actions: CLEANUP,
            code,
            last,
        });
    }
    faults.armed("reserved-storage").map(|_| {
        let reason = "Sysprep_Clean_Validate_Opk: Audit mode cannot be turned on if reserved storage is in use. An update or servicing operation may be using reserved storage.; hr = 0x800F0975";
        let (code, last) = ("0x975".to_owned(), pre_validate("cleanup", "0x80070975"));
        Trouble { reasons: vec![reason.to_owned()], module: opk, actions: CLEANUP, code, last }
    })
}

/// What validation of the generalize providers finds.
pub(super) fn generalize_trouble(state: &State) -> Option<Trouble> {
    if let Some(appx) = state
        .disk
        .appx
        .iter()
        .find(|appx| !appx.provisioned && !appx.users.is_empty())
    {
        let reasons = vec![
            format!(
                "Package {} was installed for a user, but not provisioned for all users. This package will not function properly in the sysprep image.",
                appx.full_name
            ),
            "Failed to remove apps for the current user: 0x80073cf2.".to_owned(),
            "Exit code of RemoveAllApps thread was 0x3cf2.".to_owned(),
        ];
        let module = "'SysprepGeneralizeValidate' from C:\\Windows\\System32\\AppxSysprep.dll".to_owned();
        let (code, last) = ("0x3cf2".to_owned(), pre_validate("generalize", "0x80073cf2"));
        return Some(Trouble {
            reasons,
            module,
            actions: GENERALIZE,
            code,
            last,
        });
    }
    state.disk.bitlocker.filter(|drive| drive.conversion != 0).map(|_| {
        let reason =
            "BitLocker-Sysprep: BitLocker is on for the OS volume. Turn BitLocker off to run Sysprep. (0x80310039)";
        let module = "'ValidateBitLockerState' from C:\\Windows\\System32\\BdeSysprep.dll".to_owned();
        let (code, last) = ("0x80310039".to_owned(), pre_validate("generalize", "0x80310039"));
        Trouble {
            reasons: vec![reason.to_owned()],
            module,
            actions: GENERALIZE,
            code,
            last,
        }
    })
}

/// What breaks a run off half-way.
pub(super) fn execute_trouble(state: &State, faults: &Faults) -> Option<Trouble> {
    if state.disk.license.rearm == 0 {
        let module = "'SLReArmWindows' from C:\\Windows\\System32\\slc.dll".to_owned();
        let (code, last) = ("0xc004d307".to_owned(), processing("0xc004d307"));
        return Some(Trouble {
            reasons: Vec::new(),
            module,
            actions: GENERALIZE,
            code,
            last,
        });
    }
    if faults.armed("sense-onboarded").is_some() {
        let reasons = vec![
            "ActionPlatform::DeleteValue: Error from RegDeleteValueW for value senseGuid under key HKEY_LOCAL_MACHINE\\Software\\Microsoft\\Windows Advanced Threat Protection; dwRet = 0x5".to_owned(),
            "SysprepSession::ExecuteAction: Failed during deleteValue operation; dwRet = 0x5".to_owned(),
            "SysprepSession::ExecuteInternal: Error in executing action for Windows-SenseClient-Service; dwRet = 0x5".to_owned(),
        ];
        let (code, last) = ("0x5".to_owned(), processing("0x80070005"));
        return Some(Trouble {
            reasons,
            module: String::new(),
            actions: GENERALIZE,
            code,
            last,
        });
    }
    faults.armed("provider").map(|dll| {
        let dll = if dll.is_empty() { "DscCore.dll".to_owned() } else { dll };
        let reasons = vec![format!(
            "LaunchDll:Failure occurred while executing '{dll},SysPrep_Cleanup', returned error code 0x2"
        )];
        let (code, last) = ("0x2".to_owned(), processing("0x80070002"));
        Trouble {
            reasons,
            module: String::new(),
            actions: GENERALIZE,
            code,
            last,
        }
    })
}

/// How every phase begins.
pub(super) fn actions(phase: u32, file: &str) -> Vec<String> {
    vec![
        info(&format!(
            "RunDlls:Running platform actions specified in action file for phase {phase}"
        )),
        info(&format!(
            "SysprepSession::CreateSession: Successfully created instance with action file {file}, and mode <null>"
        )),
        info(&format!(
            "SysprepSession::Validate: Beginning action execution from {file}"
        )),
        info("SysprepSession::CreateXPathForSelection: Sysprep mode in registry is <null>"),
        info("SysprepSession::CreateXPathForSelection: Processor architecture in registry is AMD64"),
    ]
}
