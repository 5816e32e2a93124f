//! The one-time identity of a build: key pair, build account's password, and the certificate of the guest's HTTPS
//! listener, all made before the machine exists. The certificate travels as PFX in the user data, so its pin is known
//! in advance and nobody in between can take the guest's place.

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use p12_keystore::{EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKeyChain};
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

/// Why an identity could not be made or used.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
pub enum IdentityError {
    /// The cryptographic library refused.
    #[error("cannot make {0}")]
    Make(&'static str),
    /// The password that the cloud hands out is not for our key, or not RSAES-PKCS1-v1_5.
    #[error("the instance password cannot be decrypted with this build's key")]
    Decrypt,
}

/// An RSA key pair for the cloud: Cloudbase-Init encrypts the instance password with it.
pub struct SshKey {
    /// `ssh-rsa AAAA… comment`.
    pub public: String,
    /// PKCS#8 in base64.
    pub private: SecretString,
}

/// Makes a 3072-bit key pair: its block of 512 base64 characters fits the metadata service's 1,020.
///
/// # Errors
/// [`IdentityError::Make`].
pub fn ssh_key(comment: &str) -> Result<SshKey, IdentityError> {
    let failed = |_| IdentityError::Make("an RSA key pair");
    let pair = RsaKeyPair::generate(KeySize::Rsa3072).map_err(failed)?;
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(failed)?;
    let public = pair.public_key();
    let exponent = public.exponent().big_endian_without_leading_zero().to_vec();
    let modulus = public.modulus().big_endian_without_leading_zero().to_vec();
    Ok(SshKey {
        public: format!("ssh-rsa {} {comment}", BASE64.encode(ssh_rsa_blob(&exponent, &modulus))),
        private: SecretString::from(BASE64.encode(der.as_ref())),
    })
}

/// The wire form of an RSA public key (RFC 4253, section 6.6).
fn ssh_rsa_blob(exponent: &[u8], modulus: &[u8]) -> Vec<u8> {
    let mut blob = Vec::new();
    let mut field = |bytes: &[u8]| {
        blob.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        blob.extend(bytes);
    };
    field(b"ssh-rsa");
    field(&mpint(exponent));
    field(&mpint(modulus));
    blob
}

/// A positive multiple-precision integer: a leading zero keeps the sign bit clear (RFC 4251, section 5).
fn mpint(bytes: &[u8]) -> Vec<u8> {
    let sign = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    if sign { [&[0], bytes].concat() } else { bytes.to_vec() }
}

/// Decrypts what `os-server-password` answers.
///
/// # Errors
/// [`IdentityError::Decrypt`].
pub fn decrypt_password(private: &SecretString, encrypted: &str) -> Result<SecretString, IdentityError> {
    let wrong = |()| IdentityError::Decrypt;
    let der = Zeroizing::new(
        BASE64
            .decode(private.expose_secret())
            .map_err(|_| IdentityError::Decrypt)?,
    );
    let key = PrivateDecryptingKey::from_pkcs8(&der).map_err(|_| ()).map_err(wrong)?;
    let key = Pkcs1PrivateDecryptingKey::new(key).map_err(|_| ()).map_err(wrong)?;
    let block: Vec<u8> = encrypted.split_whitespace().collect::<String>().into_bytes();
    let block = BASE64.decode(block).map_err(|_| IdentityError::Decrypt)?;
    let mut plain = Zeroizing::new(vec![0; key.min_output_size()]);
    let plain = key.decrypt(&block, &mut plain).map_err(|_| IdentityError::Decrypt)?;
    let text = std::str::from_utf8(plain).map_err(|_| IdentityError::Decrypt)?;
    Ok(SecretString::from(text))
}

/// The certificate of the guest's HTTPS listener.
pub struct Listener {
    /// PKCS#12 in base64.
    pub pfx: SecretString,
    /// The PFX's password.
    pub pfx_password: SecretString,
    /// SHA-256 of the certificate, lower-case hex: what the client pins.
    pub pin: String,
    /// SHA-1 of the certificate, upper-case hex: only Windows' name for it, no proof of anything.
    pub thumbprint: String,
}

/// Makes a self-signed certificate for one build and packs it as a PFX that Server 2016 can read: that version knows
/// 3DES with SHA-1 only. The PFX is protected by the one-time password that travels beside it, so its strength does not
/// matter; the pin does.
///
/// # Errors
/// [`IdentityError::Make`].
pub fn listener(name: &str, password: SecretString) -> Result<Listener, IdentityError> {
    let failed = |_| IdentityError::Make("the listener's certificate");
    let key = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).map_err(failed)?;
    let certificate = parameters(name).map_err(failed)?.self_signed(&key).map_err(failed)?;
    let pfx = pack(name, &key.serialize_der(), certificate.der(), password.expose_secret())?;
    Ok(Listener {
        pfx: SecretString::from(BASE64.encode(pfx)),
        pfx_password: password,
        pin: hex::encode(Sha256::digest(certificate.der())),
        thumbprint: hex::encode_upper(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, certificate.der())),
    })
}

