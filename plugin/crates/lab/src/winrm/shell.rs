//! A winrs shell and its commands.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::computer::{Process, StartCommand};
use super::fault::Fault;
use super::soap::Options;

/// A shell.
pub struct Shell {
    /// Whose it is: nobody else may use it.
    pub owner: String,
    /// `WINRS_CODEPAGE`; 437 when the client did not ask.
    pub code_page: u32,
    /// Commands that were started here and not given back: a winrs shell gives none back.
    pub operations: usize,
    /// When it was last used, in the guest's milliseconds.
    pub used: i64,
    commands: BTreeMap<String, Command>,
}

struct Command {
    process: Arc<dyn Process>,
    start: StartCommand,
    done: bool,
}

impl Shell {
    /// A shell with the options of its creation.
    ///
    /// # Errors
    /// A fault for options that winrs does not know.
    pub fn new(owner: &str, options: &Options, now: i64) -> Result<Self, Fault> {
        let mut code_page = 437;
        for (name, value) in options {
            match name.to_ascii_uppercase().as_str() {
                "WINRS_CODEPAGE" => code_page = code_page_of(value)?,
                "WINRS_NOPROFILE" => drop(boolean(name, value)?),
                _ => return Err(Fault::options(format!("{name} is not an option of a shell"))),
            }
        }
        Ok(Self {
            owner: owner.to_owned(),
            code_page,
            operations: 0,
            used: now,
            commands: BTreeMap::new(),
        })
    }

    /// How many processes run in it.
    pub fn running(&self) -> usize {
        self.commands.values().filter(|command| !command.done).count()
    }

    /// Takes a started process in.
    pub fn insert(&mut self, id: String, process: Arc<dyn Process>, start: StartCommand) {
        self.operations += 1;
        self.commands.insert(
            id,
            Command {
                process,
                start,
                done: false,
            },
        );
    }

    /// A command's process.
    ///
    /// # Errors
    /// A fault when there is no such command.
    pub fn process(&self, id: &str) -> Result<Arc<dyn Process>, Fault> {
        self.commands
            .get(id)
            .map(|command| Arc::clone(&command.process))
            .ok_or_else(|| Fault::no_command(id))
    }

    /// Notes that a command has ended.
    pub fn finished(&mut self, id: &str) {
        if let Some(command) = self.commands.get_mut(id) {
            command.done = true;
        }
    }

    /// Ends a command and forgets it.
    ///
    /// # Errors
    /// A fault when there is no such command.
    pub fn release(&mut self, id: &str) -> Result<(), Fault> {
        let command = self.commands.remove(id).ok_or_else(|| Fault::no_command(id))?;
        command.process.terminate();
        Ok(())
    }

    /// Ends everything in it, and says what that was.
    pub fn close(self) -> Vec<StartCommand> {
        let ended = self.commands.into_values().map(|command| {
            command.process.terminate();
            command.start
        });
        ended.collect()
    }
}

/// Reads the options of a command: whether `cmd.exe` is skipped, and whether standard input is a console.
///
/// # Errors
/// A fault for options that winrs does not know.
pub fn command_options(options: &Options) -> Result<(bool, bool), Fault> {
    let (mut skip, mut console) = (false, true);
    for (name, value) in options {
        match name.to_ascii_uppercase().as_str() {
            "WINRS_SKIP_CMD_SHELL" => skip = boolean(name, value)?,
            "WINRS_CONSOLEMODE_STDIN" => console = boolean(name, value)?,
            _ => return Err(Fault::options(format!("{name} is not an option of a command"))),
        }
    }
    Ok((skip, console))
}

fn boolean(name: &str, value: &str) -> Result<bool, Fault> {
    match value.to_ascii_uppercase().as_str() {
        "TRUE" | "1" => Ok(true),
        "FALSE" | "0" => Ok(false),
        _ => Err(Fault::options(format!("{name} is not TRUE or FALSE"))),
    }
}

fn code_page_of(value: &str) -> Result<u32, Fault> {
    const KNOWN: [u32; 7] = [437, 850, 932, 949, 1252, 65001, 20127];
    let number = value.parse().ok().filter(|number| KNOWN.contains(number));
    number.ok_or_else(|| Fault::options(format!("the code page {value} is not installed")))
}
