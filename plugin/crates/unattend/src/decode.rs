//! From the bytes of an answer file to its text.

use reseal_diag::Span;

use crate::finding::Finding;

/// A decoded file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The text, without a byte order mark.
    pub text: String,
    /// What is wrong with the encoding, if anything.
    pub finding: Option<Finding>,
}

/// Decodes an answer file: UTF-8 or UTF-16 with a byte order mark, UTF-16 without one when it looks like it, else
/// UTF-8, else, when the declaration says so, Latin-1. Bytes that fit nothing become `U+FFFD` and a finding.
pub fn decode(bytes: &[u8]) -> Decoded {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [b'<', 0, ..] => utf16(bytes, u16::from_le_bytes),
        [0, b'<', ..] => utf16(bytes, u16::from_be_bytes),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: &[u8]) -> Decoded {
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => {
            let finding = declared(text)
                .filter(|(name, _)| name.starts_with("utf-16"))
                .map(|(_, span)| {
                    Finding::error("U001", span, "the file says that it is UTF-16, and it is not").fix(
                        span,
                        "utf-8",
                        "say what it is",
                    )
                });
            return Decoded {
                text: text.to_owned(),
                finding,
            };
        }
        Err(error) => error,
    };
    let latin: String = bytes.iter().copied().map(char::from).collect();
    if declared(&latin).is_some_and(|(name, _)| ["iso-8859-1", "windows-1252", "us-ascii"].contains(&name.as_str())) {
        return Decoded {
            text: latin,
            finding: None,
        };
    }
    let text = String::from_utf8_lossy(bytes).into_owned();
    let at = error.valid_up_to();
    let finding = Finding::error("U001", Span::new(at, at + 3), "the file is not UTF-8 from here on")
        .help("save it as UTF-8, or as UTF-16 with a byte order mark");
    Decoded {
        text,
        finding: Some(finding),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Decoded {
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .filter_map(|pair| Some(unit(pair.try_into().ok()?)))
        .collect();
    let text = String::from_utf16_lossy(&units);
    let whole = bytes.len().is_multiple_of(2) && !text.contains('\u{fffd}');
    let at = text.find('\u{fffd}').unwrap_or(text.len());
    let finding = (!whole).then(|| Finding::error("U001", Span::new(at, at + 3), "the file is not whole UTF-16"));
    Decoded { text, finding }
}

/// The encoding that the declaration names, in lower case.
fn declared(text: &str) -> Option<(String, Span)> {
    let head = text.get(..text.find("?>")?)?;
    let at = head.find("encoding")? + "encoding".len();
    let open = head.get(at..)?.find(['"', '\''])? + at;
    let quote = head.get(open..)?.chars().next()?;
    let close = head.get(open + 1..)?.find(quote)? + open + 1;
    Some((
        head.get(open + 1..close)?.to_ascii_lowercase(),
        Span::new(open + 1, close),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_text() {
        let xml = "<?xml version=\"1.0\" encoding=\"utf-16\"?><a>한글</a>";
        let le: Vec<u8> = xml.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = [0xfeff]
            .into_iter()
            .chain(xml.encode_utf16())
            .flat_map(u16::to_be_bytes)
            .collect();
        assert_eq!(
            decode(&le),
            Decoded {
                text: xml.to_owned(),
                finding: None
            }
        );
        assert_eq!(decode(&be).text, xml);
        assert_eq!(decode(b"\xef\xbb\xbf<a/>").text, "<a/>");
        assert!(decode(xml.as_bytes()).finding.is_some());
        assert!(decode(b"<a>\xb0\xa1</a>").finding.is_some());
        assert_eq!(
            decode(b"<?xml encoding=\"iso-8859-1\"?><a>\xe9</a>").text,
            "<?xml encoding=\"iso-8859-1\"?><a>é</a>"
        );
        assert!(decode(&[0xff, 0xfe, 0x3c]).finding.is_some());
    }
}
