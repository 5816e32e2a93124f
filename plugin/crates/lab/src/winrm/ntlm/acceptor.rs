//! One NTLM login, from the client's NEGOTIATE to keys.

use thiserror::Error;

use super::keys::{Key, hmac_md5, ntowf_v2};
use super::message::{
    ALWAYS_SIGN, Authenticate, BITS_56, BITS_128, EXTENDED, KEY_EXCHANGE, MIC_AT, MIC_PRESENT, NTLM, NtlmV2Response,
    REQUEST_TARGET, SEAL, SIGN, TARGET_INFO, TARGET_TYPE_SERVER, UNICODE, WITH_VERSION, av, decode_negotiate,
    encode_av_pairs, encode_challenge,
};
use super::rc4::Rc4;
use super::seal::Session;
use crate::winrm::bytes::utf16le;

/// Why a login failed. The client only sees 401; the lab's tests see this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NtlmError {
    /// Not the message that belongs here.
    #[error("the NTLM message cannot be read")]
    Malformed,
    /// The client cannot or will not do what sealing needs.
    #[error("the client does not offer Unicode, extended session security, 128-bit keys and sealing")]
    Weak,
    /// An `NTLMv1` response.
    #[error("the response is not NTLMv2")]
    NotV2,
    /// No such account, or the proof is wrong.
    #[error("unknown account or wrong password")]
    Refused,
    /// The target info of the challenge came back changed.
    #[error("the challenge's target information was not echoed")]
    TargetInfo,
    /// A MIC was due and is absent or wrong.
    #[error("the message integrity code is absent or wrong")]
    Mic,
    /// Channel bindings that do not belong to this TLS connection.
    #[error("the channel bindings are those of another connection")]
    ChannelBindings,
    /// The policy wants channel bindings.
    #[error("channel bindings are required and absent")]
    NoChannelBindings,
}

/// Who logged in.
#[derive(Debug, Clone)]
pub struct Granted {
    /// The user's name as the client wrote it.
    pub user: String,
    /// Keys for signing and sealing.
    pub session: Session,
    /// Whether the client sent channel bindings.
    pub bound: bool,
}

/// What the TLS connection expects of a login.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// The hash for this connection's certificate.
    pub hash: Key,
    /// Whether a login without bindings is refused.
    pub required: bool,
}

/// A login that waits for its AUTHENTICATE message.
#[derive(Debug)]
pub struct Acceptor {
    negotiate: Vec<u8>,
    challenge: Vec<u8>,
    server_challenge: [u8; 8],
    target_info: Vec<(u16, Vec<u8>)>,
}

impl Acceptor {
    /// Answers NEGOTIATE. `nonce` must be random, `filetime` is the guest's time in 100 ns since 1601.
    ///
    /// # Errors
    /// [`NtlmError::Malformed`] or [`NtlmError::Weak`].
    pub fn begin(negotiate: &[u8], computer: &str, nonce: [u8; 8], filetime: u64) -> Result<Self, NtlmError> {
        const NEEDED: u32 = UNICODE | EXTENDED | BITS_128;
        let offered = decode_negotiate(negotiate).ok_or(NtlmError::Malformed)?;
        if offered & NEEDED != NEEDED {
            return Err(NtlmError::Weak);
        }
        let echoed = offered & (SIGN | SEAL | KEY_EXCHANGE | BITS_56 | ALWAYS_SIGN);
        let flags = NEEDED | NTLM | REQUEST_TARGET | TARGET_TYPE_SERVER | TARGET_INFO | WITH_VERSION | echoed;
        let name = utf16le(computer);
        let target_info: Vec<(u16, Vec<u8>)> = vec![
            (av::DOMAIN, name.clone()),
            (av::COMPUTER, name.clone()),
            (av::DNS_DOMAIN, name.clone()),
            (av::DNS_COMPUTER, name),
            (av::TIMESTAMP, filetime.to_le_bytes().to_vec()),
        ];
        let list = encode_av_pairs(target_info.iter().map(|(id, value)| (*id, value.as_slice())));
        let challenge = encode_challenge(flags, nonce, computer, &list);
        Ok(Self {
            negotiate: negotiate.to_vec(),
            challenge,
            server_challenge: nonce,
            target_info,
        })
    }

