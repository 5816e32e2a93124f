//! From the bytes of an answer file to its text, and back.

use reseal_diag::Span;

use crate::finding::Finding;

/// A decoded file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The text, without a byte order mark.
    pub text: String,
    /// What is wrong with the encoding, if anything.
    pub finding: Option<Finding>,
    /// How the bytes held it.
    pub encoding: Encoding,
}

/// How bytes hold a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding {
    kind: Kind,
    /// Whether a byte order mark comes first.
    mark: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Utf8,
    Utf16Le,
    Utf16Be,
    Latin1,
}

impl Encoding {
    const fn new(kind: Kind, mark: bool) -> Self {
        Self { kind, mark }
    }

    /// The bytes of a text, in the same way as those that were decoded. A character that the encoding does not have
    /// is written as XML's reference to it.
    pub fn encode(self, text: &str) -> Vec<u8> {
        let mark = if self.mark { "\u{feff}" } else { "" };
        let units = || mark.encode_utf16().chain(text.encode_utf16());
        match self.kind {
            Kind::Utf8 => [mark, text].concat().into_bytes(),
            Kind::Utf16Le => units().flat_map(u16::to_le_bytes).collect(),
            Kind::Utf16Be => units().flat_map(u16::to_be_bytes).collect(),
            Kind::Latin1 => text.chars().flat_map(latin).collect(),
        }
    }
}

fn latin(c: char) -> Vec<u8> {
    match u8::try_from(c) {
        Ok(byte) => vec![byte],
        Err(_) => format!("&#{};", u32::from(c)).into_bytes(),
    }
}

/// Decodes an answer file: UTF-8 or UTF-16 with a byte order mark, UTF-16 without one when it looks like it, else
/// UTF-8, else, when the declaration says so, Latin-1. Bytes that fit nothing become `U+FFFD` and a finding.
pub fn decode(bytes: &[u8]) -> Decoded {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest, true),
        [0xff, 0xfe, rest @ ..] => utf16(rest, Kind::Utf16Le, true),
        [0xfe, 0xff, rest @ ..] => utf16(rest, Kind::Utf16Be, true),
        [b'<', 0, ..] => utf16(bytes, Kind::Utf16Le, false),
        [0, b'<', ..] => utf16(bytes, Kind::Utf16Be, false),
        _ => utf8(bytes, false),
    }
}

fn utf8(bytes: &[u8], mark: bool) -> Decoded {
    let encoding = Encoding::new(Kind::Utf8, mark);
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
                encoding,
            };
        }
        Err(error) => error,
    };
    let latin: String = bytes.iter().copied().map(char::from).collect();
    if declared(&latin).is_some_and(|(name, _)| ["iso-8859-1", "windows-1252", "us-ascii"].contains(&name.as_str())) {
        return Decoded {
            text: latin,
            finding: None,
            encoding: Encoding::new(Kind::Latin1, false),
        };
    }
    let text = String::from_utf8_lossy(bytes).into_owned();
    let at = error.valid_up_to();
    let finding = Finding::error("U001", Span::new(at, at + 3), "the file is not UTF-8 from here on")
        .help("save it as UTF-8, or as UTF-16 with a byte order mark");
    Decoded {
        text,
        finding: Some(finding),
        encoding,
    }
}

fn utf16(bytes: &[u8], kind: Kind, mark: bool) -> Decoded {
    let unit = if kind == Kind::Utf16Be {
        u16::from_be_bytes
    } else {
        u16::from_le_bytes
    };
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .filter_map(|pair| Some(unit(pair.try_into().ok()?)))
        .collect();
    let text = String::from_utf16_lossy(&units);
    let whole = bytes.len().is_multiple_of(2) && !text.contains('\u{fffd}');
    let at = text.find('\u{fffd}').unwrap_or(text.len());
    let finding = (!whole).then(|| Finding::error("U001", Span::new(at, at + 3), "the file is not whole UTF-16"));
    Decoded {
        text,
        finding,
        encoding: Encoding::new(kind, mark),
    }
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
        assert_eq!((decode(&le).text.as_str(), decode(&le).finding), (xml, None));
        assert_eq!(decode(&be).text, xml);
        assert_eq!(decode(b"\xef\xbb\xbf<a/>").text, "<a/>");
        assert!(decode(xml.as_bytes()).finding.is_some());
        assert!(decode(b"<a>\xb0\xa1</a>").finding.is_some());
        let latin = decode(b"<?xml encoding=\"iso-8859-1\"?><a>\xe9</a>");
        assert_eq!(
            (latin.text.as_str(), latin.finding),
            ("<?xml encoding=\"iso-8859-1\"?><a>é</a>", None)
        );
        assert!(decode(&[0xff, 0xfe, 0x3c]).finding.is_some());
    }

    #[test]
    fn what_was_decoded_is_encoded_alike() {
        let wide = |mark: &str, to: fn(u16) -> [u8; 2]| -> Vec<u8> {
            format!("{mark}<a>한글\r\n</a>").encode_utf16().flat_map(to).collect()
        };
        let cases: [Vec<u8>; 7] = [
            b"<a>\xed\x95\x9c\r\n</a>".to_vec(),
            b"\xef\xbb\xbf<a/>".to_vec(),
            wide("\u{feff}", u16::to_le_bytes),
            wide("\u{feff}", u16::to_be_bytes),
            wide("", u16::to_le_bytes),
            wide("", u16::to_be_bytes),
            b"<?xml encoding=\"iso-8859-1\"?><a>\xe9</a>".to_vec(),
        ];
        for bytes in cases {
            let decoded = decode(&bytes);
            assert_eq!(decoded.encoding.encode(&decoded.text), bytes, "{bytes:?}");
        }
        let latin = decode(b"<?xml encoding=\"us-ascii\"?><a>\xe9</a>").encoding;
        assert_eq!(latin.encode("\u{e9}한"), b"\xe9&#54620;");
    }
}
