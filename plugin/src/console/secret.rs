//! Asking for a secret: not shown while it is typed, and known to the scrubber before anybody else has it.

use std::io::{self, BufRead as _, IsTerminal as _};

use secrecy::SecretString;
use term::Term;

use super::Console;

impl Console {
    /// A secret from the person at the terminal, or the first line of standard input where nobody sits there.
    ///
    /// # Errors
    /// What the terminal or the pipe says; an empty answer.
    pub fn secret(&self, question: &str) -> io::Result<SecretString> {
        let line = if io::stdin().is_terminal() {
            let _quiet = self.pause();
            let terminal = Term::stderr();
            terminal.write_str(question)?;
            terminal.read_secure_line()?
        } else {
            let mut line = String::new();
            io::stdin().lock().read_line(&mut line)?;
            line
        };
        let secret = SecretString::from(line.trim_end_matches(['\r', '\n']).to_owned());
        if secrecy::ExposeSecret::expose_secret(&secret).is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "nobody gave one"));
        }
        self.scrubber.learn(&secret);
        Ok(secret)
    }
}
