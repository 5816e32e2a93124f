//! What error codes of Windows mean: `HRESULT`, Win32, `NTSTATUS`, servicing, licensing and setup in one table.
//!
//! The rows are in `data/codes.tsv`; the meanings are our own words. A code that is not there is still taken apart: its
//! facility tells which part of Windows it comes from.

use crate::exit_codes::normalize;

const TABLE: &str = include_str!("../data/codes.tsv");

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The code; those of Windows itself (Win32) are below 65,536.
    pub code: u32,
    /// Its symbol, or a few words where no public symbol is known.
    pub name: &'static str,
    /// Its meaning, a lower-case fragment.
    pub meaning: &'static str,
}

/// All rows.
pub fn rows() -> impl Iterator<Item = Row> {
    TABLE.lines().filter_map(|line| {
        let mut cells = line.split('\t');
        let code = cells.next()?.strip_prefix("0x")?;
        Some(Row {
            code: u32::from_str_radix(code, 16).ok()?,
            name: cells.next()?,
            meaning: cells.next()?,
        })
    })
}

/// The row of a code, also when an `HRESULT` wraps a code of Windows (`0x80070005`) or an `NTSTATUS` (`0xd0000034`).
pub fn find(code: u32) -> Option<Row> {
    let row = |wanted: u32| rows().find(|row| row.code == wanted);
    let windows = (code & 0xFFFF_0000 == 0x8007_0000).then_some(code & 0xFFFF);
    let status = (code & 0xF000_0000 == 0xD000_0000).then_some(code & !0x1000_0000);
    row(code)
        .or_else(|| windows.and_then(row))
        .or_else(|| status.and_then(row))
}

/// The row of a symbol, in any case: `ERROR_ACCESS_DENIED`, `e_fail`.
pub fn named(name: &str) -> Option<Row> {
    let name = name.trim();
    (!name.is_empty())
        .then(|| rows().find(|row| row.name.eq_ignore_ascii_case(name)))
        .flatten()
}

/// What the numbers before messages of sysprep say (`[0x0f0082] SYSPRP`): where it was, never why it failed.
const MESSAGES: [(u32, &str); 8] = [
    (0x0F_0043, "its window was closed, or it was started without arguments"),
    (0x0F_0070, "a provider failed, and it halts"),
    (
        0x0F_0073,
        "it does not run its providers: its recorded state forbids it",
    ),
    (0x0F_0082, "a provider that it called has failed; the line names it"),
    (0x0F_00A8, "it gives up: generalize failed"),
    (
        0x0F_00AE,
        "it gives up: the clean-up of other programs' providers failed",
    ),
    (0x0F_00B0, "it could not ask servicing what is pending"),
    (0x0F_00D8, "it gives up before any change: a check has failed"),
];

/// What a message number of sysprep says.
fn message(code: u32) -> Option<&'static str> {
    let found = MESSAGES.iter().find(|(number, _)| *number == code);
    found.map(|(_, text)| *text)
}

/// The upper halves of codes and where they come from.
const PARTS: [(u32, &str); 24] = [
    (0x8001, "remote procedure calls"),
    (0x8002, "COM automation"),
    (0x8003, "structured storage"),
    (0x8004, "COM"),
    (0x8007, "Windows itself (Win32)"),
    (0x8008, "COM activation"),
    (0x8009, "the security and cryptography providers"),
    (0x800A, "a script engine"),
    (0x800B, "certificates and signatures"),
    (0x800F, "servicing or device setup"),
    (0x8010, "smart cards"),
    (0x8018, "device management"),
    (0x8019, "HTTP"),
    (0x801C, "device registration"),
    (0x8022, "the answer file's state management (SMI)"),
    (0x8024, "Windows Update"),
    (0x8028, "the TPM"),
    (0x8029, "the TPM"),
    (0x8030, "unattended setup"),
    (0x8031, "BitLocker"),
    (0xC004, "software licensing"),
    (0xC142, "DISM"),
    (0xC151, "DISM"),
    (0xC190, "Windows Setup"),
];

/// Which part of Windows a code comes from, by its facility; nothing for plain codes of Windows and unknown parts.
pub fn facility(code: u32) -> Option<&'static str> {
    match code >> 16 {
        0x0F => return Some("sysprep's log: the number of a message, which is no reason"),
        0x06 => return Some("Setup's log: the number of a message, which is no reason"),
        _ if code & 0x8000_0000 == 0 => return None,
        _ => {}
    }
    if code & 0xFF00_0000 == 0xD000_0000 {
        return Some("the kernel (NTSTATUS)");
    }
    let part = PARTS
        .iter()
        .find(|(high, _)| *high == code >> 16)
        .map(|(_, part)| *part);
    part.or_else(|| (code & 0xFF00_0000 == 0xC000_0000).then_some("the kernel (NTSTATUS)"))
}

