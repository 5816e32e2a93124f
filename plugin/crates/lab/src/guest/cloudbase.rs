//! Cloudbase-Init: activation, the posted password, user data.

use std::sync::Arc;

use aws_lc_rs::rsa::{Pkcs1PublicEncryptingKey, PublicEncryptingKey};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::boot::extend;
use super::clone;
use super::machine::{Event, Guest, State, after};
use super::provider::CLOUDBASE_LOG;
use super::windows::{ADMINISTRATORS, Guard, Windows};
use crate::winrm::bytes::Cursor;
use crate::winrm::computer::Certified;

/// The plugins before user data.
pub fn plugins(guest: &Guest, state: &mut State, at: Timestamp) {
    extend(guest, state);
    if state.disk.cloudbase.instances.contains(&guest.birth.server_id) {
        return;
    }
    tell(guest, state, at, "Executing plugins for the service stage");
    activate(guest, state, at);
}

/// The key management service is asked; what it answers is the licence's business.
fn activate(guest: &Guest, state: &mut State, at: Timestamp) {
    state.disk.license.kms_host = Some("kms.cloud.internal:1688".to_owned());
    let unreachable = guest.faults.armed("kms-unreachable").is_some()
        || clone::fault(state, &guest.faults, "clone-kms-fails").is_some();
    if unreachable {
        let said = "Activating Windows failed: Error: 0xC004F074 The Software Licensing Service reported that the \
                    computer could not be activated. No Key Management Service (KMS) could be contacted.";
        return tell(guest, state, at, said);
    }
    state.disk.license.status = 1;
    tell(guest, state, at, "Product activated successfully.");
}

/// Writes a line of Cloudbase-Init's log, and sends it out of the serial port as the provider's configuration wants it.
fn tell(guest: &Guest, state: &mut State, at: Timestamp, text: &str) {
    let line = line(at, text);
    if guest.faults.armed("console-silent").is_none() {
        state.live.send(line.trim_end());
    }
    state.disk.files.append(CLOUDBASE_LOG, &line, at);
}

fn line(at: Timestamp, text: &str) -> String {
    format!(
        "{} 1234 INFO cloudbaseinit.init [-] {text}\r\n",
        at.strftime("%Y-%m-%d %H:%M:%S.000")
    )
}

/// User data, then the password: the order of the default plugin list.
pub fn user_data(guest: &Guest, state: &mut State, at: Timestamp) {
    if state.disk.cloudbase.instances.contains(&guest.birth.server_id) {
        return;
    }
    state.disk.cloudbase.instances.push(guest.birth.server_id.clone());
    if guest.faults.armed("user-data-ignored").is_none()
        && let Some(data) = &guest.birth.user_data
    {
        let said = execute(state, data, at).unwrap_or_else(|problem| {
            state.violation(format!("user data: {problem}"));
            format!("user data failed: {problem}")
        });
        tell(guest, state, at, &said);
    }
    if clone::fault(state, &guest.faults, "clone-no-password").is_none() {
        post_password(guest, state, at);
    }
    if guest.faults.armed("cloudbase-winrm-listener").is_some() {
        replace_listener(state);
        state.live.plan(after(at, 45.0), Event::Guard);
    }
    tell(guest, state, at, "Plugins execution done");
    state.live.logins_refused = false;
    state.history.push("cloudbase-init done".to_owned());
}

/// What Reseal's bootstrap carries.
#[derive(Deserialize)]
struct Values {
    run: String,
    account: String,
    password: String,
    pfx: String,
    pfx_password: String,
    thumbprint: String,
    port: u16,
    prefix: String,
    home: String,
    dead_man_hours: u32,
}

fn execute(state: &mut State, data: &[u8], at: Timestamp) -> Result<String, String> {
    let text = std::str::from_utf8(data).map_err(|_| "not UTF-8".to_owned())?;
    let first = text.lines().next().unwrap_or_default().trim();
    if first.starts_with("rem cmd") || first == "#ps1_x86" || first.starts_with('<') {
        return Ok(format!("a script of another kind ({first}) was run"));
    }
    if first != "#ps1_sysnative" {
        return Err(format!("the first line `{first}` names no interpreter"));
    }
    let Some(values) = values(text) else {
        return Ok("a script of somebody else was run".to_owned());
    };
    open_the_door(state, &values, at)?;
    Ok("the script of the bootstrap was run".to_owned())
}

