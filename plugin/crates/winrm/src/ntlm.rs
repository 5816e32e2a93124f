//! NTLM by `sspi`: login tokens, sealing and unsealing of one connection (MS-NLMP).
//!
//! INVARIANT: where messages are to be sealed, a challenge that does not offer 128-bit sealing with extended session
//! security is refused; there is no weaker second way.

use secrecy::ExposeSecret as _;
use sspi::{
    AuthIdentity, BufferType, ClientRequestFlags, CredentialUse, DataRepresentation, EncryptionFlags, SecurityBuffer,
    SecurityBufferRef, Sspi as _, SspiImpl as _, Username,
};

use crate::config::Auth;

/// Length of a message's signature.
pub(crate) const SIGNATURE: usize = 16;

const MAGIC: &[u8] = b"NTLMSSP\0";
const CHALLENGE: u32 = 2;
const NEGOTIATE_SIGN: u32 = 0x0000_0010;
const NEGOTIATE_SEAL: u32 = 0x0000_0020;
const NEGOTIATE_EXTENDED_SESSION_SECURITY: u32 = 0x0008_0000;
const NEGOTIATE_128: u32 = 0x2000_0000;
const SEALING: u32 = NEGOTIATE_SIGN | NEGOTIATE_SEAL | NEGOTIATE_EXTENDED_SESSION_SECURITY | NEGOTIATE_128;

/// The security context of one connection.
pub(crate) struct Ntlm {
    context: sspi::Ntlm,
    credentials: Option<sspi::AuthIdentityBuffers>,
    sealing: bool,
}

impl Ntlm {
    /// Begins a login; `binding` is the channel binding token of the TLS connection below, without which messages
    /// are sealed.
    pub(crate) fn new(auth: &Auth, binding: Option<&[u8]>) -> Result<Self, String> {
        let username = Username::parse(&auth.username)
            .map_err(|_| format!("`{}` is not a user name that Windows knows", auth.username))?;
        let identity = AuthIdentity {
            username,
            password: auth.password.expose_secret().to_owned().into(),
        };
        let mut context = sspi::Ntlm::new();
        if let Some(token) = binding {
            context.set_channel_bindings(token);
        }
        let credentials = context
            .acquire_credentials_handle()
            .with_credential_use(CredentialUse::Outbound)
            .with_auth_data(&identity)
            .execute(&mut context)
            .map_err(|error| error.to_string())?
            .credentials_handle;
        Ok(Self {
            context,
            credentials,
            sealing: binding.is_none(),
        })
    }

    /// The first token.
    pub(crate) fn negotiate(&mut self) -> Result<Vec<u8>, String> {
        self.step(None)
    }

    /// The answer to the server's challenge.
    pub(crate) fn authenticate(&mut self, challenge: &[u8]) -> Result<Vec<u8>, String> {
        check_challenge(challenge, self.sealing)?;
        self.step(Some(challenge))
    }

    fn step(&mut self, input: Option<&[u8]>) -> Result<Vec<u8>, String> {
        let mut input = [SecurityBuffer::new(
            input.unwrap_or_default().to_vec(),
            BufferType::Token,
        )];
        let mut output = [SecurityBuffer::new(Vec::new(), BufferType::Token)];
        let mut builder = self
            .context
            .initialize_security_context()
            .with_credentials_handle(&mut self.credentials)
            .with_context_requirements(ClientRequestFlags::CONFIDENTIALITY | ClientRequestFlags::INTEGRITY)
            .with_target_data_representation(DataRepresentation::Native)
            .with_input(&mut input)
            .with_output(&mut output);
        self.context
            .initialize_security_context_impl(&mut builder)
            .and_then(|mut generator| generator.resolve_to_result())
            .map_err(|error| error.to_string())?;
        let [token] = output;
        Ok(token.buffer)
    }

    /// Seals `message` in place and returns its signature.
    pub(crate) fn seal(&mut self, message: &mut [u8]) -> Result<[u8; SIGNATURE], String> {
        let mut signature = [0; SIGNATURE];
        let mut buffers = [
            SecurityBufferRef::token_buf(&mut signature),
            SecurityBufferRef::data_buf(message),
        ];
        self.context
            .encrypt_message(EncryptionFlags::empty(), &mut buffers)
            .map_err(|error| error.to_string())?;
        Ok(signature)
    }

    /// Unseals a message in place. After an error the connection must not be used any more.
    pub(crate) fn unseal(&mut self, signature: &mut [u8], message: &mut [u8]) -> Result<(), String> {
        let mut buffers = [
            SecurityBufferRef::token_buf(signature),
            SecurityBufferRef::data_buf(message),
        ];
        self.context
            .decrypt_message(&mut buffers)
            .map_err(|error| error.to_string())?;
        Ok(())
    }
}