/// What people leave around a code that they copy from a line.
const AROUND: [char; 15] = [
    '.', ' ', '\t', '\r', '\n', '[', ']', '(', ')', ',', ';', ':', '"', '\'', '`',
];

/// A code as people write it: `0x80073cf2`, `80073cf2`, `-2147009294`, `3010`, `hr = 0x80073cf2;`, `E_FAIL`.
pub fn parse(text: &str) -> Option<u32> {
    const BEFORE: [&str; 6] = ["error", "exit", "code", "hresult", "status", "hr"];
    let mut text = text.trim_matches(AROUND);
    while let Some((first, rest)) = text.split_once(' ') {
        if !BEFORE.contains(&first.trim_end_matches(':').to_ascii_lowercase().as_str()) {
            break;
        }
        text = rest.trim_matches(AROUND);
    }
    let text = text
        .rsplit_once('=')
        .map_or(text, |(_, code)| code.trim_matches(AROUND));
    number(text).or_else(|| named(text).map(|row| row.code))
}

fn number(text: &str) -> Option<u32> {
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        let digits = digits.trim_end_matches(['l', 'L', 'u', 'U']);
        let long = digits.len() > 8 && digits.to_ascii_lowercase().starts_with("ffffffff");
        return u32::from_str_radix(if long { digits.get(8..)? } else { digits }, 16).ok();
    }
    if let Ok(number) = text.parse::<i64>() {
        return normalize(number);
    }
    (text.len() == 8).then(|| u32::from_str_radix(text, 16).ok()).flatten()
}

/// The code in one line: number, symbol, meaning.
pub fn sentence(code: u32) -> String {
    if let Some(text) = message(code) {
        return format!("0x{code:08x}: a message of sysprep: {text}");
    }
    match (find(code), facility(code)) {
        (Some(row), _) => format!("0x{code:08x} {}: {}", row.name, row.meaning),
        (None, Some(part)) => format!("0x{code:08x}: not in the table; it comes from {part}"),
        (None, None) => format!("0x{code:08x}: not in the table"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_and_no_code_stands_twice() {
        let lines = TABLE.lines().filter(|line| line.starts_with("0x")).count();
        let mut codes: Vec<u32> = rows().map(|row| row.code).collect();
        assert_eq!(codes.len(), lines);
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), lines);
        for row in rows() {
            assert!(!row.name.is_empty() && !row.meaning.is_empty(), "{row:?}");
            assert!(!row.meaning.ends_with('.'), "{row:?}");
            assert!(row.code < 0x1_0000 || row.code & 0x8000_0000 != 0, "{row:?}");
            assert!(row.code & 0xFFFF_0000 != 0x8007_0000, "{row:?} belongs below 65,536");
        }
    }

    #[test]
    fn wrapped_codes_are_found_and_strange_ones_are_placed() {
        assert_eq!(find(0x8007_0005).map(|row| row.code), Some(5));
        assert_eq!(find(0xD000_0034).map(|row| row.code), Some(0xC000_0034));
        assert_eq!(find(0x8007_FFFE), None);
        assert_eq!(facility(0x8024_9999), Some("Windows Update"));
        assert_eq!(facility(0xDEAD_BEEF), None);
        assert_eq!(facility(0xC000_9999), Some("the kernel (NTSTATUS)"));
        assert!(sentence(0x8024_9999).contains("Windows Update"));
        assert!(sentence(0x8007_3CF2).contains("provisioned"));
    }

    #[test]
    fn codes_are_read_in_every_spelling() {
        for text in [
            "0x80073cf2",
            "80073CF2",
            "-2147009294",
            "2147958002",
            " 0X80073CF2 ",
            "0xffffffff80073cf2",
            "[0x80073CF2],",
            "hr = 0x80073cf2;",
            "(0x80073cf2).",
            "0x80073CF2L",
            "error 0x80073cf2",
            "Exit code: -2147009294",
        ] {
            let code = parse(text);
            assert!(code == Some(0x8007_3CF2), "{text}: {code:?}");
        }
        assert_eq!(parse("3010"), Some(3010));
        assert_eq!(parse("99999999999"), None);
        assert_eq!(parse("ERROR_ACCESS_DENIED"), Some(5));
        assert_eq!(parse("error_install_invalid_package"), Some(0x3CF2));
        for text in ["spec::x", "", "0x", "0xZZ", "[]", "=", "error"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_of_messages_are_no_reasons() {
        assert!(sentence(0x0F_0082).contains("provider"));
        assert!(sentence(0x0F_1234).contains("no reason"));
        assert!(sentence(0x06_0435).contains("no reason"));
    }
}