/// The one base64 block in the script that is a JSON document with an account.
fn values(text: &str) -> Option<Values> {
    let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || "+/=".contains(letter)));
    let blocks = words
        .filter(|word| word.len() > 100)
        .filter_map(|word| BASE64_STANDARD.decode(word).ok());
    let found: Vec<Values> = blocks.filter_map(|block| serde_json::from_slice(&block).ok()).collect();
    <[Values; 1]>::try_from(found).ok().map(|[values]| values)
}

fn open_the_door(state: &mut State, values: &Values, at: Timestamp) -> Result<(), String> {
    if values.dead_man_hours == 0 {
        return Err("a build machine must turn itself off some day".to_owned());
    }
    if values.port != 5986 {
        return Err(format!("the listener's port is {}", values.port));
    }
    if !good_password(&values.password, &values.account) {
        return Err("the password does not meet the password policy requirements".to_owned());
    }
    if values.account.chars().count() > 20 {
        return Err("the account's name is longer than 20 characters".to_owned());
    }
    let pfx = BASE64_STANDARD
        .decode(&values.pfx)
        .map_err(|_| "the PFX is not base64".to_owned())?;
    let certified = certificate(&pfx, &values.pfx_password)?;
    let sha1 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &certified.leaf);
    if hex::encode_upper(sha1) != values.thumbprint.to_uppercase() {
        return Err("the certificate store has no certificate with that thumbprint".to_owned());
    }
    state
        .disk
        .put_user(&values.account, Some(&values.password), &[ADMINISTRATORS]);
    state.disk.winrm.full_token = true;
    let thumbprint = hex::encode(Sha256::digest(&certified.leaf));
    let https = Arc::new(certified);
    state.disk.winrm.thumbprint = Some(thumbprint.clone());
    state.disk.winrm.https = Some(Arc::clone(&https));
    let folder = format!("C:\\ProgramData\\{}\\{}", values.home, values.run);
    state
        .disk
        .files
        .write_text(&format!("{folder}\\way-in.ps1"), "guard", at);
    let task = format!("{}-{}-way-in", values.prefix, values.run);
    state.disk.guard = Some(Guard {
        task,
        folder,
        https,
        thumbprint,
    });
    state.history.push("bootstrap".to_owned());
    Ok(())
}

/// Windows Server's default policy: three of four kinds of characters, and not the account's name.
pub fn good_password(password: &str, account: &str) -> bool {
    let kinds: [fn(char) -> bool; 4] = [
        |letter| letter.is_uppercase(),
        |letter| letter.is_lowercase(),
        |letter| letter.is_ascii_digit(),
        |letter| !letter.is_alphanumeric(),
    ];
    let found = kinds.iter().filter(|kind| password.chars().any(kind)).count();
    let named = account.len() > 2 && password.to_lowercase().contains(&account.to_lowercase());
    found >= 3 && !named && (password.len() >= 7 || password.chars().count() >= 7)
}

fn certificate(pfx: &[u8], password: &str) -> Result<Certified, String> {
    let policy = p12_keystore::Pkcs12ImportPolicy::Strict;
    let store =
        p12_keystore::KeyStore::from_pkcs12(pfx, password, policy).map_err(|error| format!("the PFX: {error}"))?;
    let (_, chain) = store.private_key_chain().ok_or("the PFX has no private key")?;
    let leaf = chain
        .certs()
        .first()
        .ok_or("the PFX has no certificate")?
        .as_der()
        .to_vec();
    certified(leaf, chain.key().as_der().to_vec())
}

/// A TLS configuration for a certificate and its PKCS#8 key.
///
/// # Errors
/// When they do not belong together.
pub fn certified(leaf: Vec<u8>, key: Vec<u8>) -> Result<Certified, String> {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(leaf.clone())],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key)),
        )
        .map_err(|error| format!("the certificate and its key: {error}"))?;
    Ok(Certified {
        config: Arc::new(config),
        leaf,
    })
}

