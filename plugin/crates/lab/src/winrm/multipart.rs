//! `multipart/encrypted` bodies (MS-WSMV section 2.2.9.1), read byte by byte.

use crate::winrm::bytes::Cursor;
use crate::winrm::ntlm::seal::SIGNATURE_LENGTH;

/// The protocol that both parts name.
pub const PROTOCOL: &str = "application/HTTP-SPNEGO-session-encrypted";
const BOUNDARY: &[u8] = b"--Encrypted Boundary\r\n";
const CLOSING: &[u8] = b"--Encrypted Boundary--\r\n";

/// The content type of a sealed answer.
pub const CONTENT_TYPE: &str =
    "multipart/encrypted;protocol=\"application/HTTP-SPNEGO-session-encrypted\";boundary=\"Encrypted Boundary\"";

/// A sealed message.
#[derive(Debug, PartialEq, Eq)]
pub struct Sealed<'a> {
    /// The length that the clear text is said to have.
    pub length: usize,
    /// The signature.
    pub signature: &'a [u8],
    /// The encrypted text.
    pub data: &'a [u8],
}

/// Whether a `Content-Type` announces a sealed message with our boundary.
pub fn is_sealed(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    let mut parameters: Vec<(String, &str)> = parts
        .filter_map(|part| part.split_once('='))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"')))
        .collect();
    parameters.sort();
    kind.eq_ignore_ascii_case("multipart/encrypted")
        && parameters
            == [
                ("boundary".to_owned(), "Encrypted Boundary"),
                ("protocol".to_owned(), PROTOCOL),
            ]
}

/// Reads a sealed body: exactly one part, CRLF everywhere, nothing between the data and the closing boundary.
pub fn decode(body: &[u8]) -> Option<Sealed<'_>> {
    let rest = body.strip_prefix(BOUNDARY)?;
    let rest = header(rest, &format!("Content-Type: {PROTOCOL}"))?;
    let (line, rest) = line(rest)?;
    let length = line.strip_prefix("OriginalContent: type=application/soap+xml;charset=UTF-8;Length=")?;
    let rest = rest.strip_prefix(BOUNDARY)?;
    let rest = header(rest, "Content-Type: application/octet-stream")?;
    let payload = rest.strip_suffix(CLOSING)?;
    let mut cursor = Cursor::new(payload);
    let signature_length = usize::try_from(cursor.u32()?).ok()?;
    if signature_length != SIGNATURE_LENGTH {
        return None;
    }
    let signature = cursor.take(signature_length)?;
    let length = plain_number(length)?;
    let data = cursor.rest();
    (data.len() == length).then_some(Sealed {
        length,
        signature,
        data,
    })
}

/// Digits only: no sign, no blanks.
fn plain_number(text: &str) -> Option<usize> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

/// A header line, which may be indented by one tab, up to its CRLF.
fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    let (line, rest) = bytes.split_at_checked(end)?;
    let line = line.strip_prefix(b"\t").unwrap_or(line);
    let text = std::str::from_utf8(line)
        .ok()
        .filter(|text| !text.contains(['\r', '\n']))?;
    Some((text, rest.get(2..)?))
}

fn header<'a>(bytes: &'a [u8], expected: &str) -> Option<&'a [u8]> {
    let (line, rest) = line(bytes)?;
    line.eq_ignore_ascii_case(expected).then_some(rest)
}

/// Writes a sealed body as Windows writes it.
pub fn encode(signature: &[u8], data: &[u8]) -> Vec<u8> {
    let head = format!(
        "\tContent-Type: {PROTOCOL}\r\n\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={}\r\n",
        data.len()
    );
    let length = u32::try_from(signature.len()).unwrap_or(u32::MAX);
    let mut body = Vec::with_capacity(data.len() + 320);
    body.extend_from_slice(BOUNDARY);
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(BOUNDARY);
    body.extend_from_slice(b"\tContent-Type: application/octet-stream\r\n");
    body.extend_from_slice(&length.to_le_bytes());
    body.extend_from_slice(signature);
    body.extend_from_slice(data);
    body.extend_from_slice(CLOSING);
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_before_the_closing_boundary_is_refused() {
        let good = encode(&[9; 16], b"secret");
        assert_eq!(
            decode(&good).map(|sealed| sealed.data.to_vec()),
            Some(b"secret".to_vec())
        );
        let bad = [good.strip_suffix(CLOSING).unwrap(), b"\r\n", CLOSING].concat();
        assert_eq!(decode(&bad), None);
        let unix = String::from_utf8_lossy(&good).replace("\r\n", "\n");
        assert_eq!(decode(unix.as_bytes()), None);
    }

    #[test]
    fn the_content_type_must_be_whole() {
        assert!(is_sealed(CONTENT_TYPE));
        assert!(!is_sealed("multipart/encrypted;boundary=\"Encrypted Boundary\""));
        assert!(!is_sealed("application/soap+xml;charset=UTF-8"));
    }
}
