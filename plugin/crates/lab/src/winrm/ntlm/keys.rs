//! Key derivation of MS-NLMP section 3.3.2 and 3.4.5.

use hmac::{Hmac, KeyInit, Mac};
use md4::Md4;
use md5::{Digest, Md5};

use crate::winrm::bytes::utf16le;

/// Sixteen bytes: every key and hash of NTLM has this size.
pub type Key = [u8; 16];

/// HMAC-MD5 over the parts, one after the other.
pub fn hmac_md5(key: &[u8], parts: &[&[u8]]) -> Key {
    // INVARIANT: HMAC takes keys of any length, so there is always a MAC.
    let Ok(mut mac) = <Hmac<Md5> as KeyInit>::new_from_slice(key) else {
        return Key::default();
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// MD5 over the parts, one after the other.
pub fn md5(parts: &[&[u8]]) -> Key {
    let mut hash = Md5::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// What Windows stores of a password (`NTOWFv1`).
pub fn nt_hash(password: &str) -> Key {
    Md4::digest(utf16le(password)).into()
}

/// `NTOWFv2`: the response key of a user in a domain.
pub fn ntowf_v2(nt_hash: &Key, user: &str, domain: &str) -> Key {
    hmac_md5(nt_hash, &[&utf16le(&user.to_uppercase()), &utf16le(domain)])
}

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the client.
    ToServer,
    /// From the server.
    ToClient,
}

impl Way {
    fn constant(self, what: &str) -> Vec<u8> {
        let way = match self {
            Self::ToServer => "client-to-server",
            Self::ToClient => "server-to-client",
        };
        format!("session key to {way} {what} key magic constant\0").into_bytes()
    }

    /// SIGNKEY with extended session security.
    pub fn sign_key(self, exported: &Key) -> Key {
        md5(&[exported, &self.constant("signing")])
    }

    /// SEALKEY with extended session security and 128 bits.
    pub fn seal_key(self, exported: &Key) -> Key {
        md5(&[exported, &self.constant("sealing")])
    }
}

/// The hash of GSS channel bindings that hold only application data (MS-NLMP, `MsvAvChannelBindings`).
pub fn channel_bindings(application_data: &[u8]) -> Key {
    let length = u32::try_from(application_data.len()).unwrap_or(u32::MAX);
    md5(&[&[0; 16], &length.to_le_bytes(), application_data])
}
