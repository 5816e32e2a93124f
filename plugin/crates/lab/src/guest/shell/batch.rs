//! `cmd.exe`: lines with `&`, `&&`, `||` and `>`, variables, and the commands that installers' batch files begin with.

use super::{DEPTH, Shell};
use crate::guest::files::Content;
use crate::winrm::engine::split;

/// What a batch file sees after a name that `cmd.exe` does not know.
const UNKNOWN: i32 = 9009;

/// When a part of a line is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    AfterSuccess,
    AfterFailure,
}

/// What a batch file does next.
enum Next {
    Line,
    End(i32),
}

impl Shell<'_> {
    /// Runs a line.
    pub(super) fn line(&mut self, line: &str) -> i32 {
        match self.parts(line, 0) {
            (Next::Line, code) | (Next::End(code), _) => code,
        }
    }

    /// Runs the parts of a line after each other; `before` is the exit code so far.
    fn parts(&mut self, line: &str, before: i32) -> (Next, i32) {
        let mut code = before;
        for (when, part) in divided(line.trim()) {
            let wanted = match when {
                When::Always => true,
                When::AfterSuccess => code == 0,
                When::AfterFailure => code != 0,
            };
            if !wanted {
                continue;
            }
            match self.part(&part, code) {
                (Next::Line, now) => code = now,
                end => return end,
            }
        }
        (Next::Line, code)
    }

    fn part(&mut self, part: &str, before: i32) -> (Next, i32) {
        let expanded = self.expanded(part.trim_start().trim_start_matches('@'), before);
        let (command, file) = redirected(&expanded);
        let printed = self.out.len();
        let next = self.command(command, before);
        if let Some((path, adds)) = file {
            let text = self.out.split_off(printed);
            self.keep(&path, &text, adds);
        }
        next
    }

    fn keep(&mut self, path: &str, text: &str, adds: bool) {
        if path.eq_ignore_ascii_case("nul") {
            return;
        }
        let path = path.replace('/', "\\");
        if adds {
            self.state.disk.files.append(&path, text, self.now);
        } else {
            self.state.disk.files.write_text(&path, text, self.now);
        }
    }

    fn command(&mut self, line: &str, before: i32) -> (Next, i32) {
        let words = split(line);
        let Some(first) = words.first() else {
            return (Next::Line, before);
        };
        let rest = line
            .trim_start()
            .split_once(char::is_whitespace)
            .map_or("", |(_, rest)| rest);
        let name = first.to_lowercase();
        let name = name.rsplit('\\').next().unwrap_or(&name);
        let code = match name.strip_suffix(".exe").unwrap_or(name) {
            "echo" | "echo." => self.echo(rest),
            "rem" | "::" | "cd" | "chcp" | "setlocal" | "endlocal" | "title" => 0,
            "set" => self.set(rest),
            "exit" => return self.exit(&words),
            "cmd" => self.nested(&words, rest),
            "call" => self.line(rest),
            "hostname" => self.say(self.state.disk.computer_name.clone()),
            "whoami" => self.say(format!("{}\\{}", self.state.disk.computer_name, self.user).to_lowercase()),
            "ver" => self.version(),
            "type" => self.type_file(rest),
            "del" | "erase" => self.remove(&words),
            "mkdir" | "md" => self.folder(rest),
            "rmdir" | "rd" => self.remove(&words),
            "shutdown" => self.shutdown(&words),
            "powershell" | "pwsh" => self.powershell(words.get(1..).unwrap_or_default()),
            file if file.ends_with(".bat") || file.ends_with(".cmd") => self.batch(first),
            _ => self.unknown(first),
        };
        (Next::Line, code)
    }

    fn say(&mut self, text: String) -> i32 {
        self.print(&text);
        0
    }

    fn echo(&mut self, rest: &str) -> i32 {
        match rest.trim().to_lowercase().as_str() {
            "off" | "on" => 0,
            _ => self.say(rest.to_owned()),
        }
    }

    fn version(&mut self) -> i32 {
        let profile = &self.state.disk.profile;
        let text = format!("\r\nMicrosoft Windows [Version 10.0.{}.{}]", profile.build, profile.ubr);
        self.say(text)
    }

    /// `set NAME=VALUE` and `set "NAME=VALUE"`.
    fn set(&mut self, rest: &str) -> i32 {
        let rest = rest.trim();
        let rest = rest
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .unwrap_or(rest);
        match rest.split_once('=') {
            Some((name, value)) => {
                self.set_variable(name, value.to_owned());
                0
            }
            None => 1,
        }
    }

    /// `exit` ends the process, `exit /b` the batch file; within one line they are the same.
    fn exit(&mut self, words: &[String]) -> (Next, i32) {
        let code = words.iter().skip(1).find_map(|word| word.parse().ok()).unwrap_or(0);
        (Next::End(code), code)
    }

    fn nested(&mut self, words: &[String], rest: &str) -> i32 {
        let begins = words.get(1).is_some_and(|word| word.eq_ignore_ascii_case("/c"));
        match rest.split_once(char::is_whitespace) {
            Some((_, line)) if begins => self.line(line.trim().trim_matches('"')),
            _ => self.unknown("cmd"),
        }
    }

    fn type_file(&mut self, rest: &str) -> i32 {
        let path = rest.trim().trim_matches('"');
        match self.state.disk.files.content(path).and_then(Content::whole) {
            Some(bytes) => {
                let text = String::from_utf8_lossy(bytes).into_owned();
                self.out.push_str(&text);
                0
            }
            None => {
                self.complain("The system cannot find the file specified.");
                1
            }
        }
    }

    fn remove(&mut self, words: &[String]) -> i32 {
        for path in words.iter().skip(1).filter(|word| !word.starts_with('/')) {
            self.state.disk.files.remove(path);
        }
        0
    }

    fn folder(&mut self, rest: &str) -> i32 {
        let path = rest.trim().trim_matches('"').replace('/', "\\");
        self.state.disk.files.folder(&path, self.now);
        0
    }

    fn batch(&mut self, path: &str) -> i32 {
        let Some(text) = self.state.disk.files.text(path).map(str::to_owned) else {
            return self.unknown(path);
        };
        if self.depth >= DEPTH {
            return self.unknown(path);
        }
        self.depth += 1;
        let mut code = 0;
        for line in text.lines() {
            match self.parts(line, code) {
                (Next::Line, now) => code = now,
                (Next::End(now), _) => {
                    code = now;
                    break;
                }
            }
        }
        self.depth -= 1;
        code
    }

    fn unknown(&mut self, name: &str) -> i32 {
        let text = format!(
            "'{name}' is not recognized as an internal or external command,\r\noperable program or batch file."
        );
        self.complain(&text);
        if self.depth > 0 { UNKNOWN } else { 1 }
    }

    /// Fills in `%NAME%`; unknown ones stay, as on a command line.
    fn expanded(&self, text: &str, before: i32) -> String {
        let mut parts = text.split('%');
        let mut filled = parts.next().unwrap_or_default().to_owned();
        let mut open = true;
        for part in parts {
            let value = match part {
                _ if !open => None,
                name if name.eq_ignore_ascii_case("errorlevel") => Some(before.to_string()),
                name => self.variable(name).map(str::to_owned),
            };
            match value {
                Some(value) => {
                    filled.push_str(&value);
                    open = false;
                }
                None => {
                    if open {
                        filled.push('%');
                    }
                    filled.push_str(part);
                    open = true;
                }
            }
        }
        filled
    }
}

