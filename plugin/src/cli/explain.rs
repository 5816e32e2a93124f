//! `explain`: the page of a code, what an error code of Windows means, or what the logs of a failed sysprep say.

mod code;
mod decode;
mod gather;
mod show;

use std::path::Path;

use clap::Args;
use reseal_diag::nearest;
use reseal_guest::postmortem::{self, Log};
use serde_json::json;

use super::pages::{self, Page};
use crate::console::Console;
use crate::console::table::Table;
use crate::console::text::wrap;
use crate::exit::Exit;

/// `explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// What to explain: codes (`spec::unknown-field`, `U017`, `P012`), causes (`appx_not_provisioned`), error codes of
    /// Windows (`0x80073cf2`, `-2147009294`, `3010`); or logs: files, folders, zip files, or `-` for standard input.
    /// Without it all codes are listed.
    #[arg(value_name = "CODE|LOG|-", allow_negative_numbers = true)]
    pub what: Vec<String>,
}

/// Explains.
pub(super) fn explain(command: &Explain, console: &Console) -> Exit {
    let (logs, names): (Vec<&String>, Vec<&String>) = command.what.iter().partition(|what| is_log(what));
    let mut exit = Exit::Ok;
    for name in &names {
        exit = exit.and(one(name, console));
    }
    if !logs.is_empty() {
        exit = exit.and(read_logs(&logs, console));
    }
    if command.what.is_empty() {
        list(console);
    }
    exit
}

/// A file that is called like a code is reached by `./`.
fn is_log(what: &str) -> bool {
    what == "-" || (pages::find(what).is_none() && Path::new(what).exists())
}

fn one(name: &str, console: &Console) -> Exit {
    if let Some(page) = pages::find(name) {
        show_page(&page, console);
        return Exit::Ok;
    }
    if let Some(code) = reseal_guest::codes::parse(name) {
        return code::explain(code, console);
    }
    unknown(name, console)
}

fn show_page(page: &Page, console: &Console) {
    if console.is_json() {
        let text = page.text.trim();
        return console.document("page", json!({ "code": page.code, "title": page.title, "text": text }));
    }
    console.line(&wrap(page.page().trim_end(), 100));
}

fn list(console: &Console) {
    let mut table = Table::with_head(&["code", "meaning"]);
    for page in pages::all() {
        table.row(vec![page.code, page.title]);
    }
    for line in table.lines() {
        console.line(&line);
    }
}

fn unknown(what: &str, console: &Console) -> Exit {
    let mut hints = vec!["`reseal explain` lists all codes".to_owned()];
    let codes: Vec<String> = pages::all().map(|page| page.code).collect();
    if let Some(near) = nearest(what, codes.iter().map(String::as_str)) {
        hints.insert(0, format!("did you mean `{near}`?"));
    }
    console.error(&format!("`{what}` is neither a code nor a file"), &hints);
    Exit::Input
}

/// What logs say together. A failure that nobody understands is an error: scripts ask for a cause.
fn read_logs(paths: &[&String], console: &Console) -> Exit {
    let gathered = gather::all(paths);
    for note in &gathered.notes {
        console.warn(note);
    }
    let logs: Vec<Log<'_>> = gathered
        .files
        .iter()
        .map(|file| Log {
            name: &file.name,
            text: &file.text,
        })
        .collect();
    let Some(report) = postmortem::examine(&logs) else {
        let mut hints = vec![
            "sysprep's logs are in C:\\Windows\\System32\\Sysprep\\Panther, those of a first boot in \
             C:\\Windows\\Panther and its folder UnattendGC: setuperr.log, setupact.log"
                .to_owned(),
        ];
        if logs.is_empty() {
            hints.clear();
        }
        hints.extend(codes_in(&logs));
        console.error("there is no log of sysprep, setup or servicing here", &hints);
        return Exit::Input;
    };
    show::report(&report, logs.len(), console);
    if report.verdict.is_known() {
        Exit::Ok
    } else {
        Exit::Input
    }
}

/// The error codes that a text has which is no log: people ask about them.
fn codes_in(logs: &[Log<'_>]) -> Vec<String> {
    const MOST: usize = 3;
    let words = logs
        .iter()
        .flat_map(|log| log.text.split(|c: char| !c.is_ascii_alphanumeric()));
    let is_code = |word: &&str| word.len() == 10 && word.to_ascii_lowercase().starts_with("0x");
    let mut seen: Vec<u32> = Vec::new();
    for code in words.filter(is_code).filter_map(reseal_guest::codes::parse) {
        let known = reseal_guest::codes::find(code).is_some();
        if known && code != 0 && !seen.contains(&code) && seen.len() < MOST {
            seen.push(code);
        }
    }
    seen.into_iter()
        .map(|code| format!("the text has a code: {}", reseal_guest::codes::sentence(code)))
        .collect()
}
