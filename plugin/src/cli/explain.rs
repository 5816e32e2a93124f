//! `explain`: the page of a code, or what a sysprep log says.

mod decode;

use std::io::Read as _;
use std::path::Path;

use clap::Args;
use reseal_diag::nearest;
use reseal_guest::sysprep::{self, Phase, Verdict};
use serde_json::json;

use super::pages;
use crate::console::Console;
use crate::console::table::Table;
use crate::console::text::wrap;
use crate::exit::Exit;

/// `explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// A code (`spec::unknown-field`, `U017`), a log of sysprep (`setuperr.log`, `setupact.log`), or `-` for a log from
    /// standard input; without it all codes are listed.
    #[arg(value_name = "CODE|LOGFILE|-")]
    pub what: Option<String>,
}

/// So much of a log is read.
const MOST: u64 = 64 * 1024 * 1024;

/// Explains.
pub(super) fn explain(command: &Explain, console: &Console) -> Exit {
    let Some(what) = &command.what else {
        return list(console);
    };
    if let Some(page) = pages::find(what) {
        if console.is_json() {
            console.document(
                "page",
                json!({ "code": page.code, "title": page.title, "text": page.text.trim() }),
            );
        } else {
            console.line(&wrap(page.page().trim_end(), 100));
        }
        return Exit::Ok;
    }
    let path = Path::new(what);
    if what == "-" || path.is_file() {
        return match read(what) {
            Ok(bytes) => log(&decode::text(&bytes), console),
            Err(error) => {
                console.error(&format!("cannot read `{what}`: {error}"), &[]);
                Exit::Input
            }
        };
    }
    unknown(what, console)
}

fn list(console: &Console) -> Exit {
    let mut table = Table::with_head(&["code", "meaning"]);
    for page in pages::all() {
        table.row(vec![page.code.to_owned(), page.title.to_owned()]);
    }
    for line in table.lines() {
        console.line(&line);
    }
    Exit::Ok
}

fn unknown(what: &str, console: &Console) -> Exit {
    let mut hints = vec!["`reseal explain` lists all codes".to_owned()];
    if let Some(near) = nearest(what, pages::all().map(|page| page.code)) {
        hints.insert(0, format!("did you mean `{near}`?"));
    }
    if Path::new(what).is_dir() {
        hints = vec!["name the file in it: `setuperr.log` or `setupact.log`".to_owned()];
    }
    console.error(&format!("`{what}` is neither a code nor a file"), &hints);
    Exit::Input
}

fn read(what: &str) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if what == "-" {
        std::io::stdin().lock().take(MOST).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(what)?.take(MOST).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// What sysprep's log says. A log that nobody understands is an error: scripts ask for a cause.
fn log(text: &str, console: &Console) -> Exit {
    let entries = sysprep::entries(text);
    if !entries.iter().any(sysprep::Entry::is_sysprep) {
        let hint =
            "sysprep's logs are in C:\\Windows\\System32\\Sysprep\\Panther: setuperr.log, setupact.log".to_owned();
        console.error("this is no log of sysprep", &[hint]);
        return Exit::Input;
    }
    let verdict = sysprep::explain(text);
    if console.is_json() {
        console.document("sysprep", document(&verdict));
    } else {
        for line in lines(&verdict) {
            console.line(&line);
        }
    }
    if verdict.letter == '?' { Exit::Input } else { Exit::Ok }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Validation => "nothing has changed yet: sysprep may run again after the cure",
        Phase::Execution => "sysprep had begun to change the system: start again from a fresh machine",
        Phase::Unknown => "the log does not say whether the machine is still good",
    }
}

fn lines(verdict: &Verdict) -> Vec<String> {
    let mut lines = vec![format!("{}: {}", verdict.class, verdict.meaning)];
    if let Some(subject) = &verdict.subject {
        lines.push(format!("  names    {subject}"));
    }
    if let Some(code) = verdict.hr {
        lines.push(format!("  code     0x{code:08x}"));
    }
    if verdict.letter != '-' {
        lines.push(format!("  machine  {}", phase(verdict.phase)));
        lines.push(format!("  cure     {}", verdict.cure));
    }
    if !verdict.lines.is_empty() {
        lines.push("the lines that decide:".to_owned());
        lines.extend(
            verdict
                .lines
                .iter()
                .map(|line| format!("  | {}", crate::console::text::tame(line))),
        );
    }
    lines
}

fn document(verdict: &Verdict) -> serde_json::Value {
    let phase = match verdict.phase {
        Phase::Validation => "validation",
        Phase::Execution => "execution",
        Phase::Unknown => "unknown",
    };
    json!({
        "class": verdict.class,
        "code": verdict.hr.map(|code| format!("0x{code:08x}")),
        "phase": phase,
        "subject": verdict.subject,
        "meaning": verdict.meaning,
        "cure": verdict.cure,
        "lines": verdict.lines,
    })
}