/// A line at its operators outside of quotes.
fn divided(line: &str) -> Vec<(When, String)> {
    let mut parts = vec![(When::Always, String::new())];
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let twice = characters.peek() == Some(&character);
        let when = match character {
            _ if quoted => None,
            '&' if twice => Some(When::AfterSuccess),
            '|' if twice => Some(When::AfterFailure),
            '&' => Some(When::Always),
            _ => None,
        };
        quoted ^= character == '"';
        match (when, parts.last_mut()) {
            (Some(when), _) => {
                if when != When::Always {
                    characters.next();
                }
                parts.push((when, String::new()));
            }
            (None, Some((_, part))) => part.push(character),
            (None, None) => {}
        }
    }
    parts
}

/// A command and the file that its output goes to, and whether it is added there.
fn redirected(line: &str) -> (&str, Option<(String, bool)>) {
    let mut quoted = false;
    let at = line.char_indices().find(|(_, character)| {
        quoted ^= *character == '"';
        *character == '>' && !quoted
    });
    let Some((before, after)) = at.and_then(|(at, _)| line.split_at_checked(at)) else {
        return (line, None);
    };
    let (adds, path) = match after.strip_prefix(">>") {
        Some(path) => (true, path),
        None => (false, after.trim_start_matches('>')),
    };
    (before, Some((path.trim().trim_matches('"').to_owned(), adds)))
}