/// Looks at what `sspi` takes on trust: that it is a challenge at all, that its fields lie inside it, and that it
/// offers what we insist on.
fn check_challenge(token: &[u8], sealing: bool) -> Result<(), String> {
    if !token.starts_with(MAGIC) || number(token, 8) != Some(CHALLENGE) {
        return Err("the server's token is not an NTLM challenge".to_owned());
    }
    for field in [12, 40] {
        check_field(token, field).ok_or("the server's NTLM challenge is damaged")?;
    }
    let flags = number(token, 20).ok_or("the server's NTLM challenge is too short")?;
    if sealing && flags & SEALING != SEALING {
        return Err(format!(
            "the server does not offer 128-bit sealing (flags {flags:#010x})"
        ));
    }
    Ok(())
}

/// A field's length and place must be inside the token.
fn check_field(token: &[u8], at: usize) -> Option<()> {
    let [low, high] = *token.get(at..at + 2)?.first_chunk::<2>()?;
    let length = usize::from(u16::from_le_bytes([low, high]));
    let start = usize::try_from(number(token, at + 4)?).ok()?;
    (length == 0 || start.checked_add(length)? <= token.len()).then_some(())
}

fn number(token: &[u8], at: usize) -> Option<u32> {
    token
        .get(at..at + 4)?
        .first_chunk::<4>()
        .map(|bytes| u32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::SecretString;

    use super::*;
    use crate::config::AuthKind;

    fn auth() -> Auth {
        Auth {
            kind: AuthKind::Negotiate,
            username: "BUILD\\user".to_owned(),
            password: SecretString::from("pa55"),
        }
    }

    /// A challenge as Windows makes it, with names and a time stamp.
    fn challenge(flags: u32) -> Vec<u8> {
        let info: &[u8] = &[
            2, 0, 4, 0, b'W', 0, b'S', 0, // NetBIOS domain
            1, 0, 4, 0, b'W', 0, b'S', 0, // NetBIOS computer
            7, 0, 8, 0, 1, 2, 3, 4, 5, 6, 7, 1, // time
            0, 0, 0, 0,
        ];
        let mut token = MAGIC.to_vec();
        token.extend(CHALLENGE.to_le_bytes());
        token.extend([4, 0, 4, 0, 56, 0, 0, 0]);
        token.extend(flags.to_le_bytes());
        token.extend([9; 8]);
        token.extend([0; 8]);
        let length = u16::try_from(info.len()).unwrap().to_le_bytes();
        token.extend(length);
        token.extend(length);
        token.extend(60_u32.to_le_bytes());
        token.extend([10, 0, 0x63, 0x45, 0, 0, 0, 15]);
        token.extend([b'W', 0, b'S', 0]);
        token.extend(info);
        token
    }

    const GOOD: u32 = SEALING | 0x4282_8201;

    #[test]
    fn a_login_has_two_tokens() {
        let mut ntlm = Ntlm::new(&auth(), None).unwrap();
        assert!(ntlm.negotiate().unwrap().starts_with(MAGIC));
        let token = ntlm.authenticate(&challenge(GOOD)).unwrap();
        assert!(token.starts_with(MAGIC));
        let mut message = b"hello".to_vec();
        let signature = ntlm.seal(&mut message).unwrap();
        assert_eq!(signature.first(), Some(&1));
        assert_ne!(message, b"hello");
    }

    #[test]
    fn sealing_is_insisted_on_without_tls_only() {
        let weak = challenge(GOOD & !NEGOTIATE_SEAL);
        let mut plain = Ntlm::new(&auth(), None).unwrap();
        plain.negotiate().unwrap();
        assert!(plain.authenticate(&weak).unwrap_err().contains("sealing"));
        let mut bound = Ntlm::new(&auth(), Some(b"tls-server-end-point:x")).unwrap();
        bound.negotiate().unwrap();
        assert!(bound.authenticate(&weak).is_ok());
    }

    #[test]
    fn a_wrong_seal_is_an_error() {
        let mut ntlm = Ntlm::new(&auth(), None).unwrap();
        ntlm.negotiate().unwrap();
        ntlm.authenticate(&challenge(GOOD)).unwrap();
        assert!(ntlm.unseal(&mut [1; SIGNATURE], &mut [0; 32]).is_err());
    }

    proptest! {
        #[test]
        fn damaged_challenges_never_panic(at in 0_usize..92, byte: u8, length in 0_usize..92) {
            let mut token = challenge(GOOD);
            if let Some(place) = token.get_mut(at) {
                *place = byte;
            }
            token.truncate(length.max(20));
            for token in [token.clone(), challenge(GOOD).into_iter().chain(token).collect()] {
                let mut ntlm = Ntlm::new(&auth(), None).unwrap();
                ntlm.negotiate().unwrap();
                let _ = ntlm.authenticate(&token);
            }
        }

        #[test]
        fn one_changed_byte_never_panics(at in 0_usize..92, byte: u8) {
            let mut token = challenge(GOOD);
            token[at] = byte;
            let mut ntlm = Ntlm::new(&auth(), None).unwrap();
            ntlm.negotiate().unwrap();
            let _ = ntlm.authenticate(&token);
        }
    }
}
