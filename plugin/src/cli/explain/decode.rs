//! Logs of Windows in whatever encoding they were written or copied.

/// The text. UTF-16 with or without a mark, UTF-8 with or without one; anything else is some code page, whose letters
/// beyond ASCII cannot be known and are not needed: the words that decide are English in every language of Windows.
pub(super) fn text(bytes: &[u8]) -> String {
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => match zeros(bytes) {
            (few, many) if many > 2 * few + 1 => utf16(bytes, u16::from_le_bytes),
            (many, few) if many > 2 * few + 1 => utf16(bytes, u16::from_be_bytes),
            _ => String::from_utf8_lossy(bytes).into_owned(),
        },
    }
}

/// How many bytes are zero at even and at odd places near the beginning: in UTF-16 every second one of plain text is.
fn zeros(bytes: &[u8]) -> (usize, usize) {
    let near = bytes.get(..512).unwrap_or(bytes);
    let count = |from: usize| near.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (count(0), count(1));
    if (even + odd) * 4 < near.len() {
        (0, 0)
    } else {
        (even, odd)
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).filter_map(|pair| <[u8; 2]>::try_from(pair).ok());
    String::from_utf16_lossy(&units.map(unit).collect::<Vec<u16>>())
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn every_usual_encoding_is_read() {
        let log = "2026-01-01 10:00:00, Error SYSPRP 한";
        let le: Vec<u8> = log.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = log.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(text(&le), log);
        assert_eq!(text(&be), log);
        assert_eq!(text(&[&[0xff, 0xfe], le.as_slice()].concat()), log);
        assert_eq!(text(&[&[0xfe, 0xff], be.as_slice()].concat()), log);
        assert_eq!(text(&[&[0xef, 0xbb, 0xbf], log.as_bytes()].concat()), log);
        assert_eq!(text(log.as_bytes()), log);
        assert_eq!(text(b"Error \xb0\xa1"), "Error \u{fffd}\u{fffd}");
        assert_eq!(text(b""), "");
        assert_eq!(text(b"a\0"), "a\0", "too short to tell");
    }
}
