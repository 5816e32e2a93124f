//! Entries of Setup's logs, in all the shapes that are met.
//!
//! Columns are not relied on: logs get prefixes, lose their dates, run together or are wrapped. What marks an entry is
//! its head, a few words of known kinds in a row: date, time, level, message code, source.

use super::clean::clean;
use super::number::hex;

/// How serious an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `Info`, `Perf`.
    Info,
    /// `Warning`.
    Warning,
    /// `Error`.
    Error,
    /// `Fatal`.
    Fatal,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The line of the file where it begins, from 1.
    pub line: usize,
    /// Its time as `2024-05-01 10:11:12`, where it says it in that form.
    pub time: Option<String>,
    /// How serious it says it is; nothing in logs that have lost their levels.
    pub level: Option<Level>,
    /// The message code, e.g. `0x0f00d8`.
    pub code: Option<u32>,
    /// The source, e.g. `SYSPRP`; empty where there is none.
    pub source: String,
    /// The message.
    pub text: String,
}

const SOURCES: [&str; 18] = [
    "SYSPRP", "CSI", "IBS", "IBSLIB", "DISM", "CBS", "MOSETUP", "SP", "PANTHR", "WDSCORE", "DU", "MIG", "CONX",
    "SETUP", "UNATTEND", "SPWMP", "DWORK", "MOUPG",
];

/// So many lines are put together to one wrapped entry.
const WRAPS: usize = 6;

/// All entries of a log. Lines that belong to none are entries without level and source: dialog texts are such.
pub fn entries(text: &str) -> Vec<Entry> {
    let mut all: Vec<Entry> = Vec::new();
    let mut wraps = WRAPS;
    for (at, line) in text.lines().enumerate() {
        let line = clean(line);
        let begins = begins(&line);
        if begins.is_empty() {
            let wrapped = wraps < WRAPS && !line.trim().is_empty();
            if let Some(last) = all.last_mut().filter(|_| wrapped) {
                if !cut_in_a_code(&last.text, line.trim()) {
                    last.text.push(' ');
                }
                last.text.push_str(line.trim());
                wraps += 1;
            } else {
                let dialog = line.contains("Windows could not") || line.contains("Windows cannot");
                all.extend(loose(&line, at + 1));
                wraps = if dialog { 0 } else { WRAPS };
            }
            continue;
        }
        for (start, end) in begins.iter().zip(begins.iter().skip(1).map(Some).chain([None])) {
            let part = line.get(*start..end.copied().unwrap_or(line.len())).unwrap_or_default();
            all.push(entry(part, at + 1));
        }
        wraps = 0;
    }
    all
}

/// `(hr:0x80` and `0f0922)`: a code that was cut by the edge of somebody's window.
fn cut_in_a_code(before: &str, next: &str) -> bool {
    let digits = |text: &str| text.chars().take_while(char::is_ascii_hexdigit).count();
    let end = before.rsplit_once("0x").map(|(_, end)| end).unwrap_or_default();
    let open = !end.is_empty() && end.len() < 8 && digits(end) == end.len();
    open && digits(next) + end.len() == 8
}

fn loose(line: &str, number: usize) -> Option<Entry> {
    let text = line.trim();
    (!text.is_empty()).then(|| Entry {
        line: number,
        time: None,
        level: None,
        code: None,
        source: String::new(),
        text: text.to_owned(),
    })
}

/// A word of an entry's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Date,
    Time,
    Level(Level),
    Code(u32),
    Source(&'static str),
    /// `[windeploy.exe]`: no part of the head, but it begins a message.
    Program,
    Other,
}

fn word(text: &str) -> Word {
    let bare = text.trim_end_matches([',', ':']).trim_matches(['*', '`', '"']);
    if let Some(source) = SOURCES.iter().find(|source| **source == bare) {
        return Word::Source(source);
    }
    match bare {
        "Info" | "Perf" => return Word::Level(Level::Info),
        "Warning" => return Word::Level(Level::Warning),
        "Error" => return Word::Level(Level::Error),
        "Fatal" | "FatalError" => return Word::Level(Level::Fatal),
        "<Date>" | "Date/Time" | "<DateTime>" => return Word::Date,
        "<Time>" | "AM" | "PM" => return Word::Time,
        _ => {}
    }
    if let Some(inner) = bare.strip_prefix('[') {
        if let Some(code) = inner.strip_suffix(']').and_then(hex) {
            return Word::Code(code);
        }
        let inner = inner.to_ascii_lowercase();
        let program = inner.ends_with(".exe]") || inner == "shell";
        return if program { Word::Program } else { Word::Other };
    }
    let digits = bare.chars().filter(char::is_ascii_digit).count();
    let known = bare.chars().all(|c| c.is_ascii_digit() || "-/.:TZ,+".contains(c));
    match bare.chars().filter(|c| "-/.".contains(*c)).count() {
        _ if !known || digits < 3 => Word::Other,
        2.. if digits >= 6 => Word::Date,
        _ if bare.contains(':') => Word::Time,
        _ => Word::Other,
    }
}

