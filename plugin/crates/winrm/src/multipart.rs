//! The frame around sealed messages: `multipart/encrypted` as Windows writes and wants it (MS-WSMV 2.2.9.1).
//!
//! Two parts, header lines indented by a tab, no empty line before and no line break after the sealed bytes.

/// The content type of a sealed message.
pub(crate) const CONTENT_TYPE: &str = concat!(
    "multipart/encrypted;protocol=\"application/HTTP-SPNEGO-session-encrypted\";",
    "boundary=\"Encrypted Boundary\"",
);

const PROTOCOL: &str = "application/HTTP-SPNEGO-session-encrypted";
const BOUNDARY: &str = "Encrypted Boundary";
const INNER_TYPE: &str = "application/soap+xml;charset=UTF-8";

/// Frames a message; `seal` works in place and returns the signature.
pub(crate) fn write<E>(message: &[u8], seal: impl FnOnce(&mut [u8]) -> Result<[u8; 16], E>) -> Result<Vec<u8>, E> {
    let head = format!(
        "--{BOUNDARY}\r\n\tContent-Type: {PROTOCOL}\r\n\tOriginalContent: type={INNER_TYPE};Length={}\r\n\
         --{BOUNDARY}\r\n\tContent-Type: application/octet-stream\r\n",
        message.len()
    );
    let tail = format!("--{BOUNDARY}--\r\n");
    let mut frame = Vec::with_capacity(head.len() + 20 + message.len() + tail.len());
    frame.extend_from_slice(head.as_bytes());
    frame.extend_from_slice(&16_u32.to_le_bytes());
    let signature_at = frame.len();
    frame.extend_from_slice(&[0; 16]);
    frame.extend_from_slice(message);
    if let Some((place, sealed)) = frame
        .get_mut(signature_at..)
        .and_then(<[u8]>::split_first_chunk_mut::<16>)
    {
        *place = seal(sealed)?;
    }
    frame.extend_from_slice(tail.as_bytes());
    Ok(frame)
}

/// A sealed message taken out of its frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) signature: Vec<u8>,
    pub(crate) message: Vec<u8>,
}

/// Whether an answer's content type says that it is sealed.
pub(crate) fn is_sealed(content_type: &str) -> bool {
    content_type
        .trim_start()
        .to_ascii_lowercase()
        .starts_with("multipart/encrypted")
}

/// Takes a sealed message out of its frame. Total over any bytes.
pub(crate) fn read(content_type: &str, body: &[u8]) -> Result<Sealed, &'static str> {
    let boundary = format!("--{}", boundary(content_type));
    let mut rest = line(body, &boundary).ok_or("it does not begin with its boundary")?;
    let mut length = None;
    loop {
        let (text, next) = split_line(rest).ok_or("its first part has no end")?;
        rest = next;
        if text == boundary {
            break;
        }
        length = length.or_else(|| original_length(text));
    }
    let (kind, rest) = split_line(rest).ok_or("its second part has no header")?;
    if !kind.to_ascii_lowercase().contains("application/octet-stream") {
        return Err("its second part is not an octet stream");
    }
    take_sealed(
        rest,
        length.ok_or("it does not tell the length of its content")?,
        &boundary,
    )
}

fn take_sealed(bytes: &[u8], length: usize, boundary: &str) -> Result<Sealed, &'static str> {
    let (size, rest) = bytes.split_first_chunk::<4>().ok_or("it has no signature")?;
    let size = usize::try_from(u32::from_le_bytes(*size)).map_err(|_| "its signature is too long")?;
    let (signature, rest) = rest.split_at_checked(size).ok_or("its signature is cut off")?;
    let (message, rest) = rest.split_at_checked(length).ok_or("it is cut off")?;
    let rest = rest.strip_prefix(b"\r\n").unwrap_or(rest);
    if rest
        .strip_prefix(boundary.as_bytes())
        .is_none_or(|end| !end.starts_with(b"--"))
    {
        return Err("it is longer than it says, or has no closing boundary");
    }
    Ok(Sealed {
        signature: signature.to_vec(),
        message: message.to_vec(),
    })
}

fn boundary(content_type: &str) -> &str {
    content_type
        .split(';')
        .filter_map(|parameter| parameter.trim().split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))
        .map_or(BOUNDARY, |(_, value)| value.trim().trim_matches('"'))
}

/// The text of a header line, and what follows it.
fn split_line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().take(1024).position(|byte| *byte == b'\n')?;
    let (text, rest) = bytes.split_at_checked(end + 1)?;
    Some((std::str::from_utf8(text).ok()?.trim(), rest))
}

fn line<'a>(bytes: &'a [u8], expected: &str) -> Option<&'a [u8]> {
    let (text, rest) = split_line(bytes)?;
    (text == expected).then_some(rest)
}

fn original_length(header: &str) -> Option<usize> {
    let (name, value) = header.split_once(':')?;
    if !name.trim().eq_ignore_ascii_case("OriginalContent") {
        return None;
    }
    value
        .split(';')
        .filter_map(|parameter| parameter.trim().split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("Length"))
        .and_then(|(_, length)| length.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(message: &[u8]) -> Vec<u8> {
        let seal = |bytes: &mut [u8]| {
            for byte in bytes.iter_mut() {
                *byte ^= 0x5a;
            }
            Ok::<_, ()>([7; 16])
        };
        write(message, seal).unwrap()
    }

    #[test]
    fn the_frame_is_what_windows_writes() {
        let expected = concat!(
            "--Encrypted Boundary\r\n",
            "\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n",
            "\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=2\r\n",
            "--Encrypted Boundary\r\n",
            "\tContent-Type: application/octet-stream\r\n",
            "\u{10}\0\0\0\u{7}\u{7}\u{7}\u{7}\u{7}\u{7}\u{7}\u{7}\u{7}\u{7}\u{7}\u{7}\u{7}\u{7}\u{7}\u{7};8",
            "--Encrypted Boundary--\r\n",
        );
        assert_eq!(frame(b"ab"), expected.as_bytes());
    }

    #[test]
    fn unsealed_types_are_told_apart() {
        assert!(is_sealed(CONTENT_TYPE));
        assert!(!is_sealed("application/soap+xml;charset=UTF-8"));
    }

    #[test]
    fn a_wrong_length_is_refused() {
        let text = frame(b"abc");
        let longer: Vec<u8> = String::from_utf8(text)
            .unwrap()
            .replace("Length=3", "Length=2")
            .into_bytes();
        assert!(read(CONTENT_TYPE, &longer).is_err());
    }

    proptest! {
        #[test]
        fn frames_come_back(message in proptest::collection::vec(any::<u8>(), 0..300)) {
            let sealed = read(CONTENT_TYPE, &frame(&message)).unwrap();
            let plain: Vec<u8> = sealed.message.iter().map(|byte| byte ^ 0x5a).collect();
            prop_assert_eq!(plain, message);
            prop_assert_eq!(sealed.signature, vec![7; 16]);
        }

        #[test]
        fn damaged_frames_never_panic(at in 0_usize..260, byte: u8, length in 0_usize..260) {
            let mut bytes = frame(b"some sealed message");
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            let _ = read(CONTENT_TYPE, &bytes);
            bytes.truncate(length);
            let _ = read(CONTENT_TYPE, &bytes);
        }

        #[test]
        fn garbage_never_panics(kind: String, bytes: Vec<u8>) {
            let _ = read(&kind, &bytes);
        }
    }
}
