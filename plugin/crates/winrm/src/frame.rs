//! Frames for the standard input of our guest processes (`docs/guest-protocol.md`).

use std::fmt::Write as _;

use serde::Serialize;

/// The header of a request to the runner.
#[derive(Debug, Serialize)]
pub(crate) struct RunnerHeader<'a> {
    pub(crate) id: u64,
    pub(crate) op: &'a str,
    pub(crate) sha256: &'a str,
    pub(crate) script: usize,
    pub(crate) input: usize,
}

/// The header of a request to the receiver.
#[derive(Debug, Serialize)]
pub(crate) struct ReceiverHeader<'a> {
    pub(crate) id: u64,
    pub(crate) path: &'a str,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) mode: &'a str,
}

/// A length and a text of that length. Blanks are added until the length, too, consists of bytes that survive a guest
/// which changes line ends or characters above ASCII on their way.
fn block(text: &str, filler: char) -> Vec<u8> {
    let mut text = text.to_owned();
    let mut length = length_of(&text);
    while length.iter().any(|byte| matches!(byte, b'\n' | b'\r' | 0x1A | 0x80..)) {
        text.push(filler);
        length = length_of(&text);
    }
    let mut out = Vec::with_capacity(text.len() + 4);
    out.extend_from_slice(&length);
    out.extend_from_slice(text.as_bytes());
    out
}

fn length_of(text: &str) -> [u8; 4] {
    u32::try_from(text.len()).unwrap_or_default().to_le_bytes()
}

/// A script for the bootstrap.
pub(crate) fn script(text: &str) -> Vec<u8> {
    block(text, '\n')
}

/// A header. Serialising plain structs cannot fail.
pub(crate) fn header(header: &impl Serialize) -> Vec<u8> {
    block(&ascii(&serde_json::to_string(header).unwrap_or_default()), ' ')
}

/// The same JSON in ASCII: characters above it can stand in strings only, where an escape means the same.
pub(crate) fn ascii(json: &str) -> String {
    if json.is_ascii() {
        return json.to_owned();
    }
    let mut out = String::with_capacity(json.len() + 64);
    let mut units = [0; 2];
    for character in json.chars() {
        if character.is_ascii() {
            out.push(character);
        } else {
            for unit in character.encode_utf16(&mut units) {
                // Writing into a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_header_is_a_length_and_json() {
        let bytes = header(&RunnerHeader {
            id: 7,
            op: "x",
            sha256: "ab",
            script: 1,
            input: 2,
        });
        let (length, json) = bytes.split_first_chunk::<4>().unwrap();
        assert_eq!(usize::try_from(u32::from_le_bytes(*length)).unwrap(), json.len());
        assert_eq!(json, br#"{"id":7,"op":"x","sha256":"ab","script":1,"input":2}"#);
    }

    proptest! {
        #[test]
        fn lengths_are_right_and_plain(text in ".{0,300}", repeat in 1_usize..40) {
            let text = text.repeat(repeat);
            let bytes = script(&text);
            let (length, rest) = bytes.split_first_chunk::<4>().unwrap();
            prop_assert_eq!(usize::try_from(u32::from_le_bytes(*length)).unwrap(), rest.len());
            prop_assert!(rest.starts_with(text.as_bytes()));
            prop_assert!(length.iter().all(|byte| *byte < 0x80 && *byte != b'\n' && *byte != b'\r'));
        }

        #[test]
        fn escaped_json_means_the_same(text: String) {
            let json = serde_json::to_string(&text).unwrap();
            let plain = ascii(&json);
            prop_assert!(plain.is_ascii());
            prop_assert_eq!(serde_json::from_str::<String>(&plain).unwrap(), text);
        }
    }
}
