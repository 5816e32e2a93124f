//! The three NTLM messages, decoded totally: any bytes give a message or `None`.

use crate::winrm::bytes::{Cursor, from_utf16le, utf16le};
use crate::winrm::ntlm::keys::Key;

const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";
/// The version field that we send: 10.0.20348, revision 15.
const VERSION: [u8; 8] = [10, 0, 0x7c, 0x4f, 0, 0, 0, 15];

/// `NTLMSSP_NEGOTIATE_UNICODE`.
pub const UNICODE: u32 = 0x0000_0001;
/// `NTLMSSP_REQUEST_TARGET`.
pub const REQUEST_TARGET: u32 = 0x0000_0004;
/// `NTLMSSP_NEGOTIATE_SIGN`.
pub const SIGN: u32 = 0x0000_0010;
/// `NTLMSSP_NEGOTIATE_SEAL`.
pub const SEAL: u32 = 0x0000_0020;
/// `NTLMSSP_NEGOTIATE_NTLM`.
pub const NTLM: u32 = 0x0000_0200;
/// `NTLMSSP_NEGOTIATE_ALWAYS_SIGN`.
pub const ALWAYS_SIGN: u32 = 0x0000_8000;
/// `NTLMSSP_TARGET_TYPE_SERVER`.
pub const TARGET_TYPE_SERVER: u32 = 0x0002_0000;
/// `NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY`.
pub const EXTENDED: u32 = 0x0008_0000;
/// `NTLMSSP_NEGOTIATE_TARGET_INFO`.
pub const TARGET_INFO: u32 = 0x0080_0000;
/// `NTLMSSP_NEGOTIATE_VERSION`.
pub const WITH_VERSION: u32 = 0x0200_0000;
/// `NTLMSSP_NEGOTIATE_128`.
pub const BITS_128: u32 = 0x2000_0000;
/// `NTLMSSP_NEGOTIATE_KEY_EXCH`.
pub const KEY_EXCHANGE: u32 = 0x4000_0000;
/// `NTLMSSP_NEGOTIATE_56`.
pub const BITS_56: u32 = 0x8000_0000;

/// Ids of attribute-value pairs.
pub mod av {
    /// Ends the list.
    pub const EOL: u16 = 0;
    /// `NetBIOS` name of the computer.
    pub const COMPUTER: u16 = 1;
    /// `NetBIOS` name of the domain.
    pub const DOMAIN: u16 = 2;
    /// DNS name of the computer.
    pub const DNS_COMPUTER: u16 = 3;
    /// DNS name of the domain.
    pub const DNS_DOMAIN: u16 = 4;
    /// Flags; bit 1 says that there is a MIC.
    pub const FLAGS: u16 = 6;
    /// The server's time.
    pub const TIMESTAMP: u16 = 7;
    /// The service that the client meant to reach.
    pub const TARGET_NAME: u16 = 9;
    /// Hash of the channel bindings.
    pub const CHANNEL_BINDINGS: u16 = 10;
}

/// The bit of [`av::FLAGS`] that promises a MIC.
pub const MIC_PRESENT: u32 = 2;

fn header(bytes: &[u8], kind: u32) -> Option<Cursor<'_>> {
    let mut cursor = Cursor::new(bytes);
    (cursor.take(8)? == SIGNATURE && cursor.u32()? == kind).then_some(cursor)
}

/// Reads a field descriptor and returns what it points at.
fn field<'a>(cursor: &mut Cursor<'_>, whole: &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::from(cursor.u16()?);
    let _allocated = cursor.u16()?;
    let offset = usize::try_from(cursor.u32()?).ok()?;
    whole.get(offset..offset.checked_add(length)?)
}

/// Whether these bytes are an NTLM message at all, and of which kind.
pub fn kind(bytes: &[u8]) -> Option<u32> {
    let mut cursor = Cursor::new(bytes);
    (cursor.take(8)? == SIGNATURE).then(|| cursor.u32()).flatten()
}

/// The client's flags.
pub fn decode_negotiate(bytes: &[u8]) -> Option<u32> {
    header(bytes, 1)?.u32()
}

