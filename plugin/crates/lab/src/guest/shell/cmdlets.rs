//! The cmdlets and programs that scripts of provisioners call.

use super::Shell;
use super::eval::{Arguments, Done, Scope, Stop, Value};
use crate::guest::files::Content;
use crate::guest::machine::{Event, after};

impl Shell<'_> {
    /// Runs a cmdlet; its output is what it gives back.
    // Long because it is the list of them: an arm each, and nothing between the arms.
    pub(super) fn cmdlet(&mut self, name: &str, given: &Arguments, scope: &mut Scope) -> Done<Value> {
        let first = |name: &str| given.get(name, 0);
        match name {
            "write-output" | "echo" | "write" | "return" => Ok(listed(given)),
            "write-host" | "write-information" | "write-verbose" => {
                let text = listed(given).text();
                self.print(&text);
                Ok(Value::Null)
            }
            "write-warning" => {
                let text = first("message").text();
                self.print(&format!("WARNING: {text}"));
                Ok(Value::Null)
            }
            "write-error" => {
                let text = first("message").text();
                self.complain(&text);
                stops(given, scope, text)
            }
            "throw" => Err(Stop::Throw(listed(given).text())),
            "exit" => {
                let code = i32::try_from(first("code").number()).unwrap_or(1);
                Err(Stop::Exit(code))
            }
            "set-variable" => {
                self.assign(&variable(&first("name").text()), given.get("value", 1), scope);
                Ok(Value::Null)
            }
            "set-strictmode" | "set-psdebug" | "set-executionpolicy" | "out-null" | "import-module" => Ok(Value::Null),
            "start-sleep" => {
                let seconds = first("seconds").number();
                self.seconds += f64::from(i32::try_from(seconds).unwrap_or(0));
                Ok(Value::Null)
            }
            "hostname" => Ok(Value::Text(self.state.disk.computer_name.clone())),
            "whoami" => Ok(Value::Text(
                format!("{}\\{}", self.state.disk.computer_name, self.user).to_lowercase(),
            )),
            "restart-computer" => {
                self.state
                    .live
                    .plan(after(self.now, self.seconds + 2.0), Event::Down { restart: true });
                Ok(Value::Null)
            }
            "get-content" | "type" | "cat" => self.read_file(given, scope),
            "test-path" => Ok(Value::Bool(self.is_there(&first("path").text(), scope))),
            "set-content" | "add-content" | "new-item" | "remove-item" | "del" | "mkdir" => {
                self.change_file(name, given);
                Ok(Value::Null)
            }
            "cmd" | "cmd.exe" | "shutdown" | "shutdown.exe" => {
                let words: Vec<String> = given.values.iter().map(Value::text).collect();
                let code = self.line(&format!("{name} {}", words.join(" ")));
                self.assign("lastexitcode", Value::Number(code.into()), scope);
                Ok(Value::Null)
            }
            other => {
                self.refuse(&format!("a script called `{other}`, which the lab does not know"));
                let why = format!(
                    "The term '{other}' is not recognized as the name of a cmdlet, function, script file, or operable \
                     program."
                );
                self.complain(&why);
                stops(given, scope, why)
            }
        }
    }

    fn read_file(&mut self, given: &Arguments, scope: &Scope) -> Done<Value> {
        let path = given.get("path", 0).text();
        let Some(bytes) = self.state.disk.files.content(&path).and_then(Content::whole) else {
            let why = format!("Cannot find path '{path}' because it does not exist.");
            self.complain(&why);
            return stops(given, scope, why);
        };
        let text = String::from_utf8_lossy(bytes).into_owned();
        Ok(Value::List(
            text.lines().map(|line| Value::Text(line.to_owned())).collect(),
        ))
    }

    /// Files, folders, `variable:…`, and the registry keys that tell of a pending restart.
    fn is_there(&self, path: &str, scope: &Scope) -> bool {
        let lower = path.to_lowercase();
        if let Some(name) = lower.strip_prefix("variable:") {
            return scope.has(name.rsplit(':').next().unwrap_or(name)) || name.ends_with("progresspreference");
        }
        if lower.starts_with("hklm:") {
            let pending = &self.state.disk.pending;
            return (lower.ends_with("rebootpending") && pending.cbs)
                || (lower.ends_with("rebootrequired") && pending.update);
        }
        self.state.disk.files.get(path).is_some()
    }

    fn change_file(&mut self, name: &str, given: &Arguments) {
        let (now, path) = (self.now, given.get("path", 0).text().replace('/', "\\"));
        let text = || match given.get("value", 1) {
            Value::List(items) => items.iter().map(|item| item.text() + "\r\n").collect(),
            one => one.text() + "\r\n",
        };
        let files = &mut self.state.disk.files;
        let folder = name == "mkdir"
            || given
                .get("itemtype", usize::MAX)
                .text()
                .eq_ignore_ascii_case("directory");
        match name {
            "add-content" => files.append(&path, &text(), now),
            "set-content" => files.write_text(&path, &text(), now),
            "remove-item" | "del" => {
                files.remove(&path);
            }
            _ if folder => files.folder(&path, now),
            _ => files.write_text(&path, &given.get("value", 1).text(), now),
        }
    }
}

/// An error ends a script only where it was asked to.
fn stops(given: &Arguments, scope: &Scope, why: String) -> Done<Value> {
    let stop = |value: &Value| value.text().eq_ignore_ascii_case("stop");
    if stop(&given.get("erroraction", usize::MAX)) || stop(&scope.get("erroractionpreference")) {
        return Err(Stop::Throw(why));
    }
    Ok(Value::Null)
}

/// All arguments without a name.
fn listed(given: &Arguments) -> Value {
    match given.values.as_slice() {
        [] => given.named.first().map_or(Value::Null, |(_, value)| value.clone()),
        [one] => one.clone(),
        many => Value::List(many.to_vec()),
    }
}

/// `variable:global:X` as a name.
fn variable(path: &str) -> String {
    path.rsplit(':').next().unwrap_or(path).to_lowercase()
}