fn parameters(name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = CertificateParams::new(vec![name.to_owned()])?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    parameters.distinguished_name = subject;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(parameters)
}

fn pack(alias: &str, key: &[u8], certificate: &[u8], password: &str) -> Result<Vec<u8>, IdentityError> {
    let failed = |_| IdentityError::Make("the listener's PFX");
    let certificate = p12_keystore::Certificate::from_der(certificate).map_err(failed)?;
    let key = p12_keystore::PrivateKey::from_der(key).map_err(failed)?;
    let chain = PrivateKeyChain::new(vec![1_u8], key, [certificate]);
    let mut store = KeyStore::new();
    store.add_entry(alias, KeyStoreEntry::PrivateKeyChain(chain));
    store
        .writer(password)
        .encryption_algorithm(EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc)
        .encryption_iterations(2048)
        .mac_algorithm(MacAlgorithm::HmacSha1)
        .mac_iterations(2048)
        .write()
        .map_err(failed)
}

/// A password of 28 characters from `random` bytes that every Windows policy takes: upper and lower case, digits and a
/// punctuation mark that no shell, XML or JSON cares about.
pub fn password(random: &[u8; 24]) -> SecretString {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    let letter = |byte: &u8| char::from(*LETTERS.get(usize::from(*byte) % LETTERS.len()).unwrap_or(&b'x'));
    let body: Zeroizing<String> = Zeroizing::new(random.iter().map(letter).collect());
    SecretString::from(format!("Aa7-{}", body.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_mpint_never_looks_negative() {
        assert_eq!(mpint(&[0x01, 0x00, 0x01]), [1, 0, 1]);
        assert_eq!(mpint(&[0x80]), [0, 0x80]);
    }

    #[test]
    fn what_is_encrypted_for_the_key_is_read_with_it() {
        use aws_lc_rs::rsa::{Pkcs1PublicEncryptingKey, PublicEncryptingKey};
        let key = ssh_key("test").unwrap();
        let der = BASE64.decode(key.private.expose_secret()).unwrap();
        let public: PublicEncryptingKey = PrivateDecryptingKey::from_pkcs8(&der).unwrap().public_key();
        let public = Pkcs1PublicEncryptingKey::new(public).unwrap();
        let mut block = vec![0; public.ciphertext_size()];
        let block = BASE64.encode(public.encrypt("Passw0rd! 한글".as_bytes(), &mut block).unwrap());
        assert_eq!(
            decrypt_password(&key.private, &block).unwrap().expose_secret(),
            "Passw0rd! 한글"
        );
        assert_eq!(
            decrypt_password(&key.private, "AAAA").unwrap_err(),
            IdentityError::Decrypt
        );
        assert!(key.public.starts_with("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ"));
    }

    #[test]
    fn the_pfx_holds_the_pinned_certificate() {
        let listener = listener("reseal-test", SecretString::from("pw")).unwrap();
        let pfx = BASE64.decode(listener.pfx.expose_secret()).unwrap();
        let policy = p12_keystore::Pkcs12ImportPolicy::Strict;
        let store = KeyStore::from_pkcs12(&pfx, "pw", policy).unwrap();
        let (_, chain) = store.private_key_chain().unwrap();
        let certificate = chain.certs().first().unwrap();
        assert_eq!(hex::encode(Sha256::digest(certificate.as_der())), listener.pin);
    }

    #[test]
    fn passwords_have_every_kind_of_character_and_differ() {
        let password = |seed: u8| password(&[seed; 24]).expose_secret().to_owned();
        assert_eq!(password(1).len(), 28);
        assert_ne!(password(1), password(2));
    }
}