/// Writes a CHALLENGE message.
pub fn encode_challenge(flags: u32, server_challenge: [u8; 8], target: &str, target_info: &[u8]) -> Vec<u8> {
    const FIXED: u32 = 56;
    let name = utf16le(target);
    let mut message = Vec::with_capacity(64 + name.len() + target_info.len());
    message.extend_from_slice(SIGNATURE);
    message.extend_from_slice(&2_u32.to_le_bytes());
    push_field(&mut message, name.len(), FIXED);
    message.extend_from_slice(&flags.to_le_bytes());
    message.extend_from_slice(&server_challenge);
    message.extend_from_slice(&[0; 8]);
    let after_name = FIXED.saturating_add(u32::try_from(name.len()).unwrap_or(u32::MAX));
    push_field(&mut message, target_info.len(), after_name);
    message.extend_from_slice(&VERSION);
    message.extend_from_slice(&name);
    message.extend_from_slice(target_info);
    message
}

fn push_field(message: &mut Vec<u8>, length: usize, offset: u32) {
    let length = u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes();
    message.extend_from_slice(&length);
    message.extend_from_slice(&length);
    message.extend_from_slice(&offset.to_le_bytes());
}

/// Writes attribute-value pairs with the end mark.
pub fn encode_av_pairs<'a>(pairs: impl IntoIterator<Item = (u16, &'a [u8])>) -> Vec<u8> {
    let mut list = Vec::new();
    for (id, value) in pairs.into_iter().chain([(av::EOL, &[][..])]) {
        list.extend_from_slice(&id.to_le_bytes());
        list.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
        list.extend_from_slice(value);
    }
    list
}

/// Reads attribute-value pairs up to the end mark, which must be there.
pub fn decode_av_pairs(bytes: &[u8]) -> Option<Vec<(u16, &[u8])>> {
    let mut cursor = Cursor::new(bytes);
    let mut pairs = Vec::new();
    loop {
        let id = cursor.u16()?;
        let length = usize::from(cursor.u16()?);
        let value = cursor.take(length)?;
        if id == av::EOL {
            return Some(pairs);
        }
        pairs.push((id, value));
    }
}

/// An AUTHENTICATE message.
#[derive(Debug, Clone)]
pub struct Authenticate<'a> {
    /// `NtChallengeResponse`.
    pub nt_response: &'a [u8],
    /// The domain as the client wrote it; it is part of the key.
    pub domain: String,
    /// The user's name as the client wrote it.
    pub user: String,
    /// The client's session key under the key exchange key.
    pub encrypted_key: &'a [u8],
    /// The flags that were agreed.
    pub flags: u32,
    /// The MIC, where the fixed part is long enough to have one.
    pub mic: Option<Key>,
}

/// Where the MIC stands.
pub const MIC_AT: std::ops::Range<usize> = 72..88;

impl<'a> Authenticate<'a> {
    /// Reads a message; only Unicode ones, as a client that can seal sends.
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = header(bytes, 3)?;
        let _lm_response = field(&mut cursor, bytes)?;
        let nt_response = field(&mut cursor, bytes)?;
        let domain = from_utf16le(field(&mut cursor, bytes)?)?;
        let user = from_utf16le(field(&mut cursor, bytes)?)?;
        let _workstation = field(&mut cursor, bytes)?;
        let encrypted_key = field(&mut cursor, bytes)?;
        let flags = cursor.u32()?;
        let mic = bytes.get(MIC_AT).and_then(|mic| mic.try_into().ok());
        Some(Self {
            nt_response,
            domain,
            user,
            encrypted_key,
            flags,
            mic,
        })
    }
}

/// The client's part of an `NTLMv2` response.
#[derive(Debug, Clone)]
pub struct NtlmV2Response<'a> {
    /// The proof.
    pub proof: Key,
    /// What the proof is about, as bytes.
    pub temp: &'a [u8],
    /// The attribute-value pairs inside.
    pub pairs: Vec<(u16, &'a [u8])>,
}

impl<'a> NtlmV2Response<'a> {
    /// Reads a response of version 2; the 24 bytes of version 1 are `None`.
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let proof = cursor.array()?;
        let temp = cursor.rest();
        if cursor.take(8)? != [1, 1, 0, 0, 0, 0, 0, 0] {
            return None;
        }
        let _time_and_nonce_and_reserved = cursor.take(8 + 8 + 4)?;
        let pairs = decode_av_pairs(cursor.rest())?;
        Some(Self { proof, temp, pairs })
    }

    /// The value of a pair.
    pub fn pair(&self, id: u16) -> Option<&'a [u8]> {
        self.pairs
            .iter()
            .find(|(found, _)| *found == id)
            .map(|(_, value)| *value)
    }
}