/// Each word with the place where it begins.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let base = line.as_ptr().addr();
    line.split_whitespace()
        .map(move |word| (word.as_ptr().addr() - base, word))
}

/// Where entries begin in a line; several where a page has run them together.
fn begins(line: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut head: Vec<Word> = Vec::new();
    let mut start = 0;
    for (at, text) in words(line) {
        let kind = word(text);
        // A second date after a source opens the next entry.
        let closed = head.iter().any(|word| matches!(word, Word::Source(_)));
        if kind == Word::Other || kind == Word::Program || closed {
            let first = found.is_empty() && line.get(..start).unwrap_or_default().trim().is_empty();
            if is_head(&head, kind == Word::Program, first) {
                found.push(if head.is_empty() { at } else { start });
            }
            head.clear();
        }
        if !matches!(kind, Word::Other | Word::Program) {
            if head.is_empty() {
                start = at;
            }
            head.push(kind);
        }
    }
    if is_head(&head, false, found.is_empty()) {
        found.push(start);
    }
    if found.is_empty() && is_column(line) {
        found.push(0);
    }
    found
}

/// `SP     Failed`: a source, or a level, that begins a line and is set off like a column, where everything before it was cut away.
fn is_column(line: &str) -> bool {
    let first = line.split_whitespace().next().unwrap_or_default();
    let rest = line.strip_prefix(first).unwrap_or_default();
    let known = SOURCES.contains(&first) || matches!(word(first), Word::Level(_));
    known && rest.starts_with("   ")
}

/// Whether words in a row are the head of an entry and not words of prose.
fn is_head(head: &[Word], program: bool, first: bool) -> bool {
    let level = head.iter().any(|word| matches!(word, Word::Level(_)));
    let code = head.iter().any(|word| matches!(word, Word::Code(_)));
    let dated = head.iter().any(|word| matches!(word, Word::Date | Word::Time));
    let source = head.iter().find_map(|word| match word {
        Word::Source(source) => Some(*source),
        _ => None,
    });
    match source {
        Some("SYSPRP") => true,
        Some("SP" | "DU" | "MIG" | "SETUP" | "UNATTEND") => level || code,
        Some(_) => level || code || dated || first,
        None => (level && (dated || code || program)) || (program && (first || dated)),
    }
}

/// Takes apart what begins with a head.
fn entry(part: &str, line: usize) -> Entry {
    let mut entry = Entry {
        line,
        time: None,
        level: None,
        code: None,
        source: String::new(),
        text: String::new(),
    };
    let mut date = "";
    let mut rest = part;
    for (at, text) in words(part) {
        let kind = word(text);
        let end = at + text.len();
        match kind {
            Word::Date => date = text,
            Word::Time if !date.is_empty() && entry.time.is_none() => entry.time = time(date, text),
            Word::Time => {}
            Word::Level(level) => entry.level = Some(level),
            Word::Code(code) => entry.code = Some(code),
            Word::Source(source) => source.clone_into(&mut entry.source),
            Word::Program | Word::Other => break,
        }
        rest = part.get(end..).unwrap_or_default();
        if matches!(kind, Word::Source(_)) {
            break;
        }
    }
    let (code, text) = numbered(rest.trim());
    entry.code = entry.code.or(code);
    text.clone_into(&mut entry.text);
    entry
}

/// `983152 (0xf0070) text`: the numbers say the code only.
fn numbered(text: &str) -> (Option<u32>, &str) {
    let numbers = text.split_once(") ").and_then(|(numbers, rest)| {
        let (decimal, code) = numbers.split_once(" (")?;
        let plain = !decimal.is_empty() && decimal.chars().all(|c| c.is_ascii_digit());
        plain.then(|| Some((hex(code)?, rest))).flatten()
    });
    numbers.map_or((None, text), |(code, rest)| (Some(code), rest))
}

/// Only dates that begin with the year can be compared.
fn time(date: &str, time: &str) -> Option<String> {
    let year_first = date.split('-').next().is_some_and(|year| year.len() == 4);
    year_first.then(|| format!("{} {}", date.trim_end_matches(','), time.trim_end_matches(',')))
}

impl Entry {
    /// Whether sysprep itself wrote it, and not one of the components that it calls.
    pub fn is_sysprep(&self) -> bool {
        self.source == "SYSPRP"
    }

    /// Whether it tells a failure: by its level, or, in logs without levels, by its words.
    pub fn is_error(&self) -> bool {
        const WORDS: [&str; 13] = [
            "fail",
            "error",
            "cannot",
            "could not",
            "unable to",
            "invalid",
            "results dump",
            "rejected",
            "not defined",
            "not valid",
            "bitlocker is on",
            "unhandled exception",
            "not able to",
        ];
        if let Some(level) = self.level {
            return level >= Level::Error;
        }
        if self.is_foreign_dialog() {
            return true;
        }
        let text = self.text.to_lowercase();
        let good = text.contains("without error") || text.contains("successfully");
        !good && WORDS.iter().any(|word| text.contains(word)) || self.is_not_provisioned()
    }

