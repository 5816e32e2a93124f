//! Sysprep's log: how Windows writes a line, and the lines of a good run.

use jiff::Timestamp;

use super::machine::State;
use super::sysprep::{ACT, ERR, TAG};

/// The action file of the cleanup providers.
pub(super) const CLEANUP: &str = "C:\\Windows\\System32\\Sysprep\\ActionFiles\\Cleanup.xml";
/// The action file of the generalize providers.
pub(super) const GENERALIZE: &str = "C:\\Windows\\System32\\Sysprep\\ActionFiles\\Generalize.xml";

/// One line without its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    level: &'static str,
    code: Option<&'static str>,
    source: &'static str,
    text: String,
}

impl Line {
    const fn of(level: &'static str, code: Option<&'static str>, text: String) -> Self {
        Self {
            level,
            code,
            source: "SYSPRP",
            text,
        }
    }

    /// As Windows writes it: the level is padded to column 32.
    fn written(&self, stamp: &str) -> String {
        let code = self.code.map_or_else(|| " ".repeat(10), |code| format!("[{code}]"));
        let Self {
            level, source, text, ..
        } = self;
        format!("{stamp}, {level:<11}{code} {source:<6} {text}\r\n")
    }
}

/// An information.
pub(super) fn info(text: impl Into<String>) -> Line {
    Line::of("Info", None, text.into())
}

/// An information with a message number.
pub(super) fn coded(code: &'static str, text: impl Into<String>) -> Line {
    Line::of("Info", Some(code), text.into())
}

/// A warning.
pub(super) fn warning(text: impl Into<String>) -> Line {
    Line::of("Warning", None, text.into())
}

/// An error.
pub(super) fn error(text: impl Into<String>) -> Line {
    Line::of("Error", None, text.into())
}

/// An error with a message number.
pub(super) fn error_coded(code: &'static str, text: impl Into<String>) -> Line {
    Line::of("Error", Some(code), text.into())
}

/// A line of another component, of which real logs are full.
pub(super) fn foreign(source: &'static str, text: impl Into<String>) -> Line {
    Line { source, ..info(text) }
}

/// Writes lines into both logs.
pub(super) fn log(state: &mut State, at: Timestamp, lines: &[Line]) {
    let stamp = at.strftime("%Y-%m-%d %H:%M:%S").to_string();
    for line in lines {
        let written = line.written(&stamp);
        state.disk.files.append(ACT, &written, at);
        if line.level == "Error" {
            state.disk.files.append(ERR, &written, at);
        }
    }
}

/// The text of lines as they stand in a log, all of one moment.
pub(super) fn text(at: Timestamp, lines: &[Line]) -> String {
    let stamp = at.strftime("%Y-%m-%d %H:%M:%S").to_string();
    lines.iter().map(|line| line.written(&stamp)).collect()
}

fn the_time(at: Timestamp) -> Line {
    coded(
        "0x0f004d",
        format!("The time is now {}", at.strftime("%Y-%m-%d %H:%M:%S")),
    )
}

/// How every run begins.
pub(super) fn banner(at: Timestamp) -> Vec<Line> {
    let bar = "========================================================";
    vec![
        info(bar),
        info("===          Beginning of a new sysprep run          ==="),
        info(bar),
        the_time(at),
        coded(
            "0x0f004e",
            "Initialized SysPrep log at C:\\Windows\\System32\\Sysprep\\Panther",
        ),
    ]
}

/// The privileges are there, and so is the command line.
pub(super) fn accepted(mode_vm: bool) -> Vec<Line> {
    let mut lines = vec![
        coded(
            "0x0f0054",
            "ValidatePrivileges:User has required privileges to sysprep machine",
        ),
        coded(
            "0x0f007e",
            format!("FCreateTagFile:Tag file {TAG} does not already exist, no need to delete anything"),
        ),
    ];
    let options = ["GENERALIZE", "OOBE", "QUIT", "QUIET", "UNATTEND"];
    let mode = mode_vm.then_some("MODE");
    lines.extend(options.into_iter().chain(mode).map(|option| {
        coded(
            "0x0f005f",
            format!("ParseCommands:Found supported command line option '{option}'"),
        )
    }));
    if mode_vm {
        lines.push(coded("0x0f00b7", "WinMain:Sysprep mode [vm]; was specified"));
    }
    lines
}

/// How every run ends, good or bad.
pub(super) fn foot(at: Timestamp) -> [Line; 2] {
    [coded("0x0f0052", "Shutting down SysPrep log"), the_time(at)]
}