    /// The CHALLENGE message.
    pub fn challenge(&self) -> &[u8] {
        &self.challenge
    }

    /// Checks AUTHENTICATE. `hash_of` gives the NT hash of a user in a domain.
    ///
    /// # Errors
    /// Any [`NtlmError`].
    pub fn finish(
        &self,
        message: &[u8],
        hash_of: impl FnOnce(&str, &str) -> Option<Key>,
        binding: Option<Binding>,
    ) -> Result<Granted, NtlmError> {
        let authenticate = Authenticate::decode(message).ok_or(NtlmError::Malformed)?;
        if authenticate.flags & (UNICODE | EXTENDED | BITS_128) != UNICODE | EXTENDED | BITS_128 {
            return Err(NtlmError::Weak);
        }
        let response = NtlmV2Response::decode(authenticate.nt_response).ok_or(NtlmError::NotV2)?;
        let hash = hash_of(&authenticate.user, &authenticate.domain).ok_or(NtlmError::Refused)?;
        let key = ntowf_v2(&hash, &authenticate.user, &authenticate.domain);
        if hmac_md5(&key, &[&self.server_challenge, response.temp]) != response.proof {
            return Err(NtlmError::Refused);
        }
        self.check_target_info(&response)?;
        let bound = check_binding(&response, binding)?;
        let exported = exported_key(&authenticate, &hmac_md5(&key, &[&response.proof]))?;
        self.check_mic(&authenticate, &response, message, &exported)?;
        let session = Session::new(&exported, authenticate.flags & KEY_EXCHANGE != 0);
        Ok(Granted {
            user: authenticate.user,
            session,
            bound,
        })
    }

    fn check_target_info(&self, response: &NtlmV2Response<'_>) -> Result<(), NtlmError> {
        let echoed = self
            .target_info
            .iter()
            .all(|(id, value)| response.pair(*id) == Some(value.as_slice()));
        if echoed { Ok(()) } else { Err(NtlmError::TargetInfo) }
    }

    /// INVARIANT: the challenge carries a time stamp, so the client must send a MIC (MS-NLMP section 3.1.5.1.2).
    fn check_mic(
        &self,
        authenticate: &Authenticate<'_>,
        response: &NtlmV2Response<'_>,
        message: &[u8],
        exported: &Key,
    ) -> Result<(), NtlmError> {
        let flags = response
            .pair(av::FLAGS)
            .and_then(|value| value.try_into().ok())
            .map(u32::from_le_bytes);
        let promised = flags.is_some_and(|flags| flags & MIC_PRESENT != 0);
        let mut blanked = message.to_vec();
        blanked.get_mut(MIC_AT).ok_or(NtlmError::Mic)?.fill(0);
        let mic = hmac_md5(exported, &[&self.negotiate, &self.challenge, &blanked]);
        if promised && authenticate.mic == Some(mic) {
            Ok(())
        } else {
            Err(NtlmError::Mic)
        }
    }
}

fn check_binding(response: &NtlmV2Response<'_>, binding: Option<Binding>) -> Result<bool, NtlmError> {
    let sent = response
        .pair(av::CHANNEL_BINDINGS)
        .filter(|hash| hash.iter().any(|byte| *byte != 0));
    match (sent, binding) {
        (Some(sent), Some(binding)) if sent != binding.hash => Err(NtlmError::ChannelBindings),
        (None, Some(Binding { required: true, .. })) => Err(NtlmError::NoChannelBindings),
        (sent, _) => Ok(sent.is_some()),
    }
}

fn exported_key(authenticate: &Authenticate<'_>, exchange_key: &Key) -> Result<Key, NtlmError> {
    if authenticate.flags & KEY_EXCHANGE == 0 {
        return Ok(*exchange_key);
    }
    let key = Rc4::new(exchange_key).applied(authenticate.encrypted_key);
    key.try_into().map_err(|_| NtlmError::Malformed)
}