    /// Whether somebody of Windows says it, by the head of the entry or by its own first word.
    pub(super) fn has_speaker(&self) -> bool {
        let inner = self.text.strip_prefix('[').and_then(|text| text.split_once(']'));
        let program = inner.is_some_and(|(name, _)| {
            let name = name.to_lowercase();
            name.strip_suffix(".exe").is_some() || name == "shell unattend" || name == "action queue"
        });
        !self.source.is_empty() || program
    }

    /// Whether it is Setup's dialog about an answer file in another language: only the names in brackets are English.
    pub(super) fn is_foreign_dialog(&self) -> bool {
        const PASSES: [&str; 6] = [
            "[specialize]",
            "[oobeSystem]",
            "[windowsPE]",
            "[auditUser]",
            "[generalize]",
            "[offlineServicing]",
        ];
        let foreign = self.source.is_empty()
            && self
                .text
                .chars()
                .any(|letter| letter.is_alphabetic() && !letter.is_ascii());
        foreign && PASSES.iter().any(|pass| self.text.contains(pass))
    }

    fn is_not_provisioned(&self) -> bool {
        self.text.contains("but not provisioned for all users")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &str) -> Entry {
        let mut all = entries(line);
        assert_eq!(all.len(), 1, "{line}: {all:?}");
        all.remove(0)
    }

    #[test]
    fn heads_are_known_in_every_shape() {
        let head = |line: &str| {
            let entry = one(line);
            (entry.level, entry.code, entry.source, entry.text)
        };
        let expect = |level, code, text: &str| (level, code, "SYSPRP".to_owned(), text.to_owned());
        let error = Some(Level::Error);
        let code = Some(0x0f_0070);
        for line in [
            "2026-05-06 14:40:34, Error      [0x0f0070] SYSPRP RunDlls:x",
            "Error [0x0f0070] SYSPRP RunDlls:x",
            "> <Date> <Time>, Error [0x0f0070] SYSPRP RunDlls:x",
            "==> vm: 2026-05-06 14:40:34, Error [0x0f0070] SYSPRP RunDlls:x",
            "2025-07-18T11:43:44Z: ==> a.b: 2026-05-06 14:40:34, Error [0x0f0070] SYSPRP RunDlls:x",
            "5/6/2026 2:40:34 PM, Error [0x0f0070] SYSPRP RunDlls:x",
        ] {
            assert_eq!(head(line), expect(error, code, "RunDlls:x"), "{line}");
        }
        assert_eq!(
            head("SYSPRP 983152 (0xf0070) RunDlls:x"),
            expect(None, code, "RunDlls:x")
        );
        assert_eq!(head("[0x0f0070] SYSPRP RunDlls:x"), expect(None, code, "RunDlls:x"));
        let setup = one("2024-05-01 10:11:13, Error                        [windeploy.exe] Setup.exe failed");
        assert_eq!(
            (setup.level, setup.text.as_str()),
            (error, "[windeploy.exe] Setup.exe failed")
        );
        assert_eq!(setup.time.as_deref(), Some("2024-05-01 10:11:13"));
        assert_eq!(one("[oobeldr.exe] x").text, "[oobeldr.exe] x");
        assert_eq!(one("[\"x\", \"2024-05-01 10:11:13, Error SYSPRP y").text, "y");
        assert_eq!(one("Error: my sysprep fails since Monday").source, "");
    }

    #[test]
    fn a_column_alone_is_a_head_and_a_cut_code_is_mended() {
        let entry = one("SP     Sysprep specialize offline failed. Error: 0xC0000005");
        assert_eq!(entry.source, "SP");
        assert_eq!(one("SP is short for service pack").source, "");
        let all = entries("2017-03-10 10:24:32, Error DISM  x(hr:0x80\n0f0922)\n");
        assert_eq!(all.first().map(|entry| entry.text.as_str()), Some("x(hr:0x800f0922)"));
        let all = entries("2017-03-10 10:24:32, Error DISM  x 0x5\nand more\n");
        assert_eq!(all.first().map(|entry| entry.text.as_str()), Some("x 0x5 and more"));
    }

    #[test]
    fn dialogs_in_other_languages_are_known_by_their_names() {
        assert!(one("für den Durchlauf [specialize] konnte nicht").is_error());
        assert!(!one("the pass [specialize] was fun").is_error());
    }

    #[test]
    fn what_ran_together_is_parted_and_what_was_wrapped_is_joined() {
        let run = "logs say: 2013-07-18 22:31:45, Error [0x0f0043] SYSPRP one 2013-07-18 22:38:30, Error [0x0f0082] SYSPRP two";
        let texts: Vec<String> = entries(run).into_iter().map(|entry| entry.text).collect();
        assert_eq!(texts, ["one", "two"]);
        let wrapped = "> SYSPRP first\n>   goes on\n\nprose\n> SYSPRP second";
        let got: Vec<(usize, String)> = entries(wrapped)
            .into_iter()
            .map(|entry| (entry.line, entry.text))
            .collect();
        assert_eq!(
            got,
            [
                (1, "first goes on".to_owned()),
                (4, "prose".to_owned()),
                (5, "second".to_owned())
            ]
        );
    }
}
