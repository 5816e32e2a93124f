//! Key pairs: imported RSA keys only.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::access::Microversion;
use super::super::fresh::Fresh;
use super::super::front::Turn;
use super::super::mode::Mode;
use super::super::paging::{USUAL, links, page};
use super::super::reply::{Outcome, Refusal, Reply};

/// A key pair; its name is its id.
pub(crate) struct Keypair {
    pub(crate) public_key: String,
    pub(crate) fresh: Fresh,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    keypair: New,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    public_key: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// Imports a public key.
pub(crate) fn create(turn: &mut Turn<'_>, version: Microversion) -> Outcome {
    turn.ask.query(&[])?;
    let Body {
        keypair: New { name, public_key, kind },
    } = turn.ask.json()?;
    if name.is_empty() || name.len() > 255 || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_ .@".contains(c)) {
        return Err(Refusal::invalid(
            "Keypair data is invalid: Keypair name contains unsafe characters",
        ));
    }
    if kind.is_some()
        && (turn.world.mode == Mode::Nhn || version < Microversion(2, 2) || kind.as_deref() != Some("ssh"))
    {
        return Err(Refusal::strict("'type' is known from 2.2 on, and must be 'ssh'"));
    }
    let Some(public_key) = public_key else {
        return Err(Refusal::strict(
            "import a public key: a generated private key would come over the wire",
        ));
    };
    check_key(&public_key)?;
    if turn.state.keypairs.contains_key(&name) || turn.world.faults.strike("keypair-conflict").is_some() {
        return Err(Refusal::conflict(format!("Key pair '{name}' already exists.")));
    }
    if turn.state.keypairs.len() >= usize::try_from(turn.world.quota.keypairs).unwrap_or(usize::MAX) {
        return Err(Refusal::forbidden("Maximum number of key pairs exceeded"));
    }
    let body = show_body(turn, &name, &public_key);
    turn.state.keypairs.insert(
        name,
        Keypair {
            public_key,
            fresh: Fresh::new(turn.now),
        },
    );
    let status = if version >= Microversion(2, 2) { 201 } else { 200 };
    Ok(Reply::json(status, body))
}

/// Cloudbase-Init takes nothing but RSA of at most 4096 bits, and the password must fit Nova's 1,020 bytes.
fn check_key(text: &str) -> Result<(), Refusal> {
    let mut words = text.split_whitespace();
    if words.next() != Some("ssh-rsa") {
        return Err(Refusal::strict(
            "the public key is not ssh-rsa; Windows guests cannot use others",
        ));
    }
    let blob = words
        .next()
        .and_then(|word| STANDARD.decode(word).ok())
        .unwrap_or_default();
    let modulus = modulus_bits(&blob)
        .ok_or_else(|| Refusal::invalid("Keypair data is invalid: failed to generate fingerprint"))?;
    if !(2048..=4096).contains(&modulus) {
        return Err(Refusal::strict(format!(
            "an RSA key of {modulus} bits; 2048 to 4096 are usable"
        )));
    }
    Ok(())
}

/// The size of the third field (the modulus) of an `ssh-rsa` blob.
fn modulus_bits(blob: &[u8]) -> Option<usize> {
    let (kind, rest) = field(blob)?;
    let (_exponent, rest) = field(rest)?;
    let (modulus, rest) = field(rest)?;
    let leading = modulus.iter().take_while(|byte| **byte == 0).count();
    (kind == b"ssh-rsa" && rest.is_empty()).then_some((modulus.len() - leading) * 8)
}

fn field(blob: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = blob.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

fn show_body(turn: &Turn<'_>, name: &str, public_key: &str) -> Value {
    let blob = public_key
        .split_whitespace()
        .nth(1)
        .and_then(|word| STANDARD.decode(word).ok())
        .unwrap_or_default();
    let fingerprint = format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(blob)));
    json!({"keypair": {"name": name, "public_key": public_key, "fingerprint": fingerprint, "user_id": turn.world.tenant.user_id}})
}

/// Lists all.
pub(crate) fn list(turn: &mut Turn<'_>) -> Outcome {
    turn.ask.no_body()?;
    let query = turn.ask.query(&["limit", "marker"])?;
    let now = turn.now;
    let listed: Vec<(String, String)> = turn
        .state
        .keypairs
        .iter()
        .filter(|(_, pair)| pair.fresh.listed(now))
        .map(|(name, pair)| (name.clone(), pair.public_key.clone()))
        .collect();
    let page = page(&query, listed, USUAL, |(name, _)| name)?;
    let pairs: Vec<Value> = page
        .items
        .iter()
        .map(|(name, key)| show_body(turn, name, key))
        .collect();
    let mut reply = json!({"keypairs": pairs});
    if let Some(next) = &page.next {
        reply["keypairs_links"] = links(turn, next);
    }
    Ok(Reply::json(200, reply))
}

/// Shows one.
pub(crate) fn show(turn: &mut Turn<'_>, name: &str) -> Outcome {
    turn.ask.bare()?;
    let now = turn.now;
    let pair = turn.state.keypairs.get_mut(name).filter(|pair| pair.fresh.shown(now));
    let key = pair.map(|pair| pair.public_key.clone()).ok_or_else(|| missing(name))?;
    Ok(Reply::json(200, show_body(turn, name, &key)))
}

/// Deletes one.
pub(crate) fn delete(turn: &mut Turn<'_>, name: &str, version: Microversion) -> Outcome {
    turn.ask.bare()?;
    turn.state.keypairs.remove(name).ok_or_else(|| missing(name))?;
    Ok(Reply::empty(if version >= Microversion(2, 2) { 204 } else { 202 }))
}

fn missing(name: &str) -> Refusal {
    Refusal::not_found(format!("Keypair {name} not found for user"))
}