/// How every phase begins.
pub(super) fn actions(phase: u32, file: &str) -> Vec<Line> {
    vec![
        info(format!(
            "RunDlls:Running platform actions specified in action file for phase {phase}"
        )),
        info(format!(
            "SysprepSession::CreateSession: Successfully created instance with action file {file}, and mode <null>"
        )),
        info(format!(
            "SysprepSession::Validate: Beginning action execution from {file}"
        )),
        info("SysprepSession::CreateXPathForSelection: Sysprep mode in registry is <null>"),
        info("SysprepSession::CreateXPathForSelection: Processor architecture in registry is AMD64"),
    ]
}

/// Validation of the cleanup providers begins.
pub(super) fn cleanup_validation() -> Vec<Line> {
    let mut lines = vec![coded("0x0f00d7", "WinMain:Pre-validing 'cleanup' internal providers.")];
    lines.extend(actions(3, CLEANUP));
    lines.push(executing("Sysprep_Clean_Validate_Opk", "spopk.dll"));
    lines
}

/// It has ended well, and that of the generalize providers begins.
pub(super) fn generalize_validation() -> Vec<Line> {
    let mut lines = vec![
        info(
            "Sysprep_Clean_Validate_Opk: Successfully validated reserves state on the machine for entering audit mode.",
        ),
        executed("Sysprep_Clean_Validate_Opk", "spopk.dll"),
        coded("0x0f00d7", "WinMain:Pre-validing 'generalize' internal providers."),
    ];
    lines.extend(actions(1, GENERALIZE));
    lines.push(executing("SysprepGeneralizeValidate", "AppxSysprep.dll"));
    lines.push(info(
        "Entering SysprepGeneralizeValidate (Appx) - validating whether all apps are also provisioned.",
    ));
    lines
}

/// Validation has ended well, and the cleanup providers begin.
pub(super) fn cleanup_execution() -> Vec<Line> {
    vec![
        executed("SysprepGeneralizeValidate", "AppxSysprep.dll"),
        info("WinMain:Processing 'cleanup' internal provider request."),
        foreign(
            "CSI",
            "   00000001 Shim considered [l:125]'\\??\\C:\\Windows\\Servicing\\wcp.dll' : got STATUS_OBJECT_PATH_NOT_FOUND",
        ),
        warning("WinMain: File operations pending"),
    ]
}

/// The cleanup providers have ended well, and the machine begins to be generalized.
pub(super) fn generalize_execution() -> Vec<Line> {
    vec![
        info("WinMain:Processing 'generalize' internal provider request."),
        info(format!(
            "SysprepSession::Execute: Beginning action execution from {GENERALIZE}"
        )),
    ]
}

/// What a good run says on its way, by seconds; some of it are errors that mean nothing.
pub(super) fn progress() -> [(f64, Line); 4] {
    [
        (8.0, error("MRTGeneralize: ERROR: Failed ConnectServer")),
        (
            26.0,
            info("Sysprep_Generalize_Bcd: Successfully generalized the bcd store. Status=[0x0]"),
        ),
        (
            31.0,
            error("Unable to uninstall device ROOT\\BASICDISPLAY\\0000. Err = 0xE0000231"),
        ),
        (44.0, info("Exiting SysprepGeneralize (Appx).")),
    ]
}

/// The tag file is there.
pub(super) fn tagged() -> Line {
    info(format!("FCreateTagFile:Successfully created tag file {TAG}"))
}

/// A module is called.
pub(super) fn executing(method: &str, dll: &str) -> Line {
    info(format!(
        "ActionPlatform::LaunchModule: Executing method '{method}' from C:\\Windows\\System32\\{dll}"
    ))
}

fn executed(method: &str, dll: &str) -> Line {
    info(format!(
        "ActionPlatform::LaunchModule: Successfully executed '{method}' from C:\\Windows\\System32\\{dll}"
    ))
}

/// What the provider's own run left in the log, long before the build: a run that failed, and one that did not.
pub(super) fn of_old(at: Timestamp) -> String {
    let mut lines = banner(at);
    lines.extend(accepted(false));
    lines.extend(super::breakdowns::earlier());
    lines.extend(foot(at));
    lines.extend(banner(at));
    lines.extend(accepted(false));
    lines.extend(cleanup_validation());
    lines.extend(generalize_validation());
    lines.extend(cleanup_execution());
    lines.extend(generalize_execution());
    lines.extend(progress().map(|(_, line)| line));
    lines.push(tagged());
    lines.extend(foot(at));
    text(at, &lines)
}
