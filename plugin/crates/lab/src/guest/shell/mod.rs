//! What others than Reseal run in a guest: lines of `cmd.exe`, batch files, and small PowerShell scripts.
//!
//! Packer's provisioners upload a script and run it, restart the machine and look whether it is back. That much is
//! understood here, with the words, exit codes and pauses of the real programs: [`batch`] is `cmd.exe`, [`syntax`] and
//! [`eval`] are as much of PowerShell as such scripts need, [`restart`] is `shutdown.exe`. What is not known is refused as
//! Windows would refuse it, and recorded as a violation.

mod batch;
mod cmdlets;
mod eval;
mod restart;
mod syntax;
#[cfg(test)]
mod tests;
mod visitor;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;

use super::machine::{Guest, State};
use crate::winrm::bytes::from_utf16le;

/// Scripts call each other less deep than this.
const DEPTH: u32 = 16;
/// No script of a provisioner prints more.
const MOST: usize = 16 << 20;

/// What became of a command line.
#[derive(Debug)]
pub struct Ran {
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// The exit code.
    pub code: i32,
    /// How long it took.
    pub seconds: f64,
    /// The machine goes down before the end is seen.
    pub silent: bool,
}

/// A process that runs, and the machine around it.
pub struct Shell<'a> {
    guest: &'a Guest,
    state: &'a mut State,
    now: Timestamp,
    user: String,
    sid: String,
    silent: bool,
    environment: BTreeMap<String, String>,
    out: String,
    err: String,
    seconds: f64,
    depth: u32,
}

impl<'a> Shell<'a> {
    /// A process of `user`, whose SID is `sid`.
    pub fn new(guest: &'a Guest, state: &'a mut State, now: Timestamp, user: &str, sid: &str) -> Self {
        let computer = state.disk.computer_name.clone();
        let variables = [
            ("COMPUTERNAME", computer),
            ("USERNAME", user.to_owned()),
            ("SYSTEMROOT", "C:\\Windows".to_owned()),
            ("WINDIR", "C:\\Windows".to_owned()),
            ("SYSTEMDRIVE", "C:".to_owned()),
            ("PROGRAMFILES", "C:\\Program Files".to_owned()),
            ("TEMP", format!("C:\\Users\\{user}\\AppData\\Local\\Temp")),
            ("TMP", format!("C:\\Users\\{user}\\AppData\\Local\\Temp")),
        ];
        Self {
            guest,
            state,
            now,
            user: user.to_owned(),
            sid: sid.to_owned(),
            silent: false,
            environment: variables.map(|(name, value)| (name.to_owned(), value)).into(),
            out: String::new(),
            err: String::new(),
            seconds: 0.05,
            depth: 0,
        }
    }

    /// Runs a line of `cmd.exe` to its end.
    pub fn run(mut self, line: &str) -> Ran {
        let code = self.line(line);
        Ran {
            silent: self.silent,
            out: self.out,
            err: self.err,
            code,
            seconds: self.seconds,
        }
    }

    /// Runs `powershell.exe` with its arguments.
    fn powershell(&mut self, words: &[String]) -> i32 {
        self.seconds += 0.5;
        match invocation(words) {
            Some(Invocation::Text(text)) => self.script_text(&text, "command"),
            Some(Invocation::File(path, arguments)) => self.script_file(&path, &arguments),
            None => {
                let line = words.join(" ");
                self.refuse(&format!(
                    "powershell.exe was started in a way that the lab does not know: {line}"
                ));
                self.complain("The lab is no PowerShell: it does not know these arguments.");
                1
            }
        }
    }

    fn script_file(&mut self, path: &str, arguments: &[String]) -> i32 {
        let Some(text) = self.state.disk.files.text(path).map(str::to_owned) else {
            let why = format!(
                "The argument '{path}' to the -File parameter does not exist. Provide the path to an existing '.ps1' file as an \
                 argument to the -File parameter."
            );
            self.complain(&why);
            return -196_608;
        };
        if text.starts_with(visitor::FIRST_LINE) {
            return self.visitor(arguments);
        }
        self.script_text(&text, path)
    }

    fn print(&mut self, text: &str) {
        if self.out.len() + text.len() < MOST {
            self.out.push_str(text);
            self.out.push_str("\r\n");
        }
    }

    fn complain(&mut self, text: &str) {
        if self.err.len() + text.len() < MOST {
            self.err.push_str(text);
            self.err.push_str("\r\n");
        }
    }

    fn refuse(&mut self, what: &str) {
        self.state.violation(what.to_owned());
    }

    /// A variable of the environment.
    fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(&name.to_uppercase()).map(String::as_str)
    }

    fn set_variable(&mut self, name: &str, value: String) {
        self.environment.insert(name.to_uppercase(), value);
    }
}

enum Invocation {
    Text(String),
    File(String, Vec<String>),
}

/// What `powershell.exe` is to run. The rest of the line after `-Command`, or after the options, is a script's text.
fn invocation(words: &[String]) -> Option<Invocation> {
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let option = word.to_lowercase();
        let option = option.strip_prefix(['-', '/']).unwrap_or_default();
        match option {
            "noprofile" | "nop" | "noninteractive" | "noni" | "nologo" | "sta" | "mta" => {}
            "executionpolicy" | "ex" | "ep" | "exec" | "inputformat" | "outputformat" | "windowstyle" => {
                rest.next();
            }
            "file" | "f" => {
                return rest
                    .next()
                    .map(|path| Invocation::File(path.clone(), rest.cloned().collect()));
            }
            "encodedcommand" | "enc" | "e" | "ec" => {
                let bytes = BASE64_STANDARD.decode(rest.next()?).ok()?;
                return from_utf16le(&bytes).map(Invocation::Text);
            }
            "command" | "c" => return Some(Invocation::Text(joined(rest))),
            "" => return Some(Invocation::Text(joined(std::iter::once(word).chain(rest)))),
            _ => return None,
        }
    }
    None
}

fn joined<'w>(words: impl Iterator<Item = &'w String>) -> String {
    let words: Vec<&str> = words.map(String::as_str).collect();
    words.join(" ")
}
