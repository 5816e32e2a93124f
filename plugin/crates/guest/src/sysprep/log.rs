//! Lines of `setupact.log`, in all the shapes that are met.

/// How serious a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `Info`, `Perf`, or none.
    Info,
    /// `Warning`.
    Warning,
    /// `Error`.
    Error,
    /// `Fatal`.
    Fatal,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// How serious it says it is.
    pub level: Level,
    /// The message code, e.g. `0x0f00d8`.
    pub code: Option<u32>,
    /// The source, e.g. `SYSPRP`; empty where there is none.
    pub source: String,
    /// The message.
    pub text: String,
}

/// Errors that good runs have too.
const HARMLESS: [&str; 8] = [
    "MRTGeneralize: ERROR",
    "Failed to re-enable Compat-Gentel",
    "BCD: BiUpdateEfiEntry failed",
    "BCD: BiExportBcdObjects failed",
    "BCD: BiExportStoreAlterationsToEfi failed",
    "SPPNP: Failed to queue enumerated driver packages",
    "Unable to uninstall device ROOT\\",
    "Could not re-arm region selection",
];

impl Entry {
    /// Whether sysprep itself wrote it, and not one of the components that it calls.
    pub fn is_sysprep(&self) -> bool {
        self.source == "SYSPRP"
    }

    /// Whether good runs have this line too.
    pub fn is_harmless(&self) -> bool {
        HARMLESS.iter().any(|known| self.text.contains(known))
    }

    /// The `HRESULT` of a line with which sysprep gives up.
    pub fn final_code(&self) -> Option<u32> {
        let ends = self.text.contains("Hit failure while");
        ends.then(|| number_after(&self.text, "hr =")).flatten()
    }

    /// The `dwRet` or `hr` of any line, as an `HRESULT`.
    pub fn return_code(&self) -> Option<u32> {
        let code = number_after(&self.text, "dwRet =").or_else(|| number_after(&self.text, "hr ="))?;
        Some(if code < 0x1_0000 { 0x8007_0000 | code } else { code })
    }
}

/// `0x1f`, `1f` after `dwRet=`, or `-1073425657`; what follows the number is passed over.
fn number_after(text: &str, key: &str) -> Option<u32> {
    let compact = key.trim_end_matches([' ', '=']);
    let rest = text.split(compact).last().filter(|rest| rest.len() < text.len())?;
    let word = rest
        .trim_start_matches([' ', '='])
        .split(['[', '(', ' ', ';', ',', '.', '\r'])
        .next()?;
    if let Some(digits) = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        return u32::from_str_radix(digits, 16).ok();
    }
    if let Ok(number) = word.parse::<i64>() {
        return crate::exit_codes::normalize(number);
    }
    u32::from_str_radix(word, 16).ok()
}

/// All lines of a log.
pub fn entries(text: &str) -> Vec<Entry> {
    text.lines()
        .map(|line| entry(line.trim_end_matches(['\r', '\0'])))
        .collect()
}

/// What follows the last banner; everything where there is none.
pub fn last_run(entries: Vec<Entry>) -> Vec<Entry> {
    let banner = entries
        .iter()
        .rposition(|entry| entry.text.contains("Beginning of a new sysprep run"));
    entries.into_iter().skip(banner.map_or(0, |at| at + 1)).collect()
}

const SOURCES: [&str; 12] = [
    "SYSPRP", "CSI", "IBS", "DISM", "CBS", "MOSETUP", "SP", "PANTHR", "WDSCORE", "Shell", "IBSLIB", "DU",
];

/// Takes a line apart by its words; columns are not relied on, because logs get prefixes and lose their dates.
fn entry(line: &str) -> Entry {
    let level = level(line);
    let found = SOURCES
        .iter()
        .filter_map(|source| Some((position(line, source)?, *source)))
        .min();
    let Some((at, source)) = found else {
        return Entry {
            level,
            code: None,
            source: String::new(),
            text: line.trim().to_owned(),
        };
    };
    let (head, tail) = line.split_at_checked(at).unwrap_or((line, ""));
    let text = tail.strip_prefix(source).unwrap_or(tail).trim();
    let code = head
        .split(['[', ']'])
        .find_map(|part| hex(part.trim()))
        .or_else(|| text.split(['(', ')']).nth(1).and_then(hex));
    // `SYSPRP 983152 (0xf0070) text`: the numbers say the code only.
    let text = text
        .split_once(") ")
        .filter(|(numbers, _)| is_numbers(numbers))
        .map_or(text, |(_, rest)| rest);
    let level = if level == Level::Info {
        level_by_code(code)
    } else {
        level
    };
    Entry {
        level,
        code,
        source: source.to_owned(),
        text: text.to_owned(),
    }
}

/// A source stands as a word of its own before the message.
fn position(line: &str, source: &str) -> Option<usize> {
    line.match_indices(source).map(|(at, _)| at).find(|&at| {
        let (head, tail) = line.split_at_checked(at).unwrap_or((line, ""));
        let before = head.chars().next_back().is_none_or(char::is_whitespace);
        let after = tail
            .strip_prefix(source)
            .and_then(|rest| rest.chars().next())
            .is_none_or(char::is_whitespace);
        before && after && at < 80
    })
}

fn level(line: &str) -> Level {
    let head: String = line.chars().take(60).collect();
    let word = |name: &str| head.split([' ', ',', '\t']).any(|part| part == name);
    match () {
        () if word("Fatal") || word("FatalError") => Level::Fatal,
        () if word("Error") => Level::Error,
        () if word("Warning") => Level::Warning,
        () => Level::Info,
    }
}

/// Logs without levels still have the codes of the lines that only failures write.
fn level_by_code(code: Option<u32>) -> Level {
    let failures = [
        0x0f_0070, 0x0f_0073, 0x0f_0082, 0x0f_00a8, 0x0f_00ae, 0x0f_00d8, 0x0f_00b0, 0x0f_0043,
    ];
    if code.is_some_and(|code| failures.contains(&code)) {
        Level::Error
    } else {
        Level::Info
    }
}

fn hex(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

fn is_numbers(text: &str) -> bool {
    let mut words = text.split_whitespace();
    words
        .next()
        .is_some_and(|word| word.chars().all(|c| c.is_ascii_digit()))
        && words.next().is_some_and(|word| word.starts_with("(0x"))
}
