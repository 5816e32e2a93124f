//! U017: commands that Setup runs.

use crate::document::{AnswerFile, Entry};
use crate::finding::Finding;
use crate::target::Pass;
use crate::xml::{self, text_span};

/// Words that only a shell understands.
const BUILT_IN: &[&str] = &[
    "echo", "copy", "del", "erase", "md", "mkdir", "rd", "rmdir", "move", "ren", "rename", "set", "type", "if", "for",
    "call", "mklink", "dir", "pushd", "popd", "cd", "start",
];

/// Checks all commands.
pub(super) fn check(file: &AnswerFile<'_, '_>, findings: &mut Vec<Finding>) {
    for entry in &file.entries {
        let command = match entry.setting.path {
            "RunSynchronous/RunSynchronousCommand[]" | "RunAsynchronous/RunAsynchronousCommand[]" => "Path",
            "FirstLogonCommands/SynchronousCommand[]" | "LogonCommands/AsynchronousCommand[]" => "CommandLine",
            _ => continue,
        };
        let Some(node) = xml::child(entry.node, command) else {
            findings.push(nothing_to_run(entry, command));
            continue;
        };
        let line = xml::text(node);
        if !line.trim().is_empty() {
            check_line(entry, &line, text_span(node), findings);
        }
    }
}

fn nothing_to_run(entry: &Entry<'_, '_>, command: &str) -> Finding {
    let place = xml::name_span(entry.node);
    Finding::warning("U017", place, format!("`{}` has no `{command}`", entry.setting.name))
        .help("there is nothing to run")
}

fn check_line(entry: &Entry<'_, '_>, line: &str, place: reseal_diag::Span, findings: &mut Vec<Finding>) {
    let runs = entry.setting.path.starts_with("Run");
    if line.trim().contains(['\n', '\r']) {
        let said = "the command is broken over several lines";
        let finding = if runs {
            Finding::warning("U017", place, said)
        } else {
            Finding::hint("U017", place, said)
        };
        findings
            .push(finding.help("Setup takes line breaks and indentation as part of the command; put it on one line"));
    }
    if runs && matches!(entry.pass, Pass::Specialize | Pass::AuditUser) {
        check_setup_line(entry, line, place, findings);
        check_reboot(entry, line, findings);
    }
}

fn check_setup_line(entry: &Entry<'_, '_>, line: &str, place: reseal_diag::Span, findings: &mut Vec<Finding>) {
    let length = line.encode_utf16().count();
    if (256..=259).contains(&length) {
        let said = format!("the command has {length} characters; some builds refuse more than 255");
        findings.push(Finding::hint("U017", place, said).help("put it into a script and run that"));
    }
    let lower = line.to_ascii_lowercase();
    if let Some(what) = ends_the_machine(&lower) {
        let said = format!("{what} from a command that Setup runs");
        let finding = if entry.pass == Pass::Specialize {
            Finding::warning("U017", place, said)
        } else {
            Finding::hint("U017", place, said)
        };
        findings.push(finding.help("let Setup restart: `WillReboot` with `Always`, or `OnRequest` and exit code 1"));
    }
    findings.extend(check_shell(&lower, place));
}

/// `OnRequest` gives exit codes a meaning: 1 restarts, 2 restarts and repeats, any other but 0 is the end.
fn check_reboot(entry: &Entry<'_, '_>, line: &str, findings: &mut Vec<Finding>) {
    let Some(node) = xml::child(entry.node, "WillReboot") else {
        return;
    };
    if !xml::text(node).trim().eq_ignore_ascii_case("OnRequest") {
        return;
    }
    let place = text_span(node);
    let lower = line.to_ascii_lowercase();
    let program = lower
        .trim_start()
        .trim_start_matches('"')
        .split([' ', '"'])
        .next()
        .unwrap_or("");
    let program = program.rsplit('\\').next().unwrap_or(program).trim_end_matches(".exe");
    if OTHER_CODES.contains(&program) {
        findings.push(
            Finding::warning(
                "U017",
                place,
                format!("`{program}` ends with codes that `OnRequest` takes for a failure"),
            )
            .help("any code but 0, 1 and 2 stops Setup; run it through `cmd.exe /c \"… & exit 0\"`, or use `Always`"),
        );
    } else if lower.contains("exit 2") || lower.contains("exit /b 2") {
        findings.push(Finding::hint(
            "U017",
            place,
            "exit code 2 restarts and runs the command again, without end if it keeps failing",
        ));
    }
}

/// Programs that say 3010 (restart wanted) or other numbers when all is well.
const OTHER_CODES: &[&str] = &["msiexec", "wusa", "dism", "robocopy"];

/// A command that restarts, shuts down or seals the machine under Setup's feet.
fn ends_the_machine(lower: &str) -> Option<&'static str> {
    let words: Vec<&str> = lower
        .split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '&' | ';' | '|' | '\\' | '(' | '{' | ')' | '}'))
        .collect();
    let has = |names: &[&str]| words.iter().any(|word| names.contains(word));
    let flag = |flags: &[&str]| words.iter().any(|word| flags.contains(word));
    if has(&["sysprep", "sysprep.exe"]) && flag(&["/generalize", "/oobe", "-generalize", "-oobe"]) {
        return Some("sysprep is started");
    }
    if has(&["shutdown", "shutdown.exe"]) && flag(&["/r", "/s", "-r", "-s", "/p", "-p", "/g"]) {
        return Some("the machine is shut down");
    }
    has(&["restart-computer", "stop-computer"]).then_some("the machine is shut down")
}

/// Things that need a shell, given to none.
fn check_shell(lower: &str, place: reseal_diag::Span) -> Option<Finding> {
    let first = lower
        .trim_start()
        .trim_start_matches('"')
        .split([' ', '"', '\t'])
        .next()?;
    let help = "Setup starts programs without a shell: write `cmd.exe /c \"…\"`";
    if BUILT_IN.contains(&first) {
        let said = format!("`{first}` is a command of the shell, not a program");
        return Some(Finding::warning("U017", place, said).help(help));
    }
    let program = first.rsplit('\\').next().unwrap_or(first);
    let shell = ["cmd", "%comspec%", "powershell", "pwsh", "wscript", "cscript", "bash"]
        .iter()
        .any(|shell| program.starts_with(shell));
    let sign = shell_sign(lower).filter(|_| !shell)?;
    let said = format!("`{sign}` means something to a shell only, and there is none here");
    Some(Finding::warning("U017", place, said).help(help))
}

/// A sign that joins commands or sends their output somewhere, outside of quotes.
fn shell_sign(line: &str) -> Option<&'static str> {
    let bare = line.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    if bare.contains("&&") {
        return Some("&&");
    }
    let words: Vec<&str> = bare.split_whitespace().collect();
    ["||", "|", ">>", ">", "&"]
        .into_iter()
        .find(|sign| words.contains(sign))
}
