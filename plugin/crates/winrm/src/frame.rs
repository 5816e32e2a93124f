//! Frames for the standard input of our guest processes (`docs/guest-protocol.md`).

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

/// A length and that many bytes.
pub(crate) fn block(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut out = Vec::with_capacity(bytes.len() + 4);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(bytes);
    out
}

/// A header as a block. Serialising plain structs cannot fail.
pub(crate) fn header(header: &impl Serialize) -> Vec<u8> {
    block(&serde_json::to_vec(header).unwrap_or_default())
}

#[cfg(test)]
mod tests {
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
}