/// Cloudbase-Init's own listener takes the place of the one on 5986.
fn replace_listener(state: &mut State) {
    match self_signed(&mut state.disk) {
        Ok(()) => state.disk.winrm.basic = true,
        Err(problem) => state.violation(format!("the lab cannot make a certificate: {problem}")),
    }
}

/// A listener on 5986 with a certificate that signed itself.
///
/// # Errors
/// When the certificate cannot be made.
pub fn self_signed(disk: &mut Windows) -> Result<(), String> {
    let made = rcgen::generate_simple_self_signed(vec!["Cloudbase-Init WinRM".to_owned()]);
    let made = made.map_err(|error| error.to_string())?;
    let made = certified(made.cert.der().to_vec(), made.signing_key.serialize_der())?;
    disk.winrm.thumbprint = Some(hex::encode(Sha256::digest(&made.leaf)));
    disk.winrm.https = Some(Arc::new(made));
    Ok(())
}

fn post_password(guest: &Guest, state: &mut State, at: Timestamp) {
    let user = state.disk.cloudbase.username.clone();
    let password = random_password();
    state.disk.put_user(&user, Some(&password), &[ADMINISTRATORS]);
    if let Some(user) = state.disk.users.get_mut(&user.to_lowercase()) {
        user.enabled = true;
    }
    let encrypted = guest.birth.public_keys.first().map(|key| encrypt(key, &password));
    match encrypted {
        Some(Ok(block)) if guest.faults.armed("no-password-post").is_none() => {
            state.live.posted = Some(block);
            tell(guest, state, at, "Password succesfully updated for user");
        }
        Some(Err(problem)) => {
            tell(guest, state, at, &format!("Invalid SSH key: {problem}"));
            state.violation(format!(
                "the first public key is of no use to Cloudbase-Init: {problem}"
            ));
        }
        _ => {}
    }
}

fn random_password() -> String {
    let bytes: [u8; 12] = rand::random();
    format!("Rs{}!", hex::encode(bytes).chars().take(17).collect::<String>())
}

/// RSA PKCS#1 v1.5 under an OpenSSH public key, base64.
fn encrypt(public_key: &str, password: &str) -> Result<String, String> {
    let (exponent, modulus) = ssh_rsa(public_key).ok_or("not an ssh-rsa key")?;
    if modulus.len() > 513 {
        return Err("the key has more than 4096 bits".to_owned());
    }
    let der = subject_public_key(&modulus, &exponent);
    let key = PublicEncryptingKey::from_der(&der).map_err(|_| "the key is refused")?;
    let key = Pkcs1PublicEncryptingKey::new(key).map_err(|_| "the key is refused")?;
    let mut block = vec![0; key.ciphertext_size()];
    let block = key
        .encrypt(password.as_bytes(), &mut block)
        .map_err(|_| "the password does not fit")?;
    Ok(BASE64_STANDARD.encode(block))
}

fn ssh_rsa(text: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let blob = text
        .split_whitespace()
        .nth(1)
        .filter(|_| text.starts_with("ssh-rsa "))?;
    let blob = BASE64_STANDARD.decode(blob).ok()?;
    let mut cursor = Cursor::new(&blob);
    let mut part = || {
        let length = usize::try_from(u32::from_be_bytes(cursor.array()?)).ok()?;
        cursor.take(length).map(<[u8]>::to_vec)
    };
    (part()? == b"ssh-rsa").then_some(())?;
    Some((part()?, part()?))
}

/// `SubjectPublicKeyInfo` of an RSA key; the numbers keep the sign octet of their mpint.
fn subject_public_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    const RSA: &[u8] = &[
        0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
    ];
    let numbers = [der(0x02, modulus), der(0x02, exponent)].concat();
    let bits = [vec![0], der(0x30, &numbers)].concat();
    der(0x30, &[RSA.to_vec(), der(0x03, &bits)].concat())
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    crate::winrm::spnego::der(tag, content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_policy() {
        assert!(good_password("Passw0rd!", "x"));
        assert!(!good_password("password", "x"));
        assert!(!good_password("Builder-12345", "builder"));
    }

    #[test]
    fn other_keys_are_refused() {
        assert!(encrypt("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2", "x").is_err());
        assert!(encrypt("ssh-rsa AAAA", "x").is_err());
    }
}
