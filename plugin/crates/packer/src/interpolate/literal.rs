//! Strings and numbers as Go's source writes them.

use std::str::Chars;

use super::node::Operand;

/// The text of a string in `"…"` or in back quotes.
pub(super) fn text(written: &str) -> Option<String> {
    match written.strip_prefix('`') {
        // Go leaves carriage returns out of raw strings.
        Some(raw) => Some(raw.strip_suffix('`')?.replace('\r', "")),
        None => unescaped(written.strip_prefix('"')?.strip_suffix('"')?, '"'),
    }
}

/// A number, or a character as its number.
pub(super) fn number(written: &str) -> Option<Operand<'_>> {
    if let Some(quoted) = written.strip_prefix('\'') {
        let text = unescaped(quoted.strip_suffix('\'')?, '\'')?;
        let mut characters = text.chars();
        let (first, rest) = (characters.next()?, characters.next());
        return rest.is_none().then(|| Operand::Int(u32::from(first).into(), written));
    }
    let digits = ungrouped(written)?;
    if let Some(number) = integer(&digits) {
        return Some(Operand::Int(number, written));
    }
    let is_decimal =
        digits.contains(['.', 'e', 'E']) && digits.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
    let number: f64 = digits
        .parse()
        .ok()
        .filter(|number: &f64| is_decimal && number.is_finite())?;
    Some(Operand::Float(number, written))
}

/// Without the `_` that may stand between digits.
pub(crate) fn ungrouped(digits: &str) -> Option<String> {
    let wrong = digits.starts_with('_') || digits.ends_with('_') || digits.contains("__");
    (!wrong).then(|| digits.replace('_', ""))
}

/// A whole number with any of Go's prefixes.
pub(crate) fn integer(digits: &str) -> Option<i64> {
    let (sign, plain) = match digits.strip_prefix('-') {
        Some(plain) => ("-", plain),
        None => ("", digits.strip_prefix('+').unwrap_or(digits)),
    };
    let lower = plain.to_ascii_lowercase();
    let prefixed = [("0x", 16), ("0o", 8), ("0b", 2), ("0", 8)].into_iter();
    let (digits, radix) = prefixed
        .filter_map(|(prefix, radix)| Some((lower.strip_prefix(prefix)?, radix)))
        .find(|(digits, _)| !digits.is_empty())
        .unwrap_or((&lower, 10));
    let unsigned = digits.chars().all(|c| c.is_ascii_alphanumeric());
    i64::from_str_radix(&format!("{sign}{digits}"), radix)
        .ok()
        .filter(|_| unsigned)
}

/// Go's escapes; bytes that make no text become replacement characters.
fn unescaped(text: &str, quote: char) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => escape(&mut rest, quote, &mut bytes)?,
            c => push(&mut bytes, c),
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// What stands after a backslash.
fn escape(rest: &mut Chars<'_>, quote: char, bytes: &mut Vec<u8>) -> Option<()> {
    let c = rest.next()?;
    let plain = match c {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        'u' => char::from_u32(code("", rest, 4, 16)?)?,
        'U' => char::from_u32(code("", rest, 8, 16)?)?,
        'x' => return byte(code("", rest, 2, 16)?, bytes),
        '0'..='7' => return byte(code(c.encode_utf8(&mut [0; 4]), rest, 2, 8)?, bytes),
        '\\' => c,
        c if c == quote => c,
        _ => return None,
    };
    push(bytes, plain);
    Some(())
}

/// The number of exactly so many more digits.
fn code(first: &str, rest: &mut Chars<'_>, more: usize, radix: u32) -> Option<u32> {
    let digits: String = first.chars().chain(rest.take(more)).collect();
    let complete = digits.len() == first.len() + more && digits.chars().all(|c| c.is_digit(radix));
    complete.then(|| u32::from_str_radix(&digits, radix).ok())?
}

fn byte(code: u32, bytes: &mut Vec<u8>) -> Option<()> {
    bytes.push(u8::try_from(code).ok()?);
    Some(())
}

fn push(bytes: &mut Vec<u8>, c: char) {
    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}
