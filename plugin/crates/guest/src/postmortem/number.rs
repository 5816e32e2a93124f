//! Error codes in the middle of messages.

use crate::codes;
use crate::exit_codes::normalize;

/// `0x1f`, with a small or a large x.
pub(super) fn hex(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    u32::from_str_radix(digits, 16).ok()
}

/// Small numbers in the place of an `HRESULT` are codes of Windows itself.
pub(super) fn hresult(code: u32) -> u32 {
    if code != 0 && code < 0x1_0000 {
        0x8007_0000 | code
    } else {
        code
    }
}

/// What stands before a code, the surest first. `gle` is what the thread's last error happened to be: no cause.
const KEYS: [&str; 17] = [
    "hrresult",
    "hr",
    "dwret",
    "hresult",
    "returned error code",
    "error code",
    "failed with error code",
    "failed with exit code",
    "returning exit code",
    "failed with status",
    "attempt failed:",
    "thread was",
    "failed:",
    "status:",
    "dwretcode",
    "status",
    "err",
];

/// The code that a message gives as its reason, as an `HRESULT`. A zero is none: another key may have more to say.
pub(super) fn reason(text: &str) -> Option<u32> {
    let text = without_last_errors(&text.to_lowercase());
    let keyed = KEYS.iter().find_map(|key| {
        let mut places = text.rmatch_indices(key);
        places.find_map(|(at, _)| after(text.get(at..)?.strip_prefix(key)?, key).filter(|code| *code != 0))
    });
    wrapped(&text)
        .or(keyed)
        .or_else(|| bare(&text))
        .filter(|code| *code != 0)
        .map(hresult)
}

/// The code of the log's lines that is a whole one, where a part of Windows has handed on its lower half alone: sysprep
/// makes `0x80070975` of what was `0x800f0975`.
pub(super) fn whole(code: u32, others: impl Iterator<Item = u32>) -> u32 {
    let cut = code & 0xFFFF_0000 == 0x8007_0000 && codes::find(code).is_none();
    let mut fitting = others.filter(|other| other & 0xFFFF == code & 0xFFFF && *other != code);
    cut.then(|| fitting.next()).flatten().unwrap_or(code)
}

/// Without `[gle=0x00000012]`: what the thread's last error happened to be.
fn without_last_errors(text: &str) -> String {
    let mut parts = text.split("[gle=");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| {
        all + part.split_once(']').map(|(_, rest)| rest).unwrap_or_default()
    })
}

/// `hresult_from_win32(1058)`, with the number or the name of the code.
fn wrapped(text: &str) -> Option<u32> {
    let (_, rest) = text.rsplit_once("hresult_from_win32(")?;
    let (inner, _) = rest.split_once(')')?;
    let named = || codes::named(inner).map(|row| row.code);
    inner.parse().ok().or_else(named)
}

/// The number that follows a key: `= 0x1f`, `= 1f` (sysprep's own slip), ` [0x1f]`, ` -1073425657`, ` c0000452`.
fn after(rest: &str, key: &str) -> Option<u32> {
    let rest = rest.trim_start_matches([' ', '=', ':', '[', '(', '\'', '"']);
    let word = rest
        .split(|c: char| c.is_whitespace() || "[]();,'\"".contains(c))
        .next()?
        .trim_end_matches('.');
    if let Some(code) = hex(word) {
        return Some(code);
    }
    // `exit status 1` is no code of Windows.
    if matches!(key, "status" | "err") && word.len() != 8 {
        return None;
    }
    if let Ok(number) = word.parse::<i64>() {
        return normalize(number);
    }
    let digits = word.len() == 8 || (key == "dwret" && !word.is_empty() && word.len() < 8);
    digits.then(|| u32::from_str_radix(word, 16).ok()).flatten()
}

/// A code that stands by itself: eight digits that begin like an error.
fn bare(text: &str) -> Option<u32> {
    let word = |word: &&str| word.starts_with("0x8") || word.starts_with("0xc") || word.starts_with("0xd");
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(word)
        .filter(|word| word.len() == 10)
        .find_map(hex)
}

#[cfg(test)]
mod tests {
    use super::{reason, whole};

    #[test]
    fn half_codes_are_made_whole_where_the_log_knows_more() {
        let codes = [0x8007_0975, 0x800F_0975];
        assert_eq!(whole(0x8007_0975, codes.into_iter()), 0x800F_0975);
        assert_eq!(
            whole(0x8007_0005, [0x8008_0005].into_iter()),
            0x8007_0005,
            "it is a code of its own"
        );
        assert_eq!(whole(0xC004_D307, codes.into_iter()), 0xC004_D307);
    }

    #[test]
    fn reasons_are_found_in_every_spelling() {
        let check = |text: &str, code: u32| assert_eq!(reason(text), Some(code), "{text}");
        check("RunDlls:x; dwRet = 0x3cf2", 0x8007_3CF2);
        check("state, dwRet = 31(0x1f)", 0x8007_001F);
        check("dwRet= 1f", 0x8007_001F);
        check("returned error code -1073425657", 0xC004_D307);
        check("providers; hr = 0x80070002[gle=0x00000006]", 0x8007_0002);
        check("not valid; hrResult = 0x80220005", 0x8022_0005);
        check("failed with exit code [0x8030000b]", 0x8030_000B);
        check("Failed to decode password (0x8007000d)", 0x8007_000D);
        check("NetJoinDomain attempt failed: 0x52e, will retry", 0x8007_052E);
        check("for the current user: 0x80073cf2.", 0x8007_3CF2);
        check("Failed to get system partition. Status: c0000452", 0xC000_0452);
        check("hr = 0x80070005, and so through", 0x8007_0005);
        check("hr = 0x0; pResults->hrResult = 0x8030000b", 0x8030_000B);
        check("deserialize it; status = 0x80070005, hrResult = 0x0.", 0x8007_0005);
        check("store. Status = [c0000001]", 0xC000_0001);
        check("Failed to queue packages. Err = 0x57", 0x8007_0057);
        check("entries. dwRetCode=[0x1F][gle=0x0000001f]", 0x8007_001F);
        check(
            "queue item with HRESULT HRESULT_FROM_WIN32(1058). It fails[gle=0x80004005]",
            0x8007_0422,
        );
        check(
            "AI failed. HRESULT = HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND)",
            0x8007_0002,
        );
        assert_eq!(reason("it ended: exit status 1"), None);
        assert_eq!(reason("finish (hr = 0x0)"), None);
        assert_eq!(reason("nothing [gle=0x00000003]"), None);
        assert_eq!(reason("nothing [gle=0x80004005]"), None);
        assert_eq!(reason(""), None);
    }
}
